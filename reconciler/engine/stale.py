"""Whether a saved plan still describes the world: every reason why not, each by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_IDLE = frozenset({"noop", "unknown"})


def touched(document: Document) -> tuple[str, ...]:
    """Return the addresses that a plan document would do something to."""
    return tuple(change["address"] for change in document["changes"] if change["action"] not in _IDLE)


def header_reasons(saved: Document, *, project: str, environment: str | None, tool_version: str) -> list[str]:
    """Say what differs between a saved plan and this run before anything is read."""
    expected = {"project": project, "environment": environment, "tool_version": tool_version}
    return [
        f"it was made for {name.replace('_', ' ')} {saved[name] or 'none'}, this is {value or 'none'}"
        for name, value in expected.items()
        if saved[name] != value
    ]


def reasons(saved: Document, fresh: Document) -> list[str]:
    """Say what has changed since: the manifests as a whole, and each object that the plan touches."""
    found = []
    if saved["manifest_digest"] != fresh["manifest_digest"]:
        found.append("the manifests declare something else now")
    now = {change["address"]: change for change in fresh["changes"]}
    for change in saved["changes"]:
        if change["action"] in _IDLE:
            continue
        current = now.get(change["address"])
        if current is None:
            found.append(f"{change['address']}: there is nothing to {change['action']} any more")
        elif current["digest"] != change["digest"]:
            found.append(f"{change['address']}: {_difference(change, current)}")
    return found


def _difference(saved: Document, current: Document) -> str:
    if saved["action"] != current["action"]:
        return f"the plan was to {saved['action']}, now it would be {current['action']} ({current['reason']})"
    if saved["remote_id"] != current["remote_id"]:
        return f"it was id {saved['remote_id']}, now it is {current['remote_id']}"
    if saved["connection"] != current["connection"] or saved["calls"] != current["calls"]:
        return "the calls would be others"
    return "the live object or its declaration changed"
