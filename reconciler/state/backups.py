"""Backups of the state, made before any command but apply changes a record."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.files import write_whole
from reconciler.state.connection import Connection
from reconciler.state.origin import is_tracked
from reconciler.state.schema import TABLES, meta

KEPT = 20
"""Number of backups kept for one state; older ones are removed."""

FORMAT = "reconciler_state"
"""The key of a JSON backup that holds the rows, by table."""


def copy_file(file: Path, folder: Path, command: str) -> Path:
    """Copy the last commit of a SQLite state, while others may read and write; return the copy."""
    target = _new(folder, file.stem, command, ".db")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    origin = f"{file.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(origin, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log next to it
    except BaseException:  # half a copy must not count as a backup
        for suffix in ("", "-journal", "-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        raise
    _prune(folder, file.stem, ".db")
    return target


def dump(connection: Connection, folder: Path, command: str, scope: Mapping[str, str]) -> Path:
    """Write the rows of a project and environment as JSON, or all rows if the scope is empty; return the file."""
    tables = rows(connection, scope)
    document = {"format_version": "1.0", "command": command, FORMAT: tables}
    stem = "-".join([*filter(None, scope.values())]) or "state"
    target = _new(folder, stem, command, ".json")
    write_whole(target, json.dumps(document, indent=1, ensure_ascii=False).encode(), private=True, durable=True)
    _prune(folder, stem, ".json")
    return target


def rows(connection: Connection, scope: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a project and environment by table, or all rows if the scope is empty."""
    found = [table for name, table in sorted(TABLES.items()) if connection.has_table(name)]
    return {each.name: list(connection.select(each, {} if each is meta else scope)) for each in found}


def make_folder(folder: Path) -> None:
    """Make a private folder that Git ignores: a merge of two committed states would be a wrong state."""
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        if folder.is_dir():
            return  # another program may have made it just now
        raise
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _new(folder: Path, stem: str, command: str, suffix: str) -> Path:
    """Return a new file of the folder, named by state, time and command."""
    make_folder(folder)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / f"{_plain(stem)}-{moment}-{_plain(command)}{suffix}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text)


def newest(file: Path, folder: Path) -> Path | None:
    """Return the newest backup of a SQLite state; None where there is none, or the folder cannot be read.

    One that came with a commit is not a backup.
    """
    try:
        return next((path for path in reversed(_made(folder, file.stem, ".db")) if not is_tracked(path)), None)
    except OSError:
        return None


def _prune(folder: Path, stem: str, suffix: str) -> None:
    """Remove all but the newest backups of one state."""
    for path in _made(folder, stem, suffix)[:-KEPT]:
        path.unlink(missing_ok=True)


def _made(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the backups of one state, oldest first: their names sort by time."""
    name = re.compile(rf"{re.escape(_plain(stem))}-\d{{8}}T\d{{6}}\.\d{{6}}Z-.*{re.escape(suffix)}")
    return sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
