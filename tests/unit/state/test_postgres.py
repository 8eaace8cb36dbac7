"""A PostgreSQL state under settings, rights and schemas that somebody else decided on."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import create_engine, make_url, text

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state.holder import myself
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={})


def a_store(url, **settings):
    given = make_url(url)
    options = " ".join([str(given.query["options"]), *(f"-c{name}={value}" for name, value in settings.items())])
    url = given.update_query_dict({"options": options}).render_as_string(hide_password=False)
    return closing(Store(url, project="acme"))


def asked(store, query):
    return store._database.write(lambda connection: connection.execute(text(query)).scalar_one())


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
    schema = make_url(postgres).query["options"].partition("=")[2]
    engine = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {schema}.reconciler_meta (key text, value text)")
        connection.exec_driver_sql(f"INSERT INTO {schema}.reconciler_meta VALUES ('schema_version', 'mine')")
    engine.dispose()
    with a_store(postgres) as store, pytest.raises(ReconcilerError, match="schema version mine"):
        store.records()


def test_what_another_schema_of_the_path_holds_is_found_and_nothing_is_made_twice(postgres):
    with a_store(postgres) as store:
        store.save(SAVED)
    schema = make_url(postgres).query["options"].partition("=")[2]
    with a_store(postgres, search_path=f"pg_temp,{schema}") as store:
        assert store.claim(myself("r1")) is None
        assert store.records()[YOGA].remote_id == "12"
        tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'reconciler_objects' AND schemaname LIKE 'pg_temp%'"
        assert asked(store, tables) == 0
