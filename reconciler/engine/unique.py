"""Values that a system allows once, such as a resource's `api_ref`: who gives one up goes before who takes it.

Where that is a circle, or the owner keeps its value, no order helps: the plan says so before anything is sent. An
exchange by a temporary value is not made for anybody: it would be live for a while, and stay after a killed run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.engine.snapshot import Snapshot
from reconciler.model.change import DESTRUCTIVE, EDITING, Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Problem, Record

_Value = tuple[str, str, str, Any]
"""A value that exists once: target, kind, field and the value itself."""


class Owned(Struct, frozen=True, kw_only=True):
    """Who has which unique values before a plan, and who takes them."""

    decisions: Mapping[Address, Decision]
    desired: Mapping[Address, Desired]
    kinds: Mapping[str, Kind]
    targets: Mapping[str, str]
    """The remote system behind each connection."""
    owners: Mapping[_Value, tuple[Address, ...]]
    """The managed objects that have a value."""
    strangers: Mapping[_Value, str] = {}
    """The unmanaged live objects that have a value, as words."""


def ordered(
    decisions: Mapping[Address, Decision],
    *,
    desired: Mapping[Address, Desired],
    records: Mapping[Address, Record],
    kinds: Mapping[str, Kind],
    targets: Mapping[str, str],
    snapshot: Snapshot,
) -> tuple[dict[Address, Decision], tuple[Problem, ...]]:
    """Return the decisions with what each of them has to wait for, and the problems that no order solves."""
    owned = Owned(
        decisions=decisions,
        desired=desired,
        kinds=kinds,
        targets=targets,
        owners=_owners(decisions, records, kinds),
        strangers=_strangers(snapshot, records, kinds, targets),
    )
    after: dict[Address, dict[Address, str]] = {}
    problems: list[Problem] = []
    for address, decision in decisions.items():
        for name, value in _takes(kinds[address.kind], decision).items():
            found, wrong = _waits_for(owned, decision, name, value)
            after.setdefault(address, {}).update(dict.fromkeys(found, name))
            problems += wrong
    problems += _exchanges(owned, after)
    waiting = {address: replace(decisions[address], after=tuple(found)) for address, found in after.items() if found}
    return {**decisions, **waiting}, tuple(problems)


def _takes(kind: Kind, decision: Decision) -> dict[str, Any]:
    """Return the unique values that a decision gives to its object, by field."""
    if decision.creates:
        wanted = {name: decision.declared.get(name) for name in kind.unique}
    elif decision.action in EDITING:
        wanted = {item.path: item.after for item in decision.fields if item.path in kind.unique}
    else:
        wanted = {}
    return {name: value for name, value in wanted.items() if value}


def _gives_up(decision: Decision, name: str) -> bool:
    """Whether a decision frees the unique value that its object has."""
    return decision.action in DESTRUCTIVE or (
        decision.action in EDITING and any(item.path == name for item in decision.fields)
    )


def _owners(
    decisions: Mapping[Address, Decision], records: Mapping[Address, Record], kinds: Mapping[str, Kind]
) -> dict[_Value, tuple[Address, ...]]:
    """Return which managed objects have each value now: as read, else as last applied."""
    known = {**records, **{address: item.record for address, item in decisions.items() if item.record is not None}}
    found: dict[_Value, list[Address]] = {}
    for address, record in sorted(known.items(), key=lambda item: str(item[0])):
        decision = decisions.get(address)
        live = decision.live if decision is not None else None
        if decision is not None and live is None and decision.action != "unknown" and not decision.forget:
            continue  # proved to be gone
        for name in kinds[address.kind].unique:
            value = {**record.fields, **(live.fields if live is not None else {})}.get(name)
            if value:
                found.setdefault((record.target, address.kind, name, value), []).append(address)
    return {key: tuple(owners) for key, owners in found.items()}


def _strangers(
    snapshot: Snapshot, records: Mapping[Address, Record], kinds: Mapping[str, Kind], targets: Mapping[str, str]
) -> dict[_Value, str]:
    managed = {(item.target, address.kind, item.remote_id) for address, item in records.items()}
    found: dict[_Value, str] = {}
    for (connection, name), reading in snapshot.readings.items():
        kind, target = kinds[name], targets[connection]
        for remote_id, live in reading.live.items() if kind.unique else ():
            if (target, name, remote_id) in managed:
                continue
            for unique in kind.unique:
                if live.fields.get(unique):
                    key = (target, name, unique, live.fields[unique])
                    found[key] = f"a live object that is not managed (id {remote_id}, {kind.describe(live.fields)})"
    return found


def _waits_for(
    owned: Owned, decision: Decision, name: str, value: Any
) -> tuple[tuple[Address, ...], tuple[Problem, ...]]:
    """Return which changes free a value that a decision takes, or why it stays in use."""
    key = (owned.targets[decision.connection], decision.address.kind, name, value)
    waits: list[Address] = []
    problems: list[Problem] = []
    for owner in owned.owners.get(key, ()):
        other = owned.decisions.get(owner)
        if owner == decision.address or (other is not None and other.action == "unknown"):
            continue
        if other is not None and _gives_up(other, name):
            waits.append(owner)
        elif other is None and _would_give_up(owned, owner, name, value):
            hint = f"add --target {owner}, or do not exclude it"
            problems.append(_taken(decision, name, value, f"{owner}, which gives it up but is not selected", hint))
        else:
            problems.append(_taken(decision, name, value, f"{owner}, whose change does not give it up"))
    if key in owned.strangers and decision.action in EDITING:  # a create finds it by its natural key
        problems.append(_taken(decision, name, value, owned.strangers[key]))
    return tuple(waits), tuple(problems)


def _would_give_up(owned: Owned, owner: Address, name: str, value: Any) -> bool:
    """Whether an object that is not selected would change or be deleted."""
    desired = owned.desired.get(owner)
    return desired is None or desired.fields.get(name, value) != value


def _taken(decision: Decision, name: str, value: Any, owner: str, hint: str | None = None) -> Problem:
    return Problem(
        code=f"taken-{name}",
        summary=f"would get {name} {value!r}, which is in use by {owner}",
        hint=hint or f"state another {name}, or change the other object first",
        where=decision.source,
        address=decision.address,
    )


def _exchanges(owned: Owned, after: dict[Address, dict[Address, str]]) -> Iterator[Problem]:
    """Name every circle of objects that take each other's values, and remove it from what they wait for."""
    for members in _connected(after):
        yield from _exchanges_among(owned, {address: after[address] for address in members if address in after})


