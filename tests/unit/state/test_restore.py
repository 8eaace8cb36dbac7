"""A backup that cannot be restored is none: from each database, into each database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state.store import Store

YOGA, COURT = Address("Session", "yoga"), Address("Resource", "court")
SAVED = Record(
    address=YOGA,
    connection="sessions",
    target="uk.bookingbug.com",
    remote_id="12",
    fields={"name": "Yóga", "slots": [{"date": "2027-03-01", "time": "11:00"}], "price": None},
    computed={"items": {"room": {"slip": "17"}}},
    protect=True,
    depends_on=(COURT,),
)
BEGUN = Intent(
    run_id="r1",
    address=YOGA,
    connection="sessions",
    target="uk.bookingbug.com",
    effect="update",
    fields={"price": "35.00"},
    started_at="2027-01-01T00:00:00Z",
)


VERSIONED = {"key": "schema_version", "value": "1"}


@pytest.fixture
def store(state_url, tmp_path):
    with closing(Store(state_url, project="acme", folder=tmp_path / "backups")) as opened:
        yield opened


def everything(store):
    return dict(store.records()), store.open_intents(), dict(store.baselines()), dict(store.forgotten())


def filled(store):
    store.save(SAVED)
    store.begin(BEGUN)
    store.record_baseline("r1", {("sessions", "Session"): {"12"}})
    store.remove(COURT, given_up="sha256:1")
    store.begin_run("r1", "apply", plan_digest="sha256:2")


def test_what_was_recorded_comes_back(store):
    filled(store)
    before, kept = everything(store), store.backup("rm")
    store.remove(YOGA)
    store.settle(YOGA)
    store.settle(COURT)
    store.prune()
    store.save(replace(SAVED, address=COURT))
    assert everything(store) != before
    found = store.restore(kept)
    assert (found.objects, found.intents) == (1, 1)
    assert everything(store) == before


def test_calls_that_are_open_now_and_runs_that_were_stay(store):
    filled(store)
    kept = store.backup("rm")
    later = replace(BEGUN, run_id="r2", effect="create", address=Address("Session", "zumba"))
    store.begin(later)
    store.begin_run("r2", "apply", plan_digest="sha256:3")
    store.record_baseline("r2", {("sessions", "Session"): {"12", "13"}})
    store.restore(kept)
    assert store.open_intents() == (BEGUN, later)
    assert store.baselines() == {
        ("r1", "sessions", "Session"): frozenset({"12"}),
        ("r2", "sessions", "Session"): frozenset({"12", "13"}),
    }
    assert store.applied("sha256:2").run_id == "r1"
    assert store.applied("sha256:3").run_id == "r2"


def test_another_project_or_environment_is_left_alone_and_named(store, state_url, tmp_path):
    filled(store)
    kept = store.backup("rm")
    with closing(Store(state_url, project="acme", environment="prod", folder=tmp_path / "b")) as prod:
        prod.save(SAVED)
        with pytest.raises(ReconcilerError, match="contains nothing of project acme, environment prod") as caught:
            prod.restore(kept)
        assert caught.value.hint == "it contains project acme"
        store.restore(kept)
        assert list(prod.records()) == [YOGA]


def test_a_backup_of_a_file_moves_a_project_to_another_state(store, tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/laptop.db", project="acme")) as laptop:
        filled(laptop)
        before = everything(laptop)
    store.restore(tmp_path / "laptop.db")
    assert everything(store) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"reconciler_state": 3}',
        json.dumps({"reconciler_state": {"reconciler_meta": [VERSIONED], "reconciler_objects": [{}]}}).encode(),
        b"[" * 100_000,
        b"SQLite format 3\0 and then nothing",
    ],
)
def test_what_is_no_backup_is_refused_and_nothing_changes(store, tmp_path, content):
    filled(store)
    before = everything(store)
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ReconcilerError, match=r"file"):
        store.restore(tmp_path / "file")
    with pytest.raises(ReconcilerError, match="cannot read the backup"):
        store.restore(tmp_path / "missing")
    assert everything(store) == before


def test_a_backup_of_a_newer_version_is_refused(store, tmp_path):
    file = tmp_path / "newer.json"
    meta = [{"key": "schema_version", "value": "99"}]
    file.write_text(json.dumps({"reconciler_state": {"reconciler_meta": meta}}), encoding="utf-8")
    with pytest.raises(ReconcilerError, match="schema version 99"):
        store.restore(file)


def test_a_database_of_something_else_is_refused(store, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(ReconcilerError, match="without a reconciler state"):
        store.restore(tmp_path / "other.db")


def test_there_is_no_backup_of_what_does_not_exist_yet(store):
    assert store.backup("rm") is None


def test_renaming_takes_everything_along(store):
    filled(store)
    store.save(replace(SAVED, address=COURT, depends_on=()))
    hall = Address("Resource", "hall")
    assert store.rename(COURT, hall) == (YOGA,)
    assert store.records()[YOGA].depends_on == (hall,)
    zumba = Address("Session", "zumba")
    assert store.rename(YOGA, zumba) == ()
    assert list(store.records()) == [hall, zumba]
    assert [item.address for item in store.open_intents()] == [zumba]
    late = Address("BookingSession", "late")
    store.remove(late, given_up="sha256:9")
    store.rename(late, Address("BookingSession", "later"))
    assert store.forgotten() == {Address("BookingSession", "later"): "sha256:9"}


def test_a_name_that_is_taken_or_unknown_is_refused(store):
    filled(store)
    store.save(replace(SAVED, address=Address("Session", "zumba")))
    with pytest.raises(ReconcilerError, match="Session/zumba is already managed"):
        store.rename(YOGA, Address("Session", "zumba"))
    with pytest.raises(ReconcilerError, match="Session/yog is not managed"):
        store.rename(Address("Session", "yog"), Address("Session", "new"))
