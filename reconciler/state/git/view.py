"""The rows of a branch in a SQLite database in memory: what transactions read, and what they try their writes on.

The view only ever holds what the branch holds. A transaction that writes is run, what it changed is noted, and all of
it is undone; the change is made once a push has confirmed it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Integer, create_engine, delete, event, insert, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from reconciler.errors import ReconcilerError
from reconciler.state.git.files import TABLES, Row, path_of, scope_of
from reconciler.state.rows import Damaged, decoded
from reconciler.state.schema import VERSION, leases, meta, metadata
from reconciler.state.transaction import Job

Result = TypeVar("Result")

_TABLES = {**TABLES, "lease": leases}

_rowid = literal_column("rowid", Integer)

_INSERTS = {folder: insert(table) for folder, table in _TABLES.items()}
"""Built once: SQLAlchemy takes longer to build a statement than to run it."""

_NOTE = """
CREATE TEMP TRIGGER noted_{folder}_{event} AFTER {event} ON main.{table}
BEGIN INSERT OR IGNORE INTO noted VALUES ('{folder}', {row}.rowid); END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What transactions changed: the new row, or None where there is none any more."""

    files: Mapping[str, Row | None]
    """By path of the file."""
    leases: Mapping[str, Row | None]
    """By the project and environment of the lease."""

    def __bool__(self) -> bool:
        return bool(self.files or self.leases)


class View:
    """The rows; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._engine = create_engine(
            "sqlite://",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            json_deserializer=decoded,
        )
        event.listen(self._engine, "connect", _leave_transactions)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._rows: dict[tuple[str, int], str] = {}
        self._places: dict[str, tuple[str, int]] = {}
        with self._engine.begin() as connection:
            metadata.create_all(connection)
            connection.execute(insert(meta).values(key="schema_version", value=str(VERSION)))
            connection.exec_driver_sql(
                "CREATE TEMP TABLE noted (folder TEXT, number INTEGER, PRIMARY KEY (folder, number)) WITHOUT ROWID"
            )
            for folder, table in _TABLES.items():
                for name, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                    connection.exec_driver_sql(_NOTE.format(folder=folder, event=name, table=table.name, row=row))

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a transaction that only reads."""
        with self._lock, self._engine.connect() as connection, connection.begin() as transaction:
            try:
                return work(connection)
            finally:
                transaction.rollback()

    def tried(self, jobs: Sequence[Job], *, first: Callable[[Connection, Job], None]) -> Changes:
        """Run transactions one after the other and undo them; return what all that succeeded changed together.

        `first` is called at the beginning of each.
        """
        with self._lock, self._engine.connect() as connection, connection.begin() as transaction:
            try:
                for job in jobs:
                    before = _count(connection)
                    job.result, job.error = None, None
                    part = connection.begin_nested()
                    try:
                        first(connection, job)
                        job.result = job.work(connection)
                    except (ReconcilerError, SQLAlchemyError, sqlite3.Error) as error:
                        job.error = error
                        part.rollback()
                    else:
                        part.commit()
                    job.changed = job.error is None and _count(connection) != before
                return self._changes(connection)
            finally:
                transaction.rollback()

    def replace(self, changes: Changes) -> None:
        """Make the view follow the branch, all or nothing; Damaged where two files hold one record."""
        with self._lock:
            rows, places = dict(self._rows), dict(self._places)
            try:
                with self._engine.begin() as connection:
                    leased = {f"lease {scope}": row for scope, row in changes.leases.items()}
                    for path, row in sorted({**changes.files, **leased}.items(), key=lambda item: item[1] is not None):
                        self._put(connection, path, row)
                    connection.exec_driver_sql("DELETE FROM noted")
            except SQLAlchemyError as error:
                self._rows, self._places = rows, places
                raise Damaged(f"its files contradict each other: {getattr(error, 'orig', error)}") from None

    def lease(self, scope: str) -> Row | None:
        """Return the lease of a project and environment."""
        place = self._places.get(f"lease {scope}")
        if place is None:
            return None
        found = self.read(lambda at: at.execute(select(leases).where(_rowid == place[1])).one_or_none())
        return None if found is None else dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    def close(self) -> None:
        """Free the memory."""
        self._engine.dispose()

    def _put(self, connection: Connection, path: str, row: Row | None) -> None:
        known = self._places.pop(path, None)
        if known is not None:
            folder, number = known
            del self._rows[known]
            connection.execute(delete(_TABLES[folder]).where(_rowid == number))
        if row is not None:
            folder = "lease" if path.startswith("lease ") else path.split("/")[2]
            made = connection.execute(_INSERTS[folder], dict(row))
            place = (folder, int(made.lastrowid))
            self._rows[place], self._places[path] = path, place

    def _changes(self, connection: Connection) -> Changes:
        """Return what was noted. The path of a deleted row, or of one with another key now, is known from before."""
        gone: dict[str, Row | None] = {}
        there: dict[str, Row | None] = {}
        for folder, number in connection.exec_driver_sql("SELECT folder, number FROM noted").all():
            before = self._rows.get((folder, number))
            if before is not None:
                gone[before] = None
            table = _TABLES[folder]
            found = connection.execute(select(table).where(_rowid == number)).one_or_none()
            if found is not None:
                row = dict(found._mapping)  # noqa: SLF001 - SQLAlchemy's public name
                there[f"lease {scope_of(row)}" if folder == "lease" else path_of(folder, row)] = row
        changed = {**gone, **there}
        return Changes(
            files={path: changed[path] for path in sorted(changed) if not path.startswith("lease ")},
            leases={
                path.removeprefix("lease "): changed[path] for path in sorted(changed) if path.startswith("lease ")
            },
        )


def _leave_transactions(connection: Any, _record: Any) -> None:
    """Let SQLAlchemy alone begin transactions: the driver does not understand savepoints."""
    connection.isolation_level = None


def _count(connection: Connection) -> int:
    """Return how many rows were ever changed."""
    driver = connection.connection.dbapi_connection
    return int(driver.total_changes) if driver is not None else 0
