"""Check the fields of a resource write against the parameter table of seed 002."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.sandbox import form_data
from reconciler.sandbox.admin.refusals import invalid
from reconciler.sandbox.api import Call
from reconciler.sandbox.tables import ADDRESS_FIELDS

_LIMIT = 2**53
"""Larger JSON numbers are not exact."""


def _string(value: object) -> bool:
    return value is None or isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _whole(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LIMIT)


def _number(value: object) -> bool:
    # The table says integer, but the unit is not documented, so 35.5 is accepted.
    if isinstance(value, float):
        return abs(value) < _LIMIT  # false for NaN, which Python's JSON parser accepts
    return _whole(value)


def _ids(value: object) -> bool:
    return isinstance(value, list) and None not in value and all(map(_whole, value))


def _object(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _to_flag(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _to_whole(text: str) -> int | None:
    return int(text) if text else None


def _to_number(text: str) -> float | None:
    return float(text) if "." in text else _to_whole(text)


class _Kind(Struct, frozen=True, kw_only=True):
    """The values of a parameter."""

    schema: dict[str, Any]
    fits: Callable[[object], bool]
    """Whether a JSON value is one of them."""

    read: Callable[[Any], object]
    """Converts the text, or the members, of a form; KeyError or ValueError if it is none of them."""


_STRING = _Kind(schema={"type": "string"}, fits=_string, read=lambda text: text)
_FLAG = _Kind(schema={"type": "boolean"}, fits=_flag, read=_to_flag)
_WHOLE = _Kind(schema={"type": "integer"}, fits=_whole, read=_to_whole)
_NUMBER = _Kind(schema={"type": "number"}, fits=_number, read=_to_number)
_IDS = _Kind(
    schema={"type": "array", "items": {"type": "integer"}},
    fits=_ids,
    read=lambda members: [int(text) for text in dict(members).values()],
)
_OBJECT = _Kind(schema={"type": "object"}, fits=_object, read=dict)

_RESOURCE = {
    "name": _STRING,
    "description": _STRING,
    "email": _STRING,
    "disabled": _FLAG,
    "price": _NUMBER,
    "position": _WHOLE,
    "never_booked": _FLAG,
    "count": _WHOLE,
    "max_book": _WHOLE,
    "api_ref": _STRING,
    "address_id": _WHOLE,
    "schedule_id": _WHOLE,
    "service_ids": _IDS,
    "person_ids": _IDS,
    "extra": _OBJECT,
}
_ADDRESS = dict.fromkeys(ADDRESS_FIELDS, _STRING)

RESET: dict[str, Any] = {
    name: False if kind is _FLAG else () if kind is _IDS else None
    for name, kind in _RESOURCE.items()
    if name not in {"name", "schedule_id"}
}
"""What a write that replaces a resource leaves in the fields that it does not have."""

# Clients that write back what they have read send these too (notes §3.3).
_READ_ONLY = frozenset({"id", "type", "deleted", "company_id", "order", "reference", "_links", "_embedded"})


def resource(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given columns of a resource. Wrong or unknown fields are refused if `strict`."""
    values = _checked(call, body, _RESOURCE, _READ_ONLY | {"address"})
    replaced = call.options.stored_values
    kept = {name: value for name, value in values.items() if replaced.get(name, "") is not None}
    stored = {name: _like(value, replaced[name] or "") if name in replaced else value for name, value in kept.items()}
    return call.options.spelled(stored)


def _like(value: Any, text: str) -> Any:
    return int(text) if isinstance(value, int) and not isinstance(value, bool) else text


def address(call: Call, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the given address fields, or None if the body has no address."""
    stated = body.get("address")
    if stated is None:
        return None
    if not isinstance(stated, dict):
        if call.options.strict == "strict":
            raise invalid("address is invalid")
        return None
    return call.options.spelled(_checked(call, stated, _ADDRESS, frozenset({"id", "_links"})))


def description() -> dict[str, Any]:
    """Return the JSON Schema of a resource, and the order of its fields in a form (notes §3.2)."""
    address = {"type": "object", "title": "Address", "properties": _titled(_ADDRESS)}
    properties = {**_titled(_RESOURCE), "address": address}
    schema = {"type": "object", "title": "Resource", "properties": properties, "required": ["name"]}
    return {"schema": schema, "form": list(properties)}


def _titled(kinds: Mapping[str, _Kind]) -> dict[str, Any]:
    return {name: {**kind.schema, "title": name.replace("_", " ").capitalize()} for name, kind in kinds.items()}


def _checked(
    call: Call, body: Mapping[str, Any], known: Mapping[str, _Kind], ignored: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in body.items():
        if name in ignored:
            continue
        kind = known.get(name)
        try:
            given = kind.read(value) if kind and form_data.is_form(call) else value
        except (KeyError, TypeError, ValueError, AttributeError):
            kind, given = None, None
        if kind is not None and kind.fits(given):
            values[name] = given
        elif call.options.strict == "strict":
            raise invalid(f"{name} is invalid" if name in known else f"{name} is not a known parameter")
    return values
