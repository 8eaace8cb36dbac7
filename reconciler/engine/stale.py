"""Whether a saved plan still fits: every reason why not, by name.

Two plans are compared as their documents show them, so that masked values and references are equal on both sides.
Whoever can write the file can compute its digest, so nothing in it is believed: each of its changes must be one that a
new plan with its selection makes, and each change of that plan must be in it. What may differ is listed at `_COMPARED`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.engine.diff import ABSENT, by_member, differences
from reconciler.engine.guards import BY_RUN
from reconciler.model.change import Change
from reconciler.model.objects import Address, PastRun, Problem
from reconciler.model.plan import Plan
from reconciler.model.words import count, plural
from reconciler.target import same_target
from reconciler.trust import UNTRUSTED

_COMPARED = {
    "action": "action",
    "connection": "connection",
    "expired": "expired",
    "fields": "fields",
    "forget": "forget",
    "label": "name",
    "moved_from": "moved_from",
    "remembers": "record",
    "requests": "calls",
    "risks": "risks",
    "unverified": "unverified",
    "zone": "timezone",
}
"""What of a change must be the same, with its name in the document.

The source, the reason, the guards and the bookings may differ: risks tell what the bookings mean, and guards depend on
the flags of the run that applies the plan.
"""

_IDLE = ("action", "connection", "fields", "forget", "moved_from", "requests", "risks")
"""What of an object that a plan does not change must be the same: its live values are not in the document."""

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
    if change.moved_from is not None:
        return "move"
    return "record" if change.remembers else None


def header_reasons(saved: Plan, facts: Mapping[str, str | None], targets: Mapping[str, str]) -> list[str]:
    """Say what differs between a saved plan and this run before anything is read.

    `facts` are this run's project, environment and tool_version, `targets` those of every connection, without the
    accounts that its credentials choose: `reasons` compares those.
    """
    then = {"project": saved.project, "environment": saved.environment, "tool_version": saved.tool_version}
    found = [
        f"the {name.replace('_', ' ')} was {then[name] or 'none'} and is {facts[name] or 'none'} now"
        for name in then
        if then[name] != facts[name]
    ]
    for connection, target in sorted(saved.targets.items()):
        if connection not in targets:
            found.append(f"connection {connection} pointed to {target} and is no longer in the project file")
    return [*found, *_retargeted(saved.targets, targets)]


def _retargeted(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for connection in sorted(before.keys() & after.keys()):
        if not same_target(before[connection], after[connection]):
            yield f"connection {connection} pointed to {before[connection]} and points to {after[connection]} now"


def narrowed(plan: Plan) -> Plan:
    """Return a plan with only the objects that it changes."""
    return replace(plan, changes=tuple(change for change in plan.changes if _verb(change) is not None))


def without(plan: Plan, addresses: Collection[Address]) -> Plan:
    """Return a plan without these objects."""
    return replace(plan, changes=tuple(change for change in plan.changes if change.address not in addresses))


def left_out(addresses: Iterable[Address]) -> Iterator[Problem]:
    """Warn of objects that changed outside since the plan was made, and that it therefore does not change."""
    for address in sorted(addresses, key=str):
        yield Problem(
            code="left-out",
            severity="warning",
            summary="changed outside reconciler since the plan was saved; the plan leaves it unchanged",
            hint="a new plan shows what changed",
            address=address,
        )


def changed_outside(saved: Plan, fresh: Plan) -> frozenset[Address]:
    """Return the objects that a saved plan does not change and that changed outside since.

    The plan stays valid, and still does not change them. Neither the manifests nor the state made these changes.
    """
    unchanged = {change.address for change in saved.changes if change.action == "noop" and _verb(change) is None}
    return frozenset(
        change.address for change in fresh.changes if change.address in unchanged and _caused_outside(change)
    )


def _caused_outside(change: Change) -> bool:
    if change.expired:
        return change.writes
    drifted = bool(change.fields) and all(item.origin == "drift" for item in change.fields)
    return (change.recreates or drifted) and change.moved_from is None and not change.remembers


def edited(saved: Plan, fresh: Plan) -> list[str]:
    """Say what of the rest of a document cannot be what a plan of the same manifests and selection wrote."""
    found = []
    if saved.runs > fresh.runs:
        found.append("the state has had fewer runs than when the plan was made: it was restored, or is another one")
    if saved.currency != fresh.currency:
        found.append(f"the currency was {saved.currency or 'none'} and is {fresh.currency or 'none'} now")
    if saved.targets.keys() != fresh.targets.keys():
        found.append("the plan uses other connections than a new plan")
    unchanged = {change.address for change in saved.changes if _verb(change) is None}
    before, after = _warned(saved, unchanged), _warned(fresh, unchanged)
    for severity, code, address in sorted(before ^ after, key=str):
        which = "is no longer found" if (severity, code, address) in before else "is new"
        found.append(f"{address}: the {severity} {code} {which}" if address else f"the {severity} {code} {which}")
    return found


def _warned(plan: Plan, without: Collection[Address]) -> set[tuple[str, str, Address | None]]:
    """Return the problems of a plan that do not depend on the flags of a run, or on objects that it does not change.

    What a project file states without effect has none on the plan: it may agree with the trusted file after a merge.
    """
    apart = {*BY_RUN, UNTRUSTED}
    return {
        (problem.severity, problem.code, problem.address)
        for problem in plan.problems
        if problem.code not in apart and not problem.code.startswith("guard-") and problem.address not in without
    }


def reasons(saved: Plan, fresh: Plan, apart: Collection[Address] = ()) -> list[str]:
    """Say what has changed since: each manifest of the project, each object that either plan changes.

    An object that is unknown now has not been seen to change; `unknown` names it. `apart` may differ.
    """
    redeclared = dict(_manifests(saved.manifests, fresh.manifests))
    found = [*_retargeted(saved.targets, fresh.targets)]
    found += [f"{address}: {words}" for address, words in redeclared.items()]
    if not redeclared and saved.manifest_digest != fresh.manifest_digest:
        found.append("the manifests changed")
    then = {change.address: change for change in saved.changes}
    now = {change.address: change for change in fresh.changes}
    for address in sorted((then.keys() | now.keys()).difference(apart), key=str):
        again = str(address) in redeclared
        words = _differences(then.get(address), now.get(address), redeclared=again)
        found += [f"{address}: {each}" for each in words]
    return found


_ENDINGS = {
    "done": "already applied by run {run} at {at}",
    "incomplete": "already applied by run {run} at {at}, which left objects failed, blocked or unknown",
    "interrupted": "already started by run {run} at {at}, which was interrupted",
    None: "already started by run {run} at {at}, which did not finish",
}


def unreviewed(fresh: Plan, reviewed: Iterable[Plan]) -> list[str]:
    """Say which changes of a plan are in none of the plans that people have reviewed, as they are in one of them.

    The plans of several merged pull requests count together: a run that was skipped leaves its changes to the next. A
    change that is no longer needed is not missed, because nothing is done then.
    """
    seen: dict[Address, list[Change]] = {}
    for plan in reviewed:
        for change in plan.changes:
            if _verb(change) is not None:
                seen.setdefault(change.address, []).append(change)
    found = []
    for change in fresh.changes:
        if _verb(change) is None:
            continue
        known = [_differences(then, change, redeclared=False) for then in seen.get(change.address, ())]
        if [] in known:
            continue
        words = known[-1] if known else [f"no reviewed plan contains it; it would {_verb(change)}: {change.reason}"]
        found += [f"{change.address}: {each}" for each in words]
    return found


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


def _differences(saved: Change | None, current: Change | None, *, redeclared: bool) -> list[str]:
    """Name what differs in one object."""
    if current is not None and current.action == "unknown":
        return []
    if saved is not None and current is not None and _verb(saved) is not None:
        return _changed(saved, current, redeclared=redeclared)
    return [] if redeclared else list(_added_or_removed(saved, current))


def _added_or_removed(saved: Change | None, current: Change | None) -> Iterator[str]:
    """Name what differs in an object that only one of two plans contains or changes."""
    verb = _verb(saved) if saved is not None else None
    if current is None:
        yield f"nothing is left to {verb}" if verb is not None else "it is not part of a new plan"
        return
    now = f"the planned action is {_verb(current) or current.action} now: {current.reason}"
    if saved is None:
        yield f"the saved plan does not contain it; {now}"
    elif _verb(current) is not None:
        yield f"the saved plan leaves it unchanged; {now}"
    else:
        yield from _otherwise(saved, current, _IDLE)


def _changed(saved: Change, current: Change, *, redeclared: bool) -> list[str]:
    """Name what differs in an object that the saved plan changes: live values first, else what would be done."""
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
    found = found or list(_otherwise(saved, current, tuple(_COMPARED)))
    if not found and saved.digest != current.digest:
        found.append("the calls or the last applied values are different in a new plan")
    return found


def _live(saved: Change, current: Change) -> Iterator[str]:
    if saved.lasting is None or current.lasting is None:
        if saved.lasting is not None and current.action != "noop":  # a document leaves out what a no-op found
            yield "the live object no longer exists"
        return
    for path, old, new in differences(by_member(saved.lasting), by_member(current.lasting)):
        yield f"{_dotted(path)} was {_words(old)} when the plan was made, and is {_words(new)} now"


def _otherwise(saved: Change, current: Change, parts: tuple[str, ...]) -> Iterator[str]:
    """Name the parts of a change that differ from a new plan: it was edited, or another run wrote."""
    if saved.shown_id != current.shown_id:
        yield f"its id was {saved.shown_id} and is {current.shown_id} now"
        return
    named = sorted(_COMPARED[part] for part in parts if getattr(saved, part) != getattr(current, part))
    if named:
        yield f"different in a new plan: {', '.join(named)}"


def _dotted(path: tuple[str, ...]) -> str:
    text = "".join(part if part.startswith("[") else f".{part}" for part in path)
    return text.removeprefix(".")


def _words(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
