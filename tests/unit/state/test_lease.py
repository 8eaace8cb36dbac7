"""One writing run at a time, on each database: who holds it, for how long, and what a run may do that lost it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent, Record
from reconciler.state import database, holder, lease, process_lock
from reconciler.state.holder import EXPIRY, QUIET, myself
from reconciler.state.lease import hold
from reconciler.state.schema import leases
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


@pytest.fixture
def pass_time(monkeypatch):
    """Return what moves the clock by which this process watches others."""
    moment = [1000.0]
    monkeypatch.setattr(holder, "monotonic", lambda: moment[0])
    return lambda seconds: moment.__setitem__(0, moment[0] + seconds)


def gone(run_id):
    """Return a lease of a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(timeout=30)
    return replace(myself(run_id), pid=ended.pid)


def holder_seen_by(store, **more):
    """Return who holds the lease, as a run sees it that wants it; None if it took it."""
    held = store.claim(replace(myself("r2"), **more))
    return held and held.run_id


def age(store, seconds):
    """Make the lease as old as if its holder had shown no sign of life for so long."""
    older = "UPDATE reconciler_leases SET beat = beat - :seconds, expires = expires - :seconds"
    store._database.write(lambda connection: connection.run(older, {"seconds": seconds}))


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
    said = []

    def notice(words):
        said.append(words)
        first.release("r1")

    with hold(open_store(notice=notice), "r2", timeout=3000):
        assert first.claim(myself("r3")).run_id == "r2"
    (words,) = said
    waiting = f"Run r1 on {myself('r1').host} holds the state lock. Waiting for it, at most "
    assert 2900 < float(words.removeprefix(waiting).removesuffix(" s.")) <= 3000


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


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("can't start new thread")], ids=["signal", "limit"])
def test_a_lease_ends_also_where_its_heart_does_not_start(open_store, monkeypatch, error):
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", Mock(side_effect=error))
        with pytest.raises((KeyboardInterrupt, RuntimeError)), hold(open_store(), "r1"):
            pass
    assert open_store().holder() is None


def test_a_lease_ends_with_its_block_also_on_an_error(open_store):
    with pytest.raises(ZeroDivisionError), hold(open_store(), "r1"):
        raise ZeroDivisionError
    with hold(open_store(), "r2"):
        pass


def test_a_holder_on_another_host_is_dead_when_its_beat_is_old_and_stands_still(open_store, pass_time):
    store, second = open_store(), open_store()
    assert store.claim(elsewhere("r1")) is None
    assert holder_seen_by(second) == "r1"
    assert not second.watch.suspects
    age(store, EXPIRY + 1)
    assert holder_seen_by(second) == "r1"
    pass_time(QUIET - 1)
    assert holder_seen_by(open_store()) == holder_seen_by(second) == "r1"
    third = open_store()
    assert holder_seen_by(third) == "r1"
    assert third.watch.suspects
    pass_time(QUIET)
    assert holder_seen_by(third) is None


def test_a_holder_that_looks_alive_is_dead_after_its_expiry_without_a_beat_by_our_own_clock(open_store, pass_time):
    """So a lease ends also where the clock of the state was set back."""
    store, second = open_store(), open_store()
    store.claim(elsewhere("r1"))
    age(store, -1_000_000)
    assert holder_seen_by(second) == "r1"
    pass_time(EXPIRY - 1)
    assert holder_seen_by(second) == "r1"
    pass_time(1)
    assert holder_seen_by(second) is None


@pytest.mark.parametrize("jump", [120, 4_000_000, -120, -4_000_000])
def test_a_step_of_a_clock_kills_nobody_who_lives(open_store, pass_time, jump):
    store, second = open_store(), open_store()
    store.claim(elsewhere("r1"))
    age(store, jump)  # what a step of the clock of the state looks like
    for _ in range(7):
        assert holder_seen_by(second) == "r1"
        pass_time(3 * lease.BEAT)  # two of them may be lost
        store.beat("r1")
        age(store, jump)


