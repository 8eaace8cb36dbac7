"""A state that something else wrote into: rows in each table, and what their cells may hold instead."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress

DEEP = "[" * 100_000 + "]" * 100_000

JUNK = (
    *(None, 0, -1, 7, 2**63 - 1, 1.5, float("inf"), "", "x", "null", "[]", "{}", "0", '"x"', "[1, null]", '{"a": 1}'),
    *("{", "[[", '{"a": NaN}', '{"a": 1e999}', '{"slots": 5}', '{"slots": [5]}', '{"slots": {"a": {}}}', '"\\ud800"'),
    *(
        '["Session/none", 5]',
        '["yoga"]',
        b"\xff\xfe",
        b"{}",
        "\x00",
        "\x1b[2J",
        "9" * 5000,
        DEEP,
        "2027-13-45",
        "é" * 300,
    ),
    *('{"price": {"a": []}, "name": 5, "start_date": 7, "time": [], "spaces": "many", "duration": {}}',),
    *('{"name": null, "start": 5, "end": "never", "resource_id": [], "items": 3, "address": 7, "repeat": 99}',),
)
"""What a cell may hold instead of its value."""


def fill(file):
    """Add rows to the tables that are empty; there must be an object."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.row_factory = sqlite3.Row
        found = dict(connection.execute("SELECT * FROM reconciler_objects WHERE kind = 'Session'").fetchone())
        usual = {
            **found,
            "run_id": "r0",
            "fields": "{}",
            "started_at": "2026-01-01T00:00:00Z",
            "pending_until": "",
            "ids": '["1"]',
            "holder": "me",
            "host": "h",
            "pid": 5,
            "since": "s",
            "beat": 0.0,
            "expires": 0.0,
            "machine": "",
            "digest": "d",
            "forgotten_at": "x",
            "command": "apply",
            "origin": "https://h",
            "effect": "create",
        }
        for table in {name for name, _ in cells(file)} - {"reconciler_meta", "reconciler_objects"}:
            columns = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})") if row["name"] in usual]
            values = [usual[name] for name in columns]
            marks = ", ".join("?" * len(columns))
            connection.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)


def cells(file):
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in names if name.startswith("reconciler_")]
        return sorted(
            (table, column[1]) for table in tables for column in connection.execute(f"PRAGMA table_info({table})")
        )


def spoil(whole, file, cell, junk):
    """Make `file` a copy of a whole state with junk in a cell of every row, past every constraint."""
    table, column = cell
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copy(whole, file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
        connection.execute("PRAGMA writable_schema=RESET")
        with suppress(sqlite3.IntegrityError):  # a number of a row is always one
            connection.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (junk,))
