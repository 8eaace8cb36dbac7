"""Reading documents back: checked far enough that nothing later stumbles over their shape.

A saved file comes from outside like any other input, so every deviation is told in words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from reconciler.documents.shape import (
    ANY,
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Each,
    Maybe,
    Misshapen,
    Optional,
    Rest,
    check,
    check_depth,
    refuse,
)
from reconciler.errors import ReconcilerError
from reconciler.model import canonical
from reconciler.model.change import ACTIONS
from reconciler.model.objects import Address
from reconciler.model.report import STATES, SYNCS

FORMAT_VERSION = "1.0"

DocumentKind = Literal["plan", "report", "drift"]

_SOURCE = Maybe({"file": TEXT, "line": COUNT})
_FIELD = {"path": TEXT, "before": ANY, "after": ANY, "origin": ("manifest", "drift"), "verifiable": FLAG}
_RISK = {
    "code": TEXT,
    "level": ("block", "warn"),
    "message": TEXT,
    "slots": Each(TEXT),
    "booked": Maybe(COUNT),
    "reserved": Maybe(COUNT),
}
_BOOKKEEPING = {"moved_from": Optional(TEXT), "forget": Optional(FLAG)}
_CHANGE = {
    "address": TEXT,
    "kind": TEXT,
    "connection": TEXT,
    "action": ACTIONS,
    "remote_id": Maybe(TEXT),
    "reason": TEXT,
    "source": _SOURCE,
    "fields": Each(_FIELD),
    "risks": Each(_RISK),
    "calls": Each({"method": TEXT, "path": TEXT}),
    "name": TEXT,
    "unverified": Each(TEXT),
    "expired": FLAG,
    "live": Maybe(Rest(ANY)),
    "digest": TEXT,
    "bookings": Each({"slot": Maybe(TEXT), "when": Maybe(TEXT), "booked": Maybe(COUNT), "reserved": Maybe(COUNT)}),
    "stake": Maybe({"places": COUNT, "price": TEXT, "amount": TEXT, "currency": Maybe(TEXT)}),
    "guarded": Each(TEXT),
    **_BOOKKEEPING,
    "timezone": Optional(TEXT),
}
_PROBLEM = {
    "severity": ("error", "warning"),
    "code": TEXT,
    "message": TEXT,
    "hint": Maybe(TEXT),
    "address": Maybe(TEXT),
    "source": Maybe({"file": TEXT, "line": COUNT, "column": COUNT}),
}
_SELECTION = {"targets": Each(TEXT), "excludes": Each(TEXT)}
_OUTCOME = {
    "address": TEXT,
    "action": ACTIONS,
    "state": STATES,
    "remote_id": Maybe(TEXT),
    "error": Maybe(TEXT),
    "blocked_by": Maybe(TEXT),
    "allowed": Each({"code": TEXT, "by": TEXT, "message": TEXT}),
    "calls": COUNT,
    "source": _SOURCE,
    **_BOOKKEEPING,
}
_DRIFTED = {
    "address": TEXT,
    "status": SYNCS,
    "fields": Each(_FIELD),
    "remote_id": Maybe(TEXT),
    "reason": Maybe(TEXT),
    "coverage": {"fields": COUNT, "verifiable": COUNT},
}
_SHAPES: dict[DocumentKind, Any] = {
    "plan": {
        "format_version": TEXT,
        "tool_version": TEXT,
        "project": TEXT,
        "environment": Maybe(TEXT),
        "manifest_digest": TEXT,
        "live_digest": TEXT,
        "summary": (dict,),
        "changes": Each(_CHANGE),
        "problems": Each(_PROBLEM),
        "selection": _SELECTION,
        "purpose": ("apply", "destroy"),
        "bookings": {
            "slots": COUNT,
            "booked": Maybe(COUNT),
            "reserved": Maybe(COUNT),
            "unknown": COUNT,
            "amount": Maybe(TEXT),
            "currency": Maybe(TEXT),
            "unpriced": COUNT,
        },
        "manifests": Rest(TEXT),
        "runs": COUNT,
        "targets": Rest(TEXT),
        "forecast": {
            "writes": COUNT,
            "reads": COUNT,
            "seconds": Maybe(NUMBER),
            "connection": Maybe(TEXT),
            "per_minute": Maybe(NUMBER),
            "at_least": FLAG,
        },
        "digest": TEXT,
    },
    "report": {
        "format_version": TEXT,
        "plan_digest": TEXT,
        "summary": (dict,),
        "outcomes": Each(_OUTCOME),
        "project": TEXT,
        "environment": Maybe(TEXT),
        "selection": _SELECTION,
        "interrupted": FLAG,
        "refused": FLAG,
        "verify": Optional({"summary": dict.fromkeys(ACTIONS, COUNT), "changes": Each(TEXT), "words": Each(TEXT)}),
    },
    "drift": {
        "format_version": TEXT,
        "summary": (dict,),
        "coverage": {"fields": COUNT, "verifiable": COUNT},
        "objects": Each(_DRIFTED),
    },
}
_MEMBERS: dict[DocumentKind, tuple[str, str, tuple[str, ...]]] = {
    "plan": ("changes", "action", ACTIONS),
    "report": ("outcomes", "state", STATES),
    "drift": ("objects", "status", SYNCS),
}
"""Where each document's objects stand, and by what its summary counts them."""

