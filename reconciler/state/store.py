"""The state of one project and environment, as the other rooms see it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import asdict

from reconciler.errors import ReconcilerError
from reconciler.git_remote import is_git
from reconciler.model.canonical import now
from reconciler.model.objects import Address, Intent, Lease, Record
from reconciler.state import moving, neighbours, process_lock, statements
from reconciler.state.connection import Connection
from reconciler.state.database import Database, Held
from reconciler.state.holder import EXPIRY, process_lives
from reconciler.state.hosts import Hosts
from reconciler.state.moving import Contents
from reconciler.state.outside import Outside
from reconciler.state.past_runs import PastRuns
from reconciler.state.renames import rename_dependencies
from reconciler.state.restore import Kept, Restored
from reconciler.state.rows import Row, checked, intent_of, intent_values, lease_of, record_of, record_values
from reconciler.state.schema import FIRST, VERSION, Table, doubts, drift, forgotten, intents, leases, objects

if TYPE_CHECKING:
    from reconciler.state.git.database import GitDatabase

Result = TypeVar("Result")

_ADDRESSED = (objects, intents, forgotten)
"""The tables that say whether an address is managed."""

_PLAN_AGAIN = "another run may have taken over; plan again"


def _kind_of(url: str) -> type[Database | GitDatabase]:
    if not is_git(url):
        return Database
    from reconciler.state.git.database import GitDatabase  # noqa: PLC0415 - 7 ms that most states save

    return GitDatabase


class Store(PastRuns):
    """The state of one project and environment; safe to use from several threads.

    A state that does not exist yet reads as empty; the first write creates it. Every method is one transaction, and
    raises ReconcilerError if the database cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        project: str,
        environment: str | None = None,
        folder: Path | None = None,
        root: Path | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the URL, and what `Database` needs to know of the project."""
        self.notice = notice
        self._database = _kind_of(url)(url, folder=folder, root=root, notice=notice)
        self.label = self._database.label
        self.lock_beside = self._database.lock_beside
        self.pace = self._database.pace
        self.watch = self._database.watch
        self._run_id: str | None = None
        self._renewed_in: object = None
        """The last transaction in which the lease was renewed."""
        self._given_up = threading.Event()
        self._token, self._begun = uuid.uuid4().hex[:16], count()
        self._scope = {"project": project, "environment": environment or ""}
        self.hosts = Hosts(self._scope, self._rows, self._write)
        self.outside = Outside(self._scope, self._rows, self._note)

    def _rows(self, table: Table, *, order: str = "", since: int = FIRST, **where: str) -> Sequence[Row]:
        """Return the rows of a table that belong to this state, and have some values."""
        selected = {**self._scope, **where}
        return self._read(lambda connection: map(checked, connection.select(table, selected, order=order)), since=since)

    def _read(self, query: Callable[[Connection], Iterable[Result]], *, since: int = FIRST) -> Sequence[Result]:
        return self._database.read(lambda connection: list(query(connection)), empty=[], since=since)

    def _write(self, work: Callable[[Connection], Result], *, ends: int | None = None) -> Result:
        """Run one writing transaction. A run that took the lease must still hold it.

        A result that `ends` an intent is recorded in any case while the intent is open: no other run has settled it.
        """
        if self._given_up.is_set() and ends is None:
            raise ReconcilerError(
                f"state {self.label} could not be reached, so no further calls are sent", hint=_PLAN_AGAIN
            )

        def fenced(connection: Connection) -> Result:
            if (
                self._run_id is not None
                and not self._holds(connection, self._run_id)
                and not self._open(connection, ends)
            ):
                message = "this run no longer holds the state lock, so no further calls are sent"
                raise ReconcilerError(message, hint=_PLAN_AGAIN)
            return work(connection)

        return self._database.write(fenced)

    def _note(self, work: Callable[[Connection], None]) -> bool:
        """Run a transaction that no run depends on, and return True; False where there is no state, or an older one.

        A run that holds the lease is not disturbed: then only that run itself may note something.
        """
        if not self._database.read(lambda _: True, empty=False, since=VERSION):
            return False

        def alone(connection: Connection) -> bool:
            if self._run_id is None:  # a heartbeat in the same transaction has locked the lease, and a claim locks both
                self._database.alone(connection)
            held = self._held(connection)
            if held is not None and held.run_id != self._run_id and held.expires > connection.moment():
                return False
            work(connection)
            return True

        return self._database.write(alone, as_is=True)

    def _holds(self, connection: Connection, run_id: str) -> bool:
        """Return whether a run holds the lease, which is renewed once in a transaction of several threads."""
        if self._renewed_in is not connection.transaction:
            if not statements.renew(connection, self._scope, run_id, self.pace):
                return False
            self._renewed_in = connection.transaction
        return True

    def _open(self, connection: Connection, number: int | None) -> bool:
        return number is not None and connection.count(intents, self._call(number)) > 0

    def _end(self, connection: Connection, number: int | None) -> None:
        if number is not None:
            connection.delete(intents, self._call(number))

    def _call(self, number: int) -> dict[str, Any]:
        """Return what selects an intent of this run: SQLite gives the number of a deleted one to another run."""
        return {**self._scope, "number": number, **({} if self._run_id is None else {"run_id": self._run_id})}

    def records(self) -> Mapping[Address, Record]:
        """Return every managed object by address, in address order."""
        # A row at a time: the rows of thousands of objects take more memory than the objects.
        found = self._read(lambda at: (record_of(checked(row)) for row in at.select(objects, self._scope)))
        return {record.address: record for record in sorted(found, key=lambda item: str(item.address))}

    def stamps(self) -> Mapping[tuple[str, str], tuple[str | None, ...]]:
        """Return the id of every managed object, when it was written and, where that is recorded, by which run.

        Keys are kinds and names. This is much cheaper than the records.
        """
        columns = ("kind", "name", "remote_id", "updated_at", "written_by")
        found = self._read(lambda at: (tuple(row.values()) for row in at.select(objects, self._scope, columns=columns)))
        return {row[:2]: row[2:] for row in found}

    def writer(self) -> str | None:
        """Return the run that holds the lease."""
        found = self._read(lambda at: at.select(leases, self._scope, columns=["run_id"]))
        return found[0]["run_id"] if found else None

    def others(self) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
        """Return which other projects in this database manage a live object, by target, kind and remote id."""
        return neighbours.managed(self._read(lambda at: at.rows(neighbours.OTHERS, self._scope)))

    def mention_others(self) -> None:
        """Tell the user where a state has objects, but nothing of this project and environment, not even a run.

        The project may have been renamed, or its environment not chosen. A new project in a shared state looks equal.
        """
        said = neighbours.mention(self.label, self._scope, self._read(lambda at: at.rows(neighbours.COUNTS)))
        if said is not None and not self.run_count():
            self.notice(said)

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the writing calls whose result was never recorded, oldest first."""
        return tuple(map(intent_of, self._rows(intents, order="number")))

    def begin(self, intent: Intent, *, fenced: bool = False) -> int:
        """Record durably that a writing call is about to be sent; return the number that ends it.

        `fenced`: ReconcilerError if the run of the intent no longer holds the lease.
        """
        token = f"{self._token}{next(self._begun):016x}"  # the system takes long to make a random one
        values = {**self._scope, **intent_values(intent), "token": token}
        tried: list[bool] = []

        def work(connection: Connection) -> int:
            if fenced and self._run_id != intent.run_id:
                message = f"run {intent.run_id} does not hold the state lock"
                raise ReconcilerError(message)
            known = list(connection.select(intents, {"token": token})) if tried else []
            tried.append(True)
            # not again after a first try whose commit was not confirmed
            return int(known[0]["number"]) if known else connection.add_numbered(intents, values)

        return self._write(work)

    def end(self, number: int) -> None:
        """Delete an intent whose call had no effect, or an effect that needs no record."""
        self._write(lambda connection: self._end(connection, number), ends=number)

    def claim(self, lease: Lease) -> Lease | None:
        """Take the lease, also from a dead holder; return the present holder if there is one.

        From then on every write of this store requires the lease.
        """

        def work(connection: Connection) -> Lease | None:
            self._database.alone(connection)
            held = self._held(connection)
            moment = connection.moment()
            if held is not None and held.run_id != lease.run_id and not self._database.dead(held, moment):
                return held
            if held is not None:
                process_lock.forget(self.lock_beside, held.run_id)
            connection.delete(leases, self._scope)
            given = {**self._scope, **asdict(lease), "beat": moment, "expires": moment + EXPIRY * self.pace}
            connection.insert(leases, given)
            return None

        try:
            held = self._database.write(work)
        except Held as older:
            return older.lease
        if held is None:
            self._run_id, self._database.leased = lease.run_id, True
        return held

    def _held(self, connection: Connection) -> Lease | None:
        """Return the lease. Until the transaction ends, no other one changes it."""
        rows = list(connection.select(leases, self._scope, lock=True))
        return lease_of(checked(rows[0])) if rows else None

    def living(self, run_id: str) -> Lease | None:
        """Return the lease of a run if it holds it and its process exists on this machine."""
        rows: Sequence[Row] = ()
        with suppress(ReconcilerError):  # also a lease that cannot be read is released
            rows = self._rows(leases, run_id=run_id)
        return next((held for held in map(lease_of, rows) if process_lives(held)), None)

    def beat(self, run_id: str) -> bool:
        """Renew the lease of a run; return whether the run holds it."""
        return self._database.write(lambda connection: statements.renew(connection, self._scope, run_id, self.pace))

    def give_up(self) -> None:
        """Treat the lease as lost: only results of calls that were sent are still written."""
        self._given_up.set()

    def release(self, run_id: str) -> bool:
        """Release the lease of a run; return whether it was held."""
        held = {**self._scope, "run_id": run_id}
        if self._run_id == run_id:
            self._run_id, self._database.leased = None, False
        return self._database.write(lambda connection: connection.delete(leases, held) > 0, as_is=True)

    def forgotten(self) -> Mapping[Address, str]:
        """Return the objects that expired and are no longer managed, each with the digest of its declaration."""
        return {Address(row["kind"], row["name"]): row["digest"] for row in self._rows(forgotten)}

    def save(self, record: Record, *, ends: int | None = None, confirms: int | None = None) -> None:
        """Write the record of one object in one transaction with the end, or the confirmation, of its intent."""

        def work(connection: Connection) -> None:
            self._put(connection, record)
            self._end(connection, ends)
            if confirms is not None:
                statements.confirm(connection, confirms)

        self._write(work, ends=ends if ends is not None else confirms)

    def adopt(self, found: Sequence[Record]) -> None:
        """Write the records of objects that were read, and settle these objects, in one transaction."""

        def work(connection: Connection) -> None:
            for record in found:
                self._put(connection, record)
                self._settle(connection, record.address)

        self._write(work)

    def _put(self, connection: Connection, record: Record) -> None:
        one, values = self._one(record.address), record_values(record)
        given = {"created_at": values["updated_at"], "written_by": self._run_id}
        statements.put(connection, {**one, **values, **given})
        connection.delete(forgotten, one)

    def remove(self, address: Address, *, ends: int | None = None, given_up: str | None = None) -> bool:
        """Delete the record of one object; return whether there was one. `given_up`: the digest of what expired."""
        one = self._one(address)

        def work(connection: Connection) -> bool:
            gone = connection.delete(objects, one)
            connection.delete(drift, one)
            if given_up is not None:
                connection.delete(forgotten, one)
                connection.insert(forgotten, {**one, "digest": given_up, "forgotten_at": now()})
            self._end(connection, ends)
            return gone > 0

        return self._write(work, ends=ends)

    def unmanage(self, addresses: Collection[Address]) -> None:
        """Delete everything that is recorded of some objects, also their calls with an unknown result, all or none."""

        def work(connection: Connection) -> None:
            for address in addresses:
                for table in (*_ADDRESSED, drift, doubts):
                    connection.delete(table, self._one(address))
            self._prune(connection)

        self._write(work)

    def rename(self, source: Address, target: Address) -> tuple[Address, ...]:
        """Rename all records of an address; return the objects whose dependency is renamed.

        ReconcilerError if there is no record of `source`, or one of `target`.
        """
        return self.rename_all({source: target})

    def rename_all(self, moves: Mapping[Address, Address]) -> tuple[Address, ...]:
        """Rename all records of several addresses (old: new), all or none; return as `rename` does."""
        tried: list[bool] = []

        def work(connection: Connection) -> tuple[Address, ...]:
            places = {table: self._addresses(connection, table) for table in (*_ADDRESSED, drift, doubts)}
            for source, target in moves.items():
                known, taken = (any(each in places[table] for table in _ADDRESSED) for each in (source, target))
                if not known or taken:
                    if tried and taken:
                        return ()  # the first try was committed, only not confirmed
                    wrong = f"{target} is already managed" if taken else f"{source} is not managed"
                    raise ReconcilerError(wrong, hint="to see what is managed: `reconciler state list`")
                self._rename_rows(connection, places, source, target)
            tried.append(True)
            return rename_dependencies(connection, moves, self._scope)

        return self._write(work) if moves else ()

    def _rename_rows(
        self, connection: Connection, places: Mapping[Table, set[Address]], source: Address, target: Address
    ) -> None:
        """Rename the rows of one object in the tables that have some; of thousands, hardly any are in several."""
        if target in places[drift]:
            connection.delete(drift, self._one(target))
        if source in places[doubts]:
            self._clear_doubts(connection, source, target)
        for table, there in places.items():
            if source in there:
                connection.update(table, self._one(source), {"name": target.name})
                there.remove(source)
                there.add(target)

    def _addresses(self, connection: Connection, table: Table) -> set[Address]:
        rows = connection.select(table, self._scope, columns=("kind", "name"))
        return {Address(row["kind"], row["name"]) for row in rows}

    def contents(self) -> Contents:
        """Return everything that is recorded, without the lease."""
        return self._database.read(lambda connection: moving.contents(connection, self._scope), empty={})

    def receive(self, given: Contents) -> None:
        """Write the `contents` of another state, all or nothing; ReconcilerError if anything is recorded already."""
        self._write(lambda connection: moving.receive(connection, self._scope, given, self.label))

    def holder(self) -> Lease | None:
        """Return the lease of a run that writes, or that ended without releasing it."""
        rows = self._rows(leases)
        return lease_of(rows[0]) if rows else None

    def backup(self, command: str) -> Path | None:
        """Back up the state before a command changes it; return the file, None if there is no state yet."""
        return self._database.backup(command, self._scope)

    def restorable(self, file: Path) -> Restored:
        """Return what a backup holds, and change nothing; ReconcilerError says why it cannot be used."""
        return Kept.load(file, self._scope).summary

    def restore(self, file: Path) -> Restored:
        """Replace the records by those of a backup.

        Open intents and the record of runs stay: an open call may have had an effect, and an applied plan is applied.
        """
        kept = Kept.load(file, self._scope)
        self._write(lambda connection: kept.put(connection, self._scope))
        return kept.summary

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()
