"""The tables of the state and their version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
)

VERSION = 4
"""Version of the tables below. `migrations` upgrades an older state to it; a newer state is refused."""

metadata = MetaData()

SINCE = "since"
"""The key of a column's `info` with the version that added it. A query of an older state leaves the column out."""


def _scoped(name: str, *columns: Column[Any], key: tuple[str, ...] | None) -> Table:
    """Declare a table whose rows each belong to one project and environment, which begin its primary key.

    `key` names the rest of the primary key; None where a column is marked as the key itself.
    """
    scope = (
        Column("project", String(255), nullable=False),
        Column("environment", String(255), nullable=False),
    )
    keys = () if key is None else (PrimaryKeyConstraint("project", "environment", *key),)
    return Table(name, metadata, *scope, *columns, *keys)


def in_scope(table: Table, scope: Mapping[str, str]) -> ColumnElement[bool]:
    """Return the condition that a row belongs to the project and environment of `scope`."""
    return and_(*(table.c[name] == value for name, value in scope.items()))


meta = Table(
    "reconciler_meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

objects = _scoped(
    "reconciler_objects",
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("connection", String(255), nullable=False),
    Column("target", String(1024), nullable=False),
    Column("remote_id", String(255), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("computed", JSON, nullable=False),
    Column("protect", Boolean, nullable=False),
    Column("depends_on", JSON, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("written_by", String(64), info={SINCE: 4}),
    key=("kind", "name"),
)
"""One row for each managed object. `written_by` is the run that last wrote it: of `runs`, or of another command."""

intents = _scoped(
    "reconciler_intents",
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("connection", String(255), nullable=False),
    Column("target", String(1024), nullable=False),
    Column("effect", String(16), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("pending_until", String(32), nullable=False),
    Column("token", String(32)),
    key=None,
)
"""Writing calls that were about to be sent. A row that is still there has an unknown result.

The run makes `token`, so that a transaction whose commit was not confirmed can be repeated without a second row.
"""

baselines = _scoped(
    "reconciler_baselines",
    Column("run_id", String(64), nullable=False),
    Column("connection", String(255), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("ids", JSON, nullable=False),
    key=("run_id", "connection", "kind"),
)
"""Which ids were live before a run created anything. A newer id may come from a create whose answer was lost."""

leases = _scoped(
    "reconciler_leases",
    Column("run_id", String(64), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", String(32), nullable=False),
    Column("beat", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("machine", String(255), nullable=False),
    key=(),
)
"""At most one writing run for each project and environment.

`beat` is the holder's last heartbeat. From `expires` on it looks dead without another one. Both are Unix time by the
database's clock. `machine` distinguishes two hosts of one name and two processes of one number (`holder`).
"""

hosts = _scoped(
    "reconciler_hosts",
    Column("origin", String(1024), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("since", String(32), nullable=False),
    key=("origin",),
)
"""The hosts that runs which wrote have sent credentials to, each with the first such run. Another host is refused."""

doubts = _scoped(
    "reconciler_doubts",
    Column("run_id", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("connection", String(255), nullable=False),
    Column("target", String(1024), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("fields", JSON, nullable=False),
    key=("run_id", "kind", "name"),
)
"""Creates of unknown result that were settled: a server may still execute one of them."""

seen = _scoped(
    "reconciler_seen",
    Column("target", String(1024), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("ids", JSON, nullable=False),
    key=("target", "kind"),
)
"""Which ids of objects that are not managed were live before a run wrote, and were no duplicate of a managed one."""

forgotten = _scoped(
    "reconciler_forgotten",
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("forgotten_at", String(32), nullable=False),
    key=("kind", "name"),
)
"""Objects that expired and are no longer managed. The same declaration (its digest) is not created a second time."""

runs = _scoped(
    "reconciler_runs",
    Column("run_id", String(64), nullable=False),
    Column("command", String(64), nullable=False),
    Column("plan_digest", String(80)),
    Column("started_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Column("ended", String(16)),
    Column("context", JSON(none_as_null=True), info={SINCE: 4}),
    key=("run_id",),
)
"""Every run that wrote, and how it ended. The digest identifies a saved plan. A run without an end was killed.

`context` says who started it and where, as texts by name: `holder` and `host`, in a pipeline also what that states.
"""

drift = _scoped(
    "reconciler_drift",
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("sightings", JSON, nullable=False),
    key=("kind", "name"),
)
"""When each field of a managed object was seen with a value from outside: the latest sightings by path, oldest first.

The path is empty where the whole object was missing or expired.
"""

unmanaged = _scoped(
    "reconciler_unmanaged",
    Column("target", String(1024), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("first_seen", JSON, nullable=False),
    key=("target", "kind"),
)
"""When each live object that is not managed was first reported, by its id."""
