"""What changed outside since the last apply; reads the remote systems, and only notes what it saw in the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from reconciler.context import Stopwatch
from reconciler.engine.diff import compare, field_of
from reconciler.engine.drift import drift as compare_records
from reconciler.engine.duplicates import Suspect, problems, suspects
from reconciler.engine.ignore import judge
from reconciler.engine.ledger import Memory, overtaken, remembered
from reconciler.engine.scopes import needed_connections, scopes
from reconciler.engine.sightings import dated, observed
from reconciler.engine.snapshot import Snapshot, take
from reconciler.engine.titles import Titles
from reconciler.engine.world import World, located
from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now
from reconciler.model.change import resolved
from reconciler.model.objects import Address, Fields, PastRun, Record, problem_order, remote_ids
from reconciler.model.plan import Selection
from reconciler.model.report import Drift, Drifted, Listing
from reconciler.model.sighting import LastApplied, Sightings
from reconciler.operations.duplicates import not_elsewhere, recorded_world
from reconciler.operations.plan import unreachable
from reconciler.operations.project import Declared
from reconciler.operations.select import select
from reconciler.operations.session import ProjectSession
from reconciler.operations.unmanaged import unmanaged_objects


def drift(
    session: ProjectSession,
    selection: Selection | None = None,
    declared: Declared | None = None,
    *,
    unmanaged: bool = False,
    record: bool = True,
) -> Drift:
    """Compare what was last applied with what is live. InvalidInput where no system could be read.

    Nothing is written to a remote system. Unless `record` is False, the state notes when each change was first seen,
    if it can be written and no other run holds its lock. With `declared` the result shows whether objects are
    declared and nothing is managed, and knows which live objects their manifests are not about. `unmanaged` adds the
    live objects that are not managed; it needs `declared`.
    """
    watch = Stopwatch()
    number = sum(not item.forget for item in declared.desired.values()) if declared is not None else 0
    moment = now()
    looked = look(session, selection, declared)
    found = Drift(objects=(), declared=number)
    records: Mapping[Address, Record] = {}
    if looked is not None:
        looked, items = compared(session, looked, declared)
        world, snapshot, records = looked.world, looked.snapshot, looked.world.records
        said = problems(looked.suspects, world, snapshot)
        found = replace(
            found,
            objects=_titled(items, world, snapshot),
            problems=tuple(sorted(said, key=problem_order)),
        )
    others = Listing()
    if unmanaged and declared is not None:
        others = unmanaged_objects(session, declared, selection or Selection(), moment, record=record)
    judged = judge((*found.objects, *others.objects), session.project.drift.ignore, moment[:10])
    known = _noted(session, judged.objects, records, moment) if record else {}
    known = known or session.store.outside.sightings()
    runs = session.store.past_runs() if records else {}
    ids = remote_ids(records)
    objects = (
        item
        if looked is None or item.status in {"in_sync", "unmanaged"}
        else _with_facts(dated(item, known.get(item.address, {})), looked, ids, runs, declared)
        for item in judged.objects
    )
    ordered = sorted(objects, key=lambda item: (str(item.address), item.status == "unmanaged"))
    found = replace(found, objects=tuple(ordered), notes=(*others.problems, *judged.notes))
    return _headed(session, found, watch)


def _titled(objects: tuple[Drifted, ...], world: World, snapshot: Snapshot) -> tuple[Drifted, ...]:
    """Add what customers know each object by: as it was applied, which is what they were promised."""
    declared = {**world.declared, **world.desired}
    titles = Titles(world.kinds, declared, world.records)

    def sources(item: Drifted) -> tuple[Fields, ...]:
        record, desired = world.records.get(item.address), declared.get(item.address)
        reading = snapshot.reading(record.connection, item.address.kind) if record is not None else None
        live = reading.live.get(record.remote_id) if reading is not None and record is not None else None
        return tuple(source.fields for source in (record, live, desired) if source is not None)

    return tuple(
        replace(item, title=titles.of(item.address, *sources(item)), zone=titles.zone(item.address)) for item in objects
    )


def _headed(session: ProjectSession, found: Drift, watch: Stopwatch) -> Drift:
    """Add what the check was about, and when and where it took place."""
    project = session.project
    return replace(
        found,
        project=project.name,
        environment=project.environment,
        context=session.context,
        run=watch.execution(),
    )


def _noted(
    session: ProjectSession, objects: Sequence[Drifted], records: Mapping[Address, Record], moment: str
) -> Mapping[Address, Sightings]:
    """Note what was seen, and return all that is known then; nothing where the state cannot take it now."""
    noted: dict[Address, Sightings] = {}

    def change(known: Mapping[Address, Sightings]) -> Mapping[Address, Sightings]:
        noted.clear()
        noted.update({**known, **observed(known, objects, records, moment)})
        return noted

    with suppress(ReconcilerError):  # a state that only reads: since when is not known then
        if session.store.outside.update_sightings(change):
            return noted
    return {}


def _with_facts(
    item: Drifted,
    looked: Looked,
    ids: Mapping[Address, str],
    runs: Mapping[str, PastRun],
    declared: Declared | None,
) -> Drifted:
    """Return an object with who wrote it last, and which live values its manifest declares already."""
    record = looked.world.records.get(item.address)
    if record is None:
        return item
    applied = last_applied(record, runs)
    desired = declared.desired.get(item.address) if declared is not None else None
    if desired is None or not item.fields:
        return replace(item, applied=applied)
    place = (record.connection, item.address.kind)
    live = looked.snapshot.reading(*place).live[record.remote_id]
    kind, stated = looked.world.kinds[item.address.kind], resolved(desired.fields, ids)
    left = {each.path for each in compare(kind, stated, live.fields, record.fields).fields}
    fields = tuple(
        replace(each, declared=field_of(each.path) in stated and each.path not in left) for each in item.fields
    )
    return replace(item, applied=applied, fields=fields)


def last_applied(record: Record, runs: Mapping[str, PastRun]) -> LastApplied:
    """Return who last wrote an object, and when."""
    run = runs.get(record.written_by or "")
    return LastApplied(
        at=record.updated_at,
        run_id=record.written_by,
        command=run.command if run is not None else None,
        context=run.context if run is not None else {},
    )


class Looked(Struct, frozen=True, kw_only=True):
    """What is recorded and what is live."""

    memory: Memory
    world: World
    snapshot: Snapshot
    suspects: tuple[Suspect, ...]


def look(
    session: ProjectSession,
    selection: Selection | None = None,
    declared: Declared | None = None,
    *,
    option: str = "--target ",
) -> Looked | None:
    """Read what is recorded as it is live now; None where nothing is recorded, although objects are declared."""
    memory = remembered(session.store, declared.desired if declared is not None else None)
    universe = memory.records.keys() | memory.intents.keys() | {item.address for item in memory.doubts}
    if not universe and declared is not None and any(not item.forget for item in declared.desired.values()):
        return None
    selected = select(universe, selection or Selection(), {}, memory.records.keys(), option=option)
    world = recorded_world(session, memory, selected, declared.desired if declared is not None else {})
    session.resolve_credentials(needed_connections(world), memory)
    world = located(replace(world, connections=session.project.connections))
    snapshot = take(scopes(world), session.reader)
    failure = unreachable(snapshot)
    if failure is not None:
        raise failure
    found = not_elsewhere(session, suspects(world, snapshot))
    return Looked(memory=memory, world=world, snapshot=snapshot, suspects=found)


def compared(session: ProjectSession, looked: Looked, declared: Declared | None) -> tuple[Looked, tuple[Drifted, ...]]:
    """Return how the objects compare, and what was looked at without what another run wrote to meanwhile."""

    def objects() -> tuple[Drifted, ...]:
        world = looked.world
        memory = replace(looked.memory, records=world.records)
        given = (memory, world.selected, looked.snapshot, session.kinds, world.connections)
        return compare_records(*given, overtaken=world.overtaken)

    found = objects()
    if looked.suspects or any(item.status != "in_sync" for item in found):
        later = overtaken(session.store, looked.memory, declared.desired if declared is not None else None)
        world = replace(looked.world, overtaken=later)
        if world.overtaken:
            left = not_elsewhere(session, suspects(world, looked.snapshot))
            looked = replace(looked, world=world, suspects=left)
            found = objects()
    return looked, found
