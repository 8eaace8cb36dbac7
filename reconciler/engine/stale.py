"""Whether a saved plan still fits: every reason why not, by name.

Two plans are compared as their documents show them, so that masked values and references are equal on both sides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.engine.diff import ABSENT, by_member, differences
from reconciler.model.change import Change
from reconciler.model.objects import PastRun
from reconciler.model.plan import Plan
from reconciler.model.words import count, plural

_COMPARED = {
    "action": "action",
    "connection": "connection",
    "expired": "expired",
    "fields": "fields",
    "forget": "forget",
    "label": "name",
    "moved_from": "moved_from",
    "requests": "calls",
    "risks": "risks",
    "unverified": "unverified",
    "zone": "timezone",
}
"""What of a change must be the same, with its name in the document.

The source, the reason, the guards and the bookings may differ: risks tell what the bookings mean.
"""

_SHOWN = 5
"""How many differences of one object are named."""

_WIDTH = 60


def touched(plan: Plan) -> tuple[str, ...]:
    """Return the addresses of the objects that a plan changes, or whose records it changes."""
    return tuple(str(change.address) for change in plan.changes if _verb(change) is not None)


def _verb(change: Change) -> str | None:
    """Return what a change does, in one word; None where it does nothing."""
    if not change.idle:
        return change.action
    if change.forget:
        return "forget"
    return "move" if change.moved_from is not None else None


def header_reasons(saved: Plan, facts: Mapping[str, str | None], targets: Mapping[str, str]) -> list[str]:
    """Say what differs between a saved plan and this run before anything is read.

    `facts` are this run's project, environment and tool_version, `targets` those of every connection.
    """
    then = {"project": saved.project, "environment": saved.environment, "tool_version": saved.tool_version}
    found = [
        f"the {name.replace('_', ' ')} was {then[name] or 'none'} and is {facts[name] or 'none'} now"
        for name in then
        if then[name] != facts[name]
    ]
    for connection, target in sorted(saved.targets.items()):
        now = targets.get(connection)
        if now is None:
            found.append(f"connection {connection} pointed to {target} and is no longer in the project file")
        elif now != target:
            found.append(f"connection {connection} pointed to {target} and points to {now} now")
    return found


def reasons(saved: Plan, fresh: Plan) -> list[str]:
    """Say what has changed since: each manifest of the project, and each live object that the plan changes.

    An object that is unknown now has not been seen to change; `unknown` names it.
    """
    redeclared = dict(_manifests(saved.manifests, fresh.manifests))
    found = [f"{address}: {words}" for address, words in redeclared.items()]
    if not redeclared and saved.manifest_digest != fresh.manifest_digest:
        found.append("the manifests changed")
    now = {change.address: change for change in fresh.changes}
    for change in saved.changes:
        if _verb(change) is None:
            continue
        current, again = now.get(change.address), str(change.address) in redeclared
        if current is not None and current.action != "unknown":
            found += [f"{change.address}: {words}" for words in _differences(change, current, redeclared=again)]
        elif current is None and not again:
            found.append(f"{change.address}: nothing is left to {_verb(change)}")
    return found


_ENDINGS = {
    "done": "already applied by run {run} at {at}",
    "incomplete": "already applied by run {run} at {at}, which left objects failed, blocked or unknown",
    "interrupted": "already started by run {run} at {at}, which was interrupted",
    None: "already started by run {run} at {at}, which did not finish",
}


def used(run: PastRun) -> str:
    """Say which run applied a plan, or started to: a plan is applied once, and what was written stays."""
    words = _ENDINGS.get(run.ended, "already started by run {run} at {at}").format(run=run.run_id, at=run.started_at)
    return f"it was {words}" if run.ended == "done" else f"it was {words}; a new plan shows what is left"


def unknown(saved: Plan, fresh: Plan) -> list[str]:
    """Say which objects that the plan changes are not known now, and why."""
    wanted = set(touched(saved))
    return [
        f"{change.address}: {change.reason}"
        for change in fresh.changes
        if change.action == "unknown" and str(change.address) in wanted
    ]


def _manifests(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for address in sorted(before.keys() | after.keys()):
        if address not in after:
            yield address, "its manifest was removed"
        elif address not in before:
            yield address, "its manifest is new"
        elif before[address] != after[address]:
            yield address, "its manifest changed"


def _differences(saved: Change, current: Change, *, redeclared: bool) -> list[str]:
    """Name what differs in one object: live values first, else what would be done, and new risks."""
    live = list(_live(saved, current))
    found = live[:_SHOWN]
    if len(live) > _SHOWN:
        found.append(
            f"and {count(len(live) - _SHOWN, 'more live value')} {plural(len(live) - _SHOWN, 'differs', 'differ')}"
        )
    if redeclared:
        return found
    if _verb(saved) != _verb(current):
        now = _verb(current) or current.action
        found.append(f"the planned action was {_verb(saved)}, and is {now} now: {current.reason}")
        return found
    known = [risk.code for risk in saved.risks]
    found += [
        f"there is a new risk ({risk.code}): {risk.message}"
        for risk in current.risks
        if risk not in saved.risks and risk.code not in known
    ]
    return found or list(_otherwise(saved, current))


def _live(saved: Change, current: Change) -> Iterator[str]:
    if saved.lasting is None or current.lasting is None:
        if saved.lasting is not None:
            yield "the live object no longer exists"
        return
    for path, old, new in differences(by_member(saved.lasting), by_member(current.lasting)):
        yield f"{_dotted(path)} was {_words(old)} when the plan was made, and is {_words(new)} now"


def _otherwise(saved: Change, current: Change) -> Iterator[str]:
    """Name the parts of a change that differ from a new plan: it was edited, or another run wrote."""
    if saved.shown_id != current.shown_id:
        yield f"its id was {saved.shown_id} and is {current.shown_id} now"
        return
    named = sorted(name for part, name in _COMPARED.items() if getattr(saved, part) != getattr(current, part))
    if named:
        yield f"different in a new plan: {', '.join(named)}"
    elif saved.digest != current.digest:
        yield "the calls or the last applied values are different in a new plan"


def _dotted(path: tuple[str, ...]) -> str:
    text = "".join(part if part.startswith("[") else f".{part}" for part in path)
    return text.removeprefix(".")


def _words(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
