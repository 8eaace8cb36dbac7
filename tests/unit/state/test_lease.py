"""One writing run at a time, on each database: who holds it, for how long, and what a run may do that lost it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state import database, holder, lease
from reconciler.state.holder import EXPIRY, myself
from reconciler.state.lease import hold
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={})
BEGUN = Intent(
    run_id="r1",
    address=YOGA,
    connection="sessions",
    target="uk.bookingbug.com",
    effect="create",
    fields={},
    started_at="2027-01-01T00:00:00Z",
)


@pytest.fixture
def open_store(state_url):
    with ExitStack() as stores:
        yield lambda **scope: stores.enter_context(closing(Store(state_url, **{"project": "acme", **scope})))


def elsewhere(run_id, **more):
    return replace(myself(run_id), host="another-host", machine="another boot", **more)


def age(store, seconds):
    """Make the lease as old as if its holder had shown no sign of life for so long."""
    table = database.metadata.tables["reconciler_leases"]
    older = table.update().values(beat=table.c.beat - seconds, expires=table.c.expires - seconds)
    store._database.write(lambda connection: connection.execute(older))


def test_a_second_run_is_refused_with_the_name_of_the_first(open_store):
    with hold(open_store(), "r1"), pytest.raises(ReconcilerError) as caught, hold(open_store(), "r2"):
        pass
    me = myself("r1")
    for part in (me.holder, me.host, str(me.pid), "run r1"):
        assert part in caught.value.message
    assert "--lock-timeout" in caught.value.hint
    assert "reconciler state unlock r1" in caught.value.hint


def test_a_second_run_waits_for_the_lock_timeout(open_store):
    first = open_store()
    assert first.claim(myself("r1")) is None
    ending = threading.Timer(0.7, first.release, ["r1"])
    ending.start()
    with hold(open_store(), "r2", timeout=30):
        assert first.claim(myself("r3")).run_id == "r2"
    ending.join()


def test_other_projects_and_environments_have_leases_of_their_own(open_store):
    with hold(open_store(), "r1"), hold(open_store(environment="prod"), "r2"), hold(open_store(project="b"), "r3"):
        pass


def test_a_signal_while_the_lease_is_taken_leaves_none_behind(open_store, monkeypatch):
    store, claim = open_store(), Store.claim

    def interrupted(self, wanted):
        claim(self, wanted)
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "claim", interrupted)
    with pytest.raises(KeyboardInterrupt), hold(store, "r1"):
        pass
    monkeypatch.undo()
    with hold(open_store(), "r2"):
        pass


def test_a_lease_ends_with_its_block_also_on_an_error(open_store):
    with pytest.raises(ZeroDivisionError), hold(open_store(), "r1"):
        raise ZeroDivisionError
    with hold(open_store(), "r2"):
        pass


def test_a_holder_on_another_host_is_dead_only_after_its_expiry(open_store):
    store = open_store()
    assert store.claim(elsewhere("r1")) is None
    age(store, EXPIRY - 30)
    assert open_store().claim(myself("r2")).run_id == "r1"
    age(store, 31)
    assert open_store().claim(myself("r2")) is None


def test_a_sign_of_life_keeps_a_lease(open_store):
    store = open_store()
    store.claim(elsewhere("r1"))
    age(store, EXPIRY - 1)
    assert store.beat("r1") is True
    age(store, EXPIRY - 30)
    assert open_store().claim(myself("r2")).run_id == "r1"
    assert store.beat("r2") is False


def test_no_hosts_clock_decides_on_a_server(open_store, monkeypatch):
    first, second = open_store(), open_store()
    first.claim(elsewhere("r1"))
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    held = second.claim(myself("r2"))
    if first._database.is_file:
        assert held is None  # a file's programs share one clock, and that one jumped
    else:
        assert held.run_id == "r1"
        assert held.beat < 4_000_000_000.0


def test_a_holder_whose_process_is_gone_is_dead_at_once_on_its_own_machine_only(open_store):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(timeout=30)
    gone = replace(myself("r1"), pid=ended.pid)
    open_store().claim(gone)
    assert open_store().claim(myself("r2")) is None
    open_store().release("r2")
    open_store().claim(replace(gone, machine="a container with the same name"))
    assert open_store().claim(myself("r2")).run_id == "r1"


def test_a_machine_that_says_nothing_of_itself_is_known_by_its_name_for_a_file_only(monkeypatch):
    monkeypatch.setattr(holder, "_machine", lambda: "")
    monkeypatch.setattr(holder, "_alive", lambda _: False)
    held = replace(myself("r1"), expires=100.0)
    assert holder.dead(held, 50.0, one_host=True) is True
    assert holder.dead(held, 50.0, one_host=False) is False
    assert holder.dead(held, 100.0, one_host=False) is True


def test_unlocking_needs_the_id(open_store):
    store = open_store()
    store.claim(elsewhere("r1"))
    assert open_store().release("r2") is False
    assert open_store().claim(myself("r2")).run_id == "r1"
    assert open_store().release("r1") is True
    assert open_store().claim(myself("r2")) is None


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.begin(BEGUN, fenced=True),
        lambda store: store.begin(BEGUN),
        lambda store: store.settle(YOGA),
        lambda store: store.save(SAVED),
        lambda store: store.save(SAVED, ends=999),
        lambda store: store.remove(YOGA),
        lambda store: store.record_baseline("r1", {("sessions", "Session"): {"1"}}),
        lambda store: store.rename(YOGA, Address("Session", "zumba")),
        lambda store: store.begin_run("r1", "apply"),
    ],
)
def test_a_run_whose_lease_was_taken_writes_nothing(open_store, write):
    first, second = open_store(), open_store()
    first.claim(elsewhere("r1"))
    age(first, EXPIRY)
    assert second.claim(myself("r2")) is None
    second.save(SAVED)
    second.begin(replace(BEGUN, run_id="r2"))
    before = second.records(), second.open_intents(), second.baselines()
    with pytest.raises(ReconcilerError, match="no longer holds the state lock"):
        write(first)
    assert (second.records(), second.open_intents(), second.baselines()) == before


def test_a_run_that_was_unlocked_still_records_the_result_of_a_call_that_nobody_has_settled(open_store):
    first = open_store()
    first.claim(myself("r1"))
    number = first.begin(BEGUN, fenced=True)
    open_store().release("r1")
    first.save(SAVED, ends=number)
    assert list(first.records()) == [YOGA]
    assert first.open_intents() == ()


def test_an_intent_of_another_run_than_the_holder_is_refused(open_store):
    store = open_store()
    store.claim(myself("r2"))
    with pytest.raises(ReconcilerError, match="run r1 does not hold"):
        store.begin(BEGUN, fenced=True)


def test_what_a_run_writes_is_a_sign_of_life(open_store):
    store = open_store()
    store.claim(elsewhere("r1"))
    age(store, EXPIRY - 1)
    store.begin(BEGUN, fenced=True)
    age(store, EXPIRY - 30)
    assert open_store().claim(myself("r2")).run_id == "r1"


def test_a_run_that_cannot_reach_the_state_stops_before_its_lease_could_expire(open_store, monkeypatch):
    store = open_store()
    monkeypatch.setattr(lease, "BEAT", 0.01)
    monkeypatch.setattr(lease, "PATIENCE", 0.05)
    number = None

    def unreachable(_run_id):
        raise ReconcilerError("state gone")

    with hold(store, "r1"):
        number = store.begin(BEGUN, fenced=True)
        monkeypatch.setattr(store, "beat", unreachable)
        deadline = time.monotonic() + 30
        while not store._given_up.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(ReconcilerError, match="so no further calls are sent"):
            store.begin(BEGUN, fenced=True)
        store.save(SAVED, ends=number)
    assert list(open_store().records()) == [YOGA]


def test_patience_ends_before_a_lease_does():
    assert lease.PATIENCE + database.PATIENCE < EXPIRY


CONTEND = """
import sys, time
from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state.lease import hold
from reconciler.state.store import Store
url, name, goes = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Store(url, project="acme")
for go in range(goes):
    run = f"{name}-{go}"
    with hold(store, run, timeout=60):
        open_now = store.open_intents()
        assert open_now == (), open_now
        address = Address("Session", "shared")
        number = store.begin(Intent(run_id=run, address=address, connection="c", target="t", effect="update",
                                    fields={}, started_at="2027-01-01T00:00:00Z"), fenced=True)
        known = store.records().get(address)
        count = int(known.remote_id) if known else 0
        time.sleep(0.01)
        store.save(Record(address=address, connection="c", target="t", remote_id=str(count + 1), fields={}),
                   ends=number)
store.close()
"""


def test_several_processes_that_start_with_no_state_at_all_take_turns(open_store, state_url):
    command = [sys.executable, "-W", "error", "-c", CONTEND, state_url]
    processes = [
        subprocess.Popen([*command, f"p{number}", "4"], stderr=subprocess.PIPE, text=True) for number in range(4)
    ]
    ended = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ended
    assert open_store().records()[Address("Session", "shared")].remote_id == "16"
