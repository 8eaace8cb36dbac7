"""What another run writes while this one reads."""

import pytest

from reconciler.engine.ledger import overtaken, remembered
from reconciler.model.objects import Address, Intent, Record
from reconciler.state.lease import hold
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")


def record(name):
    return Record(
        address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={"name": name}
    )


def call(store):
    return store.begin(
        Intent(
            run_id="r1",
            address=YOGA,
            connection="sessions",
            target="uk.bookingbug.com",
            effect="update",
            fields={},
            started_at="2027-01-01T00:00:00Z",
        )
    )


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/state.db", project="acme")
    yield opened
    opened.close()


@pytest.mark.parametrize("first", ["stamps", "open_intents"])
def test_a_call_that_is_recorded_between_two_reads_of_the_state_is_noticed(store, first, monkeypatch):
    monkeypatch.setattr("reconciler.state.rows.now", lambda: "2027-01-01T00:00:00Z")
    store.save(record("Yoga"))
    memory = remembered(store)
    number = call(store)  # it is executed before the live objects are read, and recorded after that
    read = getattr(store, first)

    def interrupted():
        found = read()
        if not ended:
            ended.append(number)
            monkeypatch.setattr("reconciler.state.rows.now", lambda: "2027-01-01T00:00:09Z")
            store.save(record("Yoga flow"), ends=number)
        return found

    ended = []
    monkeypatch.setattr(store, first, interrupted)
    assert overtaken(store, memory).keys() == {YOGA}


def test_two_writes_of_one_object_by_a_run_in_one_second_are_noticed(store, monkeypatch):
    monkeypatch.setattr("reconciler.state.rows.now", lambda: "2027-01-01T00:00:00Z")
    with hold(store, "r1", timeout=0):
        store.save(record("Yoga"), ends=call(store))
        memory = remembered(store)
        assert overtaken(store, memory) == {}
        store.save(record("Yoga flow"), ends=call(store))
        assert overtaken(store, memory).keys() == {YOGA}
