"""Reading a saved plan: checked far enough that nothing later stumbles over its shape.

A plan file comes from outside like any other input, so every deviation is told in words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from reconciler.errors import ReconcilerError
from reconciler.model.change import ACTIONS
from reconciler.model.objects import Address

FORMAT_VERSION = "1.0"

_Types = tuple[type, ...]
_TEXT: _Types = (str,)
_TEXT_OR_NONE: _Types = (str, type(None))
_ANY: _Types = (object,)

_PLAN: dict[str, _Types] = {
    "format_version": _TEXT,
    "tool_version": _TEXT,
    "project": _TEXT,
    "environment": _TEXT_OR_NONE,
    "manifest_digest": _TEXT,
    "live_digest": _TEXT,
    "summary": (dict,),
    "changes": (list,),
    "problems": (list,),
    "selection": (dict,),
    "purpose": _TEXT,
}
_CHANGE: dict[str, _Types] = {
    "address": _TEXT,
    "kind": _TEXT,
    "connection": _TEXT,
    "action": _TEXT,
    "remote_id": _TEXT_OR_NONE,
    "reason": _TEXT,
    "source": (dict, type(None)),
    "fields": (list,),
    "risks": (list,),
    "calls": (list,),
    "digest": _TEXT,
}
_MEMBERS: dict[str, dict[str, _Types]] = {
    "fields": {"path": _TEXT, "before": _ANY, "after": _ANY, "origin": _TEXT, "verifiable": (bool,)},
    "risks": {
        "code": _TEXT,
        "level": _TEXT,
        "message": _TEXT,
        "slots": (list,),
        "booked": (int,),
        "reserved": (int,),
    },
    "calls": {"method": _TEXT, "path": _TEXT},
}
_PROBLEM: dict[str, _Types] = {"severity": _TEXT, "code": _TEXT, "message": _TEXT}
_SELECTION: dict[str, _Types] = {"targets": (list,), "excludes": (list,)}

_NAMES: dict[type, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
    type(None): "null",
}


def load_plan_document(text: str) -> dict[str, Any]:
    """Read a plan document that `plan --out` wrote; ReconcilerError says what is wrong with any other text."""
    document = _parse(text)
    _check_version(document)
    _check(document, _PLAN, "the plan")
    _check(document["selection"], _SELECTION, "selection")
    for key in _SELECTION:
        if not all(isinstance(item, str) for item in document["selection"][key]):
            _refuse(f"selection.{key} must be a list of texts")
    for number, change in enumerate(document["changes"]):
        _check_change(change, f"changes[{number}]")
    for number, problem in enumerate(document["problems"]):
        _check(problem, _PROBLEM, f"problems[{number}]")
    _check_summary(document)
    return document


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        _refuse(f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
    except RecursionError:
        _refuse("it is nested too deeply")
    except ValueError as error:
        _refuse(f"it is not usable JSON: {error}")
    if not isinstance(document, dict):
        _refuse(f"it must be an object, and is {_named(document)}")
    return document


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a JSON value")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated keys: two readers could take different ones for true."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        _refuse(f"the key {repeated!r} appears twice in one object")
    return found


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("format_version")
    if version is None:
        _refuse("it has no format_version")
    if version != FORMAT_VERSION:
        message = f"the saved plan has format {version!r}; this version of reconciler reads {FORMAT_VERSION!r}"
        raise ReconcilerError(message, hint="make the plan anew with the reconciler that applies it")


def _check_change(change: Any, where: str) -> None:
    _check(change, _CHANGE, where)
    try:
        address = Address.parse(change["address"])
    except ValueError as error:
        _refuse(f"{where}.address: {error}")
    if change["kind"] != address.kind:
        _refuse(f"{where}.kind is {change['kind']!r}, and its address {change['address']!r}")
    if change["action"] not in ACTIONS:
        _refuse(f"{where}.action {change['action']!r} is not one of {', '.join(ACTIONS)}")
    for key, shape in _MEMBERS.items():
        for number, member in enumerate(change[key]):
            _check(member, shape, f"{where}.{key}[{number}]")
    if change["source"] is not None:
        _check(change["source"], {"file": _TEXT, "line": (int,)}, f"{where}.source")


def _check_summary(document: Mapping[str, Any]) -> None:
    """Require the counts to be those of the changes: a person may have approved the plan by its summary."""
    actions = Counter(change["action"] for change in document["changes"])
    if document["summary"] != {action: actions[action] for action in ACTIONS}:
        _refuse("its summary does not count its changes")
    addresses = Counter(change["address"] for change in document["changes"])
    repeated = next((address for address, times in addresses.items() if times > 1), None)
    if repeated is not None:
        _refuse(f"{repeated} appears more than once among its changes")


def _check(value: Any, shape: Mapping[str, _Types], where: str) -> None:
    if not isinstance(value, dict):
        _refuse(f"{where} must be an object, and is {_named(value)}")
    for key, types in shape.items():
        if key not in value:
            _refuse(f"{where} has no {key!r}")
        # A bool is an int to Python, but not to the document.
        if not isinstance(value[key], types) or (isinstance(value[key], bool) and types == (int,)):
            expected = " or ".join(_NAMES[kind] for kind in types)
            _refuse(f"{where}.{key} must be {expected}, and is {_named(value[key])}")


def _named(value: Any) -> str:
    return _NAMES.get(type(value), "a number")


def _refuse(what: str) -> NoReturn:
    message = f"this is not a saved plan that can be used: {what}"
    raise ReconcilerError(message, hint="make one with `reconciler plan --out FILE`")
