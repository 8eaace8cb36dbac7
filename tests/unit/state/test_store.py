import threading

import pytest
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record, Ref
from reconciler.state.connection import DatabaseError
from reconciler.state.git.branch import Pushed
from reconciler.state.git.database import GitDatabase
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")


def record(address=YOGA, **more):
    given = {"connection": "sessions", "target": "uk.bookingbug.com", "remote_id": "12", "fields": {"name": "Yoga"}}
    return Record(**{**given, "address": address, **more})


def intent(address=YOGA, effect="create", **fields):
    return Intent(
        run_id="r1",
        address=address,
        connection="sessions",
        target="uk.bookingbug.com",
        effect=effect,
        fields=fields,
        started_at="2027-01-01T00:00:00Z",
    )


@pytest.fixture
def open_store(state_url):
    stores = []

    def opened(**settings):
        store = Store(state_url, **{"project": "acme", **settings})
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


def bare(item):
    return replace(item, created_at="", updated_at="")


def test_a_record_reads_back_as_it_was_saved(open_store):
    saved = record(
        fields={
            "name": "Yóga 瑜伽 🧘",
            "slots": [{"date": "2027-03-01", "time": "11:00"}],
            "spaces": 3,
            "disabled": False,
            "x": None,
        },
        protect=True,
        depends_on=(Address("Resource", "court"),),
    )
    open_store().save(saved)
    assert {key: bare(item) for key, item in open_store().records().items()} == {YOGA: saved}


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf"), 10**5000], ids=["half", "nan", "inf", "long"])
def test_a_value_that_could_not_be_read_again_is_not_recorded(open_store, value):
    store = open_store()
    store.save(record())
    with pytest.raises(ReconcilerError, match="that is to be recorded is not JSON"):
        store.save(record(fields={"name": "Yoga", "x": [value]}))
    assert store.records()[YOGA].fields == {"name": "Yoga"}


def test_a_reference_is_stored_as_its_address(open_store):
    open_store().save(record(fields={"resource_id": Ref(Address("Resource", "court"))}))
    assert open_store().records()[YOGA].fields == {"resource_id": "Resource/court"}


def test_saving_again_keeps_when_it_was_created(open_store):
    store = open_store()
    store.save(record())
    created = store.records()[YOGA].created_at
    store.save(record(remote_id="13"))
    (found,) = store.records().values()
    assert (found.remote_id, found.created_at) == ("13", created)
    assert found.created_at.endswith("Z")


def test_records_come_in_address_order(open_store):
    store = open_store()
    for name in ("b", "a", "c"):
        store.save(record(Address("Session", name)))
    assert [address.name for address in store.records()] == ["a", "b", "c"]


def test_removing_says_whether_it_was_known(open_store):
    store = open_store()
    store.save(record())
    assert store.remove(YOGA) is True
    assert store.remove(YOGA) is False
    assert store.records() == {}


def test_intents_survive_reopening_in_the_order_they_were_begun(open_store):
    store = open_store()
    first = store.begin(intent(name="Yoga"))
    second = store.begin(intent(Address("Session", "zumba"), "delete"))
    store.close()
    found = open_store().open_intents()
    assert [item.address.name for item in found] == ["yoga", "zumba"]
    assert found[0] == intent(name="Yoga")
    assert first != second


def test_an_ended_intent_is_gone_and_the_other_stays(open_store):
    store = open_store()
    number, _ = store.begin(intent()), store.begin(intent(Address("Session", "zumba")))
    store.end(number)
    assert [item.address.name for item in store.open_intents()] == ["zumba"]


def test_saving_and_removing_end_the_intent_that_led_to_them(open_store):
    store = open_store()
    store.save(record(), ends=store.begin(intent()))
    assert store.open_intents() == ()
    store.remove(YOGA, ends=store.begin(intent(effect="delete")))
    assert store.open_intents() == ()


def test_settling_forgets_every_intent_of_one_address_only(open_store):
    store = open_store()
    for item in (intent(), intent(effect="update"), intent(Address("Session", "zumba"))):
        store.begin(item)
    store.settle(YOGA)
    assert [item.address.name for item in store.open_intents()] == ["zumba"]


def test_projects_and_environments_do_not_see_each_other(open_store):
    places = [{}, {"environment": "prod"}, {"environment": "test"}, {"project": "other"}]
    for number, place in enumerate(places):
        store = open_store(**place)
        store.save(record(remote_id=str(number)))
        store.begin(intent(number=number))
    for number, place in enumerate(places):
        store = open_store(**place)
        assert [item.remote_id for item in store.records().values()] == [str(number)]
        assert [item.fields for item in store.open_intents()] == [{"number": number}]
    open_store(environment="prod").remove(YOGA)
    open_store(environment="prod").settle(YOGA)
    assert open_store().records()
    assert open_store().open_intents()


def test_the_label_of_a_server_shows_no_password():
    store = Store("postgresql://me:hunter2@db.example.com/state?passfile=hunter3", project="acme")
    assert store.label == "postgresql://me:***@db.example.com/state"


