"""The state of one project and environment, as the other rooms see it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, delete, func, insert, not_, select, update

from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now
from reconciler.model.objects import Address, Intent, Lease, PastRun, Record
from reconciler.state.database import Database, Held
from reconciler.state.holder import EXPIRY, dead
from reconciler.state.restore import Kept, Restored
from reconciler.state.rows import intent_of, intent_values, lease_of, past_run_of, record_of, record_values
from reconciler.state.schema import baselines, forgotten, in_scope, intents, leases, objects, runs
from reconciler.state.statements import Statements, of

Result = TypeVar("Result")

_PLAN_AGAIN = "another run may have taken over; plan again"


class Store:
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
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the URL. `folder` is for backups of a database server. `notice` gets messages for the user."""
        self._database = Database(url, folder=folder, notice=notice)
        self._run_id: str | None = None
        self._given_up = threading.Event()
        self._scope = {"project": project, "environment": environment or ""}
        self._statements = Statements.of_scope(self._scope, self._database.clock())

    @property
    def label(self) -> str:
        """The location of the state, without credentials."""
        return self._database.label

    def _mine(self, table: Table, address: Address | None = None) -> ColumnElement[bool]:
        mine = in_scope(table, self._scope)
        return mine if address is None else and_(mine, table.c.kind == address.kind, table.c.name == address.name)

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return self._database.read(lambda connection: connection.execute(query).all(), empty=())

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
                and not self._renewed(connection, self._run_id)
                and not self._open(connection, ends)
            ):
                message = "this run no longer holds the state lock, so no further calls are sent"
                raise ReconcilerError(message, hint=_PLAN_AGAIN)
            return work(connection)

        return self._database.write(fenced)

    def _renewed(self, connection: Connection, run_id: str) -> bool:
        """Renew the lease of a run; return whether the run holds it."""
        return bool(connection.execute(self._statements.beat, {"of_run": run_id}).rowcount)

    def _open(self, connection: Connection, number: int | None) -> bool:
        asked = {"of_number": number}
        return number is not None and connection.execute(self._statements.open, asked).first() is not None

    def _end(self, connection: Connection, number: int | None) -> None:
        if number is not None:
            connection.execute(self._statements.end, {"of_number": number})

    def records(self) -> Mapping[Address, Record]:
        """Return every managed object by address, in address order."""
        found = [record_of(row) for row in self._rows(select(objects).where(self._mine(objects)))]
        return {record.address: record for record in sorted(found, key=lambda item: str(item.address))}

    def others(self) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
        """Return which other projects in this database manage a live object, by target, kind and remote id."""
        rows = self._rows(select(objects).where(not_(self._mine(objects))))
        found: dict[tuple[str, str, str], tuple[str, ...]] = {}
        for row in sorted(rows, key=lambda row: (row.project, row.environment, row.kind, row.name)):
            where = f", environment {row.environment}" if row.environment else ""
            words = f"project {row.project}{where} (as {row.kind}/{row.name})"
            key = (row.target, row.kind, row.remote_id)
            found[key] = (*found.get(key, ()), words)
        return found

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the writing calls whose result was never recorded, oldest first."""
        query = select(intents).where(self._mine(intents)).order_by(intents.c.number)
        return tuple(intent_of(row) for row in self._rows(query))

    def begin(self, intent: Intent, *, fenced: bool = False) -> int:
        """Record durably that a writing call is about to be sent; return the number that ends it.

        `fenced`: ReconcilerError if the run of the intent no longer holds the lease.
        """
        values = {**self._scope, **intent_values(intent), "token": uuid.uuid4().hex}
        tried: list[bool] = []

        def work(connection: Connection) -> int:
            if fenced and self._run_id != intent.run_id:
                message = f"run {intent.run_id} does not hold the state lock"
                raise ReconcilerError(message)
            known = {"of_token": values["token"]}
            number = connection.execute(self._statements.known, known).scalar_one_or_none() if tried else None
            tried.append(True)
            if number is None:  # not from a first try whose commit was not confirmed
                number = connection.execute(self._statements.begin, values).scalar_one()
            return int(number)

        return self._write(work)

    def end(self, number: int) -> None:
        """Delete an intent whose call had no effect, or an effect that needs no record."""
        self._write(lambda connection: self._end(connection, number), ends=number)

    def close_call(self, number: int) -> None:
        """Record that an intent's call has ended, though with what result is not known."""
        query = update(intents).where(intents.c.number == number).values(pending_until="")
        self._write(lambda connection: connection.execute(query), ends=number)

    def extend(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError where another run settled it."""
        query = update(intents).where(intents.c.number == number).values(pending_until=pending_until)

        def work(connection: Connection) -> None:
            if connection.execute(query).rowcount != 1:
                message = "another run already completed this change, so the call is not sent"
                raise ReconcilerError(message, hint="plan again")

        self._write(work)

    def record_baseline(self, run_id: str, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Record which ids were live, by connection and kind, before a run creates anything there."""
        rows = [
            {**self._scope, "run_id": run_id, "connection": place[0], "kind": place[1], "ids": sorted(found)}
            for place, found in sorted(ids.items())
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(baselines).where(self._mine(baselines), baselines.c.run_id == run_id))
            connection.execute(insert(baselines), rows)

        if rows:
            self._write(work)

    def baselines(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """Return the recorded baselines, by run, connection and kind."""
        rows = self._rows(select(baselines).where(self._mine(baselines)))
        return {(row.run_id, row.connection, row.kind): frozenset(row.ids) for row in rows}

    def prune(self) -> None:
        """Remove the baselines of runs that left no open intent."""
        doubtful = select(intents.c.run_id).where(self._mine(intents))
        query = delete(baselines).where(self._mine(baselines), baselines.c.run_id.not_in(doubtful))
        self._write(lambda connection: connection.execute(query))

    def claim(self, lease: Lease) -> Lease | None:
        """Take the lease, also from a dead holder; return the present holder if there is one.

        From then on every write of this store requires the lease.
        """

        def work(connection: Connection) -> Lease | None:
            self._database.alone(connection)
            row = connection.execute(select(leases).where(self._mine(leases)).with_for_update()).one_or_none()
            moment = self._database.moment(connection)
            held = lease_of(row) if row is not None else None
            if held is not None and held.run_id != lease.run_id and not self._dead(held, moment):
                return held
            connection.execute(delete(leases).where(self._mine(leases)))
            given = {**self._scope, **asdict(lease), "beat": moment, "expires": moment + EXPIRY}
            connection.execute(insert(leases).values(given))
            return None

        try:
            held = self._database.write(work)
        except Held as older:
            return older.lease
        if held is None:
            self._run_id = lease.run_id
        return held

    def _dead(self, held: Lease, moment: float) -> bool:
        return dead(held, moment, one_host=self._database.is_file)

    def beat(self, run_id: str) -> bool:
        """Renew the lease of a run; return whether the run holds it."""
        return self._database.write(lambda connection: self._renewed(connection, run_id))

    def give_up(self) -> None:
        """Treat the lease as lost: only results of calls that were sent are still written."""
        self._given_up.set()

    def release(self, run_id: str) -> bool:
        """Release the lease of a run; return whether it was held."""
        query = delete(leases).where(self._mine(leases), leases.c.run_id == run_id)
        if self._run_id == run_id:
            self._run_id = None
        return self._database.write(lambda connection: bool(connection.execute(query).rowcount), as_is=True)

    def forgotten(self) -> Mapping[Address, str]:
        """Return the objects that expired and are no longer managed, each with the digest of its declaration."""
        rows = self._rows(select(forgotten).where(self._mine(forgotten)))
        return {Address(row.kind, row.name): str(row.digest) for row in rows}

    def settle(self, address: Address) -> None:
        """Delete every open intent of an address and the note that it expired: the live system was read."""

        def work(connection: Connection) -> None:
            connection.execute(delete(intents).where(self._mine(intents, address)))
            connection.execute(delete(forgotten).where(self._mine(forgotten, address)))

        self._write(work)

    def save(self, record: Record, *, ends: int | None = None) -> None:
        """Write the record of one object and end its intent, in one transaction."""
        values, which = record_values(record), of(record.address)
        key = {**self._scope, "kind": record.address.kind, "name": record.address.name}

        def work(connection: Connection) -> None:
            if not connection.execute(self._statements.change, {**values, **which}).rowcount:
                connection.execute(self._statements.add, {**key, **values, "created_at": now()})
            connection.execute(self._statements.unforget, which)
            self._end(connection, ends)

        self._write(work, ends=ends)

    def remove(self, address: Address, *, ends: int | None = None, given_up: str | None = None) -> bool:
        """Delete the record of one object; return whether there was one. `given_up`: the digest of what expired."""
        key = {**self._scope, "kind": address.kind, "name": address.name}

        def work(connection: Connection) -> bool:
            gone = connection.execute(delete(objects).where(self._mine(objects, address))).rowcount
            if given_up is not None:
                connection.execute(delete(forgotten).where(self._mine(forgotten, address)))
                connection.execute(insert(forgotten).values({**key, "digest": given_up, "forgotten_at": now()}))
            self._end(connection, ends)
            return bool(gone)

        return self._write(work, ends=ends)

    def begin_run(self, run_id: str, command: str, *, plan_digest: str | None = None) -> None:
        """Record that a run starts to write, and its plan."""
        mine = and_(self._mine(runs), runs.c.run_id == run_id)
        values = {"run_id": run_id, "command": command, "plan_digest": plan_digest, "started_at": now()}

        def work(connection: Connection) -> None:
            connection.execute(delete(runs).where(mine))
            connection.execute(insert(runs).values({**self._scope, **values}))

        self._write(work)

    def end_run(self, run_id: str, ended: str, *, unused: bool = False) -> None:
        """Record how a run ended: `done`, `incomplete`, `interrupted` or `failed`.

        `unused`: it wrote nothing, so its plan can still be applied.
        """
        values = {"ended_at": now(), "ended": ended, **({"plan_digest": None} if unused else {})}
        query = update(runs).where(self._mine(runs), runs.c.run_id == run_id).values(values)
        self._database.write(lambda connection: connection.execute(query))

    def run_count(self) -> int:
        """Return the number of runs that wrote or started to: it distinguishes plans of the same content."""
        query = select(func.count()).select_from(runs).where(self._mine(runs))

        return self._database.read(lambda connection: int(connection.execute(query).scalar_one()), empty=0)

    def applied(self, plan_digest: str) -> PastRun | None:
        """Return the run that applied a plan or started to; None if there is none."""
        query = select(runs).where(self._mine(runs), runs.c.plan_digest == plan_digest).order_by(runs.c.started_at)
        rows = self._rows(query.limit(1))
        return past_run_of(rows[0]) if rows else None

    def rename(self, source: Address, target: Address) -> tuple[Address, ...]:
        """Rename all records of an address; return the objects whose dependency is renamed.

        ReconcilerError if there is no record of `source`, or one of `target`.
        """
        tried: list[bool] = []

        def work(connection: Connection) -> tuple[Address, ...]:
            known = {table: self._count(connection, table, source) for table in (objects, intents, forgotten)}
            taken = any(self._count(connection, table, target) for table in known)
            if not any(known.values()) or taken:
                if tried and taken:
                    return ()  # the first try was committed, only not confirmed
                wrong = f"{target} is already managed" if taken else f"{source} is not managed"
                raise ReconcilerError(wrong, hint="to see what is managed: reconciler state list")
            for table in known:
                connection.execute(update(table).where(self._mine(table, source)).values(name=target.name))
            tried.append(True)
            return self._rename_dependency(connection, source, target)

        return self._write(work)

    def _count(self, connection: Connection, table: Table, address: Address) -> int:
        query = select(func.count()).select_from(table).where(self._mine(table, address))
        return int(connection.execute(query).scalar_one())

    def _rename_dependency(self, connection: Connection, source: Address, target: Address) -> tuple[Address, ...]:
        renamed = []
        for row in connection.execute(select(objects).where(self._mine(objects))).all():
            if str(source) in row.depends_on:
                address = Address(row.kind, row.name)
                names = [str(target) if item == str(source) else item for item in row.depends_on]
                connection.execute(update(objects).where(self._mine(objects, address)).values(depends_on=names))
                renamed.append(address)
        return tuple(sorted(renamed, key=str))

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
