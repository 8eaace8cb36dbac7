"""Plans, reports and drift ⇄ JSON documents.

The shipped schemas say which members a document has, and in which order: a document is written by walking its
schema and taking each member from the value. The model says of which type each member is: `reader` builds the values
back. So a new member needs a field of the model and a line of the schema, and nothing here.

Same value, same bytes: nothing comes from the clock or a hash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from itertools import zip_longest
from operator import attrgetter, itemgetter
from typing import Any, overload

from msgspec import Struct, field

from reconciler.commands import START, Options, completed, in_environment
from reconciler.documents.signature import SEALS, signature
from reconciler.documents.text import Members, pieces
from reconciler.documents.text import canonical as canonical_pieces
from reconciler.model import canonical, codes
from reconciler.model.change import Change, Stake
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.place import Place, Placed
from reconciler.model.plan import Plan, Selection
from reconciler.model.provenance import Concern, Explanation, Provenance, Setting, Template
from reconciler.model.rendered import Rendered
from reconciler.model.report import ASIDE, Drift, Drifted, Outcome, Report
from reconciler.model.sighting import LastApplied
from reconciler.model.source import Range
from reconciler.redaction import redacted_data
from reconciler.schema import load_schema
from reconciler.settings import Secret

FORMAT_VERSION = "1.0"

ATTRIBUTES: Mapping[type, Mapping[str, str]] = {
    Change: {
        "kind": "address.kind",
        "remote_id": "shown_id",
        "name": "label",
        "calls": "requests",
        "live": "saved_live",
        "record": "remembers",
        "digest": "saved_digest",
        "stake": "at_stake",
        "timezone": "zone",
    },
    Drifted: {"remote_id": "shown_id", "timezone": "zone"},
    Outcome: {"remote_id": "shown_id", "timezone": "zone"},
    Explanation: {"remote_id": "shown_id", "timezone": "zone"},
    Provenance: {"source": "where"},
    Template: {"source": "where"},
    Setting: {"source": "where"},
    Concern: {"source": "where"},
    Problem: {"message": "summary", "source": "where"},
    Plan: {"manifest_digest": "saved_manifest_digest", "live_digest": "saved_live_digest"},
    Report: {"verify": "verified"},
    SourceRef: {"file": "path"},
}
"""The attribute that holds a member, where it has another name; by type and member."""


class _Context(Struct, frozen=True, kw_only=True):
    """Facts of the plan that the members of its document also need."""

    currency: str | None = None
    project: str | None = None
    environment: str | None = None
    options: Options = ()
    """The options that choose its environment for another command."""
    selection: Selection = field(default_factory=Selection)
    sources: Mapping[Address, SourceRef | None] = {}
    guarded: Mapping[Address, tuple[str, ...]] = {}


def _about(plan: Plan) -> _Context:
    return _Context(
        currency=plan.currency,
        project=plan.project,
        environment=plan.environment,
        options=in_environment(plan.environment),
        selection=plan.selection,
        sources={change.address: change.source for change in plan.changes},
        guarded=plan.guarded,
    )


def _range_of(where: SourceRef | None) -> Range | None:
    return None if where is None or where.quote is None else Range.of(where)


def _first_place(outcome: Outcome) -> SourceRef | None:
    """Return the place of the first field that a server refused."""
    return next((problem.where for problem in outcome.rejected), None)


_MADE: Mapping[tuple[type, str], Callable[[Any, _Context], object]] = {
    (Change, "digest"): lambda change, _: change.digest,
    (Change, "guarded"): lambda change, context: context.guarded.get(change.address, ()),
    (Problem, "number"): lambda problem, _: codes.number(problem.code),
    (Problem, "range"): lambda problem, _: problem.range or _range_of(problem.where),
    (Change, "live"): lambda change, _: change.lasting if change.writes else None,
    (Change, "record"): lambda change, _: change.remembers or None,
    (Change, "defaults"): lambda change, _: change.defaults or None,
    (Outcome, "record"): lambda outcome, _: outcome.record or None,
    (Report, "problems"): lambda report, _: report.problems or None,
    (Drift, "problems"): lambda drift, _: drift.problems or None,
    (Drift, "summary"): lambda drift, _: {
        name: n if n or name not in ASIDE else None for name, n in drift.summary.items()
    },
    (Drift, "notes"): lambda drift, _: drift.notes or None,
    (Drifted, "adopt"): lambda item, _: item.adopt or None,
    (LastApplied, "context"): lambda applied, _: applied.context or None,
    (Stake, "currency"): lambda _, context: context.currency,
    (Plan, "context"): lambda plan, _: plan.context if plan.made_at is not None and plan.context.known else None,
    (Report, "context"): lambda report, _: report.context if report.context.known else None,
    (Drift, "context"): lambda drift, _: drift.context if drift.context.known else None,
    (Plan, "manifest_digest"): lambda plan, _: plan.manifest_digest,
    (Plan, "live_digest"): lambda plan, _: plan.live_digest,
    (Plan, "digest"): lambda _, __: "",
    (Plan, "signature"): lambda _, __: None,
    (Report, "project"): lambda _, context: context.project,
    (Report, "environment"): lambda _, context: context.environment,
    (Report, "selection"): lambda _, context: context.selection,
    (Outcome, "source"): lambda outcome, context: _first_place(outcome) or context.sources.get(outcome.address),
    **{(kind, "format_version"): lambda _, __: FORMAT_VERSION for kind in (Plan, Report, Drift, Explanation, Rendered)},
}
"""Members that no attribute holds; by type and member."""


def plan_document(plan: Plan, key: Secret | None = None) -> dict[str, Any]:
    """Return the plan document; its digest shows whether it was edited since. With a key it is signed."""
    return _whole(plan_members(plan, key))


def differs(document: Mapping[str, Any], plan: Plan) -> str | None:
    """Return the first member of a document that its own plan does not have; seals and masks aside."""
    for name, value in _writer("plan")(plan, _about(plan)).items():
        stated = document.get(name)
        pairs = zip_longest(stated or (), value) if isinstance(value, Iterator) else [(stated, value)]
        if name in document and name not in SEALS and any(one != other for one, other in pairs):
            return str(name)
    return None


def plan_members(plan: Plan, key: Secret | None = None) -> Members:
    """Yield the masked members of a plan document: its digest is computed while its changes pass."""
    content = _writer("plan")(plan, _about(plan))
    others = {name: _listed(value) for name, value in _masked(content.items()) if name != "changes"}
    total, passed = sha256(), False

    def passing() -> Iterator[Any]:
        nonlocal passed
        covered = {name: value for name, value in others.items() if name not in SEALS}
        for text, change in canonical_pieces(covered, "changes", content["changes"], redacted_data):
            total.update(text)
            if change is not None:
                yield change
        passed = True

    for name in content:
        if name != "digest":
            yield name, passing() if name == "changes" else others[name]
    if not passed:
        raise RuntimeError("the digest of a plan was asked for before its changes had passed")
    digest = f"sha256:{total.hexdigest()}"
    yield "digest", digest
    if key is not None:
        yield "signature", signature(digest, key)


def _masked(members: Members) -> Members:
    """Yield the members of a document with every known secret in their texts masked."""
    for name, value in members:
        yield name, map(redacted_data, value) if isinstance(value, Iterator) else redacted_data({name: value})[name]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Iterator) else value


def _whole(members: Members) -> dict[str, Any]:
    return {name: _listed(value) for name, value in members}


def plan_pieces(plan: Plan, key: Secret | None = None) -> Iterator[str]:
    """Yield the text of a plan document, as `plan --out` saves it and `load_plan` reads it."""
    return pieces(plan_members(plan, key))


def report_pieces(report: Report, plan: Plan) -> Iterator[str]:
    """Yield the text of the document of an apply."""
    return pieces(_masked(_writer("report")(report, _about(plan)).items()))


def drift_pieces(drift: Drift) -> Iterator[str]:
    """Yield the text of the document of a drift check."""
    return pieces(_masked(_writer("drift")(drift, _Context(options=in_environment(drift.environment))).items()))


def dump_plan(plan: Plan, key: Secret | None = None) -> str:
    """Return the text of a plan document, as `plan --out` saves it and `load_plan` reads it."""
    return "".join(plan_pieces(plan, key))


@overload
def to_json(value: Plan | Drift) -> str: ...


@overload
def to_json(value: Report, plan: Plan) -> str: ...


def to_json(value: Plan | Drift | Report, plan: Plan | None = None) -> str:
    """Return the document that `--format json` prints. That of a report also needs the plan that was applied."""
    if isinstance(value, Plan):
        return dump_plan(value)
    if isinstance(value, Drift):
        return "".join(drift_pieces(value))
    if plan is None:
        raise TypeError("the document of a report needs the plan that was applied: to_json(report, plan)")
    return "".join(report_pieces(value, plan))


def plan_digest(plan: Plan) -> str:
    """Return the digest of a plan's document."""
    for name, value in plan_members(plan):
        if name == "digest":
            return str(value)
        if name == "changes":
            deque(value, maxlen=0)
    raise AssertionError


