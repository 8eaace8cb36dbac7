"""Adopting existing live objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from reconciler.engine.adopt import check_unshared, choose, match, scope_of, shared_by_others
from reconciler.engine.guards import SHARED
from reconciler.engine.snapshot import Place, take
from reconciler.errors import ReconcilerError
from reconciler.model.change import resolved
from reconciler.model.kind import ADOPT_ID, Kind
from reconciler.model.objects import Address, Desired, Problem, Record, Scope, problem_order, remote_ids
from reconciler.model.plan import Selection
from reconciler.operations.project import Declared
from reconciler.operations.select import select
from reconciler.operations.session import ProjectSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
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
        return bool(self.problems) and all(problem.code == SHARED for problem in self.problems)


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
        raise ReconcilerError(f"{address} is not declared", hint="write its manifest first, then adopt it")
    if desired.forget:
        hint = "remove metadata.forget from its manifest first, then adopt it"
        raise ReconcilerError(f"{address} has metadata.forget: true", hint=hint)
    return _adopt_one(session, desired, remote_id, allow_shared=allow_shared)


def adopt_all(
    session: ProjectSession,
    declared: Declared,
    selection: Selection | None = None,
    *,
    allow_shared: Collection[str] = (),
) -> Adopted:
    """Start managing every declared object that has exactly one live match.

    An object that another project in the same state manages is left out, unless a glob of `allow_shared` names it.
    """
    chosen = select(declared.desired.keys(), selection or Selection(), declared.desired, session.store.records().keys())
    wanted = [declared.desired[address] for address in sorted(chosen, key=str)]
    return _adopt_each(session, wanted, allow_shared=allow_shared)


def _adopt_one(session: ProjectSession, desired: Desired, remote_id: str | None, *, allow_shared: bool) -> Record:
    """Adopt one declared object; without an id, by that of its annotation, as `adopt_all` does."""
    kind = session.kinds[desired.address.kind]
    with session.hold():
        records = session.store.records()
        if desired.address in records:
            known = kind.public_id(records[desired.address].remote_id)
            hint = f"to stop managing that one first: reconciler state rm {desired.address}"
            raise ReconcilerError(f"{desired.address} is already managed as id {known}", hint=hint)
        remote_id = remote_id or desired.annotations.get(ADOPT_ID)
        ids = remote_ids(records)
        taken = _taken(session, (desired.connection, kind.name), records)
        session.resolve_credentials({desired.connection})
        reading = session.reader(desired.connection).read(scope_of(desired, ids, remote_id))
        live = choose(kind, desired, reading, taken, ids, remote_id)
        record = _record(session, desired, live.remote_id)
        if not allow_shared:
            check_unshared(record, session.store.others())
        session.backup("adopt")
        session.store.save(record)
        session.store.settle(desired.address)
        session.store.prune()
    return record


def _adopt_each(session: ProjectSession, wanted: Iterable[Desired], *, allow_shared: Collection[str] = ()) -> Adopted:
    """Adopt every wanted object that has exactly one live match and is not managed yet.

    Objects that others refer to come first, because their ids are part of the others' natural keys. Only reads:
    one list for each kind and connection.
    """
    with session.hold():
        known = session.store.records()
        todo = [item for item in wanted if not item.forget and not known.keys() & {item.address, *item.moved_from}]
        unlisted = {item.address for item in todo if session.kinds[item.address.kind].ephemeral is not None}
        todo = [item for item in todo if item.address not in unlisted]
        session.resolve_credentials({item.connection for item in todo})
        if todo:
            session.backup("adopt")
        records: list[Record] = []
        problems: list[Problem] = []
        for turn in _turns(todo, session.kinds):
            made, wrong = _adopt_kinds(session, turn, allow_shared)
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
    session: ProjectSession, wanted: list[Desired], allow_shared: Collection[str]
) -> tuple[list[Record], list[Problem]]:
    known = session.store.records()
    ids = remote_ids(known)
    places: dict[Place, list[Desired]] = {}
    for item in wanted:
        places.setdefault((item.connection, item.address.kind), []).append(item)
    snapshot = take({place: _scope(place[1], items, ids) for place, items in places.items()}, session.reader)
    records: list[Record] = []
    problems: list[Problem] = []
    for place, items in sorted(places.items()):
        failure = snapshot.failures.get(place[0])
        if failure is not None:
            problems += [_unread(item, failure.message, failure.hint) for item in items]
            continue
        taken = _taken(session, place, {**known, **{record.address: record for record in records}})
        matches = match(session.kinds[place[1]], items, snapshot.reading(*place), taken, ids)
        problems += matches.problems
        records += [
            _record(session, item, matches.found[item.address].remote_id)
            for item in items
            if item.address in matches.found
        ]
    foreign = shared_by_others(records, session.store.others(), allow_shared)
    problems += foreign.values()
    records = [record for record in records if record.address not in foreign]
    for record in records:
        session.store.save(record)
        session.store.settle(record.address)
    return records, problems


def _taken(session: ProjectSession, place: Place, known: Mapping[Address, Record]) -> dict[str, str]:
    """Return the ids that are managed at a place, with their addresses, through any connection to the same system."""
    target = session.project.connections[place[0]].target
    return {
        record.remote_id: str(address)
        for address, record in known.items()
        if address.kind == place[1] and (record.connection == place[0] or record.target == target)
    }


def _scope(kind: str, items: list[Desired], ids: Mapping[Address, str]) -> Scope:
    """Return what to read to find the items. A postal address is no key and would cost one read each: left out."""
    keys = {
        item.address: {
            name: value for name, value in resolved(item.fields, ids).items() if not isinstance(value, Mapping)
        }
        for item in items
    }
    return Scope(
        kind=kind,
        ids={item.annotations[ADOPT_ID]: keys[item.address] for item in items if ADOPT_ID in item.annotations},
        wanted=tuple(keys[item.address] for item in items if ADOPT_ID not in item.annotations),
    )


def _record(session: ProjectSession, item: Desired, remote_id: str) -> Record:
    return item.record(session.project.connections[item.connection].target, remote_id, fields={})


def _unread(item: Desired, why: str, hint: str | None) -> Problem:
    summary = f"the search failed: {why}"
    return Problem(code="not-adopted", summary=summary, hint=hint, where=item.source, address=item.address)
