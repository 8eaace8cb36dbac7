"""`--trace`: a valid HAR of every call, however the run ended, with nothing in it that is not for others."""

from __future__ import annotations

import json
import signal
import stat
import time
from pathlib import Path

import jsonschema
import pytest
from desk import CREDENTIALS, interrupt, until

from reconciler.sandbox import Fault

SCHEMA = json.loads((Path(__file__).parents[1] / "support" / "har-1.2.schema.json").read_text(encoding="utf-8"))
MAIL = "jo.carer@leisure.example"


def entries(desk, name="t.har"):
    """Return the calls of a trace that is valid, private, and holds no credential and no mail address."""
    file = desk.folder / name
    text = file.read_text(encoding="utf-8")
    jsonschema.validate(json.loads(text), SCHEMA)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [value for value in (*CREDENTIALS.values(), MAIL) if value in text] == []
    found = json.loads(text)["log"]["entries"]
    for entry in found:
        phases = {key: value for key, value in entry["timings"].items() if value > 0 and key != "ssl"}
        assert sum(phases.values()) == pytest.approx(entry["time"], abs=0.1)
    return found


@pytest.fixture
def rooms(desk):
    desk.session(description=f"Ask {MAIL}")
    desk.declare("Resource", "court-1", {"name": "Court 1", "email": MAIL})
    return desk


def test_every_command_that_connects_writes_one(rooms):
    rooms.run("apply", "--yes", "--trace", "t.har", code=0)
    calls = [(entry["request"]["method"], entry["response"]["status"]) for entry in entries(rooms)]
    assert ("POST", 201) in calls
    assert len(calls) == len(rooms.box.log())
    assert "Body &amp; Mind" in json.dumps(entries(rooms))
    for line in ("plan", "drift", "adopt --all", "export --out exported", "destroy --yes"):
        rooms.box.clear_log()
        rooms.run(*line.split(), "--trace", "t.har")
        assert len(entries(rooms)) == len(rooms.box.log()), line
    rooms.box.clear_log()
    rooms.run("plan", code=0, RECONCILER_TRACE="variable.har")
    assert len(entries(rooms, "variable.har")) == len(rooms.box.log()) > 0


def test_a_login_shows_neither_body_nor_token(rooms):
    project = (rooms.folder / "reconciler.yaml").read_text(encoding="utf-8")
    login = "email: {env: BB_EMAIL}, password: {env: BB_LOGIN}"
    rooms.project(project.replace("auth_token: {env: BB_TOKEN}", login))
    options = rooms.box.options
    rooms.run("plan", "--trace", "t.har", code=0, BB_EMAIL=options.email, BB_LOGIN=options.admin_password)
    (login,) = (entry for entry in entries(rooms) if "login" in entry["request"]["url"])
    assert "postData" not in login["request"]
    assert "text" not in login["response"]["content"]
    assert options.admin_password not in (rooms.folder / "t.har").read_text(encoding="utf-8")


def test_a_failed_run_writes_it_with_retries_and_errors(rooms):
    rooms.box.fault(Fault(kind="status_before", status=503, match_method="GET", times=2))
    rooms.box.fault(Fault(kind="drop_before", match_method="GET", times=2))
    rooms.run("plan", "--trace", "t.har", "--parallelism", "1")
    found = entries(rooms)
    assert any("attempt 3" in entry["comment"] for entry in found)
    assert {entry["response"]["status"] for entry in found} >= {0, 503}
    assert all(": " in entry["comment"] for entry in found if not entry["response"]["status"])


def test_an_interrupted_run_writes_it(rooms):
    rooms.hold()
    process = rooms.start("apply", "--yes", "--trace", "t.har", "--parallelism", "1")
    until(rooms.asked, process)
    interrupt(process, signal.SIGINT)
    rooms.box.clear_faults()
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert any(entry["request"]["method"] == "POST" for entry in entries(rooms))


@pytest.mark.parametrize("content", ["spec: {}", '{"objects": []}'])
def test_a_file_that_is_no_trace_is_kept(rooms, content):
    file = rooms.folder / "manifests" / "mine.yaml"
    file.write_text(content, encoding="utf-8")
    done = rooms.run("plan", "--trace", str(file), code=64)
    assert "exists and is not a HAR file" in done.err
    assert file.read_text(encoding="utf-8") == content
    assert rooms.box.log() == []
    file.unlink()
    assert "cannot write" in rooms.run("plan", "--trace", "no/such/folder.har", code=1).err
    assert "stdout is for the output" in rooms.run("plan", "--trace", "-", code=64).err
    rooms.run("plan", "--trace", "/dev/null", code=0)


def test_a_saved_plan_of_the_same_name_is_kept(rooms):
    done = rooms.run("plan", "--out", "t.har", "--trace", "t.har", code=0)
    assert "t.har is also another output of this command; the trace was not written" in done.err
    rooms.run("apply", "t.har", "--yes", code=0)


def test_its_size_is_bounded_and_it_keeps_the_latest_calls(rooms, monkeypatch):
    rooms.run("apply", "--yes", code=0)
    rooms.box.clear_log()
    monkeypatch.setattr("reconciler.cli.trace._MOST", 5000)
    monkeypatch.setattr("reconciler.cli.trace._LONGEST", 40)
    rooms.run("apply", "--yes", "--verify", "--trace", "t.har", code=0)
    log = json.loads((rooms.folder / "t.har").read_text(encoding="utf-8"))["log"]
    assert log["comment"] == f"{len(rooms.box.log()) - len(log['entries'])} earlier calls are left out."
    assert all(len(entry["response"]["content"]["text"]) <= 40 for entry in entries(rooms))


def test_a_long_text_is_quickly_searched_for_mail_addresses(rooms):
    rooms.session(description=f"{'x' * 50_000} {MAIL}")
    began = time.process_time()
    rooms.run("plan", "--trace", "t.har")
    rooms.run("apply", "--yes", "--trace", "t.har")
    entries(rooms)
    assert time.process_time() - began < 10
