"""Everything that is recorded of one project and environment, as it is moved from one state to another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.state.backups import rows
from reconciler.state.connection import Connection
from reconciler.state.restore import place
from reconciler.state.schema import TABLES, intents, leases, meta, objects

Contents = Mapping[str, list[dict[str, Any]]]
"""Rows by table, in one order. The numbers of intents belong to a state; leases are not moved."""

_MOVED = {name: table for name, table in sorted(TABLES.items()) if table not in (meta, leases)}

_NUMBER = "number"


def contents(connection: Connection, scope: Mapping[str, str]) -> Contents:
    """Return the rows of a state, also of an older one."""
    found = {name: items for name, items in rows(connection, scope).items() if name in _MOVED and items}
    return {name: [_plain(row) for row in sorted(items, key=_order)] for name, items in found.items()}


def receive(connection: Connection, scope: Mapping[str, str], given: Contents, label: str) -> None:
    """Insert rows; ReconcilerError where the state has other ones already."""
    present = contents(connection, scope)
    if present == given:
        return  # a first try was not confirmed
    check_empty(present, scope, label)
    for name, items in given.items():
        connection.insert(_MOVED[name], *items)  # the numbers of intents follow their order


def check_empty(present: Contents, scope: Mapping[str, str], label: str) -> None:
    """Raise ReconcilerError where a state has rows of a project and environment."""
    number = sum(map(len, present.values()))
    if number:
        message = f"the state {label} already has {number} records of {place(**scope)}"
        raise ReconcilerError(message, hint="choose another state; to use that one, set spec.state to it")


def counts(given: Contents) -> tuple[int, int, int]:
    """Return how many objects, calls with an unknown result, and other rows there are."""
    found = [len(given.get(table.name, ())) for table in (objects, intents)]
    return found[0], found[1], sum(map(len, given.values())) - sum(found)


def _order(row: Mapping[str, Any]) -> tuple[int, str]:
    return int(row.get(_NUMBER, 0)), json.dumps(_plain(row), sort_keys=True)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != _NUMBER}