def test_a_sign_of_life_keeps_a_lease(open_store):
    store = open_store()
    store.claim(elsewhere("r1"))
    age(store, EXPIRY - 1)
    assert store.beat("r1") is True
    age(store, EXPIRY - 30)
    second = open_store()
    assert holder_seen_by(second) == "r1"
    assert not second.watch.suspects
    assert store.beat("r2") is False


def test_a_beat_moves_also_where_the_clock_stands_still(open_store, monkeypatch):
    """A clock can be stopped, as tests do; who watches the holder must see that it lives."""
    store = open_store()
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    store.claim(elsewhere("r1"))
    seen = {open_store().claim(myself("r2")).beat}
    for _ in range(3):
        store.beat("r1")
        seen.add(open_store().claim(myself("r2")).beat)
    assert len(seen) == 4


@pytest.mark.parametrize("wrong", [120.0, -120.0, 4_000_000_000.0])
def test_no_hosts_clock_decides(open_store, state_url, monkeypatch, wrong):
    first, second = open_store(), open_store()
    first.claim(elsewhere("r1"))
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong)
    held = second.claim(myself("r2"))
    assert held.run_id == "r1"
    has_a_clock = state_url.startswith("postgresql:")
    assert second.watch.suspects == (not has_a_clock and wrong > EXPIRY)


def test_a_fresh_beat_is_alive_whatever_the_process_number_says(open_store, pass_time):
    """Copies of one virtual machine agree on their boot and their process numbers, and do not see each other."""
    store, second = open_store(), open_store()
    store.claim(gone("r1"))
    for _ in range(3):
        assert holder_seen_by(second) == "r1"
        pass_time(QUIET - 1)
        store.beat("r1")
    assert holder_seen_by(second) == "r1"
    assert not second.watch.suspects  # it has beaten meanwhile
    pass_time(QUIET)
    assert holder_seen_by(second) == "r1"
    pass_time(EXPIRY)
    assert holder_seen_by(second) is None


def test_a_holder_whose_process_is_gone_is_dead_when_its_beat_stands_still(open_store, pass_time):
    second = open_store()
    open_store().claim(gone("r1"))
    assert holder_seen_by(second) == "r1"
    assert second.watch.suspects
    pass_time(QUIET)
    assert holder_seen_by(second) is None


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "a container with the same name"},
        {"machine": "another-boot pid:[4026531836] 12"},
        {"machine": ""},
        {"host": "another-host"},
    ],
)
def test_a_process_that_cannot_be_seen_is_not_gone(open_store, other):
    second = open_store()
    open_store().claim(replace(gone("r1"), **other))
    assert holder_seen_by(second) == "r1"
    assert not second.watch.suspects


def test_a_process_that_lives_holds_its_lease_whatever_the_clocks_say(open_store, pass_time):
    store, second = open_store(), open_store()
    store.claim(myself("r1"))
    age(store, 100 * EXPIRY)
    for _ in range(3):
        assert holder_seen_by(second) == "r1"
        assert not second.watch.suspects
        pass_time(10 * EXPIRY)


def test_a_number_that_another_process_got_since_is_not_the_process(open_store, pass_time):
    me = myself("r1")
    boot, numbers, start = me.machine.split(" ")
    assert holder.process_lives(me) is True
    reused = replace(me, machine=f"{boot} {numbers} {int(start) - 1}")
    assert holder.process_lives(reused) is False
    store, second = open_store(), open_store()
    store.claim(reused)
    assert holder_seen_by(second) == "r1"
    assert second.watch.suspects
    pass_time(QUIET)
    assert holder_seen_by(second) is None


def test_a_process_that_ended_and_was_not_waited_for_is_gone():
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1) as child:
        child.stdout.readline()
        start = holder._started(child.pid)
        held = replace(myself("r1"), pid=child.pid, machine=f"{holder._machine()} {start}")
        assert holder.process_lives(held) is True
        child.kill()
        deadline = time.monotonic() + 30
        while holder.process_lives(held) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert holder.process_lives(held) is False


