"""Values from the data of documents: the model says of which type each member is.

The shipped schema has said already that the data fits, so nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from msgspec import Struct

from reconciler.documents.codec import ATTRIBUTES
from reconciler.model.change import Change
from reconciler.model.objects import Address, Problem
from reconciler.model.plan import Plan
from reconciler.model.report import Drifted, Verification

T = TypeVar("T")
_Read = Callable[[Any], Any]

_BEFORE: Mapping[type, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    Change: lambda data: {
        **data,
        "calls": [
            {**call, "address": data["address"], "connection": data["connection"], "effect": "update"}
            for call in data["calls"]
        ],
        "price": data["stake"]["price"] if data["stake"] is not None else None,
    },
    Drifted: lambda data: {**data, "total": data["coverage"]["fields"], "verifiable": data["coverage"]["verifiable"]},
    Plan: lambda data: {
        **data,
        "currency": data["bookings"]["currency"],
        "guarded": {change["address"]: change["guarded"] for change in data["changes"] if change["guarded"]},
    },
    Verification: lambda data: {**data, "left": zip(data["changes"], data["words"], strict=True)},
}
"""What a value is built from that its document holds in another form."""


def _as_written(text: str | None) -> Address | None:
    """Read the address of a problem: its name may be what is wrong."""
    if text is None:
        return None
    kind, _, name = text.partition("/")
    return Address(kind, name)


_OWN: Mapping[tuple[type, str], _Read] = {(Problem, "address"): _as_written}
"""What reads a field that is not read by its type; by type and field."""

_SIMPLE: Mapping[type, _Read] = {Address: Address.parse, int: int}
"""What reads a text or a number that is not kept as it is: JSON may write 1 as 1.0."""


def read(data: Any, kind: type[T]) -> T:
    """Return the value of a document's data, which must fit the schema."""
    build: Callable[[Any], T] = _reader(cast("Any", kind))
    return build(data)


@cache
def _reader(kind: Any) -> _Read:
    origin, inner = get_origin(kind), get_args(kind)
    if NoneType in inner:
        some = _reader(inner[0])
        return lambda data: None if data is None else some(data)
    if origin is Mapping:
        key, value = map(_reader, inner)
        return lambda data: {key(name): value(item) for name, item in data.items()}
    if origin is tuple and inner[-1] is not ...:
        parts = [*map(_reader, inner)]
        return lambda data: tuple(part(item) for part, item in zip(parts, data, strict=True))
    if origin in {tuple, frozenset}:
        each = _reader(inner[0])
        return lambda data: origin(map(each, data))
    if isinstance(kind, type) and (issubclass(kind, Struct) or is_dataclass(kind)):
        return _object(kind)
    return _SIMPLE.get(kind, _as_it_is)


def _as_it_is(data: Any) -> Any:
    return data


def _object(kind: type) -> _Read:
    before = _BEFORE.get(kind)

    @cache  # when it is first used: a type may hold itself
    def members() -> list[tuple[str, str, _Read]]:
        types = get_type_hints(kind)
        keys = {attribute: key for key, attribute in ATTRIBUTES.get(kind, {}).items() if attribute in types}
        return [
            (keys.get(name, name), name, _OWN.get((kind, name)) or _reader(of))
            for name, of in types.items()
            if name in keys or name not in keys.values()  # another field is in the member of that name
        ]

    def build(data: Any) -> Any:
        given = data if before is None else before(data)
        return kind(
            **{
                name: given[key] if read is _as_it_is else read(given[key])
                for key, name, read in members()
                if key in given
            }
        )

    return build
