"""One connection: what a transaction keeps, what its reads see, and what becomes of it after an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state.connection import DatabaseError
from reconciler.state.schema import intents, meta, objects
from reconciler.state.store import Store

YOGA = Record(address=Address("Session", "yoga"), connection="sessions", target="t", remote_id="12", fields={})
BEGUN = Intent(
    run_id="r1",
    address=YOGA.address,
    connection="sessions",
    target="t",
    effect="create",
    fields={},
    started_at="2027-01-01T00:00:00Z",
)
STRANGE = {"key": "x", "value": "y", "x) VALUES (1); --": 1}


@pytest.fixture
def store(database_url):
    with closing(Store(database_url, project="acme")) as found:
        found.save(YOGA)
        yield found


def test_a_row_may_only_have_the_columns_of_its_table(store):
    with pytest.raises(ReconcilerError, match="unknown column x"):
        store._database.write(lambda connection: connection.insert(meta, STRANGE))


def test_a_row_among_others_may_only_have_the_columns_of_its_table(store):
    with pytest.raises(ReconcilerError, match="unknown column x"):
        store._database.write(lambda connection: connection.insert(meta, {"key": "x", "value": "y"}, STRANGE))


def test_rows_are_added_together_in_their_order_also_with_other_columns(store):
    one = {
        "project": "acme",
        "environment": "",
        "kind": "Session",
        "connection": "c",
        "target": "t",
        "effect": "create",
    }
    one |= {"run_id": "r1", "fields": {"a": None}, "started_at": "2027-01-01T00:00:00Z", "pending_until": ""}
    rows = [{**one, "name": f"s{number}", **({"token": "x"} if number == 3 else {})} for number in range(6)]
    store._database.write(lambda connection: connection.insert(intents, *rows))
    assert [found.address.name for found in store.open_intents()] == [f"s{number}" for number in range(6)]
    assert store.open_intents()[0].fields == {"a": None}
    store._database.write(lambda connection: connection.insert(intents))


def test_an_error_undoes_the_whole_transaction_and_the_next_one_works(store):
    def broken(connection):
        connection.delete(objects, {})
        connection.insert(meta, {"key": "schema_version", "value": "again"})  # there is one

    with pytest.raises(ReconcilerError, match=r"(?i)unique"):
        store._database.write(broken)
    assert list(store.records()) == [YOGA.address]
    store.save(YOGA)


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, SystemExit])
def test_a_signal_in_a_transaction_undoes_it_and_the_next_one_works(store, stopped_by):
    def interrupted(connection):
        connection.delete(objects, {})
        raise stopped_by

    with pytest.raises(stopped_by):
        store._database.write(interrupted)
    assert list(store.records()) == [YOGA.address]


@pytest.mark.parametrize("swallows", [False, True])
def test_a_transaction_whose_connection_is_closed_is_not_continued_on_another_one(store, swallows):
    tries = []

    def closed(connection):
        tries.append(True)
        if len(tries) > 1:
            raise SystemExit
        connection.close()
        with suppress(DatabaseError if swallows else ()):
            connection.delete(objects, {})

    with pytest.raises(SystemExit):
        store._database.write(closed)
    assert list(store.records()) == [YOGA.address]


def test_a_signal_just_after_the_beginning_leaves_no_transaction_open(store, monkeypatch):
    connection = store._database._connection
    begin = connection._begin

    def interrupted(*, writing):
        begin(writing=writing)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.remove(YOGA.address)
    assert not connection._is_begun()
    store.save(YOGA)


def test_a_second_signal_during_the_undoing_leaves_nothing_to_be_committed(store, monkeypatch):
    connection = store._database._connection
    run = connection.run

    def interrupted(statement, *values):
        if statement == "ROLLBACK":
            raise KeyboardInterrupt
        return run(statement, *values)

    def broken(connection):
        connection.delete(objects, {})
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(connection, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store._database.write(broken)
    assert list(store.records()) == [YOGA.address]
    store.end(0)
    assert list(store.records()) == [YOGA.address]


def test_a_server_that_begins_only_half_of_a_transaction_is_usable_afterwards(postgres):
    with closing(Store(postgres, project="acme")) as store:
        store.save(YOGA)
        connection = store._database._connection
        begins, connection._begins = connection._begins, "BEGIN; SELECT 1 / 0"
        with pytest.raises(ReconcilerError, match="division by zero"):
            store.remove(YOGA.address)
        connection._begins = begins
        assert list(store.records()) == [YOGA.address]
        store.save(YOGA)


def test_a_signal_while_a_server_answers_closes_the_connection(postgres):
    with closing(Store(postgres, project="acme")) as store:
        store.save(YOGA)
        connection = store._database._connection
        first = connection._raw
        connection._raw = Interrupting(first)
        with pytest.raises(KeyboardInterrupt):
            store.records()
        assert list(store.records()) == [YOGA.address]
        assert connection._raw is not first


class Interrupting:
    """A connection of the driver during whose statement a signal comes."""

    def __init__(self, raw):
        self._raw = raw

    def execute(self, *_):
        raise KeyboardInterrupt

    def __getattr__(self, name):
        return getattr(self._raw, name)


def test_reads_of_one_transaction_see_one_moment_of_a_file(tmp_path):
    url = f"sqlite:///{tmp_path}/state.db"
    with closing(Store(url, project="acme")) as store, closing(Store(url, project="acme")) as other:
        store.save(YOGA)

        def twice(connection):
            before = connection.count(objects, {})
            other.remove(YOGA.address)
            return before, connection.count(objects, {})

        assert store._database.read(twice, empty=None) == (1, 1)
        assert not store.records()


@pytest.mark.parametrize("damage", ["{", "[]"])
def test_an_error_among_rows_keeps_no_old_moment_of_a_file(tmp_path, damage):
    url = f"sqlite:///{tmp_path}/state.db"
    with closing(Store(url, project="acme")) as store, closing(Store(url, project="acme")) as other:
        store.adopt([replace(YOGA, address=Address("Session", f"s{number}")) for number in range(9)])
        with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as raw:
            raw.execute("UPDATE reconciler_objects SET fields = ? WHERE name = 's0'", (damage,))
        with pytest.raises(ReconcilerError) as kept:
            store.records()
        other.save(YOGA)
        assert ("Session", "yoga") in store.stamps()
        store.remove(YOGA.address)
        assert kept.value.code == "state-damaged"


def test_a_move_of_many_objects_waits_for_the_server_once_for_each(store, monkeypatch):
    moves = {Address("Session", f"s{number}"): Address("Session", f"t{number}") for number in range(50)}
    store.adopt([replace(YOGA, address=address) for address in moves])
    connection, executed = store._database._connection, []
    execute = connection._executed
    monkeypatch.setattr(connection, "_executed", lambda *given: (executed.append(given), execute(*given))[1])
    store.rename_all(moves)
    assert {*store.records()} == {YOGA.address, *moves.values()}
    assert len(executed) <= len(moves) + 12


def test_what_a_driver_says_has_its_own_error_inside(store):
    with pytest.raises(DatabaseError) as caught, suppress(ReconcilerError):
        store._database._connection.run("SELECT nonsense FROM nowhere")
    assert caught.value.cause is caught.value.__cause__
    assert not caught.value.lost


def test_parameters_and_percent_signs_stand_beside_each_other(store):
    found = store._database._connection.rows(
        "SELECT name FROM reconciler_objects WHERE name LIKE '%og%' AND name <> :other AND name LIKE :like",
        {"other": "50%", "like": "y%"},
    )
    assert list(found) == [{"name": "yoga"}]


def test_a_file_needs_no_newer_sqlite_than_that_of_supported_systems(tmp_path):
    """RHEL 9 and Debian 11 have 3.34, which does not know RETURNING."""
    statements = []
    with closing(Store(f"sqlite:///{tmp_path}/state.db", project="acme")) as store:
        store.records()
        store.save(YOGA)
        store._database._connection._raw.set_trace_callback(statements.append)
        number = store.begin(BEGUN)
        assert store.begin(replace(BEGUN, effect="delete")) > number
        store.settle(YOGA.address)
        assert store.open_intents() == ()
        assert [item.address for item in store.doubts()] == [YOGA.address]
        store.save(YOGA)
    assert statements
    assert not [statement for statement in statements if "RETURNING" in statement]