_TITLES: dict[DocumentKind | None, str] = {
    "plan": "a saved plan",
    "report": "the report of an apply",
    "drift": "a drift document",
    None: "a plan, report or drift document",
}
_HINTS: dict[DocumentKind | None, str] = {
    "plan": "make one with `reconciler plan --out FILE`",
    "report": "make one with `reconciler apply --format json --output FILE`",
    "drift": "make one with `reconciler drift --format json --output FILE`",
    None: "`reconciler plan --out FILE` writes one, and so does `--format json` of plan, apply and drift",
}


def load_plan_document(text: str) -> dict[str, Any]:
    """Read a plan document that `plan --out` wrote; ReconcilerError says what is wrong with any other text."""
    return _load(text, "plan")[1]


def load_document(text: str) -> tuple[DocumentKind, dict[str, Any]]:
    """Read a plan, report or drift document, whichever it is; ReconcilerError says what is wrong with any other."""
    return _load(text, None)


def plan_digest(document: Mapping[str, Any]) -> str:
    """Return `sha256:…` of a plan document, which holds its own: the same before it is saved and after it is loaded."""
    return canonical.digest({key: value for key, value in document.items() if key != "digest"})


def _load(text: str, kind: DocumentKind | None) -> tuple[DocumentKind, dict[str, Any]]:
    try:
        document = _parse(text)
        _check_version(document)
        kind = kind or _kind(document)
        check(document, _SHAPES[kind], f"the {kind}")
        _check_members(document, kind)
        for number, change in enumerate(document["changes"] if kind == "plan" else ()):
            if change["kind"] != Address.parse(change["address"]).kind:
                refuse(f"changes[{number}].kind is {change['kind']!r}, and its address {change['address']!r}")
            _check_price(change["stake"], f"changes[{number}].stake.price")
    except Misshapen as error:
        message = f"this is not {_TITLES[kind]} that can be used: {error}"
        raise ReconcilerError(message, hint=_HINTS[kind]) from None
    return kind, document


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_repeats
        )
    except json.JSONDecodeError as error:
        refuse(f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    except RecursionError:
        refuse("it is nested too deeply")
    except ValueError as error:
        refuse(f"it is not usable JSON: {error}")
    if not isinstance(document, dict):
        check(document, {}, "it")
    check_depth(document)
    return dict(document)


def _refuse_constant(name: str) -> NoReturn:
    refuse(f"{name} is not a JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        refuse(f"the number {digits[:20]} is too large")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated keys: two readers could take different ones for true."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        refuse(f"the key {repeated!r} appears twice in one object")
    return found


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("format_version")
    if version is None:
        refuse("it has no format_version")
    if version != FORMAT_VERSION:
        message = f"the document has format {version!r}; this version of reconciler reads {FORMAT_VERSION!r}"
        raise ReconcilerError(message, hint="use the reconciler that made it, or make it anew with this one")


def _kind(document: Mapping[str, Any]) -> DocumentKind:
    found: tuple[DocumentKind, ...] = tuple(kind for kind, (key, _, _) in _MEMBERS.items() if key in document)
    if len(found) != 1 or (found == ("drift",) and "coverage" not in document):
        refuse("expected the `changes` of a plan, the `outcomes` of a report, or the `objects` and `coverage` of drift")
    return found[0]


def _check_members(document: Mapping[str, Any], kind: DocumentKind) -> None:
    """Require sound addresses, each once, and counts that fit: a person may have approved a plan by its summary."""
    key, by, names = _MEMBERS[kind]
    for number, member in enumerate(document[key]):
        _check_address(member["address"], f"{key}[{number}].address")
        for name in ("blocked_by", "moved_from"):
            if member.get(name) is not None:
                _check_address(member[name], f"{key}[{number}].{name}")
    for number, problem in enumerate(document.get("problems", ())):
        if problem["address"] is not None and "/" not in problem["address"]:
            _check_address(problem["address"], f"problems[{number}].address")
    verified = (
        document.get("verify", {"changes": [], "words": []}) if kind == "report" else {"changes": [], "words": []}
    )
    for number, address in enumerate(verified["changes"]):
        _check_address(address, f"verify.changes[{number}]")
    if len(verified["changes"]) != len(verified["words"]):
        refuse("verify.words must say something of each of verify.changes")
    counts = Counter(member[by] for member in document[key])
    if document["summary"] != {name: counts[name] for name in names}:
        refuse(f"its summary does not count its {key}")
    addresses = Counter(member["address"] for member in document[key])
    repeated = next((address for address, times in addresses.items() if times > 1), None)
    if repeated is not None:
        refuse(f"{repeated} appears more than once among its {key}")


def _check_price(stake: Mapping[str, Any] | None, where: str) -> None:
    try:
        canonical.money(stake["price"] if stake is not None else 0)
    except ValueError as error:
        refuse(f"{where}: {error}")


def _check_address(text: str, where: str) -> None:
    try:
        Address.parse(text)
    except ValueError as error:
        refuse(f"{where}: {error}")
