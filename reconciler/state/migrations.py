"""Bringing an older state to this version's tables: an ordered list of steps, each one transaction.

A step only adds (tables, columns with a default), so what reads a state reads an older one as well: a plan never
writes. Definitions here are frozen: they say what a version was, and do not follow `schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, column, select, table, update

from reconciler.model.objects import Lease
from reconciler.state.schema import meta

FIRST = 1
"""The oldest version that was ever released."""

_V1_EXPIRY = 90.0

_V1_LEASE = ("run_id", "holder", "host", "pid", "since", "beat")
_leases = table("reconciler_leases", *(column(name) for name in (*_V1_LEASE, "expires")))


_TO_2 = """
ALTER TABLE reconciler_intents ADD COLUMN token VARCHAR(32);
ALTER TABLE reconciler_leases ADD COLUMN expires FLOAT DEFAULT '0' NOT NULL;
ALTER TABLE reconciler_leases ADD COLUMN machine VARCHAR(255) DEFAULT '' NOT NULL;
CREATE TABLE reconciler_runs (
    project VARCHAR(255) NOT NULL,
    environment VARCHAR(255) NOT NULL,
    run_id VARCHAR(64) NOT NULL,
    command VARCHAR(64) NOT NULL,
    plan_digest VARCHAR(80),
    started_at VARCHAR(32) NOT NULL,
    ended_at VARCHAR(32),
    ended VARCHAR(16),
    PRIMARY KEY (project, environment, run_id)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step up to `version`, run inside the caller's transaction."""

    version: int
    run: Callable[[Connection], None]


def _to_2(connection: Connection) -> None:
    """Add the record of runs, and to leases and intents what makes them hold across hosts and restarts."""
    for statement in _TO_2.split(";"):
        connection.exec_driver_sql(statement)
    connection.execute(update(_leases).values(expires=_leases.c.beat + _V1_EXPIRY))


MIGRATIONS = (Migration(version=2, run=_to_2),)
"""In order, without a gap."""


def migrate(connection: Connection, found: int) -> None:
    """Run every step above version `found`, and write the version down."""
    for step in MIGRATIONS:
        if step.version > found:
            step.run(connection)
            connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(step.version)))


def old_leases(connection: Connection, found: int) -> tuple[Lease, ...]:
    """Return every lease in a state of version `found`, whatever project it belongs to."""
    expires = _leases.c.expires if found > FIRST else (_leases.c.beat + _V1_EXPIRY).label("expires")
    rows = connection.execute(select(*(_leases.c[name] for name in _V1_LEASE), expires))
    return tuple(Lease(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name
