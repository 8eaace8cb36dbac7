"""Live objects that may exist twice, because a server executed a create later than anyone waited for. Pure.

After "looked, it was not there, created again" the first create may still be executed: by a gateway, by a queue, or
after a network failure. Two runs at the same time may also create an object twice. Each of these shows in the same
way: a second live object with the natural key of a managed one, which was not there before. Every plan and every drift
looks for it.

What was there before is remembered by target and kind (`seen_after`). A create of unknown result is kept as a doubt,
so that its late object is also found where the managed one was renamed or deleted since. So is every possible duplicate
that a run finds (`kept`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from reconciler.engine.groups import Either, id_order
from reconciler.engine.homes import Homes
from reconciler.engine.identity import Index, alike, distinct_from, index, indexes
from reconciler.engine.recover import creations, explained
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.subject import still_reaches
from reconciler.engine.world import World, homes_of
from reconciler.model.canonical import now, utc
from reconciler.model.change import resolved
from reconciler.model.kind import DISTINCT_FROM
from reconciler.model.objects import (
    POSSIBLE_DUPLICATE,
    STORED,
    Address,
    Desired,
    Fields,
    Intent,
    Live,
    Problem,
    Reading,
    Record,
    Scope,
    remote_ids,
)
from reconciler.target import Targets

KEPT_DAYS = 7
"""Days for which a create of unknown result is kept after it was sent.

TCP gives up after minutes, a gateway after hours. What is left are queues that a person restarts after a weekend, and
pipelines that run once a week.
"""

_REPORTED = "reported-"
"""What stands before the id of a kept possible duplicate, where the run of a lost create stands."""

_NAMED = 5
"""How many possible duplicates of one object are named."""

Managed = Mapping[Place, Collection[str]]
"""The ids that are managed, by place."""


class Suspect(Struct, frozen=True, kw_only=True):
    """A live object that may be a duplicate of another one."""

    address: Address
    """The object that it may be a duplicate of."""
    connection: str
    live: Live
    record: Record | None = None
    """The other one's record; None where it is not managed."""
    sent_at: str | None = None
    """When a create was sent that may have made it, and whose result is unknown."""
    former: bool = False
    """Whether it has a natural key that the other one had, or was declared to have."""


def managed_ids(records: Iterable[Record], homes: Homes) -> dict[Place, set[str]]:
    """Return the ids that are managed at each place, through any connection to the same system."""
    found: dict[Place, set[str]] = {}
    for record in records:
        for name in {record.connection, *homes.candidates(record)}:
            found.setdefault((name, record.address.kind), set()).add(record.remote_id)
    return found


def with_look_alikes(world: World, scopes: Mapping[Place, Scope]) -> dict[Place, Scope]:
    """Return scopes that also read what may be a duplicate; they read no list that is not read anyway, but for doubts.

    A list that holds whole objects costs nothing. Where it holds less, only what is new and similar is read.
    """
    found = dict(scopes)
    for item in doubts(world):
        if item.address in world.selected:
            place = (item.connection, item.address.kind)
            scope = found.setdefault(place, Scope(kind=item.address.kind))
            if not world.kinds[item.address.kind].listed_whole:  # the fields say what time to list
                found[place] = replace(scope, wanted=(*scope.wanted, item.fields))
    managed = managed_ids(world.records.values(), homes_of(world))
    similar: dict[Place, list[Fields]] = {}
    for record in world.records.values():
        similar.setdefault((record.connection, record.address.kind), []).extend(_recorded(world, record))
    sent = [item for items in world.intents.values() for item in creations(items, world.connections)]
    for item in (*doubts(world), *sent):
        similar.setdefault((item.connection, item.address.kind), []).append(item.fields)
    seen = _Seen(world)
    return {
        place: replace(
            scope,
            similar=tuple(similar.get(place, ())),
            familiar=frozenset(managed.get(place, ())) | (seen.at(place) or frozenset()),
        )
        for place, scope in sorted(found.items())
    }


def _recorded(world: World, record: Record) -> Iterator[Fields]:
    """Return what was applied to an object, and as the server spells it; else what is declared."""
    desired, stored = world.manifest(record.address), record.computed.get(STORED)
    if record.fields:
        yield record.fields
    elif desired is not None:
        yield resolved(desired.fields, remote_ids(world.records))
    if stored:
        yield {**record.fields, **stored}


def doubts(world: World) -> Iterator[Intent]:
    """Return the doubts about objects that can be listed, selected or not."""
    for item in world.doubts:
        listable = world.kinds[item.address.kind].ephemeral is None
        if listable and not world.forgets(item.address) and still_reaches(world.connections, item):
            yield item


