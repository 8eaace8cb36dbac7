"""How commands end that are cut short: by a signal, by a reader that has gone, by a file that cannot be written."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import time

import pytest
from combinations import quick_where
from desk import interrupt, until

from reconciler.sandbox import Fault

FORMATS = ("text", "json", "markdown", "html")
SIGNALS = [signal.SIGINT, signal.SIGTERM]


def leases(desk):
    connection = sqlite3.connect(desk.folder / ".reconciler" / "state.db")
    try:
        return connection.execute("select count(*) from reconciler_leases").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("saved", [False, True])
def test_a_run_that_was_stopped_ends_so_also_where_its_calls_in_flight_were_the_last(desk, number, saved):
    desk.session()
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.hold()
    process = desk.start("apply", *["saved.plan"] * saved, "--yes", "--output", "report.json")
    until(desk.asked, process)
    interrupt(process, number)
    desk.box.clear_faults()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    report = json.loads((desk.folder / "report.json").read_text(encoding="utf-8"))
    assert (report["interrupted"], report["summary"]["applied"]) == (True, 1)
    desk.settled()
    if saved:
        assert "it was already applied by run" in desk.run("apply", "saved.plan", "--yes", code=5).err


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("saved", [False, True])
def test_a_signal_at_the_question_which_holds_no_lease(desk, number, saved):
    desk.session()
    if saved:
        desk.run("plan", "--out", "saved.plan", code=0)
    terminal, stdin = pty.openpty()
    process = desk.start("apply", *(["saved.plan"] if saved else []), stdin=stdin)
    os.close(stdin)
    asked = ""
    while "Only 'yes' is accepted" not in asked:
        asked += process.stderr.read(1)
        assert process.poll() is None, asked
    assert leases(desk) == 0
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 130, (out, err)
    assert "interrupted; nothing was changed" in err
    assert "Traceback" not in out + err
    assert leases(desk) == 0
    assert desk.calls() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_it_plans_reads_no_further_and_leaves_no_lease(desk, number):
    for index in range(30):
        desk.session(f"class-{index}", name=f"Class {index}")
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    desk.box.fault(Fault(kind="latency", match_method="GET", seconds=0.5, times=None))
    process = desk.start("apply", "--yes", "--parallelism", "1")
    until(lambda: desk.asked("GET") > 2, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    assert leases(desk) == 0
    assert desk.asked("GET") < 30


PAUSE = {"kind": "status_before", "status": 429, "retry_after": 60, "times": None}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(("command", "method"), [("plan", "GET"), ("apply", "POST")])
def test_a_signal_ends_the_pause_that_a_server_asked_for(desk, command, method, number):
    for index in range(3):
        desk.session(f"class-{index}", name=f"Class {index}")
    desk.box.fault(Fault(match_method=method, **PAUSE))
    process = desk.start(command, *(["--yes"] if command == "apply" else []))
    until(lambda: any(entry.status == 429 for entry in desk.box.log()), process)
    process.send_signal(number)
    out, err = process.communicate(timeout=50)  # a single pause would be sixty seconds
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    if command == "apply":
        assert leases(desk) == 0
        assert "because the run was interrupted" in out
    desk.box.clear_faults()
    desk.run("apply", "--yes", code=0)
    desk.settled()


@pytest.mark.parametrize(("first", "second"), [SIGNALS, SIGNALS[::-1], SIGNALS[:1] * 2])
def test_a_second_signal_aborts_whichever_the_first_was(desk, first, second):
    desk.session()
    desk.hold()
    process = desk.start("apply", "--yes")
    until(desk.asked, process)
    interrupt(process, first)
    process.send_signal(second)
    process.communicate(timeout=20)  # the call is held for longer
    assert process.returncode == -second
    desk.box.clear_faults()
    for _ in range(1000):  # the call that was held is carried out yet, but not in the next test's world
        if all(entry.status for entry in desk.box.log()):
            break
        time.sleep(0.01)


PIPED = quick_where(lambda *pair: pair in {("plan", "text"), ("show", "json")}, ("plan", "show"), FORMATS)


@pytest.mark.parametrize(("command", "form"), PIPED)
def test_a_closed_pipe_gives_no_traceback(desk, form, command):
    for index in range(40):
        desk.session(f"class-{index}", name=f"Class {index}", description="x" * 2000)
    desk.run("plan", "--out", "saved.plan", code=0)
    arguments = ["plan"] if command == "plan" else ["show", "saved.plan"]
    process = desk.start(*arguments, "--format", form, "-v")
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert process.returncode == 1
    assert "Traceback" not in err
    assert "rror" not in err, err


@pytest.mark.parametrize("option", ["--out", "--output"])
@pytest.mark.parametrize("place", ["missing/plan.json", "."])
def test_a_place_that_cannot_be_written_is_found_before_anything_is_read(desk, option, place):
    desk.session()
    done = desk.run("plan", option, place, code=1)
    assert f"cannot write {place}" in done.err
    assert desk.box.log() == []


def test_an_apply_that_could_not_write_its_report_writes_nothing_at_all(desk):
    desk.session()
    desk.run("apply", "--yes", "--format", "json", "--output", "missing/report.json", code=1)
    assert desk.box.log() == []


def test_the_check_leaves_the_file_that_was_there_and_nothing_else(desk):
    desk.session()
    (desk.folder / "saved.plan").write_text("before", encoding="utf-8")
    desk.manifest("broken.yaml", "kind: Session\n")
    desk.run("plan", "--out", "saved.plan", code=1)
    assert (desk.folder / "saved.plan").read_text(encoding="utf-8") == "before"
    assert [path.name for path in desk.folder.iterdir() if path.name.endswith(".partial")] == []


def test_broken_manifests_give_a_document_too(desk):
    desk.session(price="x")
    desk.manifest("broken.yaml", "kind: Session\n")
    done = desk.run("plan", "--format", "json", code=1)
    plan = done.json
    assert (plan["project"], plan["changes"], plan["summary"]["create"]) == ("acme", [], 0)
    assert {problem["source"]["file"] for problem in plan["problems"]} == {
        "manifests/broken.yaml",
        "manifests/session-yoga.json",
    }
    assert "the manifests have problems" in done.err
    assert desk.process("show", "-", code=1).out == ""
    assert "nothing can be applied until you fix them" in desk.run("plan", "--format", "markdown", code=1).out
    assert desk.run("plan", code=1).out == ""
    checked = desk.run("validate", "--format", "json", code=1).json
    assert [{**problem, "range": None} for problem in checked["problems"]] == [
        {**problem, "range": None} for problem in plan["problems"]
    ]
    assert desk.box.log() == []


def test_ctrl_c_ends_a_command_that_a_shell_started_in_the_background(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    desk.hold("GET")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = desk.start("plan")
    finally:
        signal.signal(signal.SIGINT, before)
    until(lambda: desk.asked("GET"), process)
    process.send_signal(signal.SIGINT)
    desk.box.clear_faults()
    process.communicate(timeout=60)
    assert process.returncode == 130
