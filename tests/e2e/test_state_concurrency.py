"""The state under two runs at once, on a server that restarts, and on what cannot be used: nothing lost or doubled."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from desk import COMMAND, PROJECT, until

from reconciler.engine import intents, snapshot
from reconciler.operations import drift, export, plan
from reconciler.sandbox import Fault
from reconciler.state.store import Store

SCRIPT = Path(__file__).parents[2] / ".ci" / "postgres"
APPLY = [*COMMAND, "apply", "--yes"]
COUNT = 24


def on(desk, url):
    desk.project(PROJECT.format(url=desk.box.url).replace("spec:\n", f"spec:\n  state: {url}\n"))


def courts(desk, count=COUNT):
    for number in range(count):
        desk.declare("Resource", f"court-{number:02}", {"name": f"Court {number}"})


@pytest.fixture
def shared(state_url, desk, monkeypatch):
    on(desk, state_url)
    if state_url.startswith("git+"):  # each write takes several processes
        monkeypatch.setitem(globals(), "COUNT", 8)
    courts(desk, COUNT)
    return desk


def test_of_two_applies_at_once_one_works_and_one_refuses_or_waits(shared):
    shared.hold()
    first = shared.start("apply", "--yes", "--parallelism", "2")
    until(shared.asked, first)
    refused = shared.run("apply", "--yes", code=1)
    assert "another run holds the state lock" in refused.err
    assert f"process {first.pid}" in refused.err
    assert "may still be in progress" in shared.run("plan", code=1).out  # a plan takes no lease
    waiting = shared.start("apply", "--yes", "--lock-timeout", "120")
    shared.box.clear_faults()
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, (out, err)
    out, err = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, (out, err)
    assert "No changes" in out
    assert (len(shared.box.resources()), shared.asked()) == (COUNT, COUNT)
    shared.settled()


def test_two_applies_that_start_at_once_with_no_state_at_all_double_nothing(shared):
    processes = [shared.start("apply", "--yes", "--lock-timeout", "120") for _ in range(2)]
    ended = [process.communicate(timeout=150) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    assert (len(shared.box.resources()), shared.asked()) == (COUNT, COUNT)
    shared.settled()


def test_what_another_run_creates_while_this_one_reads_is_not_somebody_else_s(shared, monkeypatch):
    def take(*arguments):
        monkeypatch.setattr(plan, "take", real)
        shared.process("apply", "--yes", code=0)
        return real(*arguments)

    real = plan.take
    monkeypatch.setattr(plan, "take", take)
    assert "No changes" in shared.run("apply", "--yes", code=0).out
    assert (len(shared.box.resources()), shared.asked()) == (COUNT, COUNT)
    shared.settled()


def meanwhile(shared, monkeypatch, method, command, *arguments):
    """Run a command that reads the state while calls of another apply wait, and the systems after that apply.

    The other one starts to write after an apply has found the lock free.
    """
    limits = ("--max-deletes", str(COUNT), "--max-change-percent", "100")
    others = []

    def begin():
        if not others:
            shared.hold(method)
            others.append(shared.start("apply", "--yes", "--parallelism", "2", *limits))
            until(lambda: shared.asked(method), others[0])

    def run_count(store):
        begin()
        return counted(store)

    def take(*given):
        shared.box.clear_faults()
        out, err = others[0].communicate(timeout=120)
        assert others[0].returncode == 0, (out, err)
        return snapshot.take(*given)

    counted = Store.run_count
    with monkeypatch.context() as patched:
        for module in (plan, drift, export):
            patched.setattr(module, "take", take)
        if command == "apply":
            patched.setattr(Store, "run_count", run_count)
        else:
            begin()
        try:
            return shared.run(command, *arguments)
        finally:
            others[0].kill()
            others[0].communicate()


WRITTEN = "another run wrote it while this one read"


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_what_another_run_creates_while_this_one_reads_is_its_own(shared, monkeypatch, command):
    done = meanwhile(shared, monkeypatch, "POST", command, *["--yes"][: command != "plan"])
    assert done.code == (1 if command == "plan" else 0), done
    assert (WRITTEN if command == "plan" else "No changes") in done.out
    assert (len(shared.box.resources()), shared.asked()) == (COUNT, COUNT)
    shared.settled()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_another_run_writes_while_drift_reads_was_not_changed_outside(shared, monkeypatch, method):
    shared.run("apply", "--yes", code=0)
    for number in range(COUNT - 2):
        name = f"court-{number:02}"
        if method == "DELETE":
            shared.forget("Resource", name)
        else:
            shared.declare("Resource", name if method == "PUT" else f"hall-{number}", {"name": f"Hall {number}"})
    shared.box.clear_log()
    done = meanwhile(shared, monkeypatch, method, "drift", "--unmanaged", "--format", "json")
    found = {item["address"]: (item["status"], item.get("reason")) for item in done.json["objects"]}
    assert {status for status, _ in found.values()} <= {"in_sync", "unknown"}, found
    overtaken = {address for address, (_, reason) in found.items() if WRITTEN in str(reason)}
    assert len(overtaken) == (0 if method == "POST" else COUNT - 2), found
    assert len(found) >= COUNT
    shared.run("drift", "--unmanaged", code=0)


@pytest.fixture
def own_server(postgres):
    """Start a server that may be restarted; the one that is shared by all tests must not be."""
    folder = tempfile.mkdtemp(prefix="reconciler-postgres-")
    try:
        exports = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, timeout=120, check=True)
        yield folder, dict(line.removeprefix("export ").split("=", 1) for line in exports.stdout.splitlines())
    finally:
        subprocess.run([SCRIPT, "stop", folder], capture_output=True, timeout=120, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_run_goes_on_over_a_restart_of_its_database_server(desk, own_server, mode):
    folder, exports = own_server
    desk.env.update(exports)
    on(desk, exports["RECONCILER_TEST_POSTGRES"])
    courts(desk)
    desk.box.fault(Fault(kind="latency", match_method="POST", seconds=0.5, times=None))
    process = desk.start("apply", "--yes", "--parallelism", "2", "--format", "json")
    until(lambda: len(desk.box.resources()) >= 2, process)
    subprocess.run([SCRIPT, "restart", folder, mode], capture_output=True, timeout=120, check=True)
    out, err = process.communicate(timeout=150)
    assert "Traceback" not in out + err
    assert process.returncode == 0, (out, err)
    desk.box.clear_faults()
    assert len(desk.box.resources()) == COUNT
    desk.settled()


@pytest.mark.slow  # it waits for the server as long as a run does
def test_a_run_whose_database_server_is_gone_for_good_stops_and_the_next_one_converges(desk, own_server):
    folder, exports = own_server
    desk.env.update(exports)
    on(desk, exports["RECONCILER_TEST_POSTGRES"])
    courts(desk, 6)
    desk.hold()
    process = desk.start("apply", "--yes", "--parallelism", "6", "--format", "json")
    until(desk.asked, process)
    subprocess.run([SCRIPT, "stop", folder], capture_output=True, timeout=120, check=True)
    desk.box.clear_faults()
    out, err = process.communicate(timeout=170)
    assert process.returncode == 3, (out, err)
    assert "Traceback" not in out + err
    assert desk.asked() <= 6
    subprocess.run([SCRIPT, "restart", folder], capture_output=True, timeout=120, check=True)
    desk.run("apply", "--yes", "--wait", "--lock-timeout", "100", code=0)
    assert len(desk.box.resources()) == 6
    desk.settled()


def test_a_state_server_that_cannot_be_used_is_an_error_and_nothing_is_sent(desk, postgres):
    url = os.environ["RECONCILER_TEST_POSTGRES"]
    desk.session()
    for state, env, words in (
        ("postgresql://reconciler@127.0.0.1:1/postgres", {}, "onnection refused"),
        (url.rpartition("/")[0] + "/nosuchdatabase", {}, 'database "nosuchdatabase" does not exist'),
        (url, {"PGPASSWORD": "hunter2-is-wrong"}, "password authentication failed"),
    ):
        on(desk, state)
        for command in (["plan"], ["apply", "--yes"], ["state", "list"]):
            done = desk.run(*command, code=1, **env)
            assert words in done.err
            assert "check spec.state" in done.err
            assert "hunter2" not in done.err + done.out
    assert desk.box.log() == []


def test_a_driver_that_is_missing_is_named(desk):
    (desk.folder / "hidden").mkdir()
    (desk.folder / "hidden" / "psycopg.py").write_text("raise ImportError(\"No module named 'psycopg'\")")
    on(desk, "postgresql://me@127.0.0.1/db")
    desk.session()
    path = os.pathsep.join([str(desk.folder / "hidden"), os.environ.get("PYTHONPATH", "")])
    done = desk.process("apply", "--yes", code=1, PYTHONPATH=path)
    assert "No module named 'psycopg'" in done.err
    assert "pip install 'booking-reconciler[postgres]'" in done.err
    assert desk.box.log() == []


@pytest.mark.parametrize("trouble", ["damaged", "read-only", "no folder"])
def test_a_file_that_cannot_be_used_is_an_error_in_words_and_nothing_is_written(desk, trouble):
    desk.session()
    folder = desk.folder / ".reconciler"
    if trouble == "no folder":
        folder.write_text("a file where the folder should be")
    else:
        desk.run("state", "list", code=0)
        desk.run("apply", "--yes", "--target", "Session/yoga", code=0)
        desk.session(price=36)
        desk.box.clear_log()
        file = folder / "state.db"
        if trouble == "damaged":
            file.write_bytes(b"this is no database" * 1000)
        else:
            file.chmod(0o400)
    bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*bound, *APPLY], cwd=desk.folder, env=desk.env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stdout + done.stderr
    assert {"damaged": "not a database", "read-only": "readonly database", "no folder": ".reconciler"}[
        trouble
    ] in done.stderr
    assert "= help:" in done.stderr
    assert desk.calls() == []


def test_a_disk_that_fills_up_in_mid_run_loses_nothing(desk):
    courts(desk)
    desk.run("apply", "--yes", "--target", "Resource/court-00", code=0)
    folder = desk.folder / ".reconciler"
    room = max(path.stat().st_size for path in folder.iterdir()) + 40_000

    def small_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = subprocess.run(
        APPLY,
        cwd=desk.folder,
        env=desk.env,
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done
    assert "Traceback" not in done.stdout + done.stderr
    assert "disk" in done.stdout + done.stderr
    made = len(desk.box.resources())
    assert 1 < made < COUNT
    desk.run("apply", "--yes", "--wait", code=0)
    assert len(desk.box.resources()) == COUNT
    desk.settled()


@pytest.mark.slow  # it waits until an open call is over
def test_a_state_that_is_moved_away_in_mid_run_stops_the_run_and_loses_nothing(desk):
    courts(desk)
    desk.run("apply", "--yes", "--target", "Resource/court-00", code=0)
    file = desk.folder / ".reconciler" / "state.db"
    desk.hold(after=3)
    run = desk.start("apply", "--yes", "--parallelism", "2")
    until(lambda: desk.asked() > 4, run)
    file.rename(file.with_name("moved"))
    desk.box.clear_faults()
    said = "".join(run.communicate(timeout=120))
    assert run.returncode == 3, said
    assert "moved, deleted or replaced while it was in use" in said
    assert "Traceback" not in said
    assert 1 < len(desk.box.resources()) < COUNT
    file.with_name("moved").rename(file)
    desk.run("apply", "--yes", "--wait", code=0)
    assert len(desk.box.resources()) == COUNT
    desk.settled()


STOPPED = """
import sys, time
from pathlib import Path
from reconciler.cli.main import run
from reconciler.providers.http import deadline
real = deadline.Clock.start
def start(clock, request):
    real(clock, request)
    if request.method == sys.argv[1]:  # recorded and fenced; nothing is left but to connect and to send
        Path("here").touch()
        while not Path("go").exists():
            time.sleep(0.01)
