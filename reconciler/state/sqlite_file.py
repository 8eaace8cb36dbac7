"""The SQLite file of a state: opened for writing, or only for reading where this user may not write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from reconciler.errors import ReconcilerError
from reconciler.model.words import listed
from reconciler.state.connection import Connection
from reconciler.state.rows import Damaged
from reconciler.state.schema import TABLES, meta

_LEAST = 16
"""Bytes with which every database begins."""

BUSY = 30.0
"""Seconds to wait for another program that writes to the same file."""

_PAUSE = 0.02

_ROOM = 1_000_000
"""Bytes without which a disk counts as full."""

_NAMED = 3

_LONGEST = 60
"""Characters of a name that are shown."""

_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_READ_ONLY = ("mode=ro", "mode=ro&immutable=1")
"""How to open a file without writing next to it. The second one ignores the log, and is right only without one."""


def read_only_part(file: Path) -> Path | None:
    """Return what this user may not write of a state that exists: its file, its log, or the folder for the log."""
    if not file.exists():
        return None
    parts = (file, _beside(file, "-wal"), _beside(file, "-shm"))
    denied = (part for part in parts if part.exists() and not os.access(part, os.W_OK))
    return next(denied, None if os.access(file.parent, os.W_OK) else file.parent)


def open_read_only(file: Path) -> sqlite3.Connection:
    """Open a file that this user may not write, without waiting; sqlite3.Error where it cannot be read either."""
    log = _beside(file, "-wal")
    modes = _READ_ONLY[:1] if log.exists() and log.stat().st_size else _READ_ONLY
    for number, mode in enumerate(modes, start=1):
        name = f"{file.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(name, uri=True, timeout=BUSY, check_same_thread=False, isolation_level=None)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.Error:
            connection.close()
            if number == len(modes):
                raise
        else:
            return connection
    raise AssertionError  # pragma: no cover - the last mode returns or raises


def check_ours(file: Path) -> None:
    """Raise ReconcilerError for a database of another program; nothing is written to it or next to it.

    The file alone is looked at first: also a reader of a database with a log makes files next to it. Only SQLite opens
    it: whoever else opens and closes a file ends the locks that this process has on it through another connection.
    """
    if not file.exists():
        return
    if 0 < file.stat().st_size < _LEAST:  # SQLite takes a byte for nothing, and writes over it
        error = sqlite3.DatabaseError("file is not a database")
        error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise error
    log = _beside(file, "-wal")
    names: list[str] = []
    try:
        names = _tables(file, _READ_ONLY[1])
    except sqlite3.Error as found:
        if found.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise
    except UnicodeDecodeError:  # damaged, or another program writes to it just now
        pass
    if not names and log.exists() and log.stat().st_size:
        names = _tables(file, _READ_ONLY[0])
    if names and meta.name not in names:
        message = f"state {file} is a database of another program; it has the tables {listed(sorted(names), _NAMED)}"
        raise ReconcilerError(message, hint="set spec.state to a separate file, such as sqlite:///.reconciler/state.db")


def _tables(file: Path, mode: str) -> list[str]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY)) as connection:
        connection.text_factory = lambda name: name.decode("utf-8", "replace")  # another program may take any bytes
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return [str(name) for (name,) in found]


def check_plain(connection: Connection) -> None:
    """Raise Damaged for triggers, and for views in place of our tables: what is recorded would not be what is read.

    None of our tables has a trigger. A person who examines a state may add views under other names.
    """
    rows = connection.rows("SELECT type AS what, name AS called FROM sqlite_master WHERE type IN ('trigger', 'view')")
    found = [(str(row["what"]), str(row["called"])) for row in rows]
    foreign = sorted(f"the {kind} {name[:_LONGEST]}" for kind, name in found if kind == "trigger" or _is_ours(name))
    if foreign:
        raise Damaged(f"the database contains {listed(foreign, _NAMED)}, which reconciler did not create")


def _is_ours(name: str) -> bool:
    return name.lower() in TABLES


def make_durable(connection: sqlite3.Connection) -> None:
    """Make commits survive a kill, and let a plan read while an apply writes."""
    deadline = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:  # here alone SQLite does not wait for other programs
            if error.sqlite_errorcode & 0xFF not in _PASSING or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
    connection.execute("PRAGMA synchronous=FULL")


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def advice(file: Path) -> str:
    """Return what to do where a file cannot be opened or written, for its probable cause."""
    with suppress(OSError):
        if shutil.disk_usage(file.parent).free < _ROOM:  # SQLite then only says that it cannot write
            return f"the disk of {file.parent} is full: free some space, or set spec.state"
        if file.is_dir():
            return f"it is a folder; name a file in spec.state, such as sqlite:///{file / 'state.db'}"
        if file.exists() and not os.access(file, os.R_OK):
            return "ask the owner of the file for the permission to read and write it, or set spec.state"
    return f"check that the folder {file.parent} exists and that this user may write in it, or set spec.state"
