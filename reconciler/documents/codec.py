"""Plans, reports and drift ⇄ JSON documents.

The shipped schemas say which members a document has, and in which order: a document is written by walking its
schema and taking each member from the value. The model says of which type each member is: cattrs builds the values
back. So a new member needs a field of the model and a line of the schema, and nothing here.

Same value, same bytes: nothing comes from the clock or a hash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.model import canonical
from reconciler.model.change import Change, Stake
from reconciler.model.objects import Address, Problem, SourceRef, problem_order
from reconciler.model.plan import Plan, Selection
from reconciler.model.report import Drift, Drifted, Outcome, Report, Verification
from reconciler.redaction import escape_commands, redacted_data
from reconciler.schema import load_schema

if TYPE_CHECKING:
    from cattrs import Converter

FORMAT_VERSION = "1.0"

ATTRIBUTES: Mapping[type, Mapping[str, str]] = {
    Change: {
        "kind": "address.kind",
        "remote_id": "shown_id",
        "name": "label",
        "calls": "requests",
        "live": "lasting",
        "digest": "saved_digest",
        "stake": "at_stake",
        "timezone": "zone",
    },
    Drifted: {"remote_id": "shown_id"},
    Outcome: {"remote_id": "shown_id"},
    Problem: {"message": "summary", "source": "where"},
    Report: {"verify": "verified"},
    SourceRef: {"file": "path"},
}
"""The attribute that holds a member, where it has another name; by type and member."""

_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Lone surrogates are not UTF-8; the others could steer the terminal that shows a document."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Facts of the plan that the members of its document also need."""

    currency: str | None = None
    project: str | None = None
    environment: str | None = None
    selection: Selection = field(default_factory=Selection)
    sources: Mapping[Address, SourceRef | None] = field(default_factory=dict)
    guarded: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)


def _about(plan: Plan) -> _Context:
    return _Context(
        currency=plan.currency,
        project=plan.project,
        environment=plan.environment,
        selection=plan.selection,
        sources={change.address: change.source for change in plan.changes},
        guarded=plan.guarded,
    )


_MADE: Mapping[tuple[type, str], Callable[[Any, _Context], object]] = {
    (Change, "digest"): lambda change, _: change.digest,
    (Change, "guarded"): lambda change, context: context.guarded.get(change.address, ()),
    (Change, "live"): lambda change, _: change.lasting if change.writes else None,
    (Stake, "currency"): lambda _, context: context.currency,
    (Plan, "digest"): lambda _, __: "",
    (Report, "project"): lambda _, context: context.project,
    (Report, "environment"): lambda _, context: context.environment,
    (Report, "selection"): lambda _, context: context.selection,
    (Outcome, "source"): lambda outcome, context: context.sources.get(outcome.address),
    **{(kind, "format_version"): lambda _, __: FORMAT_VERSION for kind in (Plan, Report, Drift)},
}
"""Members that no attribute holds; by type and member."""


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan document; its own digest, the last key, shows whether it was edited since."""
    masked: dict[str, Any] = redacted_data(_writer("plan")(plan, _about(plan)))
    return {**masked, "digest": content_digest(masked)}


def plan_digest(plan: Plan) -> str:
    """Return the digest of a plan's document."""
    return str(plan_document(plan)["digest"])


def content_digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a plan document's content, which the document itself states as `digest`."""
    return canonical.digest({key: value for key, value in document.items() if key != "digest"})


def report_document(report: Report, plan: Plan) -> dict[str, Any]:
    """Return the document of an apply and of the plan behind it."""
    document: dict[str, Any] = _writer("report")(report, _about(plan))
    return document


def drift_document(drift: Drift) -> dict[str, Any]:
    """Return the document of a drift check."""
    document: dict[str, Any] = _writer("drift")(drift, _Context())
    return document


