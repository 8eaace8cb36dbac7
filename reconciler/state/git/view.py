"""The rows of a branch in a SQLite database in memory: what transactions read, and what they try their writes on.

The view only ever holds what the branch holds. A transaction that writes is run, what it changed is noted, and all of
it is undone; the change is made once a push has confirmed it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from msgspec import Struct

from reconciler.state.connection import Connection, DatabaseError, SqliteConnection
from reconciler.state.git.files import FOLDERS, path_of, scope_of
from reconciler.state.rows import Damaged, Row
from reconciler.state.schema import TABLES, VERSION, Table, leases, meta
from reconciler.state.transaction import Job

Result = TypeVar("Result")

_TABLES = {**FOLDERS, "lease": leases}

_NOTE = """
CREATE TEMP TRIGGER noted_{folder}_{event} AFTER {event} ON main.{table}
BEGIN INSERT OR IGNORE INTO noted VALUES ('{folder}', {row}.rowid); END
"""


class Changes(Struct, frozen=True, kw_only=True):
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
        self._connection = SqliteConnection(
            lambda: sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        )
        self._rows: dict[tuple[str, int], str] = {}
        self._places: dict[str, tuple[str, int]] = {}
        connection = self._connection
        with connection.begun(writing=True):
            connection.create(TABLES.values())
            connection.insert(meta, {"key": "schema_version", "value": str(VERSION)})
            connection.run(
                "CREATE TEMP TABLE noted (folder TEXT, number INTEGER, PRIMARY KEY (folder, number)) WITHOUT ROWID"
            )
            for folder, table in _TABLES.items():
                for name, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                    connection.run(_NOTE.format(folder=folder, event=name, table=table.name, row=row))

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a transaction that only reads."""
        with self._lock, self._connection.begun(writing=False):
            return work(self._connection)

    def tried(self, jobs: Sequence[Job], *, first: Callable[[Connection, Job], None]) -> Changes:
        """Run transactions one after the other and undo them; return what all that succeeded changed together.

        `first` is called at the beginning of each.
        """
        connection = self._connection
        with self._lock, suppress(_Undone), connection.begun(writing=True):
            for job in jobs:
                before = connection.changes()
                job.result, job.error = None, None
                try:
                    with connection.part():
                        first(connection, job)
                        job.result = job.work(connection)
                except Exception as error:  # noqa: BLE001 - a defect belongs to the thread whose transaction has it
                    job.error = error
                job.changed = job.error is None and connection.changes() != before
            changes = self._changes(connection)
            raise _Undone
        return changes

    def replace(self, changes: Changes) -> None:
        """Make the view follow the branch, all or nothing; Damaged where two files hold one record."""
        with self._lock:
            rows, places = dict(self._rows), dict(self._places)
            try:
                with self._connection.begun(writing=True):
                    leased = {f"lease {scope}": row for scope, row in changes.leases.items()}
                    for path, row in sorted({**changes.files, **leased}.items(), key=lambda item: item[1] is not None):
                        self._put(path, row)
                    self._connection.run("DELETE FROM noted")
            except BaseException as error:  # also a signal: a row would count as one of another file
                self._rows, self._places = rows, places
                if isinstance(error, DatabaseError):
                    raise Damaged(f"its files contradict each other: {error}") from None
                raise

    def lease(self, scope: str) -> Row | None:
        """Return the lease of a project and environment."""
        place = self._places.get(f"lease {scope}")
        if place is None:
            return None
        return self.read(lambda at: _numbered(at, leases, place[1]))

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def _put(self, path: str, row: Row | None) -> None:
        known = self._places.pop(path, None)
        if known is not None:
            folder, number = known
            del self._rows[known]
            self._connection.delete(_TABLES[folder], {"rowid": number})
        if row is not None:
            folder = "lease" if path.startswith("lease ") else path.split("/")[2]
            place = (folder, self._connection.add_numbered(_TABLES[folder], row))
            self._rows[place], self._places[path] = path, place

    def _changes(self, connection: Connection) -> Changes:
        """Return what was noted. The path of a deleted row, or of one with another key now, is known from before."""
        gone: dict[str, Row | None] = {}
        there: dict[str, Row | None] = {}
        for noted in list(connection.rows("SELECT folder, number FROM noted")):
            folder, number = noted.values()
            before = self._rows.get((folder, number))
            if before is not None:
                gone[before] = None
            row = _numbered(connection, _TABLES[folder], number)
            if row is not None:
                there[f"lease {scope_of(row)}" if folder == "lease" else path_of(folder, row)] = row
        changed = {**gone, **there}
        return Changes(
            files={path: changed[path] for path in sorted(changed) if not path.startswith("lease ")},
            leases={
                path.removeprefix("lease "): changed[path] for path in sorted(changed) if path.startswith("lease ")
            },
        )


class _Undone(Exception):
    """Ends a transaction whose changes were noted."""


def _numbered(connection: Connection, table: Table, number: int) -> dict[str, Any] | None:
    return next(iter(list(connection.select(table, {"rowid": number}))), None)
