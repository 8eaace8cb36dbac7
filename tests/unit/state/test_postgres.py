"""A PostgreSQL state under settings, rights and schemas that somebody else decided on."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.model.sighting import Sighting
from reconciler.state.holder import myself
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={})

SEEN = Sighting(since="2027-03-01T00:00:00Z", applied="a", live="b")

WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"


def until_it_waits(watching, name):
    """Return when the session of this application waits for a lock."""
    deadline = time.monotonic() + 20
    while watching.execute(WAITS, [name]).fetchone() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def a_store(url, **settings):
    return closing(Store(url + "".join(f"%20-c{name}%3D{value}" for name, value in settings.items()), project="acme"))


def asked(store, query):
    return store._database.write(lambda connection: connection.value(query))


@pytest.mark.parametrize(
    ("given", "used"), [("off", "on"), ("local", "local"), ("on", "on"), ("remote_apply", "remote_apply")]
)
def test_a_commit_is_durable_even_where_the_server_would_not_wait_for_its_disk(postgres, given, used):
    """An intent that a crash of the server takes back is a call that nobody looks for."""
    with a_store(postgres, synchronous_commit=given) as store:
        assert asked(store, "SHOW synchronous_commit") == used


@pytest.mark.parametrize("isolation", ["read%5C%20committed", "repeatable%5C%20read", "serializable"])
@pytest.mark.parametrize("exists", [False, True], ids=["no tables", "tables"])
def test_a_run_that_waits_for_another_one_sees_what_that_one_wrote(postgres, monkeypatch, isolation, exists):
    """Its transaction begins before it waits: neither a snapshot nor what the session cached may be of that moment."""

    def hold(connection):
        alone(connection)
        if not claims:
            claims.append(pool.submit(second.claim, myself("r2")))
            until_it_waits(watching, name)

    claims, name = [], uuid.uuid4().hex
    with (
        ThreadPoolExecutor(1) as pool,
        a_store(postgres) as first,
        a_store(f"{postgres}%20-cdefault_transaction_isolation%3D{isolation}&application_name={name}") as second,
        psycopg.connect(postgres, autocommit=True) as watching,
    ):
        if exists:
            first.save(SAVED)
        assert len(second.records()) == exists
        alone = first._database.alone
        monkeypatch.setattr(first._database, "alone", hold)
        found = [first.claim(myself("r1")), claims[0].result()]
    holders = [held and held.run_id for held in found]
    assert holders in ([None, "r1"], ["r2", None])  # the second one may be faster once there are tables


NOTES = {
    "sightings": lambda store: store.outside.update_sightings(lambda _: {YOGA: {"": (SEEN,)}}),
    "first seen": lambda store: store.outside.update_first_seen(lambda _: {("t", "Session"): {"1": SEEN.since}}),
    "hosts": lambda store: store.hosts.add("r1", ["https://uk.bookingbug.com"]),
}
"""What commands note that do not take the lease."""


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_commands_that_note_the_same_at_once_do_not_fail(postgres, monkeypatch, note):
    def commit(statement, *values):
        if statement == "COMMIT":
            noted.append(pool.submit(note, second))
            until_it_waits(watching, name)
        return run(statement, *values)

    noted, name = [], uuid.uuid4().hex
    with (
        ThreadPoolExecutor(1) as pool,
        a_store(postgres) as first,
        a_store(f"{postgres}&application_name={name}") as second,
        psycopg.connect(postgres, autocommit=True) as watching,
    ):
        first.save(SAVED)
        assert len(second.records()) == 1
        run = first._database._connection.run
        monkeypatch.setattr(first._database._connection, "run", commit)
        note(first)
        noted[0].result()


def test_tables_that_may_only_be_read_are_planned_with_and_refuse_the_lease_in_words(postgres):
    with a_store(postgres) as store:
        store.save(SAVED)
    with a_store(postgres, default_transaction_read_only="on") as store:
        assert store.records()[YOGA].remote_id == "12"
        with pytest.raises(ReconcilerError, match="read-only") as caught:
            store.claim(myself("r1"))
    assert "Traceback" not in str(caught.value)


def test_somebody_elses_table_of_the_same_name_is_not_taken_for_a_state(postgres):
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE reconciler_meta (key text, value text)")
        connection.execute("INSERT INTO reconciler_meta VALUES ('schema_version', 'mine')")
    with a_store(postgres) as store, pytest.raises(ReconcilerError, match="schema version mine"):
        store.records()


def test_what_another_schema_of_the_path_holds_is_found_and_nothing_is_made_twice(postgres):
    with a_store(postgres) as store:
        store.save(SAVED)
    schema = postgres.rpartition("%3D")[2]
    with a_store(postgres, search_path=f"pg_temp,{schema}") as store:
        assert store.claim(myself("r1")) is None
        assert store.records()[YOGA].remote_id == "12"
        tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'reconciler_objects' AND schemaname LIKE 'pg_temp%'"
        assert asked(store, tables) == 0
