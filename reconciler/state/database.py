"""The database of a state: opening it, transactions, and error messages."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Lease
from reconciler.state import backups, holder
from reconciler.state.migrations import FIRST, all_leases, migrate
from reconciler.state.schema import VERSION, meta, metadata

BUSY = 30.0
"""Seconds to wait for another program that writes to the same SQLite file."""

PATIENCE = 20.0
"""Seconds to retry a database server that was lost during a run."""

_PAUSE = 0.02

_LONGEST_PAUSE = 1.0

_ALONE = 7263091524
"""PostgreSQL's lock for creating tables, migrating and claiming: the same number in every version."""

_AGAIN = frozenset({"40001", "40P01", "57P01", "57P02", "57P03"})
"""SQLSTATEs after which the same transaction can be retried: conflicts, and a server that stops or starts."""

_WATCHFUL = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "reconciler",
}
"""Settings of libpq that detect a lost server host well before a lease can expire."""

_SURE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""A server may be set to lose its last commits in a crash. A lost intent is a call that no run looks for."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Result = TypeVar("Result")


class Held(ReconcilerError):
    """An old state cannot be migrated while a run of the older version writes."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"run {lease.run_id} of an older version holds the state lock: cannot migrate the state")
        self.lease = lease
        """The lease of that run."""


class Database:
    """Transactions on one database; safe to use from several threads.

    A state that does not exist yet reads as empty; the first write creates it. An older state is read as it is;
    the first write migrates it, after a backup.
    """

    def __init__(self, url: str, *, folder: Path | None = None, notice: Callable[[str], None] = lambda _: None) -> None:
        """Take the URL. `folder` is for backups of a database server. `notice` gets messages for the user."""
        self._url = _url(url)
        self._folder = folder
        self._notice = notice
        self._version: int | None = None
        self._reached = False
        self._engine = self._open()
        # SQLite's one connection serves all threads.
        self._lock: AbstractContextManager[Any] = threading.RLock() if self.is_file else nullcontext()

    @property
    def label(self) -> str:
        """The location of the state, without credentials."""
        if self.is_file:
            return self._url.database or ""
        plain = self._url.set(drivername=self._url.get_backend_name(), query={})
        return plain.render_as_string(hide_password=True)

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite, so that every program that opens it runs on one machine."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file, if the state is one."""
        name = self._url.database
        return Path(name) if self.is_file and name and name != ":memory:" else None

    def read(self, work: Callable[[Connection], Result], empty: Result) -> Result:
        """Run a transaction that only reads; return `empty` if there is no state yet."""
        return self._tried(lambda: self._begun(work) if self._prepared(writing=False) else empty)

    def write(self, work: Callable[[Connection], Result], *, as_is: bool = False) -> Result:
        """Run a transaction, again if its commit was not confirmed: it must be idempotent.

        An older state is migrated first, unless `as_is` is set.
        """

        def run() -> Result:
            if not (as_is and self._prepared(writing=False)):
                self._prepared(writing=True)
            return self._begun(work, writing=True)

        return self._tried(run)

    def clock(self) -> ColumnElement[float]:
        """Return the current Unix time by the clock that all programs on this state share: a server's own clock."""
        if self.is_file:
            return bindparam("clock", callable_=time.time, type_=Float(53))
        return cast(func.extract("epoch", func.clock_timestamp()), Float(53))

    def moment(self, connection: Connection) -> float:
        """Return the current time of `clock`."""
        return float(connection.execute(select(self.clock())).scalar_one())

    def alone(self, connection: Connection) -> None:
        """Block other transactions at this point until this one ends: a row that does not exist cannot be locked."""
        if not self.is_file:
            connection.execute(select(func.pg_advisory_xact_lock(_ALONE)))

    def backup(self, command: str, scope: dict[str, str]) -> Path | None:
        """Back up the state (of a server: the rows of one scope); None if there is no state yet."""
        if not self.read(lambda _: True, empty=False):
            return None
        return self._tried(lambda: self._begun(lambda connection: self._backup(connection, command, scope)))

    def close(self) -> None:
        """Close the database connections."""
        self._engine.dispose()

    def _open(self) -> Engine:
        try:
            if not self.is_file:
                engine = create_engine(self._url, pool_pre_ping=True, connect_args=_WATCHFUL)
                event.listen(engine, "connect", _bounded)
                return engine
            engine = create_engine(
                self._url, poolclass=StaticPool, connect_args={"timeout": BUSY, "check_same_thread": False}
            )
        except (SQLAlchemyError, ImportError) as error:
            hint = "in the checkout: pip install '.[postgres]'" if isinstance(error, ImportError) else None
            raise ReconcilerError(f"state {self.label}: {_words(error)}", hint=hint) from None
        event.listen(engine, "connect", _durable)
        return engine

    def _tried(self, run: Callable[[], Result]) -> Result:
        """Run it, retry if a server is lost that was reached before, and turn every error into a message."""
        deadline, pause = time.monotonic() + PATIENCE, _PAUSE
        while True:
            try:
                with self._lock:
                    result = run()
            except (SQLAlchemyError, sqlite3.Error, OSError) as error:
                if self._reached and _passing(error) and time.monotonic() < deadline:
                    time.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    continue
                raise ReconcilerError(f"state {self.label}: {_words(error)}", hint=self._advice(error)) from None
            self._reached = True
            return result

    def _begun(self, work: Callable[[Connection], Result], *, writing: bool = False) -> Result:
        with self._engine.begin() as connection:
            if writing and self.is_file:  # no other program writes between its reads and its writes
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            return work(connection)

    def _advice(self, error: BaseException) -> str:
        if self.file is None:
            return "check spec.state, the password (PGPASSWORD or a passfile), and that the server is reachable"
        if getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            kept = self.file.parent / "backups"
            return f"move the file away and restore a backup from {kept}: reconciler state restore FILE"
        return f"check that the folder {self.file.parent} exists and is writable, or set spec.state"

    def _prepared(self, *, writing: bool) -> bool:
        """Find or create the tables; return whether there is a state."""
        if self._version == VERSION or (self._version is not None and not writing):
            return True
        if self.file is not None and not self.file.exists():
            if not writing:
                return False
            backups.make_folder(self.file.parent)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        self._version = self._begun(self._set_up if writing else self._found, writing=writing)
        return self._version is not None

    def _found(self, connection: Connection) -> int | None:
        """Return the schema version of the tables, None if there are none."""
        if not self._engine.dialect.has_table(connection, meta.name):
            return None
        text = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one_or_none()
        if text is None or not text.isdecimal() or not FIRST <= int(text) <= VERSION:
            message = f"state {self.label} has schema version {text}; this version of reconciler supports {VERSION}"
            raise ReconcilerError(message, hint="use the version of reconciler that wrote the state, or a newer one")
        return int(text)

    def _set_up(self, connection: Connection) -> int:
        """Create or migrate the tables: two programs may find them missing or old at the same time."""
        self.alone(connection)
        found = self._found(connection)
        if found is None:
            metadata.create_all(connection)
            connection.execute(insert(meta).values(key="schema_version", value=str(VERSION)))
        elif found < VERSION:
            self._migrate(connection, found)
        return VERSION

    def _migrate(self, connection: Connection, found: int) -> None:
        moment = self.moment(connection)
        for lease in all_leases(connection):
            if not holder.dead(lease, moment, one_host=self.is_file):
                raise Held(lease)
        kept = self._backup(connection, f"before-version-{VERSION}", {})
        migrate(connection, found)
        self._notice(f"Migrated the state from version {found} to {VERSION}. Backup of the old state: {kept}")

    def _backup(self, connection: Connection, command: str, scope: dict[str, str]) -> Path:
        if self.file is not None:
            return backups.copy_file(self.file, self.file.parent / "backups", command)
        if self._folder is None:
            raise ReconcilerError(f"state {self.label}: no folder is set for its backup")
        return backups.dump(connection, self._folder, command, scope)


def _url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:  # its message could repeat a password in the URL
        message = "spec.state is not the URL of a database"
        raise ReconcilerError(message, hint="expected a URL such as sqlite:///.reconciler/state.db") from None
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _durable(connection: Any, _record: Any) -> None:
    """Make commits of SQLite survive a kill, and let a plan read while an apply writes."""
    cursor = connection.cursor()
    deadline = time.monotonic() + BUSY
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:  # here alone SQLite does not wait for other programs
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _bounded(connection: Any, _record: Any) -> None:
    """Keep a program that hangs in a transaction from blocking the others, and confirm no commit too early."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '30s'")
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        cursor.execute(_SURE)
    connection.commit()


def _passing(error: BaseException) -> bool:
    """Return whether the same transaction may succeed later."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    refused = isinstance(error, OperationalError) and state is None and not isinstance(error.orig, sqlite3.Error)
    return error.connection_invalidated or state in _AGAIN or refused


def _words(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "strerror", None) or str(cause).split("\n", maxsplit=1)[0]