class _Seen:
    """The ids that were there before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._targets = Targets({target: target for target, _ in world.seen})

    def at(self, place: Place) -> frozenset[str] | None:
        """Return those of a place; None where nothing was recorded about it."""
        keys = [(target, place[1]) for target in self._targets.same(self._world.connections[place[0]].target)]
        found = [self._world.seen[key] for key in keys if key in self._world.seen]
        return frozenset().union(*found) if found else None


def suspects(world: World, snapshot: Snapshot, found_again: Managed | None = None) -> tuple[Suspect, ...]:
    """Return every live object that may be a duplicate of a managed one, or the late result of a doubtful create.

    `found_again` are the ids that a plan counts as results of interrupted creates.
    """
    managed = managed_ids(world.records.values(), homes_of(world))
    strangers: dict[Place, list[Live]] = {}
    seen = _Seen(world)
    for place, reading in snapshot.readings.items():
        known = {*managed.get(place, ()), *(found_again or {}).get(place, ()), *(seen.at(place) or ())}
        unknown = [live for live in reading.live.values() if live.remote_id not in known]
        if unknown and reading.listed is not None:
            strangers[place] = sorted(unknown, key=id_order)
    found: dict[tuple[Address, str], Suspect] = {}
    asked = explained(world.intents, world.kinds, world.connections, snapshot)  # the plan asks a person about these
    newer = managed_ids((item for item in world.overtaken.values() if item is not None), homes_of(world))
    for suspect in (*_of_records(world, snapshot, strangers), *_of_doubts(world, strangers, asked)):
        place = (suspect.connection, suspect.address.kind)
        if suspect.address in world.overtaken or suspect.live.remote_id in newer.get(place, ()):
            continue
        key = (suspect.address, suspect.live.remote_id)
        first = found.get(key, suspect)
        found[key] = replace(first, sent_at=suspect.sent_at or first.sent_at)
    return tuple(sorted(found.values(), key=lambda item: (str(item.address), id_order(item.live))))


def _of_records(world: World, snapshot: Snapshot, strangers: Mapping[Place, Sequence[Live]]) -> Iterator[Suspect]:
    """Find the managed object of each stranger: the first one with its natural key, a selected one before others."""
    owners: dict[Place, list[tuple[Record, Fields]]] = {place: [] for place in strangers}
    for record in sorted(world.records.values(), key=lambda item: (item.address not in world.selected, item.address)):
        place = (record.connection, record.address.kind)
        if place in owners and not world.forgets(record.address):
            owners[place] += ((record, fields) for fields in _known(world, record, snapshot.reading(*place)))
    for place, lives in strangers.items():
        kind = world.kinds[place[1]]
        claimed: dict[str, None] = {}
        for among in indexes(kind, lives):
            for record, fields in owners[place]:
                taken = Either(claimed, distinct_from(world.manifest(record.address)))
                for key in kind.identities(fields) if len(claimed) < len(lives) else ():
                    found = among[key].members(fields, taken, tell_apart=True) if key in among else ()
                    second = tuple(found)
                    claimed.update((live.remote_id, None) for live in second)
                    yield from (
                        Suspect(address=record.address, connection=place[0], live=each, record=record)
                        for each in second
                    )


def _known(world: World, record: Record, reading: Reading) -> Iterator[Fields]:
    """Return what is known of a live object; nothing of one that was deleted, because it has no duplicate."""
    live = reading.live.get(record.remote_id)
    if still_reaches(world.connections, record) and (live is not None or record.remote_id in (reading.listed or ())):
        if live is not None:
            yield live.fields
        yield from _recorded(world, record)


def _of_doubts(world: World, strangers: Mapping[Place, Sequence[Live]], asked: Managed) -> Iterator[Suspect]:
    pools: dict[tuple[str, ...], Index] = {}
    for place, lives in strangers.items():
        pools[place] = index(world.kinds[place[1]], lives)
        pools.update({(*place, _REPORTED + live.remote_id): index(world.kinds[place[1]], [live]) for live in lives})
    before: dict[tuple[str, ...], Collection[str]] = {}
    for item in doubts(world):
        place = (item.connection, item.address.kind)
        key = (item.run_id, *place)
        if key in world.baselines and key not in before:
            before[key] = world.baselines[key].union(asked.get(place, ()))
        apart = Either(before.get(key, asked.get(place, ())), distinct_from(world.manifest(item.address)))
        reported = item.run_id.startswith(_REPORTED)
        among = pools.get((*place, item.run_id) if reported else place, {})
        for live in alike(world.kinds[place[1]], item.fields, among, without=apart):
            yield Suspect(
                address=item.address,
                connection=place[0],
                live=live,
                record=world.records.get(item.address),
                sent_at=None if reported else item.started_at,
                former=True,
            )


def kept(world: World, found: Iterable[Suspect]) -> tuple[Intent, ...]:
    """Return what to record, before a run writes, of the possible duplicates: the run may rename or delete the others.

    A lost create that may have made one is kept already.
    """
    return tuple(
        Intent(
            run_id=_REPORTED + item.live.remote_id,
            address=world.moves.get(item.address, item.address),
            connection=item.connection,
            target=world.connections[item.connection].target,
            effect="create",
            fields=item.live.fields,
            started_at=now(),
        )
        for item in found
        if item.sent_at is None
    )


def seen_after(world: World, snapshot: Snapshot, found: Iterable[Suspect]) -> dict[tuple[str, str], frozenset[str]]:
    """Return what to record, before a run writes, of the ids that are there: those that are no duplicates.

    What an open create could have made may be one. An id that is no longer in a whole list is dropped: a system may
    use it again.
    """
    doubtful = explained(world.intents, world.kinds, world.connections, snapshot)
    for item in found:
        doubtful.setdefault((item.connection, item.address.kind), set()).add(item.live.remote_id)
    managed = managed_ids(world.records.values(), homes_of(world))
    after: dict[tuple[str, str], frozenset[str]] = {}
    seen = _Seen(world)
    for place, reading in sorted(snapshot.readings.items()):
        kind, before = world.kinds[place[1]], seen.at(place)
        if reading.listed is None or reading.gaps or kind.ephemeral is not None:
            continue
        unsure = {*doubtful.get(place, ()), *managed.get(place, ()), *reading.unjudged, *reading.unreadable}
        kept = (before or frozenset()) & reading.listed if kind.listed_whole else before or frozenset()
        if before is None or kept | (reading.listed - unsure) != before:
            after[world.connections[place[0]].target, place[1]] = kept | (reading.listed - unsure)
    return after


def oldest_doubt() -> str:
    """Return the instant before which a doubtful create was certainly sent too long ago to be executed."""
    return utc(datetime.now(UTC) - timedelta(days=KEPT_DAYS))


def problems(found: Iterable[Suspect], world: World, snapshot: Snapshot) -> tuple[Problem, ...]:
    """Say what may exist twice of the selected objects, with the commands that decide."""
    by_address: dict[Address, list[Suspect]] = {}
    for suspect in found:
        if suspect.address in world.selected:
            by_address.setdefault(suspect.address, []).append(suspect)
    said = [
        _problem(world, suspect, more=max(0, len(items) - _NAMED) * (number == 0))
        for items in by_address.values()
        for number, suspect in enumerate(items[:_NAMED])
    ]
    return (*said, *_unjudged(snapshot.readings))


def _unjudged(readings: Mapping[Place, Reading]) -> Iterator[Problem]:
    for (connection, kind), reading in sorted(readings.items()):
        for remote_id, why in sorted(reading.unjudged.items())[:_NAMED]:
            yield Problem(
                code=POSSIBLE_DUPLICATE,
                severity="warning",
                summary=f"{kind} id {remote_id} on connection {connection} is new, looks like a managed object and "
                f"could not be read, so it is a possible duplicate: {why}",
                hint="plan again when it can be read",
            )


def _problem(world: World, suspect: Suspect, *, more: int) -> Problem:
    kind, new = world.kinds[suspect.address.kind], suspect.live.remote_id
    record, desired = suspect.record, world.manifest(suspect.address)
    what = f"id {new} ({kind.describe(suspect.live.fields)})"
    sent = f"a create of {suspect.sent_at}, whose answer was lost, may have made it" if suspect.sent_at else None
    if record is not None:
        key = "it has a natural key that the object had" if suspect.former else "it has the same natural key"
        words = (
            f"{what} is a possible duplicate of id {record.remote_id}: {key} and is not known to have been there before"
        )
        words = "; ".join(part for part in (words, sent) if part)
    else:
        words = f"{what} is a possible duplicate: {sent or 'an earlier run reported it'}, and the object is not managed"
    if more:
        words += f"; {more} more have its natural key"
    return Problem(
        code=POSSIBLE_DUPLICATE,
        severity="warning",
        summary=words,
        hint=_ways_out(suspect, desired, world.moves.get(suspect.address, suspect.address)),
        where=desired.source if desired is not None else None,
        address=suspect.address,
    )


def aside(address: Address, remote_id: str) -> Address:
    """Return the address for one of two live objects that are one declared object: no manifest declares it."""
    return Address(address.kind, f"duplicate-{remote_id}")


def _ways_out(suspect: Suspect, desired: Desired | None, recorded: Address) -> str:
    """Return the commands that delete the duplicate, keep it instead, or say that it is another object."""
    address, new, record = suspect.address, suspect.live.remote_id, suspect.record
    delete = f"`reconciler destroy --target {aside(address, new)}`"
    ways = [f"to delete id {new}: `reconciler adopt {recorded} {new} --as-duplicate`; {delete}"]
    protected = bool(record and record.protect) or bool(desired and desired.protect)
    adopt = f"`reconciler adopt {address} {new}`"
    if record is None:
        ways.append(f"to manage it: {adopt}" if desired is not None else f"to manage it: add a manifest, then {adopt}")
    elif desired is not None and not protected:
        move = f"`reconciler state mv {recorded} {aside(address, record.remote_id)}`"
        ways.append(f"to keep it and delete id {record.remote_id}: {move}; {adopt}; `reconciler apply`")
    if desired is not None:
        ids = ", ".join([*sorted(distinct_from(desired)), new])
        ways.append(f'if it is another object: metadata.annotations: {{{DISTINCT_FROM}: "{ids}"}}')
    elif record is None:
        ways.append(f"if it is another object: `reconciler state rm {recorded}`")
    return "; ".join(ways)