def report_document(report: Report, plan: Plan) -> dict[str, Any]:
    """Return the document of an apply and of the plan behind it."""
    return _whole(_writer("report")(report, _about(plan)).items())


def drift_document(drift: Drift) -> dict[str, Any]:
    """Return the document of a drift check."""
    return _whole(_writer("drift")(drift, _Context(options=in_environment(drift.environment))).items())


def why_document(found: Explanation) -> dict[str, Any]:
    """Return the document of where the values of an object come from."""
    return _whole(_writer("why")(found, _Context()).items())


def rendered_pieces(rendered: Rendered) -> Iterator[str]:
    """Yield the text of the document of final manifests, in which secrets are masked already."""
    return pieces(_writer("render")(rendered, _Context()).items())


def validation_document(found: Iterable[Placed], files: int, documents: int) -> dict[str, Any]:
    """Return what `validate` found in so many files and documents."""
    problems = tuple(found)
    write = _writer("plan#/$defs/problem")
    return {
        "format_version": FORMAT_VERSION,
        "valid": all(item.problem.severity != "error" for item in problems),
        "files": files,
        "documents": documents,
        "problems": [{**write(item.problem, _Context()), "range": _range(item.place)} for item in problems],
    }


def _range(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    start, end = ({"line": place.line, "column": column} for column in (place.column, place.end_column))
    return {"file": place.file, "start": start, "end": end}


def dumps(document: Mapping[str, Any]) -> str:
    """Return a document's text, as `text.pieces` writes it, with known secrets masked inside the texts."""
    return "".join(pieces(_masked(document.items())))


_Write = Callable[[Any, _Context], Any]
_PLAIN = frozenset({str, int, bool, type(None)})
_SENTENCES = frozenset({"message", "hint", "reason", "error"})
"""Members that may name commands."""


def _sentence(text: str | None, context: _Context) -> str | None:
    return text if text is None or START not in text else completed(text, context.options)


@cache
def _writer(name: str) -> _Write:
    """Return what writes a value as the schema, or part of one, describes it.

    The lists of a whole document become iterators, so that only one of their items is written at a time.
    """
    return _compiled(load_schema(name), load_schema(name.partition("#")[0]), depth=2 if "#" in name else 0)


def _compiled(node: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 2) -> _Write:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    if "properties" in node:
        return _object(node, schema, depth)
    if "items" in node:
        write = _compiled(node["items"], schema)
        if depth == 1:
            return lambda value, context: (write(item, context) for item in value)
        return lambda value, context: [write(item, context) for item in value]
    return _value


def _value(value: Any, _: _Context) -> Any:
    return value if type(value) in _PLAIN else _plain(value)


def _object(node: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> _Write:
    required = node["required"]
    members = [
        (key, key in required, _sentence if key in _SENTENCES else _compiled(inner, schema, depth + 1))
        for key, inner in node["properties"].items()
    ]

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
                found[key] = item if write is _value and type(item) in _PLAIN else write(item, context)
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
