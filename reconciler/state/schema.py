"""The tables of the state, and how their version is kept."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

VERSION = 2
"""Version of the tables below; `migrations` brings an older state here, a newer one is refused, never guessed at."""

metadata = MetaData()

meta = Table(
    "reconciler_meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

objects = Table(
    "reconciler_objects",
    metadata,
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
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
    PrimaryKeyConstraint("project", "environment", "kind", "name"),
)
"""One row for each managed object. Project and environment keep two environments' ids apart."""

intents = Table(
    "reconciler_intents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
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
)
"""Writing calls that were about to be sent: a row that is still there has an unknown result.

`token` is made by the run, so that a transaction whose commit was not confirmed can be repeated without a second row.
"""

sightings = Table(
    "reconciler_sightings",
    metadata,
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("connection", String(255), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("ids", JSON, nullable=False),
    PrimaryKeyConstraint("project", "environment", "run_id", "connection", "kind"),
)
"""Which ids were live before a run created anything: what is new since may be what a lost answer made."""

leases = Table(
    "reconciler_leases",
    metadata,
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("holder", String(255), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("since", String(32), nullable=False),
    Column("beat", Float, nullable=False),
    Column("expires", Float, nullable=False, server_default="0"),
    Column("machine", String(255), nullable=False, server_default=""),
    PrimaryKeyConstraint("project", "environment"),
)
"""At most one writing run for each project and environment.

`beat` is the holder's last sign of life and `expires` when it counts as dead without another, both in Unix time by
the database's clock; `machine` tells two hosts of one name apart.
"""

forgotten = Table(
    "reconciler_forgotten",
    metadata,
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("name", String(63), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("forgotten_at", String(32), nullable=False),
    PrimaryKeyConstraint("project", "environment", "kind", "name"),
)
"""Objects that expired and were given up: what was declared then (its digest) is not made once more."""

runs = Table(
    "reconciler_runs",
    metadata,
    Column("project", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("command", String(64), nullable=False),
    Column("plan_digest", String(80)),
    Column("started_at", String(32), nullable=False),
    Column("ended_at", String(32)),
    Column("ended", String(16)),
    PrimaryKeyConstraint("project", "environment", "run_id"),
)
"""Every run that wrote, and how it ended; a saved plan is known again by its digest. Never ended: it was killed."""
