"""Systems that hang, and runs that may take only so long: each ends soon, and records and says what it did."""

import os
import pty
import sqlite3
import time

import pytest
from desk import PROJECT, until

from reconciler.model.limit import TimeLimit
from reconciler.sandbox import Fault

OBJECTS = 40


def impatient(desk, concurrency, timeout=1.5):
    """Give both connections a short timeout, so that hanging calls end soon."""
    more = f"      timeout: {timeout}\n      max_concurrency: {concurrency}\n"
    text = PROJECT.format(url=desk.box.url)
    desk.project(text.replace("      auth:", f"{more}      auth:"))


def courts(desk, count=OBJECTS):
    for number in range(count):
        desk.declare("Resource", f"court-{number:02}", {"name": f"Court {number}"})


def classes(desk, count=OBJECTS):
    for number in range(count):
        desk.session(f"class-{number:02}", name=f"Class {number}")


def hang(desk, method, path=None):
    desk.box.fault(Fault(kind="hold", match_method=method, match_path=path, times=None, seconds=60))


def leases(desk):
    connection = sqlite3.connect(desk.folder / ".reconciler" / "state.db")
    try:
        return connection.execute("select count(*) from reconciler_leases").fetchone()[0]
    finally:
        connection.close()


def test_a_plan_over_objects_that_are_never_answered_asks_for_few_of_them(desk):
    classes(desk)
    desk.run("apply", "--yes", code=0)
    impatient(desk, concurrency=4)
    desk.box.clear_log()
    hang(desk, "GET", r"/api/sessions/\d")
    done = desk.run("plan", code=1)
    desk.box.clear_faults()
    assert desk.asked("GET") < OBJECTS  # forty times four attempts, without an end to it
    assert "did not respond" in done.out
    assert "connection `sessions`" in done.out
    assert "40 objects are unknown" in done.err
    desk.project(PROJECT.format(url=desk.box.url))
    assert desk.run("plan", code=0).out.count("No changes") == 1


def test_an_apply_to_a_system_whose_writes_hang_ends_after_few_of_them(desk):
    courts(desk)
    impatient(desk, concurrency=2)
    hang(desk, "POST")
    document = desk.run("apply", "--yes", "--parallelism", "2", "--format", "json", code=3).json
    assert desk.asked("POST") <= 10
    states = document["summary"]
    assert states["unknown"] == desk.asked("POST")
    assert states["failed"] == OBJECTS - states["unknown"]
    errors = [item["error"] for item in document["outcomes"] if item["state"] == "failed"]
    assert all("not sent, because connection `admin` did not respond" in error for error in errors)
    assert leases(desk) == 0


def test_an_apply_starts_nothing_after_its_time_and_the_next_one_goes_on(desk, monkeypatch):
    courts(desk, 12)
    with monkeypatch.context() as patched:  # each creation takes a minute
        patched.setitem(TimeLimit.__init__.__kwdefaults__, "clock", lambda: 60 * desk.asked())
        done = desk.run("apply", "--yes", "--parallelism", "1", "--timeout", "150", "--format", "json", code=3)
    outcomes = done.json["outcomes"]
    blocked = [item for item in outcomes if item["state"] == "blocked"]
    assert [item["state"] for item in outcomes if item not in blocked] == ["applied"] * 3
    assert len(blocked) == 9
    assert all("the time limit of the run (150 s) was over" in item["error"] for item in blocked)
    assert len(desk.box.resources()) == desk.asked() == 3
    assert leases(desk) == 0
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.resources()) == 12
    desk.settled()


@pytest.mark.parametrize(
    "command",
    [["plan"], ["drift"], ["apply", "--yes"], ["destroy", "--yes"], ["export"], ["adopt", "--all"]],
    ids=" ".join,
)
def test_each_command_ends_with_its_time(desk, command):
    classes(desk, 3)
    desk.run("apply", "--yes", code=0)
    before = len(desk.box.sessions())
    if command[0] == "adopt":
        desk.run("state", "rm", "Session/*", code=0)
    desk.box.clear_log()
    desk.box.fault(Fault(kind="status_before", status=503, retry_after=30, match_method="GET", times=None))
    began = time.monotonic()
    done = desk.run(*command, "--timeout", "3", code=1)
    assert time.monotonic() - began < 30  # a single pause that the server asks for takes as long
    assert "the time limit of the run (3 s) was over" in done.out + done.err
    assert desk.calls() == []
    desk.box.clear_faults()
    assert len(desk.box.sessions()) == before


def test_reads_that_hang_and_a_question_hold_no_lease(desk):
    courts(desk, 2)
    desk.run("apply", "--yes", code=0)
    courts(desk, 4)
    desk.hold("GET")
    process = desk.start("apply", "--yes")
    until(lambda: desk.asked("GET") > 2, process)
    assert leases(desk) == 0
    desk.run("state", "rm", "Resource/court-01", code=0)  # another command does not wait for it
    desk.box.clear_faults()
    out, err = process.communicate(timeout=100)
    assert process.returncode == 4, (out, err)  # planned again: court-01 is live and not managed any more
    assert "Resource/court-01" in out
    assert len(desk.box.resources()) == 2


def test_a_plan_that_the_state_has_overtaken_at_the_question_is_stale(desk):
    courts(desk, 2)
    terminal, stdin = pty.openpty()
    process = desk.start("apply", stdin=stdin)
    os.close(stdin)
    asked = ""
    while "Only 'yes' is accepted" not in asked:
        asked += process.stderr.read(1)
        assert process.poll() is None, asked
    desk.run("apply", "--yes", code=0)  # somebody else was quicker
    os.write(terminal, b"yes\n")
    out, err = process.communicate(timeout=100)
    os.close(terminal)
    assert process.returncode == 5, (out, err)
    assert len(desk.box.resources()) == 2