def test_many_threads_write_without_losing_anything(open_store):
    store, errors = open_store(), []

    def work(number):
        try:
            for step in range(10):
                address = Address("Session", f"s{number}-{step}")
                store.save(record(address), ends=store.begin(intent(address)))
                store.records()
        except Exception as error:  # noqa: BLE001 - reported below, whatever it is
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.records()) == 80
    assert store.open_intents() == ()


def test_two_programs_that_create_the_state_at_once_both_succeed(open_store):
    start, errors = threading.Barrier(6, timeout=60), []

    def work(number):
        store = open_store()
        start.wait()
        try:
            store.save(record(Address("Session", f"s{number}")))
        except ReconcilerError as error:
            errors.append(error.message)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(open_store().records()) == 6


def test_a_reader_sees_what_a_writer_with_another_connection_committed(open_store):
    reader, writer = open_store(), open_store()
    writer.save(record())
    assert list(reader.records()) == [YOGA]
    writer.remove(YOGA)
    assert reader.records() == {}


def lose_answers(database, monkeypatch):
    """Lose the answer to a commit; return the list of the lost ones, to be cleared before the next."""
    lost = []
    if isinstance(database, GitDatabase):
        push = database._mirror.branch.push

        def unanswered(commits):
            done = push(commits)
            assert done.outcome == "done"
            lost.append(commits)
            return Pushed(outcome="unclear", words="the remote end hung up unexpectedly") if len(lost) == 1 else done

        monkeypatch.setattr(database._mirror.branch, "push", unanswered)
        return lost
    real = database._begun

    def unconfirmed(work, *, writing=False):
        result = real(work, writing=writing)
        if writing and not lost:
            lost.append(result)
            raise DatabaseError(Exception("the server went away"), lost=True)
        return result

    monkeypatch.setattr(database, "_begun", unconfirmed)
    return lost


def test_a_transaction_whose_commit_was_not_confirmed_is_repeated_without_doubling(open_store, monkeypatch):
    store = open_store()
    store.save(record())
    lost = lose_answers(store._database, monkeypatch)
    number = store.begin(intent(name="Yoga"))
    assert len(lost) == 1
    assert store.begin(intent(Address("Session", "zumba"), "delete")) != number
    store.settle(Address("Session", "zumba"))
    assert len(store.open_intents()) == 1
    for write in (
        lambda: store.save(record(remote_id="13"), ends=number),
        lambda: store.rename(YOGA, Address("Session", "zumba")),
        lambda: store.record_baseline("r1", {("sessions", "Session"): {"1"}}),
        lambda: store.begin_run("r1", "apply", plan_digest="sha256:1"),
    ):
        lost.clear()
        write()
        assert lost
    assert store.open_intents() == ()
    assert [str(address) for address in store.records()] == ["Session/zumba"]
    assert store.applied("sha256:1").run_id == "r1"


def test_adopted_objects_are_recorded_and_settled_together(open_store):
    store = open_store()
    zumba = Address("Session", "zumba")
    store.save(record(zumba, remote_id="13"))
    store.begin(intent(price="10.00"))
    store.begin(intent(zumba, effect="update", price="10.00"))
    store.remove(Address("Session", "gone"), given_up="sha256:0")
    store.adopt([record(remote_id="21"), record(zumba, remote_id="22")])
    assert {address.name: item.remote_id for address, item in store.records().items()} == {"yoga": "21", "zumba": "22"}
    assert not store.open_intents()
    assert [item.address for item in store.doubts()] == [YOGA]  # the server may still execute the create
    assert list(store.forgotten()) == [Address("Session", "gone")]


def test_what_is_no_longer_managed_leaves_nothing_behind_and_others_as_they_are(open_store):
    store, zumba = open_store(), Address("Session", "zumba")
    for address in (YOGA, zumba):
        store.save(record(address))
        store.begin(intent(address, price="10.00"))
        store.settle(address)
        store.begin(intent(address, effect="update", price="10.00"))
        store.remove(address, given_up="sha256:0")
        store.save(record(address))
    store.record_baseline("r1", {("sessions", "Session"): {"1"}})
    store.unmanage([YOGA])
    found = (store.records(), store.open_intents(), store.doubts(), store.baselines())
    assert [len(each) for each in found] == [1, 1, 1, 1]
    store.unmanage([zumba])
    found = (store.records(), store.open_intents(), store.doubts(), store.forgotten(), store.baselines())
    assert not any(found)


def test_a_failure_among_thousands_that_are_no_longer_managed_changes_nothing(open_store, monkeypatch):
    store, zumba = open_store(), Address("Session", "zumba")
    store.save(record())
    store.save(record(zumba))
    real = store._one
    monkeypatch.setattr(store, "_one", lambda address: real(address) if address == YOGA else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.unmanage([YOGA, zumba])
    assert len(store.records()) == 2
