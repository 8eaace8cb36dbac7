"""A PostgreSQL state under settings, rights and schemas that somebody else decided on."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state.holder import myself
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={})


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