deadline.Clock.start = start
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "method", ["POST", *(pytest.param(name, marks=pytest.mark.slow) for name in ("PUT", "DELETE"))]
)
def test_a_run_that_was_stopped_before_its_first_byte_sends_nothing_once_another_one_took_over(desk, method):
    """A process can be stopped, or a machine asleep, for any time between what it checked and what it sends."""
    here = desk.folder / "here"
    courts(desk, 1)
    if method != "POST":
        desk.run("apply", "--yes", code=0)
        desk.declare("Resource", "court-00", {"name": "Court 0", "description": "first"})
    if method == "DELETE":
        desk.forget("Resource", "court-00")
    command = [sys.executable, "-c", STOPPED, method, "apply", "--yes", "--allow-empty"]
    process = subprocess.Popen(
        command, cwd=desk.folder, env=desk.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(here.exists, process)
    process.send_signal(signal.SIGSTOP)
    held = desk.run("apply", "--yes", code=1).err
    desk.run("state", "unlock", re.search("run ([0-9a-f]{32})", held)[1], code=0)
    desk.declare("Resource", "court-00", {"name": "Court 0", "description": "second"})
    desk.run("apply", "--yes", "--wait", code=0)
    sent = desk.calls()
    time.sleep(intents.PROMPT)
    (desk.folder / "go").touch()
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, (out, err)
    assert "another run" in out + err or "no longer holds the state lock" in out + err
    assert sent
    assert desk.calls() == []
    assert [item["description"] for item in desk.box.resources()] == ["second"]
    desk.settled()
