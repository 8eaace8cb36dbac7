"""A connection to the database of a state: plain SQL that SQLite and PostgreSQL both understand.

Parameters are written `:name`. A row is a mapping. Values of JSON and truth are encoded and decoded by the name of
their column, which means the same in all tables. What a driver says becomes a `DatabaseError`.
"""

from __future__ import annotations

import re
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import groupby
from typing import Any, ClassVar

from reconciler.state.rows import DECODERS, Damaged, Row, decoded, in_columns
from reconciler.state.schema import Table

_NOTHING: Mapping[str, Any] = {}


class DatabaseError(Exception):
    """What a driver said."""

    def __init__(self, cause: Exception, *, lost: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        """The driver's own error, which may carry `sqlstate` or `sqlite_errorcode`."""
        self.lost = lost
        """Whether the connection was lost."""

    @property
    def is_operational(self) -> bool:
        """Whether it comes from the operation of the database, and not from the statement (PEP 249)."""
        return any(each.__name__ == "OperationalError" for each in type(self.cause).__mro__)


class Connection(ABC):
    """One connection, for one thread at a time. It is opened when it is first used, and again after it was lost."""

    number_type: ClassVar[str]
    """The type of a column that numbers its rows."""
    now: ClassVar[str]
    """The current Unix time as an expression, which may need the parameter `clock`."""
    locking: ClassVar[str] = ""
    """Ends a query whose rows no other transaction may change."""

    def __init__(self) -> None:
        self._raw: Any = None
        self.version: int | None = None
        """The version of the tables, if they may be older: then `select` leaves out the columns they do not have."""
        self.transaction: object = None
        """Distinguishes the present transaction from others."""
        self._reading: set[Any] = set()
        """Cursors that may have rows left: SQLite keeps a reader's lock and moment for them."""
        self._bound = False
        """Whether a transaction needs the connection that is open: another one has nothing of it."""

    @abstractmethod
    def _connect(self) -> Any:
        """Return a connection of the driver, which begins no transaction by itself."""

    @property
    @abstractmethod
    def _errors(self) -> type[Exception]:
        """The driver's class of errors."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Return whether there is a table, or what looks like one."""

    @abstractmethod
    def _begin(self, *, writing: bool) -> bool:
        """Begin a transaction; return whether there is one to end."""

    @abstractmethod
    def _is_begun(self) -> bool:
        """Return whether the open connection is in a transaction, whoever began it."""

    def _text(self, statement: str) -> str:
        """Return a statement as the driver wants it."""
        return statement

    def _decoders(self, _names: Sequence[str]) -> Sequence[tuple[str, Callable[[Any], Any]]]:
        """Return what decodes values of a row, by column, beyond what the driver does."""
        return ()

    def _is_lost(self) -> bool:
        return False

    @contextmanager
    def begun(self, *, writing: bool) -> Iterator[None]:
        """Run one transaction: it is committed at the end, and rolled back after any error."""
        if self.transaction is None:
            self._undo()  # a second signal can stop what undoes the last one
        self.transaction = object()
        try:
            self._bound = self._begin(writing=writing)  # a signal, or half of its message, can leave it begun
            yield
            self._end_reading()
            if self._bound:
                self.run("COMMIT")
        except BaseException:
            self._undo()
            raise
        finally:
            self.transaction, self._bound = None, False

    def _undo(self) -> None:
        """Undo the transaction, if there is one."""
        self._end_reading()
        if self._raw is not None and self._is_begun():
            with suppress(DatabaseError):  # what was raised says why
                self.run("ROLLBACK")

    def _end_reading(self) -> None:
        """Close cursors that were not read to their end, such as of rows among which one is damaged."""
        while self._reading:
            with suppress(self._errors):
                self._reading.pop().close()

    def close(self) -> None:
        """Close it; a later use opens it again."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(self._errors):
                raw.close()

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Turn what the driver raises into a DatabaseError."""
        try:
            yield
        except self._errors as error:
            lost = self._is_lost()
            if lost:
                self.close()
            raise DatabaseError(error, lost=lost) from error

    def _executed(self, statement: str, values: Mapping[str, Any] | list[Row]) -> Any:
        """Execute a statement, once for each item of a list."""
        if self._raw is None:
            if self._bound:
                raise DatabaseError(ConnectionError("the connection was closed in a transaction"), lost=True)
            self._raw = self._connect()
        if not values:
            return self._raw.execute(statement)
        if isinstance(values, list):
            return self._raw.cursor().executemany(self._text(statement), list(map(in_columns, values)))
        return self._raw.execute(self._text(statement), in_columns(values))

    def run(self, statement: str, values: Mapping[str, Any] = _NOTHING) -> int:
        """Run a statement; return how many rows it changed."""
        with self._spoken():
            return int(self._executed(statement, values).rowcount)

    def rows(self, statement: str, values: Mapping[str, Any] = _NOTHING) -> Iterator[dict[str, Any]]:
        """Run a query; return its rows as they come."""
        with self._spoken():
            cursor = self._executed(statement, values)
            self._reading.add(cursor)
            try:
                names = [column[0] for column in cursor.description]
                decoders = self._decoders(names)
                for found in cursor:
                    row = dict(zip(names, found, strict=True))
                    for name, decode in decoders:
                        row[name] = decode(row[name])
                    yield row
            finally:
                self._reading.discard(cursor)
                with suppress(self._errors):
                    cursor.close()

    def value(self, statement: str, values: Mapping[str, Any] = _NOTHING) -> Any:
        """Run a query; return the first value of its first row, None where there is none."""
        found = list(self.rows(statement, values))
        return next(iter(found[0].values())) if found else None

    def moment(self) -> float:
        """Return the current Unix time by the clock that all programs on this database share."""
        return float(self.value(f"SELECT {self.now}", {"clock": time.time()}))

    def select(
        self,
        table: Table,
        where: Mapping[str, Any],
        *,
        columns: Sequence[str] = (),
        order: str = "",
        lock: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Return the rows of a table that have some values, and of these the columns that are named, or all.

        Columns that an older state does not have are left out.
        """
        asked = columns or table.columns
        known = [name for name in asked if self.version is None or table.columns[name].since <= self.version]
        ordered = f" ORDER BY {order}" if order else ""
        ending = f"{_where(tuple(where))}{ordered}{self.locking if lock else ''}"
        return self.rows(f"SELECT {', '.join(known)} FROM {table.name}{ending}", _selecting(where))

    def count(self, table: Table, where: Mapping[str, Any]) -> int:
        """Return how many rows have some values."""
        return int(self.value(f"SELECT count(*) FROM {table.name}{_where(tuple(where))}", _selecting(where)))

    def insert(self, table: Table, *rows: Row) -> None:
        """Add rows in their order, without waiting for a server after each.

        Damaged where they have columns that the table does not have: rows may come from another state.
        """
        strange = sorted({name for row in rows for name in row} - table.columns.keys())
        if strange:
            raise Damaged(f"a record of {table.name} has the unknown column {strange[0]}")
        for names, alike in groupby(rows, key=tuple):
            statement, many = adding(table.name, names), list(alike)
            with self._spoken():
                self._executed(statement, many[0] if len(many) == 1 else many)

    @abstractmethod
    def add_numbered(self, table: Table, row: Row) -> int:
        """Add a row; return the number that the database gives it."""

    def delete(self, table: Table, where: Mapping[str, Any]) -> int:
        """Delete the rows that have some values; return how many."""
        return self.run(f"DELETE FROM {table.name}{_where(tuple(where))}", _selecting(where))

    def update(self, table: Table, where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
        """Change the rows that have some values; return how many."""
        changes = ", ".join(f"{name} = :{name}" for name in values)
        return self.run(f"UPDATE {table.name} SET {changes}{_where(tuple(where))}", {**_selecting(where), **values})

    def create(self, tables: Iterable[Table]) -> None:
        """Create tables."""
        for table in tables:
            columns = [
                f"{column.name} {self.number_type if column.numbers else column.type}"
                + ("" if column.nullable else " NOT NULL")
                for column in table.columns.values()
            ]
            key = f"PRIMARY KEY ({', '.join(table.key)})"
            self.run(f"CREATE TABLE {table.name} ({', '.join([*columns, key])})")


class SqliteConnection(Connection):
    """A connection to a file, or to a database in memory, of which all threads share one."""

    number_type = "INTEGER"
    now = ":clock"

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Take what opens the database, with `isolation_level` None: the driver itself begins no transaction."""
        super().__init__()
        self._connect_it = connect

    @property
    def _errors(self) -> type[Exception]:
        return sqlite3.Error

    def _connect(self) -> sqlite3.Connection:
        return self._connect_it()

    def _begin(self, *, writing: bool) -> bool:
        self.run("BEGIN IMMEDIATE" if writing else "BEGIN")  # no other program writes between its reads and its writes
        return True

    def _is_begun(self) -> bool:
        return bool(self._raw.in_transaction)

    def _decoders(self, names: Sequence[str]) -> Sequence[tuple[str, Callable[[Any], Any]]]:
        return [(name, DECODERS[name]) for name in names if name in DECODERS]

    def has_table(self, name: str) -> bool:
        """Look among the names of the file."""
        found = self.value(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name = :name", {"name": name}
        )
        return found is not None

    def add_numbered(self, table: Table, row: Row) -> int:
        """Add a row; return its `rowid`. RETURNING needs a SQLite of 2021, and Python takes that of the system."""
        with self._spoken():
            return int(self._executed(adding(table.name, tuple(row)), row).lastrowid)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Run a part of a transaction, which alone is undone after an error."""
        self.run("SAVEPOINT part")
        self.transaction = object()
        try:
            yield
        except BaseException:
            self.run("ROLLBACK TO part")
            raise
        finally:
            self.run("RELEASE part")

    def changes(self) -> int:
        """Return how many rows were ever changed."""
        return int(self._raw.total_changes)


class PostgresConnection(Connection):
    """A connection to a PostgreSQL server."""

    number_type = "SERIAL"
    now = "CAST(extract(epoch FROM clock_timestamp()) AS FLOAT(53))"
    locking = " FOR UPDATE"

    def __init__(self, settings: Mapping[str, Any], begin: str) -> None:
        """Take the settings of libpq, and the statements that begin a transaction which writes.

        ImportError where psycopg is not installed.
        """
        super().__init__()
        import psycopg.types.json  # noqa: PLC0415 - 60 ms, and only this needs it

        self.driver = psycopg
        self._settings, self._begins = settings, begin

    @property
    def _errors(self) -> type[Exception]:
        return self.driver.Error

    def _connect(self) -> Any:
        raw = self.driver.connect(**self._settings, autocommit=True)
        self.driver.types.json.set_json_loads(decoded, raw)
        return raw

    def _executed(self, statement: str, values: Mapping[str, Any] | list[Row]) -> Any:
        try:
            return super()._executed(statement, values)
        except self._errors:
            raise
        except BaseException:  # a signal: the server may still be answering
            self.close()
            raise

    def _text(self, statement: str) -> str:
        return _with_percent(statement)

    def _is_lost(self) -> bool:
        return self._raw is None or self._raw.closed

    def _begin(self, *, writing: bool) -> bool:
        if writing:
            self.run(self._begins)
        return writing  # a statement that only reads needs no transaction

    def _is_begun(self) -> bool:
        return bool(self._raw.info.transaction_status != self.driver.pq.TransactionStatus.IDLE)

    def has_table(self, name: str) -> bool:
        """Look along the search path, in a table: `to_regclass` answers from what the session saw before it waited."""
        visible = "SELECT 1 FROM pg_catalog.pg_class WHERE relname = :name AND pg_catalog.pg_table_is_visible(oid)"
        return self.value(visible, {"name": name}) is not None

    def add_numbered(self, table: Table, row: Row) -> int:
        """Add a row; return the number of its key."""
        return int(self.value(f"{adding(table.name, tuple(row))} RETURNING {table.key[0]}", row))


def adding(table: str, names: Sequence[str]) -> str:
    """Return the statement that adds a row with values in these columns."""
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


@cache
def _where(names: tuple[str, ...]) -> str:
    return f" WHERE {' AND '.join(f'{name} = :of_{name}' for name in names)}" if names else ""


def _selecting(where: Mapping[str, Any]) -> dict[str, Any]:
    return {f"of_{name}": value for name, value in where.items()}


@cache
def _with_percent(statement: str) -> str:
    """Return a statement with the parameters of psycopg. Texts are built from names of columns: there are few."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement.replace("%", "%%"))
