"""A state of an older version: read as it is, migrated by the first write, kept as a backup.

A migration to the next version is made up here, so that these tests hold for every version.
"""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from older_state import FIRST_VERSION

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.model.sighting import Sighting
from reconciler.state import database, migrations, restore
from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.migrations import MIGRATIONS, Migration
from reconciler.state.schema import VERSION
from reconciler.state.store import Store
from reconciler.state.url import StateUrl

SEEN = Sighting(since="2027-01-01T00:00:00Z", applied="10.00", live="12.00", run_id="run-1")
NEXT = VERSION + 1
YOGA, ZUMBA = Address("Session", "yoga"), Address("Session", "zumba")
PLACE = {"connection": "sessions", "target": "uk.bookingbug.com"}
SAVED = Record(address=YOGA, **PLACE, remote_id="123", fields={"name": "Yóga 瑜伽"}, protect=True)
BEGUN = Intent(
    run_id="run-1", address=ZUMBA, **PLACE, effect="create", fields={"name": "Zumba"}, started_at="2027-01-01T00:00:00Z"
)


def next_version(connection):
    connection.run("CREATE TABLE reconciler_notes (words VARCHAR(64) DEFAULT '' NOT NULL)")
    connection.run("INSERT INTO reconciler_notes VALUES ('migrated')")


def use_next_version(monkeypatch, step=next_version):
    for module in (database, restore):
        monkeypatch.setattr(module, "VERSION", NEXT)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, Migration(version=NEXT, run=step)))


class Old:
    """A state that the present version wrote, to be opened by the next one."""

    def __init__(self, url, folder):
        self.url, self.folder, self.notices = url, folder, []
        with closing(self.store()) as store, closing(self.store(environment="prod")) as prod:
            store.save(SAVED)
            prod.save(SAVED)
            store.begin(BEGUN)
            store.record_baseline("run-1", {("sessions", "Session"): {"123", "124"}})
            store.remove(Address("BookingSession", "late"), given_up="sha256:abc")
            store.begin_run("run-1", "apply", plan_digest="sha256:0")

    def sql(self, script):
        path = self.url.removeprefix("sqlite:///")
        with (
            closing(sqlite3.connect(path) if path != self.url else psycopg.connect(self.url)) as connection,
            connection,
        ):
            done = connection.execute(script)
            return done.fetchall() if done.description else None

    @property
    def version(self):
        return int(self.sql("SELECT value FROM reconciler_meta WHERE key = 'schema_version'")[0][0])

    def store(self, **scope):
        return Store(self.url, **{"project": "acme", **scope}, folder=self.folder, notice=self.notices.append)

    def backups(self):
        beside = Path(StateUrl.parse(self.url).database).parent / "backups"
        return sorted(path for path in (*self.folder.glob("*.json"), *beside.glob("*.db")))


@pytest.fixture
def old(database_url, tmp_path, monkeypatch):
    made = Old(database_url, tmp_path / "backups")
    use_next_version(monkeypatch)
    return made


def everything(store):
    return dict(store.records()), store.open_intents(), dict(store.baselines()), dict(store.forgotten())


def test_an_older_state_is_read_as_it_is_and_left_as_it_is(old):
    with closing(old.store()) as store:
        records, intents, baselines, forgotten = everything(store)
        assert store.applied("sha256:0").run_id == "run-1"
        assert store.run_count() == 1
    assert (records[YOGA].fields, records[YOGA].protect) == ({"name": "Yóga 瑜伽"}, True)
    assert intents == (BEGUN,)
    assert baselines == {("run-1", "sessions", "Session"): frozenset({"123", "124"})}
    assert forgotten == {Address("BookingSession", "late"): "sha256:abc"}
    assert old.version == VERSION
    assert old.backups() == []


def test_the_first_write_migrates_and_keeps_everything(old):
    with closing(old.store()) as store, closing(old.store(environment="prod")) as prod:
        before = everything(store), everything(prod)
        store.begin_run("run-2", "apply", plan_digest="sha256:1")
        assert (everything(store), everything(prod)) == before
        assert old.version == NEXT
        assert old.sql("SELECT words FROM reconciler_notes") == [("migrated",)]
        assert store.applied("sha256:1").run_id == "run-2"
    with closing(old.store()) as again:
        assert everything(again) == before[0]
        again.end(again.begin(BEGUN))
    (kept,) = old.backups()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert old.notices == [f"Migrated the state from version {VERSION} to {NEXT}. Backup of the old state: {kept}"]


def test_the_backup_holds_the_state_as_it_was(old):
    with closing(old.store()) as store:
        store.begin_run("run-2", "apply")
    (kept,) = old.backups()
    if kept.suffix == ".db":
        with closing(sqlite3.connect(kept)) as connection:
            assert connection.execute("SELECT value FROM reconciler_meta").fetchall() == [(str(VERSION),)]
            assert connection.execute("SELECT count(*) FROM reconciler_objects").fetchone() == (2,)
    else:
        tables = json.loads(kept.read_text(encoding="utf-8"))["reconciler_state"]
        assert tables["reconciler_meta"] == [{"key": "schema_version", "value": str(VERSION)}]
        assert len(tables["reconciler_objects"]) == 2


