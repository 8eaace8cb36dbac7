"""Rows of the state's tables as files of a branch: one readable JSON file each, generic over the tables.

`acme/prod/objects/Session/yoga.json`: project, environment (`_default` without one), table, kind and name where the
table has them, then the rest of the primary key. A file holds its whole row, and its path follows from the row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reconciler.state.rows import Damaged, Row, decoded
from reconciler.state.schema import BOOLEAN, FLOAT, INTEGER, JSON, TABLES, VERSION, Table, leases, meta

FORMAT = "format.json"
"""The file that says that a branch is a state, and of which version."""

LEASE = "lease.json"
"""The one file of a lease's ref."""

LARGEST = 16 * 1024 * 1024
"""Maximum size in bytes of one file."""

_KIND = "reconciler-state"

_PREFIX = "reconciler_"

_SUFFIX = ".json"

_LONGEST = 100
"""Characters of a part of a path; file systems limit them, and a longer one ends with a digest."""

FOLDERS: Mapping[str, Table] = {
    name.removeprefix(_PREFIX): table for name, table in sorted(TABLES.items()) if table not in (meta, leases)
}
"""The tables that are files of the branch, by the name of their folder."""

_DEPTH = 3
"""Folders above the files of a table: project, environment, table."""

_INTEGERS = range(-(2**63), 2**63)


def scope_of(row: Row) -> str:
    """Return the folder of a row's project and environment, which also names the ref of its lease."""
    return f"{_part(row['project'])}/{_part(row['environment'])}"


def path_of(folder: str, row: Row) -> str:
    """Return the path of a row of the table with this folder."""
    table = FOLDERS[folder]
    keys = [name for name in table.key if name not in {"project", "environment"}]
    first = [name for name in ("kind", "name") if {"kind", "name"} <= table.columns.keys()]
    names = [*first, *(key for key in keys if key not in first)]
    return f"{scope_of(row)}/{folder}/{'/'.join(_part(str(row[name])) for name in names)}{_SUFFIX}"


def folder_of(path: str) -> str | None:
    """Return the folder of the table that a file belongs to; None for a file that is not of a state."""
    parts = path.split("/")
    return parts[_DEPTH - 1] if len(parts) > _DEPTH and parts[_DEPTH - 1] in FOLDERS else None


def written(row: Row) -> bytes:
    """Return the content of a row's file, always the same for the same row."""
    return (json.dumps(dict(row), indent=2, ensure_ascii=False) + "\n").encode()


def read(path: str, content: bytes) -> Row:
    """Read the file of a row; Damaged where it is not what this program writes there."""
    folder = path.split("/")[_DEPTH - 1]
    row = _row(path, content, FOLDERS[folder])
    if path_of(folder, row) != path:
        raise Damaged(f"the file {path} holds a record that belongs to {path_of(folder, row)}")
    return row


def written_lease(row: Row | None, scope: str) -> bytes:
    """Return the content of a lease's file: its holder, or that it was released."""
    return written({"lease": "held", **row} if row is not None else {"lease": "released", "scope": scope})


def read_lease(scope: str, content: bytes) -> Row | None:
    """Read the file of a lease; None where it was released."""
    stated = _mapping(LEASE, content)
    if stated.pop("lease", None) == "released":
        return None
    row = _checked(LEASE, stated, leases)
    if scope_of(row) != scope:
        raise Damaged(f"the lease of {scope} names another project or environment")
    return row


def written_format() -> bytes:
    """Return the content of the format's file."""
    return written({"format": _KIND, "schema_version": VERSION})


def read_format(content: bytes) -> int:
    """Return the schema version of a branch; Damaged where the file is not one of a state."""
    stated = _mapping(FORMAT, content)
    version = stated.get("schema_version")
    if stated.get("format") != _KIND or type(version) is not int:
        raise Damaged(f"the file {FORMAT} is not the one of a state of reconciler")
    return version


def digest(content: bytes) -> str:
    """Return the id that Git gives to a file."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _row(path: str, content: bytes, table: Table) -> dict[str, Any]:
    return _checked(path, _mapping(path, content), table)


def _mapping(path: str, content: bytes) -> dict[str, Any]:
    try:
        found = decoded(content)
    except (Damaged, UnicodeDecodeError):
        raise Damaged(f"the file {path} is not valid JSON") from None
    if not isinstance(found, dict):
        raise Damaged(f"the file {path} is not a JSON object")
    return found


def _checked(path: str, stated: dict[str, Any], table: Table) -> dict[str, Any]:
    """Return a row with a value of the right type in every column. One that an older version lacks is empty."""
    unknown = sorted(stated.keys() - table.columns.keys())
    if unknown:
        raise Damaged(f"the file {path} has an unknown key {unknown[0][:_LONGEST]}")
    row = {name: stated.get(name) for name in table.columns}
    for name, value in row.items():
        column = table.columns[name]
        if value is None and name not in stated and not column.nullable:
            raise Damaged(f"the file {path} has no {name}")
        if not ((value is None and column.nullable) or _fits(column.type, value)):
            raise Damaged(f"the file {path} has invalid {name}")
    return row


def _fits(kind: str, value: object) -> bool:
    """Return whether a column of a type can hold a value; `rows.checked` looks closer when a row is used."""
    if kind == JSON:
        return value is not None
    if kind == BOOLEAN:
        return isinstance(value, bool)
    if kind in {INTEGER, FLOAT} and type(value) is int:
        return value in _INTEGERS
    if kind in {INTEGER, FLOAT}:
        return kind == FLOAT and type(value) is float
    return isinstance(value, str)


def _part(text: str) -> str:
    """Return a text as one part of a path and of a ref. Names of environments never begin with `_`."""
    if not text:
        return "_default"
    plain = quote(text, safe="").replace(".", "%2E").replace("~", "%7E")
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 17]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
