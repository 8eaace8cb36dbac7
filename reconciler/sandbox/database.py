"""The SQLite tables of the emulators. Only this module builds SQL statements.

Rows are plain dicts. The event loop and the Python API share one connection. A lock makes each request one
transaction, so a refused request changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]


class Table(Struct, frozen=True, kw_only=True):
    """One kind of row."""

    name: str
    columns: tuple[str, ...]
    booleans: frozenset[str] = frozenset()
    """The columns that hold booleans."""

    documents: frozenset[str] = frozenset()
    """The columns that hold JSON."""

    index: tuple[str, ...] = ()
    """The columns with an index."""

    first_id: int = 1
    """The first id. Ids count up and are never reused."""

    def encode(self, values: Mapping[str, Any]) -> Row:
        """Convert a row's values for SQLite; KeyError for an unknown column."""
        for name in values:
            if name not in self.columns:
                msg = f"{self.name} has no field {name!r}"
                raise KeyError(msg)
        return {key: json.dumps(value) if key in self.documents else value for key, value in values.items()}

    def decode(self, raw: sqlite3.Row) -> Row:
        """Convert a stored row to plain values."""
        row = dict(raw)
        for name in self.booleans:
            row[name] = None if row[name] is None else bool(row[name])
        for name in self.documents:
            row[name] = json.loads(row[name]) if row[name] else None
        return row


class Database:
    """A SQLite database, in memory or in a file, holding a fixed set of tables."""

    def __init__(self, tables: tuple[Table, ...], path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._tables = tables
        self._depth = 0
        self._link = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None, check_same_thread=False)
        self._link.row_factory = sqlite3.Row
        self._link.execute("PRAGMA synchronous=OFF")
        self._create()

    def _create(self) -> None:
        with self.transaction():
            for table in self._tables:
                columns = ", ".join(f'"{name}"' for name in table.columns if name != "id")
                self._link.execute(
                    f'CREATE TABLE IF NOT EXISTS "{table.name}" (id INTEGER PRIMARY KEY AUTOINCREMENT, {columns})'
                )
                for name in table.index:
                    self._link.execute(f'CREATE INDEX IF NOT EXISTS "{table.name}_{name}" ON "{table.name}" ("{name}")')
                known = self._link.execute("SELECT 1 FROM sqlite_sequence WHERE name = ?", (table.name,))
                if known.fetchone() is None:
                    self._link.execute(
                        "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, table.first_id - 1)
                    )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and make the enclosed writes atomic. Transactions can be nested."""
        with self.lock:
            if self._depth == 0:
                self._link.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._link.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._link.execute("COMMIT")

    def insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """Add a row; return its id."""
        raw = table.encode(values)
        names = ", ".join(f'"{name}"' for name in raw)
        marks = ", ".join("?" for _ in raw)
        with self.transaction():
            cursor = self._link.execute(
                f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',  # noqa: S608 - names come from Table.columns
                tuple(raw.values()),
            )
        return int(cursor.lastrowid or 0)

    def update(self, table: Table, row_id: int, values: Mapping[str, Any]) -> None:
        """Change some columns of a row; KeyError if it does not exist."""
        raw = table.encode(values)
        if not raw:
            return
        names = ", ".join(f'"{name}" = ?' for name in raw)
        with self.transaction():
            cursor = self._link.execute(
                f'UPDATE "{table.name}" SET {names} WHERE id = ?',  # noqa: S608 - names come from Table.columns
                (*raw.values(), row_id),
            )
        if cursor.rowcount == 0:
            raise KeyError(row_id)

    def remove(self, table: Table, row_id: int) -> bool:
        """Delete a row; return False if it does not exist."""
        with self.transaction():
            cursor = self._link.execute(f'DELETE FROM "{table.name}" WHERE id = ?', (row_id,))  # noqa: S608 - a name from this package
        return cursor.rowcount > 0

    def get(self, table: Table, row_id: int) -> Row | None:
        """Return one row, or None."""
        rows = self.find(table, "id = ?", (row_id,))
        return rows[0] if rows else None

    def find(self, table: Table, where: str = "1", values: tuple[Any, ...] = (), order: str = "id") -> list[Row]:
        """Return the rows that match a condition. The condition must come from this package, never from a client."""
        with self.lock:
            cursor = self._link.execute(
                f'SELECT * FROM "{table.name}" WHERE {where} ORDER BY {order}',  # noqa: S608 - see above
                values,
            )
            return [table.decode(raw) for raw in cursor]

    def was_issued(self, table: Table, row_id: int) -> bool:
        """Return whether an id was ever issued. This tells a deleted row from one that never existed."""
        with self.lock:
            last = self._link.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
        return table.first_id <= row_id <= int(last["seq"])

    def is_empty(self) -> bool:
        """Return whether all tables are empty."""
        return not any(self.find(table, order="id LIMIT 1") for table in self._tables)

    def clear(self) -> None:
        """Delete all rows and restart the ids."""
        with self.transaction():
            for table in self._tables:
                self._link.execute(f'DELETE FROM "{table.name}"')  # noqa: S608 - a name from this package
                self._link.execute(
                    "UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (table.first_id - 1, table.name)
                )

    def copy(self) -> Database:
        """Return these rows as a database in memory, without the changes of an open transaction."""
        with self.lock:
            made = Database(self._tables)
            self._link.backup(made._link)
            return made

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            self._link.close()
