"""Kills at known instants: each side of the moments at which something becomes true, at the server and in the state."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from chaos_town import APPLY, Town
from combinations import first_quick, quick_where
from desk import until

from reconciler.model.objects import Address, Record
from reconciler.sandbox import Fault, Sandbox
from reconciler.state.store import Store

PATIENCE = 60
METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE"}

INSTANTS = ("before it is carried out", "while it is carried out", "while it is answered", "before it is recorded")


@pytest.fixture
def town(tmp_path, monkeypatch):
    with Sandbox() as box:
        made = Town(folder=tmp_path, box=box, rng=random.Random(3))
        made.fill(2, 1, 1, 1)
        made.desk.released_while_waiting(monkeypatch, lambda: all(item.status for item in box.log() if item.fault))
        yield made


def arm(town, instant, **match):
    """Make the server dwell at the instant, where it can be made to."""
    kind = "hold_answer" if instant == "while it is answered" else "hold"
    town.box.fault(Fault(kind=kind, seconds=2 * PATIENCE, **match))
    if instant == "before it is carried out":
        town.box.fault(Fault(kind="status_before", status=500, **match))


def kill_apply(town, instant, **match):
    """Start an apply and kill it at the instant of the first call that matches; the rerun lets that call go on."""
    town.box.clear_log()
    arm(town, instant, **match)
    process = town.start(APPLY)

    def seen():
        return next((entry for entry in town.box.log() if entry.fault), None)

    until(seen, process)
    with closing(sqlite3.connect(town.folder / ".reconciler" / "state.db", timeout=30)) as state:
        if instant == "before it is recorded":  # nobody else can write while this transaction is open
            state.execute("BEGIN IMMEDIATE")
            town.box.clear_faults()
        if instant in {"while it is answered", "before it is recorded"}:
            until(lambda: seen().status is not None, process)
            time.sleep(0.1)  # until it reads what was sent; killed before, it has recorded no more
        assert process.poll() is None, "it ended before its kill"
        process.kill()
        process.wait(timeout=PATIENCE)
        state.rollback()


def settled(town):
    """Rerun once; what is live must be as declared, and the next plan empty."""
    assert town.run(APPLY).code == 0
    assert all(item.status for item in town.box.log() if item.fault), "it did not wait for the call that was cut off"
    assert not town.differences(), town.differences()
    assert town.untouched()
    town.desk.settled()


QUICK = set(zip(INSTANTS, (*METHODS, "create"), strict=True))
"""Each instant and each method once; the other pairs are slow, as each takes a process and seconds of waiting."""


@pytest.mark.parametrize(("instant", "phase"), quick_where(lambda *pair: pair in QUICK, INSTANTS, METHODS))
def test_one_rerun_repairs_a_kill_on_either_side_of_a_call(town, instant, phase):
    town.drop(("BookingSession", "h00"))
    if phase != "create":
        assert town.run(APPLY).code == 0
    if phase == "update":
        town.edit_all()
    if phase == "delete":
        town.drop(("Session", "s00"))
        town.drop(("Block", "b00"))
    kill_apply(town, instant, match_method=METHODS[phase], match_path="/api/sessions|/slots|/resource")
    settled(town)


@pytest.mark.parametrize("instant", first_quick(INSTANTS[::-1]))
def test_a_kill_while_a_line_is_added_to_a_held_booking_never_doubles_it(town, instant):
    key = ("BookingSession", "h00")
    day = town.declared[key]["items"][0]["start_date"]
    assert town.run(APPLY).code == 0
    kayaks = {"key": "more", "item_id": 18, "start_date": day, "end_date": day, "params": {"adults": 2, "children": 1}}
    town.declared[key]["items"].append(kayaks)
    town.desk.declare(*key, town.declared[key])
    kill_apply(town, instant, match_method="POST", match_path="booking/session")
    settled(town)


@pytest.mark.parametrize("instant", first_quick(INSTANTS))
def test_a_booking_whose_creation_was_cut_off_is_never_made_twice_by_itself(town, instant):
    kill_apply(town, instant, match_method="POST", match_path="booking/session")
    doubted = town.run(APPLY)
    assert (doubted.code, "cannot list" in doubted.out) == (3, True)
    assert len(town.live(("BookingSession", "h00"))) <= 1
    town.forget_doubted(["h00"])
    settled(town)


def die(folder, body):
    """Run Python that works on a state and is killed where it says "here"."""
    script = f"""
import sys, time
from reconciler.state.store import Store
from reconciler.state import database, store as module
from reconciler.state.connection import Connection
def here():
    print("here", flush=True)
    time.sleep({PATIENCE})
store = Store("sqlite:///{folder}/deep/state.db", project="town")
{body}
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "here"
    process.kill()
    process.communicate(timeout=PATIENCE)


CREATING = {
    "the folder is there, the file is not": "database.backups.make_folder(store._database.file.parent); here()",
    "the file is there, the tables are not": "Connection.create = lambda *_: here(); store.prune()",
    "some tables are there, uncommitted": """
real = Connection.create
Connection.create = lambda *given: (real(*given), here())
store.prune()
""",
}


@pytest.mark.parametrize("moment", CREATING)
def test_a_kill_while_the_state_is_made_leaves_one_that_can_be_used(tmp_path, moment):
    die(tmp_path, CREATING[moment])
    yoga = Record(address=Address("Session", "yoga"), connection="x", target="y", remote_id="1", fields={})
    with closing(Store(f"sqlite:///{tmp_path}/deep/state.db", project="town")) as store:
        assert store.records() == {}
        store.save(yoga)
        assert list(store.records()) == [yoga.address]


def test_a_kill_inside_a_transaction_leaves_what_was_there_before(tmp_path):
    die(
        tmp_path,
        """
from reconciler.model.objects import Address, Intent, Record
yoga = Address("Session", "yoga")
place = {"connection": "sessions", "target": "here"}
sent = {"started_at": "2027-03-01T09:00:00Z", **place}
number = store.begin(Intent(run_id="r", address=yoga, effect="create", fields={}, **sent))
store._end = lambda connection, number: here()
store.save(Record(address=yoga, remote_id="1", fields={}, **place), ends=number)
""",
    )
    with closing(Store(f"sqlite:///{tmp_path}/deep/state.db", project="town")) as store:
        assert store.records() == {}
        assert [str(intent.address) for intent in store.open_intents()] == ["Session/yoga"]


def test_the_lease_of_a_killed_run_is_taken_over_at_once(town):
    town.desk.hold("GET")
    process = town.start(APPLY)
    until(town.box.log, process)  # the lease is held before the first look
    process.kill()
    process.wait(timeout=PATIENCE)
    town.box.clear_faults()
    settled(town)