def _connected(after: Mapping[Address, Mapping[Address, str]]) -> Iterator[list[Address]]:
    """Yield the objects in groups that do not wait for each other: a circle is searched only where it can be."""
    around: dict[Address, list[Address]] = {}
    for address, found in after.items():
        for other in found:
            around.setdefault(address, []).append(other)
            around.setdefault(other, []).append(address)
    place = {address: number for number, address in enumerate(after)}
    seen: set[Address] = set()
    for start in around:
        group, waiting = [], [start]
        while waiting:
            address = waiting.pop()
            if address not in seen:
                seen.add(address)
                group.append(address)
                waiting += around[address]
        if group:
            yield sorted(group, key=lambda address: place.get(address, len(place)))


def _exchanges_among(owned: Owned, after: Mapping[Address, dict[Address, str]]) -> Iterator[Problem]:
    while True:
        try:
            TopologicalSorter({address: list(found) for address, found in after.items()}).prepare()
        except CycleError as error:
            circle: list[Address] = error.args[1]
        else:
            return
        steps = list(zip(circle[1:], circle, strict=False))
        names = [after[taker].pop(owner) for taker, owner in steps]
        members = sorted({address for step in steps for address in step}, key=str)
        listed = " and ".join(map(str, members))
        for address in members:
            yield Problem(
                code=f"exchanged-{names[0]}",
                summary=f"{listed} exchange their {names[0]}, and a value that exists once allows no order for that",
                hint=f"state another {names[0]} for one of them and apply, then the final values and apply again",
                where=owned.decisions[address].source,
                address=address,
            )