@pytest.mark.parametrize("pid", [0, -1, 2**31, 2**63])
def test_a_number_that_no_process_has_says_nothing(pid):
    assert holder.process_lives(replace(myself("r1"), pid=pid)) is None


def test_a_lease_of_an_older_version_is_understood():
    """It does not say when its process started, so that a process of its number may be another one."""
    older = replace(myself("r1"), machine=holder._machine())
    assert holder.process_lives(older) is None
    ended = replace(gone("r1"), machine=holder._machine())
    assert holder.process_lives(ended) is False


def test_hidden_processes_of_others_are_not_gone(monkeypatch):
    monkeypatch.setattr(holder, "_stat", lambda _: [])
    assert holder.process_lives(myself("r1")) is None


def test_a_system_without_proc_leaves_it_to_the_beats(monkeypatch, open_store, pass_time):
    monkeypatch.setattr(holder, "_machine", lambda: "")
    monkeypatch.setattr(holder, "_stat", lambda _: [])
    second = open_store()
    open_store().claim(myself("r1"))
    assert myself("r1").machine == ""
    assert holder_seen_by(second) == "r1"
    assert not second.watch.suspects
    pass_time(EXPIRY)
    assert holder_seen_by(second) is None


def test_a_holder_that_looks_dead_is_waited_for_without_a_lock_timeout(open_store, state_url, monkeypatch):
    monkeypatch.setattr(holder, "QUIET", 0.3)
    open_store().claim(gone("r1"))
    notices = []
    with closing(Store(state_url, project="acme", notice=notices.append)) as store, hold(store, "r2"):
        pass
    (said,) = notices
    assert "Run r1" in said


def test_a_holder_that_only_looked_dead_is_named(open_store, state_url, monkeypatch):
    first = open_store()
    first.claim(gone("r1"))
    said = []

    def notice(text):
        said.append(text)
        first.beat("r1")

    with (
        closing(Store(state_url, project="acme", notice=notice)) as store,
        pytest.raises(ReconcilerError, match="run r1"),
        hold(store, "r2"),
    ):
        pass
    assert len(said) == 1


def test_a_killed_run_of_a_file_is_dead_at_once_and_a_living_one_never(tmp_path, pass_time):
    url = f"sqlite:///{tmp_path}/deep/state.db"
    script = CONTEND.replace("time.sleep(0.01)", "print(flush=True); input()")
    with subprocess.Popen([sys.executable, "-c", script, url, "p", "1"], stdin=-1, stdout=-1) as other:
        other.stdout.readline()
        with closing(Store(url, project="acme")) as store:
            store._database.write(lambda connection: connection.update(leases, {}, {"pid": gone("r1").pid}))
            for _ in range(3):
                age(store, EXPIRY)
                assert holder_seen_by(store) == "p-0"
                assert not store.watch.suspects
                pass_time(EXPIRY)
            other.kill()
            other.wait(timeout=30)
            assert holder_seen_by(store) is None
            assert list((tmp_path / "deep").glob("*.lock")) == []


def test_a_stopped_process_keeps_the_lease_of_a_file_and_the_message_says_so(tmp_path):
    url = f"sqlite:///{tmp_path}/deep/state.db"
    script = CONTEND.replace("time.sleep(0.01)", "print(flush=True); input()")
    with subprocess.Popen([sys.executable, "-c", script, url, "p", "1"], stdin=-1, stdout=-1) as other:
        other.stdout.readline()
        other.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, other.pid, os.WSTOPPED)
        try:
            with closing(Store(url, project="acme")) as store:
                age(store, 10 * EXPIRY)
                with pytest.raises(ReconcilerError, match="its process is stopped") as caught, hold(store, "r2"):
                    pass
                assert f"kill -CONT {other.pid}" in caught.value.hint
        finally:
            other.kill()


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "", "a/b", "x" * 65, "r1\0"])
def test_a_run_id_that_is_no_name_has_no_lock(tmp_path, run_id):
    with process_lock.locked(tmp_path / "state.db", run_id):
        assert process_lock.ended(tmp_path / "state.db", run_id) is None
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_its_block_and_not_through_a_link(tmp_path):
    file = tmp_path / "state.db"
    with process_lock.locked(file, "r1"):
        assert process_lock.ended(file, "r1") is False
    assert process_lock.ended(file, "r1") is None
    (tmp_path / "state.db-r2.lock").symlink_to(tmp_path / "elsewhere")
    with process_lock.locked(file, "r2"):
        assert not (tmp_path / "elsewhere").exists()
        assert process_lock.ended(file, "r2") is None


