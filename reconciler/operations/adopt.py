"""Adopting existing live objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from reconciler.engine.adopt import NO_MATCH, adopted, check_unshared, choose, match, scope_of, shared_by_others
from reconciler.engine.duplicates import aside
from reconciler.engine.guards import ELSEWHERE
from reconciler.engine.ledger import remembered
from reconciler.engine.snapshot import Place, Snapshot, take
from reconciler.engine.subject import still_reaches
from reconciler.errors import ReconcilerError
from reconciler.model.change import resolved
from reconciler.model.kind import ADOPT_ID, Kind
from reconciler.model.nearest import meant, nearest_address
from reconciler.model.objects import Address, Desired, Problem, Record, Scope, problem_order, remote_ids
from reconciler.model.plan import Selection
from reconciler.model.words import listed
from reconciler.operations.drift import look
from reconciler.operations.duplicates import Adoption
from reconciler.operations.project import Declared, declare
from reconciler.operations.select import matching, select
from reconciler.operations.session import ProjectSession
from reconciler.target import Targets

_NAMED = 5

_TOGETHER = 500
"""Objects that are recorded in one transaction: a commit, or the push of a state in Git, costs as much for one."""


class Adopted(Struct, frozen=True, kw_only=True):
    """What `adopt_all` did; everything in address order."""

    records: tuple[Record, ...] = ()
    """The objects that are managed now."""
    problems: tuple[Problem, ...] = ()
    """Why the others were not adopted."""
    unlisted: tuple[Address, ...] = ()
    """Declared objects of kinds that cannot be listed, so that they cannot be looked up."""

    @property
    def refused(self) -> bool:
        """Whether the only reason for failures is that other projects manage the objects."""
        return bool(self.problems) and all(problem.code == ELSEWHERE for problem in self.problems)


def adopt(
    session: ProjectSession,
    declared: Declared,
    address: Address,
    remote_id: str | None = None,
    *,
    allow_shared: bool = False,
) -> Record:
    """Start managing an existing live object: by id, or the only one with the same natural key.

    Only reads; the object does not change. ReconcilerError says why it cannot be adopted; Refused, that
    another project or environment manages it, unless `allow_shared`.
    """
    desired = declared.desired.get(address)
    if desired is None:
        near = nearest_address(str(address), declared.desired)
        raise ReconcilerError(f"{address} is not declared", hint=meant(near, "write its manifest first, then adopt it"))
    if desired.forget:
        hint = "remove metadata.forget from its manifest first, then adopt it"
        raise ReconcilerError(f"{address} has metadata.forget: true", hint=hint)
    return _adopt_one(session, declared, desired, remote_id, allow_shared=allow_shared)


def adopt_duplicate(session: ProjectSession, declared: Declared, address: Address, remote_id: str) -> Record:
    """Start managing a possible duplicate of an object under a separate address, so that the next apply deletes it.

    Only reads. ReconcilerError where it is not one that a plan would report.
    """
    with session.hold():
        memory = remembered(session.store)
        if address not in memory.records and address not in {item.address for item in memory.doubts}:
            hint = "to see what is managed: `reconciler state list`"
            raise ReconcilerError(f"{address} is not managed, so nothing can be its duplicate", hint=hint)
        looked = look(session, Selection(targets=(str(address),)), declared)
        found = {item.live.remote_id: item for item in (looked.suspects if looked else ()) if item.address == address}
        if remote_id not in found:
            words = f"its possible duplicates: {listed(sorted(found), _NAMED)}" if found else "it has none"
            raise ReconcilerError(f"id {remote_id} is no possible duplicate of {address}; {words}")
        suspect, name = found[remote_id], aside(address, remote_id)
        if name in memory.known or name in declared.desired:
            raise ReconcilerError(f"{name} exists already", hint="choose another name for that object")
        kind, live = session.kinds[address.kind], suspect.live
        record = Record(
            address=name,
            connection=suspect.connection,
            target=session.project.connections[suspect.connection].target,
            remote_id=remote_id,
            fields={field: live.fields[field] for field in kind.recognised_by if field in live.fields},
            depends_on=suspect.record.depends_on if suspect.record is not None else (),
        )
        session.backup("adopt")
        session.store.save(record)
    return record


def adopt_all(
    session: ProjectSession,
    declared: Declared | None = None,
    selection: Selection | None = None,
    *,
    allow_shared: Collection[str] = (),
) -> Adopted:
    """Start managing every declared object that has exactly one live match. Without `declared`, manifests are read.

    An object that another project in the same state manages is left out, unless a glob of `allow_shared` names it.
    """
    declared = declared or declare(session.project)
    chosen = select(declared.desired.keys(), selection or Selection(), declared.desired, session.store.records().keys())
    wanted = [declared.desired[address] for address in sorted(chosen, key=str)]
    matching(chosen, allow_shared, option="--allow-shared ")  # UsageError before anything is read
    return _adopt_each(session, declared, wanted, allow_shared=allow_shared)


def _adopt_one(
    session: ProjectSession, declared: Declared, desired: Desired, remote_id: str | None, *, allow_shared: bool
) -> Record:
    """Adopt one declared object; without an id, by that of its annotation, as `adopt_all` does."""
    kind = session.kinds[desired.address.kind]
    with session.hold():
        records = dict(session.store.records())
        old = _recorded(desired, records)
        if old is not None and old not in _gone(session, [records[old]]):
            known = kind.public_id(records[old].remote_id)
            hint = f"to stop managing that one first: `reconciler state rm {old}`"
            raise ReconcilerError(f"{old} is already managed as id {known}", hint=hint)
        records = {address: record for address, record in records.items() if address != old}
        remote_id = remote_id or desired.annotations.get(ADOPT_ID)
        ids = remote_ids(records)
        place = (desired.connection, kind.name)
        taken = _Taken(session, records.values()).at(place)
        session.resolve_credentials({desired.connection})
        adoption = Adoption(session, declared.desired)
        scope = adoption.scopes({place: scope_of(desired, ids, remote_id)})[place]
        reading = session.reader(desired.connection).read(scope)
        live = choose(kind, desired, reading, taken, ids, remote_id)
        record = adopted(kind, desired, live, ids, session.project.connections[desired.connection].target)
        if not allow_shared:
            check_unshared(record, session.store.others())
        session.backup("adopt")
        _keep(session, [record], {record.address: old})
        adoption.record_seen({place: reading}, [record])
        session.store.prune()
    return record


def _recorded(desired: Desired, records: Mapping[Address, Record]) -> Address | None:
    """Return the address under which an object is managed: its own, or one that it had before."""
    return next((name for name in (desired.address, *desired.moved_from) if name in records), None)


def _keep(session: ProjectSession, records: Sequence[Record], olds: Mapping[Address, Address | None]) -> None:
    """Record adopted objects, in place of those of the addresses `olds` that do not exist any more."""
    for start in range(0, len(records), _TOGETHER):
        some = records[start : start + _TOGETHER]
        renamed = [(old, record.address) for record in some if (old := olds.get(record.address)) is not None]
        session.store.rename_all({old: new for old, new in renamed if old != new})
        session.store.adopt(some)


def _gone(session: ProjectSession, records: Iterable[Record]) -> set[Address]:
    """Return the managed objects that are proved not to exist any more: someone may have made them again.

    What is in a list exists. Only what a list lacks is read one by one.
    """
    places: dict[Place, list[Record]] = {}
    for record in records:
        if still_reaches(session.project.connections, record):
            places.setdefault((record.connection, record.address.kind), []).append(record)
    session.resolve_credentials({connection for connection, _ in places})
    whole = {place for place in places if session.kinds[place[1]].listed_whole}
    lists = take({place: Scope(kind=place[1]) for place in whole}, session.reader)
    asked = {
        place: {item.remote_id: item.fields for item in items if item.remote_id not in (_listed(lists, place) or ())}
        for place, items in places.items()
    }
    scopes = {place: Scope(kind=place[1], ids=ids, listing=place not in whole) for place, ids in asked.items() if ids}
    found = take(scopes, session.reader)
    return {
        item.address
        for place, items in places.items()
        if place in found.readings
        for item in items
        if item.remote_id in found.readings[place].absent or item.remote_id in found.readings[place].expired
    }


def _listed(lists: Snapshot, place: Place) -> frozenset[str] | None:
    return lists.readings[place].listed if place in lists.readings else None


def _adopt_each(
    session: ProjectSession, declared: Declared, wanted: Iterable[Desired], *, allow_shared: Collection[str] = ()
) -> Adopted:
    """Adopt every wanted object that has exactly one live match and is not managed yet, or does not exist any more.

    Objects that others refer to come first, because their ids are part of the others' natural keys. Only reads:
    one list for each kind and connection.
    """
    with session.hold():
        known = session.store.records()
        olds = {item.address: old for item in wanted if (old := _recorded(item, known)) is not None}
        again = _gone(session, [known[old] for old in olds.values() if session.kinds[old.kind].ephemeral is None])
        todo = [item for item in wanted if not item.forget and olds.get(item.address) in {None, *again}]
        unlisted = {item.address for item in todo if session.kinds[item.address.kind].ephemeral is not None}
        todo = [item for item in todo if item.address not in unlisted]
        session.resolve_credentials({item.connection for item in todo})
        if todo:
            session.backup("adopt")
        records: list[Record] = []
        problems: list[Problem] = []
        for turn in _turns(todo, session.kinds):
            made, wrong = _adopt_kinds(session, declared, turn, allow_shared, again)
            records += made
            problems += wrong
        session.store.prune()
    return Adopted(
        records=tuple(sorted(records, key=lambda record: str(record.address))),
        problems=tuple(sorted(problems, key=problem_order)),
        unlisted=tuple(sorted(unlisted, key=str)),
    )


def _turns(todo: list[Desired], kinds: Mapping[str, Kind]) -> Iterable[list[Desired]]:
    """Return the objects of kinds that refer to nothing, then those that refer to them."""
    for refers in (False, True):
        turn = [item for item in todo if bool(kinds[item.address.kind].references) is refers]
        if turn:
            yield turn


def _adopt_kinds(
    session: ProjectSession,
    declared: Declared,
    wanted: list[Desired],
    allow_shared: Collection[str],
    gone: Collection[Address],
) -> tuple[list[Record], list[Problem]]:
    """Adopt objects of kinds that do not refer to each other; `gone` are managed ones that do not exist any more."""
    before = session.store.records()
    known = {address: record for address, record in before.items() if address not in gone}
    olds = {item.address: _recorded(item, before) for item in wanted}
    ids = remote_ids(known)
    places: dict[Place, list[Desired]] = {}
    for item in wanted:
        places.setdefault((item.connection, item.address.kind), []).append(item)
    adoption = Adoption(session, declared.desired)
    asked = {place: _scope(place[1], items, ids) for place, items in places.items()}
    snapshot = take(adoption.scopes(asked), session.reader)
    records: list[Record] = []
    problems: list[Problem] = []
    taken = _Taken(session, known.values())
    # what does not exist any more and was not made again is created by the next apply
    again = {address for address, old in olds.items() if old is not None}
    for place, items in sorted(places.items()):
        failure = snapshot.failures.get(place[0])
        if failure is not None:
            problems += [_unread(item, failure.message, failure.hint) for item in items]
            continue
        target = session.project.connections[place[0]].target
        matches = match(session.kinds[place[1]], items, snapshot.reading(*place), taken.at(place), ids)
        problems += [item for item in matches.problems if item.code != NO_MATCH or item.address not in again]
        new = [
            adopted(session.kinds[place[1]], item, matches.found[item.address], ids, target)
            for item in items
            if item.address in matches.found
        ]
        taken.add(new)
        records += new
    foreign = shared_by_others(records, session.store.others(), allow_shared)
    problems += foreign.values()
    records = [record for record in records if record.address not in foreign]
    _keep(session, records, olds)
    if records:
        adoption.record_seen(snapshot.readings, records)
    return records, problems


class _Taken:
    """The ids that are managed, with their addresses, by place, through any connection to the same system."""

    def __init__(self, session: ProjectSession, known: Iterable[Record]) -> None:
        self._targets = Targets({name: each.target for name, each in session.project.connections.items()})
        self._found: dict[Place, dict[str, str]] = {}
        self.add(known)

    def add(self, known: Iterable[Record]) -> None:
        for record in known:
            for name in {record.connection, *self._targets.same(record.target)}:
                self._found.setdefault((name, record.address.kind), {})[record.remote_id] = str(record.address)

    def at(self, place: Place) -> Mapping[str, str]:
        return self._found.get(place, {})


def _scope(kind: str, items: list[Desired], ids: Mapping[Address, str]) -> Scope:
    """Return what to read to find the items, and to compare them with what is declared."""
    keys = {item.address: resolved(item.fields, ids) for item in items}
    return Scope(
        kind=kind,
        ids={item.annotations[ADOPT_ID]: keys[item.address] for item in items if ADOPT_ID in item.annotations},
        wanted=tuple(keys[item.address] for item in items if ADOPT_ID not in item.annotations),
    )


def _unread(item: Desired, why: str, hint: str | None) -> Problem:
    summary = f"the search failed: {why}"
    return Problem(code="not-adopted", summary=summary, hint=hint, where=item.source, address=item.address)