def problems_document(problems: Iterable[Problem], **counts: int) -> dict[str, Any]:
    """Return what `validate` found; `counts` (files, documents) come before the problems."""
    found = sorted(problems, key=problem_order)
    write = _writer("plan#/$defs/problem")
    return {
        "format_version": FORMAT_VERSION,
        "valid": all(problem.severity != "error" for problem in found),
        **counts,
        "problems": [write(problem, _Context()) for problem in found],
    }


def dumps(document: Mapping[str, Any]) -> str:
    """Return a document's text: keys in the order given, an indent of two blanks, a newline at the end.

    Control, bidi and lone surrogate characters become JSON escapes, which read back the same. Known secrets
    are masked inside the texts, so that the document stays valid.
    """
    text = json.dumps(redacted_data(canonical.plain(document)), indent=2, ensure_ascii=False)
    text = _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return escape_commands(text, "\\u0023") + "\n"


_Write = Callable[[Any, _Context], Any]
_PLAIN = frozenset({str, int, bool, type(None)})


@cache
def _writer(name: str) -> _Write:
    """Return what writes a value as the schema, or part of one, describes it."""
    return _compiled(load_schema(name), load_schema(name.partition("#")[0]))


def _compiled(node: Mapping[str, Any], schema: Mapping[str, Any]) -> _Write:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    if "properties" in node:
        return _object(node, schema)
    if "items" in node:
        write = _compiled(node["items"], schema)
        return lambda value, context: [write(item, context) for item in value]
    return lambda value, _: value if type(value) in _PLAIN else _plain(value)


def _object(node: Mapping[str, Any], schema: Mapping[str, Any]) -> _Write:
    members = [(key, key in node["required"], _compiled(inner, schema)) for key, inner in node["properties"].items()]

    @cache
    def of(kind: type) -> list[tuple[str, bool, _Write, _Write]]:
        return [(key, required, _getter(kind, key), write) for key, required, write in members]

    def write(value: Any, context: _Context) -> dict[str, Any] | None:
        if value is None:
            return None
        kind: type = type(value)
        found = {}
        for key, required, get, write in of(kind):
            item = get(value, context)
            if required or (item is not None and item is not False):
                found[key] = write(item, context)
        return found

    return write


def _getter(kind: type, key: str) -> _Write:
    made = _MADE.get((kind, key))
    if made is not None:
        return made
    get = itemgetter(key) if issubclass(kind, Mapping) else attrgetter(ATTRIBUTES.get(kind, {}).get(key, key))
    return lambda value, _: get(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Address) else canonical.plain(value)


def read(data: Any, kind: type[T]) -> T:
    """Return the value of a document's data, which must fit the schema."""
    return _converter().structure(data, kind)


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


@cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - 60 ms, and only what reads a document needs it
    from cattrs.gen import make_dict_structure_fn, override  # noqa: PLC0415 - as above

    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(float, lambda number, _: number)

    def hook(kind: type[Any]) -> Callable[[Any, Any], Any]:
        names = {field.name for field in fields(kind)}
        renamed = {attribute: key for key, attribute in ATTRIBUTES.get(kind, {}).items() if attribute in names}
        overrides: dict[str, Any] = {attribute: override(rename=key) for attribute, key in renamed.items()}
        overrides |= {key: override(omit=True) for key in renamed.values() if key in names}
        if kind is Problem:
            overrides["address"] = override(struct_hook=_as_written)
        build: Callable[[Any, Any], Any] = make_dict_structure_fn(kind, converter, **overrides)
        before = _BEFORE.get(kind)
        return build if before is None else lambda data, to: build(before(data), to)

    converter.register_structure_hook_factory(is_dataclass, hook)
    converter.register_structure_hook(Address, lambda text, _: Address.parse(text))
    return converter


def _as_written(text: str | None, _: object) -> Address | None:
    """Read the address of a problem: its name may be what is wrong."""
    if text is None:
        return None
    kind, _, name = text.partition("/")
    return Address(kind, name)
