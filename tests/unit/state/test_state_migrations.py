"""A state that an older version wrote: read as it is, migrated by the first write, kept as it was."""

from __future__ import annotations

import json
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address
from reconciler.state import database
from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.migrations import MIGRATIONS
from reconciler.state.schema import VERSION, metadata
from reconciler.state.store import Store

DATA = Path(__file__).parent / "data"
FILES = {"sqlite": "state_v1.sql", "postgresql": "state_v1_postgres.sql"}
LONG_AGO, SOON = 1_000_000_000.0, 90.0


class Old:
    """A state of version 1, as its own code wrote it, whose lease ended long ago."""

    def __init__(self, url, folder):
        self.url, self.folder, self.notices = url, folder, []
        backend = make_url(url).get_backend_name()
        script = (DATA / FILES[backend]).read_text(encoding="utf-8")
        if backend == "sqlite":
            path = Path(make_url(url).database)
            path.parent.mkdir(parents=True)
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(script)
        else:
            self.sql(script)
        self.sql(f"UPDATE reconciler_leases SET beat = {LONG_AGO}")

    def sql(self, script):
        engine = create_engine(make_url(self.url.replace("postgresql:", "postgresql+psycopg:")))
        try:
            with engine.begin() as connection:
                done = connection.execute(text(script.replace(":", r"\:")))
                return done.all() if done.returns_rows else None
        finally:
            engine.dispose()

    @property
    def version(self):
        return self.sql("SELECT value FROM reconciler_meta WHERE key = 'schema_version'")[0][0]

    def store(self, **scope):
        return Store(self.url, **{"project": "acme", **scope}, folder=self.folder, notice=self.notices.append)

    def backups(self):
        beside = Path(make_url(self.url).database).parent / "backups"
        return sorted(path for path in (*self.folder.glob("*.json"), *beside.glob("*.db")))


@pytest.fixture
def old(state_url, tmp_path):
    return Old(state_url, tmp_path / "backups")


def everything(store):
    return (
        {str(address): record for address, record in store.records().items()},
        store.open_intents(),
        dict(store.baselines()),
        dict(store.forgotten()),
    )


def test_an_older_state_is_read_as_it_is_and_left_as_it_is(old):
    with closing(old.store()) as store:
        records, intents, baselines, forgotten = everything(store)
        assert store.applied("sha256:1") is None
    assert records["Session/yoga"].fields["name"] == "Yóga 瑜伽"
    assert records["Session/yoga"].protect is True
    assert records["Block/closed"].depends_on == (Address("Resource", "court"),)
    assert records["BookingSession/group"].computed == {"items": {"room": {"slip": "17.20270707X2"}}}
    assert [(item.effect, item.fields) for item in intents] == [
        ("create", {"name": "Zumba"}),
        ("update", {"price": "36.00"}),
    ]
    assert baselines == {("run-1", "sessions", "Session"): frozenset({"123", "124"})}
    assert forgotten == {Address("BookingSession", "late"): "sha256:abc"}
    assert old.version == "1"
    assert old.backups() == []


def test_the_first_write_migrates_and_keeps_everything(old):
    with closing(old.store()) as store, closing(old.store(environment="prod")) as prod:
        before = everything(store), everything(prod)
        store.begin_run("run-2", "apply", plan_digest="sha256:1")
        assert (everything(store), everything(prod)) == before
        assert old.version == str(VERSION)
        found = store.applied("sha256:1")
        assert (found.run_id, found.command, found.ended) == ("run-2", "apply", None)
    with closing(old.store()) as again:
        assert everything(again) == before[0]
        number = again.begin(before[0][1][0])
        again.end(number)
    (kept,) = old.backups()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert old.notices == [f"The state is migrated from version 1 to {VERSION}; as it was, it is kept in {kept}."]


def test_the_backup_holds_the_state_as_it_was(old):
    with closing(old.store()) as store:
        store.begin_run("run-2", "apply")
    (kept,) = old.backups()
    if kept.suffix == ".db":
        with closing(sqlite3.connect(kept)) as connection:
            assert connection.execute("SELECT value FROM reconciler_meta").fetchall() == [("1",)]
            assert connection.execute("SELECT count(*) FROM reconciler_objects").fetchone() == (5,)
    else:
        tables = json.loads(kept.read_text(encoding="utf-8"))["reconciler_state"]
        assert tables["reconciler_meta"] == [{"key": "schema_version", "value": "1"}]
        assert len(tables["reconciler_objects"]) == 5


def test_a_migrated_state_has_the_tables_of_a_new_one(old, tmp_path):
    with closing(old.store()) as store:
        store.begin_run("run-2", "apply")
    engine = create_engine(make_url(old.url.replace("postgresql:", "postgresql+psycopg:")))
    found = inspect(engine)
    for name, table in metadata.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert columns.keys() == set(table.c.keys())
        assert {key: not item["nullable"] for key, item in columns.items()} == {
            column.name: not column.nullable for column in table.c
        }
        assert set(found.get_pk_constraint(name)["constrained_columns"]) == {c.name for c in table.primary_key}
    engine.dispose()


def test_a_run_of_the_older_version_is_waited_for_and_then_named(old):
    moment = time.time()
    old.sql(f"UPDATE reconciler_leases SET beat = {moment}, project = 'another'")
    with closing(old.store()) as store:
        with pytest.raises(ReconcilerError, match="ann on desk, process 4242") as caught, hold(store, "run-2"):
            pass
        assert "reconciler state unlock run-1" in caught.value.hint
        with pytest.raises(ReconcilerError, match="run-1 of an older reconciler"):
            store.begin_run("run-2", "apply")
        assert store.claim(myself("run-2")).run_id == "run-1"
    assert old.version == "1"
    assert old.backups() == []


def test_unlocking_frees_an_older_state_too(old):
    old.sql(f"UPDATE reconciler_leases SET beat = {time.time()}")
    with closing(old.store()) as store:
        assert store.release("run-1") is True
        assert old.version == "1"
        with hold(store, "run-2"):
            assert old.version == str(VERSION)


def test_migrations_are_without_a_gap_and_end_at_the_present_version():
    assert [step.version for step in MIGRATIONS] == list(range(2, VERSION + 1))


def test_a_migration_that_fails_leaves_the_state_as_it_was(old, monkeypatch):
    def broken(connection, found):
        real(connection, found)
        raise OSError(28, "No space left on device")

    real = database.migrate
    monkeypatch.setattr(database, "migrate", broken)
    with closing(old.store()) as store, pytest.raises(ReconcilerError, match="No space left on device"):
        store.begin_run("run-2", "apply")
    monkeypatch.undo()
    assert old.version == "1"
    with closing(old.store()) as store:
        assert len(store.records()) == 4
        store.begin_run("run-2", "apply")
    assert old.version == str(VERSION)
