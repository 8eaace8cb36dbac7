"""Reading documents back into values.

A saved file is input like any other: the shipped schema checks its shape, and what no schema can state is checked
here. Every error says where the document is wrong and what was expected.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any, Literal, NoReturn, assert_never

from msgspec import Struct
from msgspec.structs import astuple, replace

from reconciler.documents import codec
from reconciler.documents.reader import read
from reconciler.documents.signature import content_digest
from reconciler.documents.strict_json import strict_json
from reconciler.errors import ReconcilerError
from reconciler.model.change import Change
from reconciler.model.plan import Plan, SavedPlan
from reconciler.model.report import Drift, Report
from reconciler.schema import Mismatch, first_mismatch

DocumentKind = Literal["plan", "report", "drift"]


class SavedReport(Struct, frozen=True, kw_only=True):
    """A report that was read back."""

    report: Report
    plan: Plan
    """What the report says of its plan: the project, the selection, and the place of each manifest."""


_MEMBERS: Mapping[DocumentKind, tuple[str, str]] = {
    "plan": ("changes", "action"),
    "report": ("outcomes", "state"),
    "drift": ("objects", "status"),
}
"""Where each document lists its objects, and by what its summary counts them."""

_TITLES: Mapping[DocumentKind | None, str] = {
    "plan": "a saved plan",
    "report": "the report of an apply",
    "drift": "a drift document",
    None: "a plan, report or drift document",
}
_HINTS: Mapping[DocumentKind | None, str] = {
    "plan": "create one with `reconciler plan --out FILE`",
    "report": "create one with `reconciler apply --format json --output FILE`",
    "drift": "create one with `reconciler drift --format json --output FILE`",
    None: "create one with `reconciler plan --out FILE`, or with `--format json` of plan, apply or drift",
}
_PART = 1_000
"""Objects of a document that are checked together."""

_TYPES: Mapping[str, str] = {
    "string": "text",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}


def load_document(text: str) -> SavedPlan | SavedReport | Drift:
    """Read a plan, report or drift document; ReconcilerError says what is wrong with any other text."""
    kind, document = _load(text, None)
    del text  # a quarter of what is in memory, unless the caller holds it
    match kind:
        case "plan":
            return _checked(document)
        case "report":
            return _report(document)
        case "drift":
            return read(document, Drift)
        case _:
            assert_never(kind)


def load_plan(text: str) -> SavedPlan:
    """Read a plan document that `plan --out` wrote; ReconcilerError says what is wrong with any other text."""
    document = _load(text, "plan")[1]
    del text
    return replace(_checked(document), changes=_Packed(document["changes"]))


class _Packed:
    """The changes of a document as compressed text: as values they take twenty times as much."""

    def __init__(self, changes: Iterable[Any]) -> None:
        text = BytesIO()
        with gzip.open(text, "wb", compresslevel=1) as lines:
            lines.writelines(json.dumps(change).encode() + b"\n" for change in changes)
        self._text = text.getvalue()

    def __iter__(self) -> Iterator[Change]:
        with gzip.open(BytesIO(self._text)) as lines:
            yield from (read(json.loads(line), Change) for line in lines)


def beside(saved: SavedPlan, fresh: Plan) -> Plan:
    """Return a saved plan with the values of a new one where they are equal, so that these are in memory once."""
    known = {change.address: change for change in fresh.changes}
    changes = (_kept(change, known[change.address]) if change.address in known else change for change in saved.changes)
    return replace(saved.head, changes=tuple(changes))


def as_saved(plan: Plan) -> SavedPlan:
    """Return a plan as reading its document back gives it: masked, and without what a document leaves out.

    It is read a change at a time, and what reads back as it was is kept: thousands of changes take most of the memory
    of a run, and their data even more.
    """
    document: dict[str, Any] = {}
    changes: list[Change] = []
    for name, value in codec.plan_members(plan):
        if name == "changes":
            again = (read(data, Change) for data in value)
            changes.extend(map(_kept, again, plan.changes))
        else:
            document[name] = value
    guarded = {change.address: plan.guarded[change.address] for change in changes if plan.guarded.get(change.address)}
    found = replace(read({**document, "changes": ()}, Plan), guarded=guarded)
    return SavedPlan(head=found, changes=tuple(changes), digest=document["digest"], intact=True)


def _kept(new: Change, old: Change) -> Change:
    """Return a new change with the values of an old one where they are equal."""
    values = zip(Change.__struct_fields__, astuple(old), astuple(new), strict=True)
    return replace(new, **{name: value for name, value, other in values if value == other})


def _checked(document: Mapping[str, Any]) -> SavedPlan:
    """Read a plan, and refuse totals that its changes do not have: a person may approve by them."""
    intact = content_digest(document) == document["digest"]
    plan = read(document, Plan)
    key = codec.differs(document, plan)
    if key is not None:
        raise _not_a("plan", f"its {key} {'does' if key == 'summary' else 'do'} not match the rest of it")
    return SavedPlan(
        head=replace(plan, changes=()),
        changes=plan.changes,
        digest=document["digest"],
        intact=intact,
        signature=document.get("signature"),
    )


def _report(document: Mapping[str, Any]) -> SavedReport:
    unsaid: dict[str, Any] = {
        "tool_version": "",
        "manifest_digest": "",
        "live_digest": "",
        "bookings": {"currency": None},
    }
    change: dict[str, Any] = {"connection": "", "reason": "", "calls": (), "stake": None, "guarded": ()}
    changes = [
        {key: outcome[key] for key in ("address", "action", "source")} | change for outcome in document["outcomes"]
    ]
    head = {key: document[key] for key in ("project", "environment", "selection")}
    plan = read({**head, **unsaid, "changes": changes}, Plan)
    return SavedReport(report=read(document, Report), plan=plan)


class _Unusable(Exception):
    """The text is not a usable document; the message says where, and what was expected."""


def _refuse(what: str) -> NoReturn:
    raise _Unusable(what)


def _load(text: str, kind: DocumentKind | None) -> tuple[DocumentKind, dict[str, Any]]:
    try:
        document = strict_json(text)
        if not isinstance(document, dict):
            _refuse(f"it must be an object, but is {_type(document)}")
        _check_version(document)
        kind = kind or _kind(document)
        mismatch = _mismatch(kind, document)
        if mismatch is not None:
            _refuse(_words(mismatch, kind))
        _check_members(document, kind)
    except (ValueError, _Unusable) as error:
        raise _not_a(kind, str(error)) from None
    return kind, document


def _mismatch(kind: DocumentKind, document: Mapping[str, Any]) -> Mismatch | None:
    """Return the first rule of its schema that a document breaks.

    A part of its objects is checked at a time, because the validator copies what it checks.
    """
    key, _ = _MEMBERS[kind]
    objects = document.get(key)
    if not isinstance(objects, list):
        return first_mismatch(kind, document)
    rest: Mapping[str, Any] = document
    for start in range(0, max(len(objects), 1), _PART):
        found = first_mismatch(kind, {**rest, key: objects[start : start + _PART]})
        if found is not None and len(found.path) > 1 and found.path[0] == key:
            return replace(found, path=(key, start + int(found.path[1]), *found.path[2:]))
        if found is not None:
            return found
        rest = {name: [] if isinstance(value, list) else value for name, value in document.items()}
    return None


def _not_a(kind: DocumentKind | None, why: str) -> ReconcilerError:
    return ReconcilerError(f"this is not {_TITLES[kind]}: {why}", hint=_HINTS[kind])


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("format_version")
    if version is None:
        _refuse("it has no format_version")
    if version != codec.FORMAT_VERSION:
        message = f"the document has format {version!r}; this version of reconciler reads {codec.FORMAT_VERSION!r}"
        raise ReconcilerError(message, hint="use the reconciler that created it, or create it again with this one")


def _kind(document: Mapping[str, Any]) -> DocumentKind:
    found: tuple[DocumentKind, ...] = tuple(kind for kind, (key, _) in _MEMBERS.items() if key in document)
    if len(found) != 1 or (found == ("drift",) and "coverage" not in document):
        _refuse(
            "expected the `changes` of a plan, the `outcomes` of a report, or the `objects` and `coverage` of drift"
        )
    return found[0]


def _check_members(document: Mapping[str, Any], kind: DocumentKind) -> None:
    """Check what a schema cannot: each object once, and counts that fit, because a person may approve by them."""
    key, by = _MEMBERS[kind]
    counts = Counter(member[by] for member in document[key])
    counts["record"] = sum(member.get("action") == "noop" and bool(member.get("record")) for member in document[key])
    if any(document["summary"][name] != counts[name] for name in document["summary"]):
        _refuse(f"its summary does not match its {key}")
    addresses = Counter(member["address"] for member in document[key])
    repeated = next((address for address, times in addresses.items() if times > 1), None)
    if repeated is not None:
        _refuse(f"{repeated} appears more than once among its {key}")
    if kind == "plan" and list(addresses) != sorted(addresses):
        _refuse(f"its {key} are not in the order of their addresses")
    for number, change in enumerate(document["changes"] if kind == "plan" else ()):
        if change["kind"] != change["address"].partition("/")[0]:
            _refuse(f"changes[{number}].kind is {change['kind']!r}, but its address is {change['address']!r}")
    verified = document.get("verify")
    if kind == "report" and verified is not None and len(verified["changes"]) != len(verified["words"]):
        _refuse("verify.words must have one text for each of verify.changes")


def _words(found: Mismatch, kind: DocumentKind) -> str:
    """Say where a document breaks its schema, and what was expected there."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found.path)
    where = path.removeprefix(".") or f"the {kind}"
    demanded = found.schema[found.rule]
    match found.rule:
        case "required":
            return f"{where} has no {next(key for key in demanded if key not in found.value)!r}"
        case "additionalProperties":
            unknown = next(key for key in found.value if key not in found.schema["properties"])
            return f"{where} has the unknown key {unknown!r}"
        case "type":
            types = [demanded] if isinstance(demanded, str) else demanded
            return f"{where} must be {' or '.join(_TYPES[name] for name in types)}, but is {_type(found.value)}"
        case "enum":
            return f"{where} {found.value!r} is not one of {', '.join(demanded)}"
        case "pattern" if "errorMessage" in found.schema:
            return f"{where} is {found.value!r}; expected {found.schema['errorMessage']}"
        case _:
            return f"{where}: {found.message}"


def _type(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return _TYPES[names.get(type(value), "null")]
