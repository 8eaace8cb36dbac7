"""The state on disk: what is managed, and which writing calls have no recorded result yet."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, create_engine, delete, event, insert, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now, plain
from reconciler.model.objects import Address, Intent, Lease, Record
from reconciler.state.schema import VERSION, forgotten, intents, leases, meta, metadata, objects, sightings

BUSY = 30.0
"""Seconds to wait for another program that is writing to the same SQLite file."""

_PAUSE = 0.02


class Store:
    """The state of one project and environment; safe to use from several threads.

    A state that does not exist yet reads as empty; it is created by the first write. Every method
    is one transaction and raises ReconcilerError in words where the database cannot be used.
    """

    def __init__(self, url: str, *, project: str, environment: str | None = None) -> None:
        self._url = _url(url)
        self._scope = {"project": project, "environment": environment or ""}
        self._lock = threading.RLock()
        self._ready = False
        self._engine = self._open()

    @property
    def label(self) -> str:
        """The state's place, without credentials."""
        return self._url.database or "" if self._is_sqlite else self._url.render_as_string(hide_password=True)

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def _file(self) -> Path | None:
        name = self._url.database
        return Path(name) if self._is_sqlite and name and name != ":memory:" else None

    def _open(self) -> Engine:
        try:
            if not self._is_sqlite:
                return create_engine(self._url, pool_pre_ping=True)
            engine = create_engine(
                self._url, poolclass=StaticPool, connect_args={"timeout": BUSY, "check_same_thread": False}
            )
        except (SQLAlchemyError, ImportError) as error:
            hint = "in the checkout: pip install '.[postgres]'" if isinstance(error, ImportError) else None
            message = f"state {self.label}: {_words(error)}"
            raise ReconcilerError(message, hint=hint) from None
        event.listen(engine, "connect", _durable)
        return engine

    @contextmanager
    def _transaction(self, *, writing: bool, immediate: bool = False) -> Iterator[Connection | None]:
        """Give one transaction, or None where a read finds that there is no state yet.

        An `immediate` one has SQLite take its write lock at once: what it reads holds until it has written.
        """
        with self._lock:  # one connection serves all threads
            try:
                if not self._prepared(writing=writing):
                    yield None
                    return
                with self._engine.begin() as connection:
                    if immediate and self._is_sqlite:
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
            except (SQLAlchemyError, OSError) as error:
                message = f"state {self.label}: {_words(error)}"
                raise ReconcilerError(message, hint=self._advice()) from None

    def _advice(self) -> str:
        if self._file is None:
            return "check spec.state in reconciler.yaml and that the server can be reached"
        return f"check that the folder {self._file.parent} exists and can be written, or set spec.state"

    def _prepared(self, *, writing: bool) -> bool:
        if self._ready:
            return True
        file = self._file
        if file is not None and not file.exists():
            if not writing:
                return False
            _make_folder(file.parent)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        with self._engine.begin() as connection:
            if writing and self._is_sqlite:  # two programs may find it empty at once; tables come all or none
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._ready = self._check_version(connection, writing=writing)
        return self._ready

    def _check_version(self, connection: Connection, *, writing: bool) -> bool:
        if not self._engine.dialect.has_table(connection, meta.name):
            if not writing:
                return False
            metadata.create_all(connection)
            connection.execute(insert(meta).values(key="schema_version", value=str(VERSION)))
            return True
        found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one_or_none()
        if found != str(VERSION):
            message = f"state {self.label} has schema version {found}, this reconciler knows version {VERSION}"
            raise ReconcilerError(message, hint="use the version of reconciler that wrote it, or a newer one")
        return True

    def _mine(self, table: Any, address: Address | None = None) -> Any:
        conditions = [table.c.project == self._scope["project"], table.c.environment == self._scope["environment"]]
        if address is not None:
            conditions += [table.c.kind == address.kind, table.c.name == address.name]
        return and_(*conditions)

    def records(self) -> Mapping[Address, Record]:
        """Return every managed object by address, in address order."""
        with self._transaction(writing=False) as connection:
            rows = connection.execute(select(objects).where(self._mine(objects))).all() if connection else []
        found = [_record(row) for row in rows]
        return {record.address: record for record in sorted(found, key=lambda item: str(item.address))}

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the writing calls whose result was never recorded, oldest first."""
        with self._transaction(writing=False) as connection:
            query = select(intents).where(self._mine(intents)).order_by(intents.c.number)
            rows = connection.execute(query).all() if connection else []
        return tuple(_intent(row) for row in rows)

    def begin(self, intent: Intent, *, fenced: bool = False) -> int:
        """Record durably that a writing call is about to be sent; return the number that ends it.

        `fenced` demands that the intent's run still holds the lease: ReconcilerError where it lost it.
        """
        values = {
            **self._scope,
            "run_id": intent.run_id,
            "kind": intent.address.kind,
            "name": intent.address.name,
            "connection": intent.connection,
            "target": intent.target,
            "effect": intent.effect,
            "fields": plain(intent.fields),
            "started_at": intent.started_at,
            "pending_until": intent.pending_until,
        }
        with self._transaction(writing=True, immediate=True) as connection:
            if connection is None:
                raise ReconcilerError(f"state {self.label} could not be created")
            holder = select(leases.c.run_id).where(self._mine(leases)).with_for_update()
            if fenced and connection.execute(holder).scalar_one_or_none() != intent.run_id:
                message = "this run no longer holds the state's lease, so nothing more is sent"
                raise ReconcilerError(message, hint="another run may have taken over; plan again")
            result = connection.execute(insert(intents).values(values))
            return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

    def end(self, number: int) -> None:
        """Forget an intent whose call certainly had no effect, or whose effect needs no record."""
        with self._transaction(writing=True) as connection:
            if connection is not None:
                connection.execute(delete(intents).where(intents.c.number == number))

    def quieten(self, number: int) -> None:
        """Record that an intent's call has ended, though with what result is not known."""
        with self._transaction(writing=True) as connection:
            if connection is not None:
                connection.execute(update(intents).where(intents.c.number == number).values(pending_until=""))

    def prolong(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError where another run settled it."""
        with self._transaction(writing=True) as connection:
            query = update(intents).where(intents.c.number == number).values(pending_until=pending_until)
            if connection is None or connection.execute(query).rowcount != 1:
                message = "another run has settled what this call was for, so it is not sent"
                raise ReconcilerError(message, hint="plan again")

    def sight(self, run_id: str, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Record which ids were live, by connection and kind, before a run creates anything there."""
        rows = [
            {**self._scope, "run_id": run_id, "connection": place[0], "kind": place[1], "ids": sorted(found)}
            for place, found in sorted(ids.items())
        ]
        with self._transaction(writing=True) as connection:
            if connection is not None and rows:
                connection.execute(insert(sightings), rows)

    def sighted(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """Return what was sighted, by run, connection and kind."""
        with self._transaction(writing=False) as connection:
            rows = connection.execute(select(sightings).where(self._mine(sightings))).all() if connection else []
        return {(row.run_id, row.connection, row.kind): frozenset(row.ids) for row in rows}

    def tidy(self) -> None:
        """Forget the sightings of runs that left no open intent."""
        runs = select(intents.c.run_id).where(self._mine(intents))
        with self._transaction(writing=True) as connection:
            if connection is not None:
                query = delete(sightings).where(self._mine(sightings), sightings.c.run_id.not_in(runs))
                connection.execute(query)

    def claim(self, lease: Lease, *, stale: Callable[[Lease], bool]) -> Lease | None:
        """Take the lease, from a holder that is `stale` too; return who holds it where it cannot be had."""
        values = {**self._scope, **asdict(lease)}
        with self._transaction(writing=True, immediate=True) as connection:
            if connection is None:
                return None
            row = connection.execute(select(leases).where(self._mine(leases)).with_for_update()).one_or_none()
            if row is None:
                connection.execute(insert(leases).values(values))
                return None
            held = _lease(row)
            if held.run_id != lease.run_id and not stale(held):
                return held
            connection.execute(update(leases).where(self._mine(leases)).values(values))
            return None

    def beat(self, run_id: str, moment: float) -> None:
        """Give a sign of life for the lease of a run."""
        with self._transaction(writing=True) as connection:
            if connection is not None:
                mine = and_(self._mine(leases), leases.c.run_id == run_id)
                connection.execute(update(leases).where(mine).values(beat=moment))

    def release(self, run_id: str) -> bool:
        """Give the lease of a run back; return whether it was held."""
        with self._transaction(writing=True) as connection:
            if connection is None:
                return False
            mine = and_(self._mine(leases), leases.c.run_id == run_id)
            return bool(connection.execute(delete(leases).where(mine)).rowcount)

    def forgotten(self) -> Mapping[Address, str]:
        """Return the objects that expired and were given up, each with the digest of its declaration then."""
        with self._transaction(writing=False) as connection:
            rows = connection.execute(select(forgotten).where(self._mine(forgotten))).all() if connection else []
        return {Address(row.kind, row.name): str(row.digest) for row in rows}

    def settle(self, address: Address) -> None:
        """Forget every open intent of an address, and that it was given up: the live system has been looked at."""
        with self._transaction(writing=True) as connection:
            if connection is not None:
                connection.execute(delete(intents).where(self._mine(intents, address)))
                connection.execute(delete(forgotten).where(self._mine(forgotten, address)))

    def save(self, record: Record, *, ends: int | None = None) -> None:
        """Write one object's record, and end the intent that led to it, in one transaction."""
        values = {
            "connection": record.connection,
            "target": record.target,
            "remote_id": record.remote_id,
            "fields": plain(record.fields),
            "computed": plain(record.computed),
            "protect": record.protect,
            "depends_on": [str(address) for address in record.depends_on],
            "updated_at": now(),
        }
        key = {**self._scope, "kind": record.address.kind, "name": record.address.name}
        with self._transaction(writing=True) as connection:
            if connection is None:
                return
            changed = connection.execute(
                update(objects).where(self._mine(objects, record.address)).values(values)
            ).rowcount
            if not changed:
                connection.execute(insert(objects).values({**key, **values, "created_at": now()}))
            connection.execute(delete(forgotten).where(self._mine(forgotten, record.address)))
            if ends is not None:
                connection.execute(delete(intents).where(intents.c.number == ends))

    def remove(self, address: Address, *, ends: int | None = None, given_up: str | None = None) -> bool:
        """Forget one object; return whether it was known. `given_up` is the digest of what expired, to be kept."""
        key = {**self._scope, "kind": address.kind, "name": address.name}
        with self._transaction(writing=True) as connection:
            if connection is None:
                return False
            gone = connection.execute(delete(objects).where(self._mine(objects, address))).rowcount
            if given_up is not None:
                connection.execute(delete(forgotten).where(self._mine(forgotten, address)))
                connection.execute(insert(forgotten).values({**key, "digest": given_up, "forgotten_at": now()}))
            if ends is not None:
                connection.execute(delete(intents).where(intents.c.number == ends))
            return bool(gone)

    def check_writable(self) -> None:
        """Raise ReconcilerError now where a later write would fail: nothing may be sent that cannot be recorded."""
        with self._transaction(writing=True) as connection:
            if connection is not None:
                connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(VERSION)))

    def close(self) -> None:
        """Give back the database connections."""
        self._engine.dispose()


