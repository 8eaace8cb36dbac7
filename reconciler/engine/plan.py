"""From desired, recorded and live to a plan. Pure.

The stages: `scopes.scopes` says what to read, `decide_all` decides on each object, `impact.booking_queries` says which
bookings to read, `make_plan` builds the changes. Each change is built once, in `_change`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconciler.engine.decide import decide
from reconciler.engine.expiry import with_ended
from reconciler.engine.forecast import forecast
from reconciler.engine.guards import IN_THE_PAST
from reconciler.engine.impact import Bookings, impact
from reconciler.engine.manifest_digests import ManifestDigests
from reconciler.engine.moves import forget, unknown_removals
from reconciler.engine.order import in_order
from reconciler.engine.record import next_record, record_codes, record_words
from reconciler.engine.recover import explained
from reconciler.engine.renames import renames
from reconciler.engine.shared import Neighbours, share
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.subject import Context, Decided
from reconciler.engine.titles import Titles
from reconciler.engine.unique import ordered
from reconciler.engine.world import World, homes_of
from reconciler.model import days
from reconciler.model.change import EDITING, IDLE, INDEPENDENT, Call, Change, Decision, resolved
from reconciler.model.objects import (
    Address,
    Desired,
    Fields,
    Problem,
    problem_order,
    remote_ids,
)
from reconciler.model.plan import Plan

_KEEPS_ID = IDLE | EDITING


class Decisions(Struct, frozen=True, kw_only=True):
    """What is decided on each selected object."""

    by_address: Mapping[Address, Decision]
    problems: tuple[Problem, ...] = ()
    managed: Mapping[Place, Collection[str]] = {}
    """The ids that are managed, or found again, by place."""


def decide_all(world: World, snapshot: Snapshot) -> Decisions:
    """Decide on every selected object, each after those its manifest refers to."""
    taken = _taken(world)
    snapshot = with_ended(snapshot, world.records.values(), world.kinds, world.now)
    context = Context(
        kinds=world.kinds,
        connections=world.connections,
        snapshot=snapshot,
        taken=taken,
        baselines=world.baselines,
        explained=explained(world.intents, world.kinds, world.connections, snapshot),
        destroying=world.destroying,
        forgotten=world.forgotten,
        moves=world.moves,
        overtaken=world.overtaken,
        now=world.now,
    )
    decisions: dict[Address, Decision] = {}
    problems: list[Problem] = []
    ids = remote_ids(world.records, without=world.selected)
    for address in _by_reference(world):
        desired = world.desired.get(address)
        if desired is not None and (stated := resolved(desired.fields, ids)) is not desired.fields:
            desired = dataclasses.replace(desired, fields=stated)
        decision, found = _decided(world, context, address, desired)
        if decision is None:
            continue
        problems += found
        decisions[address] = decision
        if decision.record is not None and not decision.forget:  # another object must not claim what was found again
            taken.setdefault((decision.record.connection, address.kind), {})[decision.record.remote_id] = None
        if decision.remote_id is not None and decision.action in _KEEPS_ID:
            ids[address] = decision.remote_id
    around = Neighbours.of(decisions, world.desired, world.records)
    for address, decision in decisions.items():
        decisions[address], found = share(decision, world.kinds[address.kind], around)
        problems += found
    waiting, found = ordered(
        decisions,
        desired=world.desired,
        records=world.records,
        kinds=world.kinds,
        targets={name: connection.target for name, connection in world.connections.items()},
        snapshot=snapshot,
    )
    return Decisions(by_address=waiting, problems=tuple(dict.fromkeys((*problems, *found))), managed=taken)


def _decided(world: World, context: Context, address: Address, desired: Desired | None) -> Decided:
    if world.forgets(address):
        return forget(address, world.memory, desired, world.removed.get(address)), ()
    return decide(context, address, desired, world.records.get(address), world.intents.get(address, ()))


def _taken(world: World) -> dict[Place, dict[str, None]]:
    """Return the ids that are managed and stay so, by place, as keys in the order in which they are found."""
    taken: dict[Place, dict[str, None]] = {}
    homes = homes_of(world)
    newer = [(address, record) for address, record in world.overtaken.items() if record is not None]
    for address, record in (*world.records.items(), *newer):
        for name in () if world.forgets(address) else {record.connection, *homes.candidates(record)}:
            taken.setdefault((name, address.kind), {})[record.remote_id] = None
    return taken


def _by_reference(world: World) -> tuple[Address, ...]:
    """Return the selected addresses, each after those its manifest refers to."""
    if not any(item.depends_on for items in (world.desired, world.records) for item in items.values()):
        return tuple(sorted(world.selected, key=str))
    stand_ins = [
        Decision(
            address=address,
            connection="",
            action="update",
            reason="",
            desired=world.desired.get(address),
            record=world.records.get(address),
        )
        for address in sorted(world.selected, key=str)
    ]
    return in_order(stand_ins)


def make_plan(world: World, decisions: Decisions, bookings: Bookings) -> Plan:
    """Return the plan; `bookings` are those that were read for the decisions."""
    in_order(decisions.by_address.values())  # raises on a cycle of references, which would stop an apply half-way
    titles = Titles(world.kinds, world.desired, world.records)
    changes = {
        address: _change(world, decisions.by_address[address], bookings, titles)
        for address in sorted(decisions.by_address, key=str)
    }
    ordered = tuple(changes.values())
    removed = {address: where for address, where in world.removed.items() if address in world.selected}
    problems = [
        *decisions.problems,
        *_missing_dependencies(world, changes),
        *_stranded(world, changes),
        *_over(world, ordered),
        *renames(ordered, world.kinds, destroying=world.destroying),
        *unknown_removals(removed, world.memory, world.desired.keys()),
    ]
    return Plan(
        project=world.project,
        environment=world.environment,
        tool_version=world.tool_version,
        changes=ordered,
        problems=(*sorted(problems, key=problem_order), *world.warnings),
        selection=world.selection,
        managed=len(world.records),
        declared=sum(not item.forget for item in world.desired.values()),
        purpose="destroy" if world.destroying else "apply",
        manifests=ManifestDigests(world.desired, world.removed),
        targets=_targets(world, ordered),
        present=_present(ordered),
        forecast=forecast(ordered, world.connections),
        runs=world.runs,
        currency=world.currency,
    )


_DECIDED = Decision.__struct_fields__


def _change(world: World, decision: Decision, bookings: Bookings, titles: Titles) -> Change:
    """Build the change of one decision: the only place that builds one."""
    kind = world.kinds[decision.address.kind]
    old = world.moves.get(decision.address) if decision.action != "unknown" else None  # messages name it by the old one
    found = impact(kind, decision, bookings, world.levels, titles.zone(decision.address))
    after = next_record(decision, world.connections)
    open_calls = bool(world.intents.get(decision.address))
    home = _old_home(world, decision)
    codes = record_codes(decision, after, open_calls=open_calls, moved=old is not None or home is not None)
    gone = decision.desired is None and (decision.action == "delete" or decision.absent) and not world.destroying
    moved = [f"moved from {old}"] if old is not None else []
    moved += [f"moved from connection {home}, which led to the same system"] if home is not None else []
    reasons = [*moved, decision.reason, *record_words(decision, codes), *(world.unread * gone)]
    sources = _sources(decision)
    decided = {name: getattr(decision, name) for name in _DECIDED}
    return Change(
        **{
            **decided,
            "reason": "; ".join(reasons),
            "risks": found.risks,
        },
        calls=_calls(world, decision),
        defaults=kind.defaults(decision.declared) if decision.creates else (),
        shown_id=kind.public_id(decision.remote_id),
        name=next((name for source in sources if (name := kind.title(source))), None),
        title=titles.of(decision.address, *sources),
        zone=titles.zone(decision.address),
        moved_from=old,
        remembers=codes,
        next_record=after,
        bookings=found.bookings,
        price=found.price,
        volatile=kind.volatile,
    )


def _old_home(world: World, decision: Decision) -> str | None:
    """Return the recorded connection of an object that stays and is reached through another one."""
    stays = decision.action == "noop" or decision.action in EDITING
    return world.homes.get(decision.address) if stays and not decision.forget else None


def _sources(decision: Decision) -> tuple[Fields, ...]:
    """Return the fields of an object: live, applied and declared."""
    sources = (decision.live, decision.record, decision.desired)
    return tuple(source.fields for source in sources if source is not None)


def _calls(world: World, decision: Decision) -> tuple[Call, ...]:
    """Return the calls of a decision; a replacement is a delete and a create."""
    if decision.idle:
        return ()
    if decision.action == "replace" and decision.record is not None:
        old = replace(decision, action="delete", connection=decision.record.connection)
        new = replace(decision, action="create", remote_id=None)
        return (*_calls(world, old), *_calls(world, new))
    connection = world.connections[decision.connection]
    return world.providers[connection.provider].calls(decision, connection)


def _missing_dependencies(world: World, changes: Mapping[Address, Change]) -> list[Problem]:
    """Say which objects need one that neither exists nor is in the selection."""
    return [
        Problem(
            code="dependency-not-selected",
            summary=f"needs {target}, which does not exist yet and is not selected",
            hint=f"add --target {target}, or do not exclude it",
            where=change.desired.source,
            address=change.address,
        )
        for change in changes.values()
        if change.desired is not None and change.action not in INDEPENDENT
        for target in change.desired.depends_on
        if target not in world.records and target not in changes
    ]


def _stranded(world: World, changes: Mapping[Address, Change]) -> list[Problem]:
    """Say which objects would still refer to a deleted one, because they are not selected."""
    gone = {address for address, change in changes.items() if change.action == "delete"}
    return [
        Problem(
            code="dependent-not-selected",
            summary=f"would be deleted, but {record.address} refers to it and is not selected",
            hint=f"add --target {record.address}, or do not exclude it",
            address=target,
        )
        for record in world.records.values()
        if record.address not in changes
        for target in sorted(gone.intersection(record.depends_on), key=str)
    ]


def _over(world: World, changes: tuple[Change, ...]) -> list[Problem]:
    """Warn about new objects that are already over: a year is easily mistyped."""
    return [
        Problem(
            code=IN_THE_PAST,
            severity="warning",
            summary=f"is new, but {words}; expected a day from {days.shown_text(world.today)} on",
            where=change.source,
            address=change.address,
        )
        for change in changes
        if change.creates and (words := world.kinds[change.address.kind].over(change.declared, world.today)) is not None
    ]


def _targets(world: World, changes: tuple[Change, ...]) -> dict[str, str]:
    """Return the remote system behind each connection of the plan, including those of recorded ids."""
    names = {change.connection for change in changes}
    names |= {change.record.connection for change in changes if change.record is not None}
    return {name: world.connections[name].target for name in sorted(names & world.connections.keys())}


def _present(changes: tuple[Change, ...]) -> dict[str, int]:
    """Count the managed objects that still exist, by connection: without any, its credentials may be the wrong ones."""
    counts = Counter(
        change.record.connection
        for change in changes
        if change.record is not None and change.action != "unknown" and not change.gone and not change.forget
    )
    return dict(sorted(counts.items()))
