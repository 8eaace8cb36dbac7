"""The database of a state: opening it, transactions, and error messages."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Lease
from reconciler.state import backups, origin, process_lock
from reconciler.state.connection import Connection, DatabaseError, PostgresConnection, SqliteConnection
from reconciler.state.failures import DAMAGED, DENIED, passing, words
from reconciler.state.holder import Watch
from reconciler.state.migrations import all_leases, is_version, migrate, version_in
from reconciler.state.rows import Damaged
from reconciler.state.schema import FIRST, TABLES, VERSION, meta
from reconciler.state.server import BEGIN, Access, parsed
from reconciler.state.sqlite_file import (
    BUSY,
    advice,
    check_ours,
    check_plain,
    make_durable,
    open_read_only,
    read_only_part,
)
from reconciler.state.transaction import Job
from reconciler.state.url import SQLITE
from reconciler.together import Together
from reconciler.version import DISTRIBUTION

PATIENCE = 20.0
"""Seconds to retry a database server that was lost during a run."""

_PAUSE = 0.02

_LONGEST_PAUSE = 1.0

_ALONE = "SELECT pg_advisory_xact_lock(7263091524)"
"""PostgreSQL's lock for creating tables, migrating and claiming: the same number in every version."""

Result = TypeVar("Result")


class Held(ReconcilerError):
    """An old state cannot be migrated while a run of the older version writes."""

    def __init__(self, lease: Lease) -> None:
        message = f"run {lease.run_id} of an older version holds the state lock: cannot migrate the state"
        super().__init__(message, code="state-locked")
        self.lease = lease
        """The lease of that run."""


class _Unusable(ReconcilerError):
    """The database took no transaction: its content does not matter."""


