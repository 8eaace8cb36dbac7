"""Upgrading an older state to this version's tables: an ordered list of steps, each one transaction.

A step only adds tables, and columns with a default. So the code that reads a state also reads an older one, and a plan
never writes. A step is frozen: it describes its version, and does not follow later changes of `schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from reconciler.model.objects import Lease
from reconciler.state.connection import Connection
from reconciler.state.rows import checked, lease_of
from reconciler.state.schema import FIRST, JSON, Column, Table, leases, meta, table, text


class Migration(Struct, frozen=True, kw_only=True):
    """One step."""

    version: int
    """The version that the step leads to."""
    run: Callable[[Connection], None]
    """Changes the tables, inside the caller's transaction."""


_LENGTHS = {"name": 63, "run_id": 64, "kind": 64, "origin": 1024, "started_at": 32, "since": 32, "target": 1024}


def _table(name: str, keys: tuple[str, ...], texts: tuple[str, ...], *documents: str) -> Table:
    columns = [Column(each, text(_LENGTHS.get(each, 255))) for each in (*keys, *texts)]
    return table(name, *columns, *(Column(each, JSON) for each in documents), key=keys)


def _add_hosts(connection: Connection) -> None:
    """Add the table of the hosts that credentials were sent to."""
    connection.create([_table("reconciler_hosts", ("origin",), ("run_id", "since"))])


def _add_doubts(connection: Connection) -> None:
    """Add the tables with which a run finds what exists twice."""
    doubts = _table("reconciler_doubts", ("run_id", "kind", "name"), ("connection", "target", "started_at"), "fields")
    connection.create([doubts, _table("reconciler_seen", ("target", "kind"), (), "ids")])


def _add_drift(connection: Connection) -> None:
    """Add who wrote last, and the tables of what was seen to change outside."""
    for words in ("reconciler_objects ADD COLUMN written_by VARCHAR(64)", "reconciler_runs ADD COLUMN context JSON"):
        connection.run(f"ALTER TABLE {words}")
    drift = _table("reconciler_drift", ("kind", "name"), (), "sightings")
    connection.create([drift, _table("reconciler_unmanaged", ("target", "kind"), (), "first_seen")])


MIGRATIONS: tuple[Migration, ...] = (
    Migration(version=2, run=_add_hosts),
    Migration(version=3, run=_add_doubts),
    Migration(version=4, run=_add_drift),
)
"""In the order of their versions, without a gap."""


def is_version(text: str, newest: int) -> bool:
    """Return whether this program, whose version is `newest`, supports the version that a state says it has."""
    return text in {str(number) for number in range(FIRST, newest + 1)}


def version_in(connection: Connection) -> Any:
    """Return the version that a state says it has; None where it says nothing."""
    return next((row["value"] for row in connection.select(meta, {"key": "schema_version"})), None)


def migrate(connection: Connection, found: int) -> None:
    """Run every step above version `found`, and record the version."""
    for step in MIGRATIONS:
        if step.version > found:
            step.run(connection)
            connection.update(meta, {"key": "schema_version"}, {"value": str(step.version)})


def all_leases(connection: Connection) -> tuple[Lease, ...]:
    """Return every lease of every project in a state of any version."""
    return tuple(lease_of(checked(row)) for row in connection.select(leases, {}))
