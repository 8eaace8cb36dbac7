"""Whether a saved plan still describes the world: every reason why not, each by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.canonical import plain
from reconciler.model.change import IDLE
from reconciler.model.objects import PastRun

Document = Mapping[str, Any]

_NOT_COMPARED = frozenset({"source", "reason", "bookings", "stake", "guarded"})
"""What may differ: where and why it is declared, what guards said then, and places booked, whose harm risks tell."""

_SHOWN = 5
"""Differences of one object that are named one by one."""

_WIDTH = 60


def touched(document: Document) -> tuple[str, ...]:
    """Return the addresses that a plan document would do something to, or to whose records."""
    return tuple(change["address"] for change in document["changes"] if _deed(change) is not None)


def _deed(change: Document) -> str | None:
    """Return what a planned change does, in one word; None where it does nothing."""
    if change["action"] not in IDLE:
        return str(change["action"])
    if change.get("forget"):
        return "forget"
    return "move" if change.get("moved_from") else None


def header_reasons(saved: Document, facts: Document) -> list[str]:
    """Say what differs between a saved plan and this run before anything is read.

    `facts` are this run's project, environment, tool_version and targets (of every connection).
    """
    found = [
        f"it was made for {name.replace('_', ' ')} {saved[name] or 'none'}, this is {facts[name] or 'none'}"
        for name in ("project", "environment", "tool_version")
        if saved[name] != facts[name]
    ]
    for connection, target in sorted(saved["targets"].items()):
        now = facts["targets"].get(connection)
        if now is None:
            found.append(f"connection {connection}: it led to {target}, and is no longer in the project file")
        elif now != target:
            found.append(f"connection {connection}: it led to {target}, now it leads to {now}")
    return found


def reasons(saved: Document, fresh: Document) -> list[str]:
    """Say what has changed since: each manifest of the project, and each live object that the plan touches.

    What is unknown now has not been seen to change; `unknown` names it.
    """
    redeclared = dict(_manifests(saved["manifests"], fresh["manifests"]))
    found = [f"{address}: {words}" for address, words in redeclared.items()]
    if not redeclared and saved["manifest_digest"] != fresh["manifest_digest"]:
        found.append("the manifests declare something else now")
    now = {change["address"]: plain(change) for change in fresh["changes"]}
    for change in saved["changes"]:
        address = change["address"]
        if _deed(change) is None:
            continue
        current = now.get(address)
        if current is not None and current["action"] != "unknown":
            found += [
                f"{address}: {words}" for words in _differences(change, current, redeclared=address in redeclared)
            ]
        elif current is None and address not in redeclared:
            found.append(f"{address}: there is nothing to {_deed(change)} any more")
    return found


_ENDINGS = {
    "done": "carried out already, by run {run} at {at}",
    "incomplete": "carried out already, by run {run} at {at}, which left objects failed, blocked or unknown",
    "interrupted": "begun already, by run {run} at {at}, which was interrupted half-way",
    None: "begun already, by run {run} at {at}, which did not come to its end",
}


def used(run: PastRun) -> str:
    """Say by which run a plan was carried out, or begun: it runs once, and what was written stays."""
    words = _ENDINGS.get(run.ended, "begun already, by run {run} at {at}").format(run=run.run_id, at=run.started_at)
    return f"it was {words}" if run.ended == "done" else f"it was {words}; a new plan shows what is left"


def unknown(saved: Document, fresh: Document) -> list[str]:
    """Say which objects that the plan touches are not known now, and why."""
    wanted = set(touched(saved))
    return [
        f"{change['address']}: {change['reason']}"
        for change in fresh["changes"]
        if change["action"] == "unknown" and change["address"] in wanted
    ]


def _manifests(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for address in sorted(before.keys() | after.keys()):
        if address not in after:
            yield address, "its manifest is gone"
        elif address not in before:
            yield address, "its manifest is new"
        elif before[address] != after[address]:
            yield address, "its manifest changed"


def _differences(saved: Document, current: Document, *, redeclared: bool) -> list[str]:
    """Name what differs in one object: the live values first, else what would be done otherwise, and its new risks."""
    live = list(_live(saved["live"], current["live"]))
    found = live[:_SHOWN]
    if len(live) > _SHOWN:
        found.append(f"and {len(live) - _SHOWN} more live values differ")
    if redeclared:
        return found
    if _deed(saved) != _deed(current):
        now = _deed(current) or current["action"]
        found.append(f"the plan was to {_deed(saved)} it, now it would be {now}: {current['reason']}")
        return found
    known = [risk["code"] for risk in saved["risks"]]
    found += [
        f"there is a risk now that was not there ({risk['code']}): {risk['message']}"
        for risk in current["risks"]
        if risk not in saved["risks"] and risk["code"] not in known
    ]
    return found or list(_otherwise(saved, current))


def _live(before: Document | None, after: Document | None) -> Iterator[str]:
    if before is None or after is None:
        if before is not None:
            yield "the live object is gone"
        return
    for path, old, new in _steps("", _keyed(before), _keyed(after)):
        yield f"{path} was {_words(old)} when the plan was made, and is {_words(new)} now"


def _otherwise(saved: Document, current: Document) -> Iterator[str]:
    """Name the parts of a change that are not what they would be now: it was edited, or another run was here."""
    if saved["remote_id"] != current["remote_id"]:
        yield f"it was id {saved['remote_id']}, now it is {current['remote_id']}"
        return
    parts = sorted(
        key for key in saved.keys() | current.keys() if key not in _NOT_COMPARED and saved.get(key) != current.get(key)
    )
    named = [part for part in parts if part != "digest"]
    if named:
        yield f"its {', '.join(named)} would be others now"
    elif parts:
        yield "what would be sent, or what was last applied, is not what it was"


def _keyed(value: Any) -> Any:
    """Return lists of things that have an id or a key as mappings from it, so that they are compared one by one."""
    if isinstance(value, Mapping):
        return {key: _keyed(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        names = [str(item.get("id", item.get("key", ""))) for item in value]
        if all(names) and len(set(names)) == len(names):
            return {f"[{name}]": _keyed(item) for name, item in zip(names, value, strict=True)}
    return value


_NOTHING: Any = object()


def _steps(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}{key}" if key.startswith("[") or not path else f"{path}.{key}"
            yield from _steps(inner, old.get(key, _NOTHING), new.get(key, _NOTHING))
    elif old is _NOTHING or new is _NOTHING or old != new:
        yield path, old, new


def _words(value: Any) -> str:
    if value is _NOTHING:
        return "not there"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
