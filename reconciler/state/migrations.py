"""Upgrading an older state to this version's tables: an ordered list of steps, each one transaction.

A step only adds tables, and columns with a default. So the code that reads a state also reads an older one, and a plan
never writes. A step is frozen: it describes its version, and does not follow later changes of `schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, column, select, table, update

from reconciler.model.objects import Lease
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


MIGRATIONS: tuple[Migration, ...] = ()
"""In the order of their versions, without a gap. Empty as long as there is only one version."""


def migrate(connection: Connection, found: int) -> None:
    """Run every step above version `found`, and record the version."""
    for step in MIGRATIONS:
        if step.version > found:
            step.run(connection)
            connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(step.version)))


def all_leases(connection: Connection) -> tuple[Lease, ...]:
    """Return every lease of every project in a state of any version."""
    rows = connection.execute(select(_leases))
    return tuple(Lease(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name
