"""The tables of the state and their version."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

VERSION = 4
"""Version of the tables below. `migrations` upgrades an older state to it; a newer state is refused."""

FIRST = 1
"""The oldest version that was ever released."""

JSON, BOOLEAN, INTEGER, FLOAT, TEXT = "JSON", "BOOLEAN", "INTEGER", "FLOAT", "TEXT"
"""Types that SQLite and PostgreSQL both know; so is VARCHAR."""


class Column(Struct, frozen=True):
    """A column of a table."""

    name: str
    type: str
    nullable: bool = False
    since: int = FIRST
    """The version that added it. A query of an older state leaves it out."""
    numbers: bool = False
    """Whether the database numbers the rows with it."""


class Table(Struct, frozen=True, kw_only=True, eq=False):
    """A table of the state."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]


TABLES: dict[str, Table] = {}
"""All tables by name."""

_SCOPE = ("project", "environment")

IN_SCOPE = " AND ".join(f"{name} = :{name}" for name in _SCOPE)
"""The condition that a row belongs to the project and environment in the parameters of these names."""


def text(length: int) -> str:
    """Return the type of a text of at most so many characters."""
    return f"VARCHAR({length})"


def table(name: str, *columns: Column, key: tuple[str, ...]) -> Table:
    """Return a table whose rows each belong to one project and environment, which begin its primary key.

    `key` names the rest of the primary key. A column that numbers the rows is the key alone.
    """
    scope = tuple(Column(each, text(255)) for each in _SCOPE)
    numbers = tuple(column.name for column in columns if column.numbers)
    return Table(name=name, columns={each.name: each for each in (*scope, *columns)}, key=numbers or (*_SCOPE, *key))


def _scoped(name: str, *columns: Column, key: tuple[str, ...] = ()) -> Table:
    TABLES[name] = table(name, *columns, key=key)
    return TABLES[name]


meta = Table(
    name="reconciler_meta",
    columns={"key": Column("key", text(64)), "value": Column("value", TEXT)},
    key=("key",),
)
TABLES[meta.name] = meta

objects = _scoped(
    "reconciler_objects",
    Column("kind", text(64)),
    Column("name", text(63)),
    Column("connection", text(255)),
    Column("target", text(1024)),
    Column("remote_id", text(255)),
    Column("fields", JSON),
    Column("computed", JSON),
    Column("protect", BOOLEAN),
    Column("depends_on", JSON),
    Column("created_at", text(32)),
    Column("updated_at", text(32)),
    Column("written_by", text(64), nullable=True, since=4),
    key=("kind", "name"),
)
"""One row for each managed object. `written_by` is the run that last wrote it: of `runs`, or of another command."""

intents = _scoped(
    "reconciler_intents",
    Column("number", INTEGER, numbers=True),
    Column("run_id", text(64)),
    Column("kind", text(64)),
    Column("name", text(63)),
    Column("connection", text(255)),
    Column("target", text(1024)),
    Column("effect", text(16)),
    Column("fields", JSON),
    Column("started_at", text(32)),
    Column("pending_until", text(32)),
    Column("token", text(32), nullable=True),
)
"""Writing calls that were about to be sent. A row that is still there has an unknown result.

The run makes `token`, so that a transaction whose commit was not confirmed can be repeated without a second row.
"""

baselines = _scoped(
    "reconciler_baselines",
    Column("run_id", text(64)),
    Column("connection", text(255)),
    Column("kind", text(64)),
    Column("ids", JSON),
    key=("run_id", "connection", "kind"),
)
"""Which ids were live before a run created anything. A newer id may come from a create whose answer was lost."""

leases = _scoped(
    "reconciler_leases",
    Column("run_id", text(64)),
    Column("holder", text(255)),
    Column("host", text(255)),
    Column("pid", INTEGER),
    Column("since", text(32)),
    Column("beat", FLOAT),
    Column("expires", FLOAT),
    Column("machine", text(255)),
)
"""At most one writing run for each project and environment.

`beat` is the holder's last heartbeat. From `expires` on it looks dead without another one. Both are Unix time by the
database's clock. `machine` distinguishes two hosts of one name and two processes of one number (`holder`).
"""

hosts = _scoped(
    "reconciler_hosts",
    Column("origin", text(1024)),
    Column("run_id", text(64)),
    Column("since", text(32)),
    key=("origin",),
)
"""The hosts that runs which wrote have sent credentials to, each with the first such run. Another host is refused."""

doubts = _scoped(
    "reconciler_doubts",
    Column("run_id", text(64)),
    Column("kind", text(64)),
    Column("name", text(63)),
    Column("connection", text(255)),
    Column("target", text(1024)),
    Column("started_at", text(32)),
    Column("fields", JSON),
    key=("run_id", "kind", "name"),
)
"""Creates of unknown result that were settled: a server may still execute one of them."""

seen = _scoped(
    "reconciler_seen",
    Column("target", text(1024)),
    Column("kind", text(64)),
    Column("ids", JSON),
    key=("target", "kind"),
)
"""Which ids of objects that are not managed were live before a run wrote, and were no duplicate of a managed one."""

forgotten = _scoped(
    "reconciler_forgotten",
    Column("kind", text(64)),
    Column("name", text(63)),
    Column("digest", text(80)),
    Column("forgotten_at", text(32)),
    key=("kind", "name"),
)
"""Objects that expired and are no longer managed. The same declaration (its digest) is not created a second time."""

runs = _scoped(
    "reconciler_runs",
    Column("run_id", text(64)),
    Column("command", text(64)),
    Column("plan_digest", text(80), nullable=True),
    Column("started_at", text(32)),
    Column("ended_at", text(32), nullable=True),
    Column("ended", text(16), nullable=True),
    Column("context", JSON, nullable=True, since=4),
    key=("run_id",),
)
"""Every run that wrote, and how it ended. The digest identifies a saved plan. A run without an end was killed.

`context` says who started it and where, as texts by name: `holder` and `host`, in a pipeline also what that states.
"""

drift = _scoped(
    "reconciler_drift",
    Column("kind", text(64)),
    Column("name", text(63)),
    Column("sightings", JSON),
    key=("kind", "name"),
)
"""When each field of a managed object was seen with a value from outside: the latest sightings by path, oldest first.

The path is empty where the whole object was missing or expired.
"""

unmanaged = _scoped(
    "reconciler_unmanaged",
    Column("target", text(1024)),
    Column("kind", text(64)),
    Column("first_seen", JSON),
    key=("target", "kind"),
)
"""When each live object that is not managed was first reported, by its id."""
