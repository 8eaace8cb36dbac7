"""What has to be read for a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.engine.duplicates import doubts, with_look_alikes
from reconciler.engine.homes import doubted
from reconciler.engine.recover import certain, creations
from reconciler.engine.snapshot import Place
from reconciler.engine.subject import still_reaches
from reconciler.engine.world import World, homes_of, located
from reconciler.model.change import resolved
from reconciler.model.objects import Computed, Desired, Fields, Intent, Record, Scope, remote_ids


def scopes(world: World) -> dict[Place, Scope]:
    """Return what has to be read for the selected objects, one scope for each connection and kind."""
    ids = remote_ids(world.records)
    known: dict[Place, dict[str, Fields]] = {}
    wanted: dict[Place, list[Fields]] = {}
    computed: dict[Place, dict[str, Computed]] = {}
    for place, asked in _asked(world):
        if isinstance(asked, Record):
            desired = None if world.destroying else world.desired.get(asked.address)
            stated = {} if desired is None else resolved(desired.fields, ids)
            known.setdefault(place, {})[asked.remote_id] = _over(asked.fields, stated)
            sure = certain(asked, world.intents.get(asked.address, ()))
            computed.setdefault(place, {})[asked.remote_id] = sure.computed
        else:
            fields = asked.fields if isinstance(asked, Intent) else resolved(asked.fields, ids)
            wanted.setdefault(place, []).append(fields)
    for place, sent in _other_creates(world):
        if place in wanted:
            wanted[place].append(sent)
    found = {
        place: Scope(
            kind=place[1],
            ids=known.get(place, {}),
            wanted=tuple(wanted.get(place, ())),
            computed=computed.get(place, {}),
        )
        for place in known.keys() | wanted.keys()
    }
    return with_look_alikes(world, found)


def _asked(world: World) -> Iterator[tuple[Place, Record | Intent | Desired]]:
    """Return what is read of the selected objects: those with a record, and those that could be a new one."""
    for address in sorted(world.selected, key=str):
        if world.forgets(address):
            continue  # nothing about it is read: its system may be unreachable
        record = world.records.get(address)
        desired = None if world.destroying else world.desired.get(address)
        if record is None:
            for intent in creations(world.intents.get(address, ()), world.connections):
                yield (intent.connection, address.kind), intent
        elif still_reaches(world.connections, record):
            yield (record.connection, address.kind), record
        else:
            continue
        if desired is not None and (record is None or desired.connection != record.connection):
            yield (desired.connection, address.kind), desired


def _other_creates(world: World) -> Iterator[tuple[Place, Fields]]:
    """Return what interrupted creates outside the selection sent: what they made is no result of a selected one."""
    for address, intents in sorted(world.intents.items(), key=lambda item: str(item[0])):
        if address not in world.selected:
            for intent in creations(intents, world.connections):
                yield (intent.connection, address.kind), intent.fields


def needed_connections(world: World) -> set[str]:
    """Return the connections whose credentials are needed, of a world that is not located yet."""
    at_home = located(world)
    read = {connection for (connection, _), _ in _asked(at_home)}
    read |= {item.connection for item in doubts(at_home) if item.address in world.selected}
    open_to_doubt = {address for address in world.selected if not world.forgets(address)}
    return read | set(doubted(world.memory, homes_of(world), frozenset(open_to_doubt)))


def _over(recorded: Fields, stated: Fields) -> Fields:
    """Return what was last applied with what is stated now; mostly that is the same."""
    return recorded if stated.items() <= recorded.items() else {**recorded, **stated}
