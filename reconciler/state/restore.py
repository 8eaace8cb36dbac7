"""Restoring a backup: a copy of a SQLite state or a JSON dump, of this version or an older one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.state.backups import FORMAT
from reconciler.state.connection import Connection, DatabaseError, SqliteConnection
from reconciler.state.migrations import is_version, migrate, version_in
from reconciler.state.rows import Damaged, Row, check
from reconciler.state.schema import (
    VERSION,
    Table,
    baselines,
    doubts,
    drift,
    forgotten,
    hosts,
    intents,
    meta,
    objects,
    runs,
    seen,
    unmanaged,
)
from reconciler.state.sqlite_file import check_plain

_REPLACED = (objects, forgotten)
_ADDED = {
    intents: ("run_id", "kind", "name", "effect", "started_at"),
    runs: ("run_id",),
    baselines: ("run_id", "connection", "kind"),  # an open intent needs them to be settled
    hosts: ("origin",),
    doubts: ("run_id", "kind", "name"),
    seen: ("target", "kind"),
    drift: ("kind", "name"),
    unmanaged: ("target", "kind"),
}
"""Tables whose present rows stay, and the columns that identify a row of the backup among them."""

Rows = Mapping[str, list[dict[str, Any]]]


class Restored(Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    objects: int
    """Managed objects."""
    intents: int
    """Calls with an unknown result."""


class Kept(Struct, frozen=True, kw_only=True):
    """The rows of one project and environment in a backup, by table."""

    rows: Rows

    @classmethod
    def load(cls, file: Path, scope: Mapping[str, str]) -> Kept:
        """Read a backup; ReconcilerError says why it cannot be used."""
        try:
            found = _found(file)
        except (OSError, sqlite3.Error, DatabaseError, Damaged, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = "expected a file from the folder `backups` next to the state"
            raise ReconcilerError(f"cannot read the backup {file}: {reason}", hint=hint) from None
        rows = {name: [row for row in table if _in(row, scope)] for name, table in found.items()}
        if not any(rows.values()):
            others = sorted({place(row["project"], row["environment"]) for table in found.values() for row in table})
            hint = f"it contains {', '.join(others)}" if others else "the backup is empty"
            raise ReconcilerError(f"the backup {file} contains nothing of {place(**scope)}", hint=hint)
        return cls(rows=rows)

    @property
    def summary(self) -> Restored:
        """Return how much there is to restore."""
        return Restored(objects=len(self.rows[objects.name]), intents=len(self.rows[intents.name]))

    def put(self, connection: Connection, scope: Mapping[str, str]) -> None:
        """Replace the present rows, inside the caller's transaction."""
        for table in _REPLACED:
            connection.delete(table, scope)
            connection.insert(table, *self.rows[table.name])
        for table, key in _ADDED.items():
            present = {tuple(row.values()) for row in connection.select(table, scope, columns=key)}
            missing = [row for row in self.rows[table.name] if tuple(row[name] for name in key) not in present]
            connection.insert(table, *missing)


def _found(file: Path) -> Rows:
    """Read a file of either form. SQLite opens it first: it may be the state itself (`sqlite_file.check_ours`)."""
    file.stat()
    try:
        return _of_sqlite(file)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
    return _of_json(file)


def _in(row: Row, scope: Mapping[str, str]) -> bool:
    return all(row[name] == value for name, value in scope.items())


def place(project: str, environment: str) -> str:
    """Return a project and its environment, if it has one, in words."""
    return f"project {project}" + (f", environment {environment}" if environment else "")


def _of_sqlite(file: Path) -> Rows:
    """Read a SQLite state through a copy in memory, which is migrated. The backup itself stays unchanged."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    connection = SqliteConnection(lambda: memory)
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
            source.backup(memory)
        with connection.begun(writing=True):
            if not connection.has_table(meta.name):
                raise ReconcilerError(f"the backup {file} is a database without a reconciler state")
            check_plain(connection)
            migrate(connection, _known(file, version_in(connection)))
            tables = (*_REPLACED, *_ADDED)
            return {table.name: [_row(table, row) for row in connection.select(table, {})] for table in tables}
    finally:
        memory.close()


def _of_json(file: Path) -> Rows:
    try:
        tables = json.loads(file.read_text(encoding="utf-8"))[FORMAT]
        versions = {row["key"]: row["value"] for row in tables[meta.name]}
        _known(file, versions["schema_version"])
        return {table.name: [_row(table, row) for row in tables.get(table.name, ())] for table in (*_REPLACED, *_ADDED)}
    except (ValueError, TypeError, LookupError, RecursionError):
        message = f"{file} is not a backup of a state"
        raise ReconcilerError(message, hint="expected a file from the folder `backups` next to the state") from None


def _row(table: Table, given: Row) -> dict[str, Any]:
    """Return a row of this version: an older one may have fewer columns, and intents get new numbers."""
    row = {name: given[name] if not column.nullable else given.get(name) for name, column in table.columns.items()}
    row.pop("number", None)
    check(row)
    return row


def _known(file: Path, text: Any) -> int:
    if not isinstance(text, str) or not is_version(text, VERSION):
        message = f"the backup {file} has schema version {text}; this version of reconciler supports {VERSION}"
        raise ReconcilerError(message, hint="use the version of reconciler that wrote it, or a newer one")
    return int(text)