def _url(text: str) -> URL:
    try:
        return make_url(text)
    except ArgumentError:  # its words could hold the whole text, and that a password
        message = "spec.state is not the URL of a database"
        raise ReconcilerError(message, hint="expected such as sqlite:///.reconciler/state.db") from None


def _make_folder(folder: Path) -> None:
    """Make the state's folder, kept out of Git: a state that is committed is a state that is merged."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if folder.is_dir():
            return  # it was there, or another program made it just now
        raise
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _durable(connection: Any, _record: Any) -> None:
    """Make SQLite's commits survive a kill, and let a plan read while an apply writes."""
    cursor = connection.cursor()
    deadline = time.monotonic() + BUSY
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:  # SQLite waits for other programs everywhere but here
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _words(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "strerror", None) or str(cause).split("\n", maxsplit=1)[0]


def _record(row: Row[Any]) -> Record:
    return Record(
        address=Address(row.kind, row.name),
        connection=row.connection,
        target=row.target,
        remote_id=row.remote_id,
        fields=row.fields,
        computed=row.computed,
        protect=row.protect,
        depends_on=tuple(Address.parse(item) for item in row.depends_on),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _lease(row: Row[Any]) -> Lease:
    return Lease(run_id=row.run_id, holder=row.holder, host=row.host, pid=row.pid, since=row.since, beat=row.beat)


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        run_id=row.run_id,
        address=Address(row.kind, row.name),
        connection=row.connection,
        target=row.target,
        effect=row.effect,
        fields=row.fields,
        started_at=row.started_at,
        pending_until=row.pending_until,
    )