def test_a_run_of_the_older_version_is_waited_for_and_then_named(old):
    with closing(old.store()) as store:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(database, "VERSION", VERSION)
            with closing(old.store(environment="prod")) as prod:
                assert prod.claim(myself("run-1")) is None
        with pytest.raises(ReconcilerError, match="another run") as caught, hold(store, "run-2"):
            pass
        assert "reconciler state unlock run-1" in caught.value.hint
        with pytest.raises(ReconcilerError, match="run-1 of an older version"):
            store.begin_run("run-2", "apply")
        assert store.claim(myself("run-2")).run_id == "run-1"
    assert old.version == VERSION
    assert old.backups() == []


def test_unlocking_frees_an_older_state_too(old):
    with closing(old.store()) as store:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(database, "VERSION", VERSION)
            with closing(old.store()) as older:
                assert older.claim(myself("run-1")) is None
        assert store.release("run-1") is True
        assert old.version == VERSION
        with hold(store, "run-2"):
            assert old.version == NEXT


def test_migrations_are_without_a_gap_and_end_at_the_present_version():
    assert [step.version for step in MIGRATIONS] == list(range(2, VERSION + 1))


def test_a_state_of_the_first_version_has_no_doubts_until_a_run_writes(database_url, tmp_path):
    older = Old(database_url, tmp_path / "backups")
    for statement in FIRST_VERSION:
        older.sql(statement)
    with closing(older.store()) as store:
        before = everything(store)
        assert (store.doubts(), store.seen()) == ((), {})
        assert older.version == 1
        store.record_seen({("uk.bookingbug.com", "Session"): {"123"}})
        assert older.version == VERSION
        assert everything(store) == before
        assert store.seen() == {("uk.bookingbug.com", "Session"): frozenset({"123"})}
        store.settle(ZUMBA)
        assert [(item.address, item.fields) for item in store.doubts()] == [(ZUMBA, {"name": "Zumba"})]
    assert len(older.backups()) == 1


def test_a_state_from_before_drift_was_remembered_reads_without_it_and_nothing_is_noted(database_url, tmp_path):
    older = Old(database_url, tmp_path / "backups")
    for statement in FIRST_VERSION:
        older.sql(statement)
    with closing(older.store()) as store:
        assert store.records()[YOGA].written_by is None
        assert store.past_runs()["run-1"].context == {}
        assert store.outside.update_sightings(lambda _: {YOGA: {"price": (SEEN,)}}) is False
        assert (store.outside.sightings(), older.version, older.backups()) == ({}, 1, [])
        with hold(store, "run-2"):
            store.save(SAVED)
        assert store.records()[YOGA].written_by == "run-2"
        assert store.outside.update_sightings(lambda _: {YOGA: {"price": (SEEN,)}}) is True
        assert store.outside.sightings() == {YOGA: {"price": (SEEN,)}}


def test_a_migrated_state_has_the_tables_of_a_new_one(tmp_path):
    def columns(file):
        with closing(sqlite3.connect(file)) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in sorted(tables)}

    for name in ("new", "old"):
        with closing(Store(f"sqlite:///{tmp_path}/{name}.db", project="acme")) as store:
            store.save(SAVED)
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection, connection:
        for statement in FIRST_VERSION:
            connection.execute(statement)
    with closing(Store(f"sqlite:///{tmp_path}/old.db", project="acme")) as store:
        store.save(SAVED)
    assert columns(tmp_path / "old.db") == columns(tmp_path / "new.db")


def test_a_migration_that_fails_leaves_the_state_as_it_was(old, monkeypatch):
    def broken(connection):
        next_version(connection)
        raise OSError(28, "No space left on device")

    use_next_version(monkeypatch, broken)
    with closing(old.store()) as store, pytest.raises(ReconcilerError, match="No space left on device"):
        store.begin_run("run-2", "apply")
    assert old.version == VERSION
    use_next_version(monkeypatch)
    with closing(old.store()) as store:
        assert list(store.records()) == [YOGA]
        store.begin_run("run-2", "apply")
    assert old.version == NEXT


def test_a_backup_of_an_older_version_is_restored_and_stays_as_it_is(tmp_path, monkeypatch):
    older = Old(f"sqlite:///{tmp_path}/older/state.db", tmp_path / "backups")
    with closing(older.store()) as store:
        kept = store.backup("rm")
    before = kept.read_bytes()
    use_next_version(monkeypatch)
    with closing(Store(f"sqlite:///{tmp_path}/newer/state.db", project="acme")) as store:
        found = store.restore(kept)
        assert (found.objects, found.intents) == (1, 1)
        assert store.records()[YOGA].remote_id == "123"
    assert kept.read_bytes() == before