class Database:
    """Transactions on one database; safe to use from several threads.

    A state that does not exist yet reads as empty; the first write creates it. An older state is read as it is;
    the first write migrates it, after a backup.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path | None = None,
        root: Path | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the URL; ReconcilerError for a file that came with the checkout in `root`.

        `folder` is for backups of a database server. `notice` gets messages for the user.
        """
        self._url = parsed(url)
        if self.file is not None:
            origin.check(self.file, root)
        self._root = root
        self._folder = folder if self.file is None else self.file.parent / "backups"
        self._notice = notice
        self._version: int | None = None
        self._reached = self._written_to = False
        self._access: Access | None = None
        self._file_as_opened: os.stat_result | None = None
        self.watch = Watch()
        """What was seen of the holders of leases."""
        self.pace = 1.0
        """How many times longer than usual a lease lasts."""
        self.leased = False
        """Whether this process holds the lease; every read asks the database in any case."""
        self._connection = self._opened()
        self._lock = threading.RLock()
        """Held while a thread uses the one connection."""
        self._writes = Together(self._lock, self._lead)

    @property
    def label(self) -> str:
        """The location of the state, without credentials."""
        return self._url.database or "" if self.is_file else self._url.label()

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite, so that every program that opens it runs on one machine."""
        return self._url.scheme == SQLITE

    @cached_property
    def file(self) -> Path | None:
        """The file, if the state is one."""
        name = self._url.database
        return Path(name) if self.is_file and name and name != ":memory:" else None

    @property
    def lock_beside(self) -> Path | None:
        """The path next to which a run keeps the lock that the system releases when it ends."""
        return self.file

    def read(self, work: Callable[[Connection], Result], empty: Result, *, since: int = FIRST) -> Result:
        """Run a transaction that only reads; return `empty` if there is no state yet, or one before version `since`."""

        def run() -> Result:
            return self._begun(work) if self._prepared(writing=False) and (self._version or 0) >= since else empty

        return self._tried(run)

    def write(self, work: Callable[[Connection], Result], *, as_is: bool = False) -> Result:
        """Run a transaction, again if its commit was not confirmed: it must be idempotent.

        An older state is migrated first, unless `as_is` is set.
        """
        result: Result = self._writes.run(Job(work=work, as_is=as_is)).result
        return result

    def dead(self, held: Lease, moment: float) -> bool:
        """Return whether the holder of a lease is dead at `moment`."""
        return self.watch.dead(held, moment, ended=process_lock.ended(self.lock_beside, held.run_id))

    def alone(self, connection: Connection) -> None:
        """Block other transactions at this point until this one ends: a row that does not exist cannot be locked."""
        if not self.is_file:
            connection.run(_ALONE)

    def backup(self, command: str, scope: dict[str, str]) -> Path | None:
        """Back up the state (of a server: the rows of one scope); None if there is no state yet."""
        if not self.read(lambda _: True, empty=False):
            return None
        return self._tried(lambda: self._begun(lambda connection: self._backup(connection, command, scope)))

    def close(self) -> None:
        """Close the database connection; a later use looks again for what is there."""
        self._connection.close()
        self._version = self._file_as_opened = None

    def _lead(self, jobs: list[Job]) -> None:
        """Commit transactions as one. Where one of them fails, nothing has happened, and each is committed alone."""
        try:
            results = self._tried(lambda: self._written(jobs))
        except Exception as error:  # noqa: BLE001 - a defect belongs to the thread whose transaction has it
            if len(jobs) > 1 and not isinstance(error, _Unusable):
                for job in jobs:
                    self._lead([job])
                return
            for job in jobs:
                job.error, job.done = error, True
            return
        for job, result in zip(jobs, results, strict=True):
            job.result, job.done = result, True

    def _written(self, jobs: list[Job]) -> list[Any]:
        if not self._written_to:
            self._check_writable()
        self._check_present()
        try:
            if not (all(job.as_is for job in jobs) and self._prepared(writing=False)):
                self._prepared(writing=True)
            results = self._begun(lambda connection: [job.work(connection) for job in jobs], writing=True)
        except DatabaseError as error:
            if error.is_operational:
                self._check_writable()  # it became read-only since
            raise
        self._written_to = True
        return results

    def _opened(self) -> Connection:
        if self.is_file:
            return SqliteConnection(self._connected)
        self._access = access = Access.of(self._url, os.environ)
        try:
            connection = PostgresConnection(access.settings, BEGIN)
        except ImportError as error:
            hint = f"pip install '{DISTRIBUTION}[postgres]'"
            message = f"state {self.label} needs {error.name or 'psycopg'}, which is not installed ({words(error)})"
            raise ReconcilerError(message, hint=hint) from None
        access.check(connection.driver)
        return connection

    def _connected(self) -> sqlite3.Connection:
        """Open the file: only for reading where it cannot be written."""
        if self.file is not None and read_only_part(self.file) is not None:
            return open_read_only(self.file)
        path = ":memory:" if self.file is None else self.file
        connection = sqlite3.connect(path, timeout=BUSY, check_same_thread=False, isolation_level=None)
        try:
            make_durable(connection)
            self._file_as_opened = None if self.file is None else self.file.stat()
        except BaseException:
            connection.close()  # or else its -wal and -shm files stay beside a damaged file
            raise
        return connection

    def _check_present(self) -> None:
        """Raise ReconcilerError where the open file is not the one at its path: what is written there would be lost."""
        if self.file is None or self._file_as_opened is None:
            return
        with suppress(OSError):
            if os.path.samestat(self.file.stat(), self._file_as_opened):
                return
        message = f"state {self.label}: the file was moved, deleted or replaced while it was in use"
        hint = "put the file back, then plan again: without it, the next run does not know what this one did"
        raise ReconcilerError(message, hint=hint)

    def _check_writable(self) -> None:
        """Raise ReconcilerError at once where the file of the state cannot be written."""
        denied = None if self.file is None else read_only_part(self.file)
        if denied is not None:
            message = f"state {self.label}: attempt to write a readonly database: {denied} is read-only for this user"
            hint = f"check that {denied} is writable, or set spec.state; plan, drift, export and state list only read"
            raise ReconcilerError(message, hint=hint)

    def _tried(self, run: Callable[[], Result]) -> Result:
        """Run it, retry if a server is lost that was reached before, and turn every error into a message."""
        deadline, pause = time.monotonic() + PATIENCE, _PAUSE
        while True:
            try:
                with self._lock:
                    result = run()
            except (Damaged, UnicodeDecodeError) as error:  # also SQLite's own message may be no text
                what = error.message if isinstance(error, Damaged) else "database disk image is malformed"
                first = f"{error.hint}. If there is none: " if isinstance(error, Damaged) and error.hint else ""
                hint = first + self._repair()
                raise ReconcilerError(f"state {self.label}: {what}", hint=hint, code="state-damaged") from None
            except (DatabaseError, sqlite3.Error, OSError) as error:
                if self._reached and passing(error) and time.monotonic() < deadline:
                    time.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    continue
                unusable = isinstance(error, DatabaseError) and error.is_operational
                raise (_Unusable if unusable else ReconcilerError)(
                    f"state {self.label}: {words(error)}", hint=self._advice(error)
                ) from None
            self._reached = True
            return result

    def _begun(self, work: Callable[[Connection], Result], *, writing: bool = False) -> Result:
        with self._connection.begun(writing=writing):
            return work(self._connection)

    def _advice(self, error: BaseException) -> str:
        if getattr(getattr(error, "cause", None), "sqlstate", None) in DENIED:
            return "this user may only read the state: ask for permission to write, or use another user"
        if self.file is None:
            cause = getattr(error, "cause", error)
            return "" if self._access is None else self._access.advice(cause, reached=self._reached)
        if getattr(getattr(error, "cause", error), "sqlite_errorcode", 0) & 0xFF in DAMAGED:
            return self._repair()
        return advice(self.file)

    def _repair(self) -> str:
        if self.file is None or self._folder is None:
            return (
                "restore a backup: `reconciler state restore FILE`; or back up the database (pg_dump), then correct or "
                "delete that row with an SQL client"
            )
        newest = backups.newest(self.file, self._folder)
        if newest is not None:
            return f"move the file away and restore its newest backup: `reconciler state restore {quote(str(newest))}`"
        return "move the file away; it has no backups. To manage the live objects again: `reconciler adopt --all`"

    def _prepared(self, *, writing: bool) -> bool:
        """Find or create the tables; return whether there is a state."""
        if self._version == VERSION or (self._version is not None and not writing):
            return True
        if self.file is not None and not self.file.exists():
            if not writing:
                return False
            backups.make_folder(self.file.parent)
            os.close(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600))
        if self.file is not None and self._version is None:
            check_ours(self.file)
        self._version = self._connection.version = self._begun(
            self._set_up if writing else self._found, writing=writing
        )
        return self._version is not None

    def _found(self, connection: Connection) -> int | None:
        """Return the schema version of the tables, None if there are none."""
        if not connection.has_table(meta.name):
            return None
        if self.is_file:
            check_plain(connection)
        text = version_in(connection)
        if not isinstance(text, str) or not is_version(text, VERSION):
            message = f"state {self.label} has schema version {text}; this version of reconciler supports {VERSION}"
            raise ReconcilerError(message, hint="use the version of reconciler that wrote the state, or a newer one")
        return int(text)

    def _set_up(self, connection: Connection) -> int:
        """Create or migrate the tables: two programs may find them missing or old at the same time."""
        self.alone(connection)
        found = self._found(connection)
        if found is None:
            connection.create(TABLES.values())
            connection.insert(meta, {"key": "schema_version", "value": str(VERSION)})
        elif found < VERSION:
            self._migrate(connection, found)
        return VERSION

    def _migrate(self, connection: Connection, found: int) -> None:
        moment = connection.moment()
        for lease in all_leases(connection):
            if not self.dead(lease, moment):
                raise Held(lease)
        connection.version = found
        kept = self._backup(connection, f"before-version-{VERSION}", {})
        migrate(connection, found)
        self._notice(f"Migrated the state from version {found} to {VERSION}. Backup of the old state: {kept}")

    def _backup(self, connection: Connection, command: str, scope: dict[str, str]) -> Path:
        if self._folder is None:
            raise ReconcilerError(f"state {self.label}: no folder is set for its backup")
        origin.check_inside(self._folder, self._root, hint="remove the link, so that backups are kept in the project")
        if self.file is not None:
            return backups.copy_file(self.file, self._folder, command)
        return backups.dump(connection, self._folder, command, scope)
