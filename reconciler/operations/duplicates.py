"""What may exist twice: what is recorded against what is live, apart from what another project manages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from reconciler.engine.duplicates import Suspect, seen_after, suspects, with_look_alikes
from reconciler.engine.ledger import Memory, remembered
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.world import World, located
from reconciler.model.objects import Address, Desired, Reading, Record, Scope
from reconciler.operations.session import ProjectSession
from reconciler.target import same_target


def recorded_world(
    session: ProjectSession, memory: Memory, selected: frozenset[Address], declared: Mapping[Address, Desired]
) -> World:
    """Return what is recorded, to be compared with what is live."""
    return World(
        desired={},
        declared=declared,
        records=memory.records,
        selected=selected,
        kinds=session.kinds,
        providers=session.providers,
        connections=session.project.connections,
        doubts=memory.doubts,
        seen=session.store.seen(),
        baselines=session.store.baselines(),
    )


class Adoption:
    """What is there when objects are adopted: it is no duplicate of them, unless a plan reports it already."""

    def __init__(self, session: ProjectSession, declared: Mapping[Address, Desired]) -> None:
        """Read the state as it is before an object is adopted; the credentials are resolved."""
        memory = remembered(session.store)
        creates = [item for items in memory.intents.values() for item in items if item.effect == "create"]
        memory = replace(memory, doubts=(*memory.doubts, *creates))
        world = recorded_world(session, memory, memory.known | {item.address for item in memory.doubts}, declared)
        self._session = session
        self._world = located(world)

    def scopes(self, asked: Mapping[Place, Scope]) -> dict[Place, Scope]:
        """Return scopes that also read what may be a duplicate of an object that is managed already."""
        found = with_look_alikes(self._world, asked)
        return {place: found[place] for place in asked}

    def record_seen(self, readings: Mapping[Place, Reading], adopted: Sequence[Record]) -> None:
        """Record the ids that are there, except the adopted ones."""
        snapshot = Snapshot(readings=readings)
        doubtful = not_elsewhere(self._session, suspects(self._world, snapshot))
        found = seen_after(self._world, snapshot, doubtful)
        for target, kind in found:
            mine = (item for item in adopted if item.address.kind == kind and same_target(item.target, target))
            found[target, kind] = found[target, kind].difference(item.remote_id for item in mine)
        self._session.store.record_seen(found)


def not_elsewhere(session: ProjectSession, found: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Return the suspects that no other project or environment in the same state manages."""
    if not found:
        return ()
    managed: dict[tuple[str, str], list[str]] = {}
    for target, kind, remote_id in session.store.others():
        managed.setdefault((kind, remote_id), []).append(target)
    targets = {name: connection.target for name, connection in session.project.connections.items()}
    return tuple(
        item
        for item in found
        if not any(
            same_target(target, targets[item.connection])
            for target in managed.get((item.address.kind, item.live.remote_id), ())
        )
    )
