"""Upgrading an older state to this version's tables: an ordered list of steps, each one transaction.

A step only adds tables, and columns with a default. So the code that reads a state also reads an older one, and a plan
never writes. A step is frozen: it describes its version, and does not follow later changes of `schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    column,
    select,
    table,
    update,
)

from reconciler.model.objects import Lease
from reconciler.state.rows import checked
from reconciler.state.schema import meta

FIRST = 1
"""The oldest version that was ever released."""

_leases = table(
    "reconciler_leases",
    *(column(name) for name in ("run_id", "holder", "host", "pid", "since", "beat", "expires", "machine")),
)
"""The columns of a lease in every version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step."""

    version: int
    """The version that the step leads to."""
    run: Callable[[Connection], None]
    """Changes the tables, inside the caller's transaction."""


def _add_hosts(connection: Connection) -> None:
    """Add the table of the hosts that credentials were sent to."""
    lengths = {"project": 255, "environment": 255, "origin": 1024, "run_id": 64, "since": 32}
    columns = (Column(name, String(length), nullable=False) for name, length in lengths.items())
    Table("reconciler_hosts", MetaData(), *columns, PrimaryKeyConstraint("project", "environment", "origin")).create(
        connection
    )


def _add_doubts(connection: Connection) -> None:
    """Add the tables with which a run finds what exists twice."""
    tables = MetaData()
    _table(tables, "reconciler_doubts", ("run_id", "kind", "name"), ("connection", "target", "started_at"), "fields")
    _table(tables, "reconciler_seen", ("target", "kind"), (), "ids")
    tables.create_all(connection)


_LENGTHS = {"name": 63, "run_id": 64, "kind": 64, "started_at": 32, "target": 1024}


def _table(tables: MetaData, name: str, keys: tuple[str, ...], others: tuple[str, ...], value: str) -> None:
    keys = ("project", "environment", *keys)
    texts = (Column(each, String(_LENGTHS.get(each, 255)), nullable=False) for each in (*keys, *others))
    Table(name, tables, *texts, Column(value, JSON, nullable=False), PrimaryKeyConstraint(*keys))


def _add_drift(connection: Connection) -> None:
    """Add who wrote last, and the tables of what was seen to change outside."""
    for words in ("reconciler_objects ADD COLUMN written_by VARCHAR(64)", "reconciler_runs ADD COLUMN context JSON"):
        connection.exec_driver_sql(f"ALTER TABLE {words}")
    tables = MetaData()
    _table(tables, "reconciler_drift", ("kind", "name"), (), "sightings")
    _table(tables, "reconciler_unmanaged", ("target", "kind"), (), "first_seen")
    tables.create_all(connection)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(version=2, run=_add_hosts),
    Migration(version=3, run=_add_doubts),
    Migration(version=4, run=_add_drift),
)
"""In the order of their versions, without a gap."""


def is_version(text: str, newest: int) -> bool:
    """Return whether this program, whose version is `newest`, supports the version that a state says it has."""
    return text in {str(number) for number in range(FIRST, newest + 1)}


def migrate(connection: Connection, found: int) -> None:
    """Run every step above version `found`, and record the version."""
    for step in MIGRATIONS:
        if step.version > found:
            step.run(connection)
            connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(step.version)))


def all_leases(connection: Connection) -> tuple[Lease, ...]:
    """Return every lease of every project in a state of any version."""
    rows = connection.execute(select(_leases))
    return tuple(Lease(**checked(row)._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name