def test_a_lock_that_another_machine_may_hold_unseen_does_not_decide(tmp_path, pass_time):
    """After a restart, or on a file system that does not share locks, a free lock is no proof."""
    url = f"sqlite:///{tmp_path}/deep/state.db"
    with closing(Store(url, project="acme")) as store:
        store.claim(replace(myself("r1"), machine="another-boot pid:[4026531836] 12"))
        (tmp_path / "deep" / "state.db-r1.lock").touch()
        assert holder_seen_by(store) == "r1"
        pass_time(EXPIRY)
        assert holder_seen_by(store) is None


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
def test_a_run_whose_lease_was_taken_writes_nothing(open_store, write, monkeypatch):
    monkeypatch.setattr(holder, "QUIET", 0.0)
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


def test_whether_the_process_of_a_holder_exists_is_known_before_its_lease_is_released(open_store):
    store = open_store()
    assert store.living("r1") is None
    store.claim(myself("r1"))
    assert store.living("r1").pid == os.getpid()
    assert store.living("r2") is None
    store.release("r1")
    store.claim(gone("r1"))
    assert store.living("r1") is None


@pytest.mark.parametrize("name", ["J\udcf6rg", "x" * 300], ids=["not UTF-8", "long"])
def test_a_user_of_any_name_can_take_the_lease(open_store, monkeypatch, name):
    monkeypatch.setenv("LOGNAME", name)
    store = open_store()
    with hold(store, "r1"):
        store.begin_run("r1", "apply")
    assert store.past_runs()["r1"].context["holder"] == name.replace("\udcf6", "\ufffd")[:255]


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


def test_a_holder_that_looks_dead_has_time_for_several_beats():
    assert QUIET >= 2 * 10.0  # an older version beats every 10 seconds
    assert 4 * lease.BEAT <= QUIET


@pytest.mark.parametrize("late", ["end", "save", "confirm", "pending"])
def test_a_late_result_never_touches_the_call_of_the_run_that_took_over(open_store, late):
    """SQLite, also behind a branch, gives the number of a deleted row to the next one."""
    first, second = open_store(), open_store()
    first.claim(myself("r1"))
    number = first.begin(BEGUN, fenced=True)
    second.release("r1")
    second.claim(myself("r2"))
    second.settle(YOGA)
    second.begin(replace(BEGUN, run_id="r2"), fenced=True)
    before = (second.records(), second.open_intents())
    write = {
        "end": lambda: first.end(number),
        "save": lambda: first.save(SAVED, ends=number),
        "confirm": lambda: first.save(SAVED, confirms=number),
        "pending": lambda: first.close_call(number, pending_until="2027-01-01T00:00:00Z"),
    }[late]
    with pytest.raises(ReconcilerError, match="no longer holds the state lock"):
        write()
    assert (second.records(), second.open_intents()) == before


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
    with hold(store, run, timeout=170):
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
    goes = 2 if state_url.startswith("git+") else 4
    processes = [
        subprocess.Popen([*command, f"p{number}", str(goes)], stderr=subprocess.PIPE, text=True) for number in range(4)
    ]
    ended = [process.communicate(timeout=170)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, ended
    assert open_store().records()[Address("Session", "shared")].remote_id == str(4 * goes)
