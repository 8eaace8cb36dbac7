"""A new name, and forgetting, over real sockets: the record changes, the live object is never written to."""

import json
import signal
import subprocess
import sys

import pytest
from desk import SLOTS

HALL = {"name": "Hall"}
CLOSED = {"start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"}


@pytest.fixture
def opened(desk):
    """A session, a hall and a block of the hall, managed."""
    desk.session("yoga")
    desk.declare("Resource", "hall", HALL)
    desk.declare("Block", "closed", {"resource": "hall", **CLOSED})
    desk.run("apply", "--yes", code=0)
    desk.calls()
    return desk


def removed(desk, *addresses):
    desk.declare("Removed", "gone", {"forget": list(addresses)})


def session(desk, name, price=35, **metadata):
    """Declare the yoga session under another name."""
    slots = [{"date": day, "time": time, "duration": length} for day, time, length in SLOTS]
    spec = {"name": "Yoga", "type": "course", "group": "Body & Mind", "repeat": "custom", "price": price}
    desk.declare("Session", name, {**spec, "slots": slots}, **metadata)


def renamed(desk):
    """Call both the session and the hall otherwise, and have the block refer to the hall's new name."""
    session(desk, "morning-yoga", moved_from="yoga")
    desk.forget("Session", "yoga")
    desk.forget("Resource", "hall")
    desk.declare("Resource", "great-hall", HALL, moved_from=["room", "hall"])
    desk.declare("Block", "closed", {"resource": "great-hall", **CLOSED})


def records(desk):
    listed = desk.run("state", "list", "--format", "json", code=0).json
    return {item["address"]: item for item in listed["objects"]}


def changes(done):
    return {item["address"]: item for item in done.json["changes"]}


def test_a_rename_is_shown_applied_without_a_call_and_over(opened):
    before = records(opened)
    renamed(opened)
    plan = opened.run("plan", "--detailed-exitcode", "--format", "json", code=2)
    found = changes(plan)
    assert {key: (item["action"], item.get("moved_from")) for key, item in found.items()} == {
        "Block/closed": ("noop", None),
        "Resource/great-hall": ("noop", "Resource/hall"),
        "Session/morning-yoga": ("noop", "Session/yoga"),
    }
    assert plan.json["summary"]["delete"] == plan.json["summary"]["create"] == 0
    text = opened.run("plan", code=0).out
    assert '→ Session/morning-yoga "Yoga"' in text
    assert "move: moved from Session/yoga; as declared" in text
    assert "Plan: 2 to move; 1 unchanged." in text
    report = opened.run("apply", "--yes", "--format", "json", code=0).json
    assert report["summary"]["applied"] == 2
    assert [item.get("moved_from") for item in report["outcomes"]] == [None, "Resource/hall", "Session/yoga"]
    assert opened.calls() == []
    after = records(opened)
    assert after.keys() == {"Block/closed", "Resource/great-hall", "Session/morning-yoga"}
    assert after["Block/closed"]["depends_on"] == ["Resource/great-hall"]
    for old, new in (("Session/yoga", "Session/morning-yoga"), ("Resource/hall", "Resource/great-hall")):
        assert after[new]["remote_id"] == before[old]["remote_id"]
    opened.settled()
    session(opened, "morning-yoga")
    opened.settled()


def test_a_rename_and_a_change_are_one_update(opened):
    renamed(opened)
    session(opened, "morning-yoga", price=40, moved_from="yoga")
    change = changes(opened.run("plan", "--format", "json", code=0))["Session/morning-yoga"]
    assert (change["action"], change["moved_from"]) == ("update", "Session/yoga")
    assert [item["path"] for item in change["fields"]] == ["price"]
    done = opened.run("apply", "--yes", code=0)
    assert "updated" in done.out + done.err
    assert [call.split()[0] for call in opened.calls()] == ["PUT"]
    opened.settled()


def test_either_name_selects_and_what_needs_a_moved_object_brings_it_along(opened):
    renamed(opened)
    for name in ("yoga", "morning-yoga"):
        found = changes(opened.run("plan", "--target", f"Session/{name}", "--format", "json", code=0))
        assert list(found) == ["Session/morning-yoga"]
        found = changes(opened.run("plan", "--exclude", f"Session/{name}", "--format", "json", code=0))
        assert "Session/morning-yoga" not in found
    opened.declare("Block", "closed", {"resource": "great-hall", **CLOSED, "end": "2027-03-01T11:00Z"})
    opened.run("apply", "--yes", "--target", "Block/closed", code=0)
    assert records(opened).keys() == {"Block/closed", "Resource/great-hall", "Session/yoga"}
    opened.run("apply", "--yes", code=0)
    opened.settled()


def test_drift_and_the_state_work_between_plan_and_apply(opened):
    renamed(opened)
    assert opened.run("drift", code=0).out.startswith("No drift")
    opened.run("state", "show", "Session/yoga", code=0)
    assert records(opened).keys() == {"Block/closed", "Resource/hall", "Session/yoga"}


def test_a_saved_plan_moves_exactly_once_and_is_stale_when_the_move_is_another(opened):
    renamed(opened)
    opened.run("plan", "--out", "plan.json", code=0)
    session(opened, "morning-yoga", moved_from=["yoga", "early-yoga"])
    refused = opened.run("apply", "plan.json", "--yes", code=5)
    assert "Session/morning-yoga: its manifest changed" in refused.err
    assert records(opened).keys() == {"Block/closed", "Resource/hall", "Session/yoga"}
    session(opened, "morning-yoga", moved_from="yoga")
    opened.run("apply", "plan.json", "--yes", code=0)
    assert opened.calls() == []
    opened.settled()
    again = opened.run("apply", "plan.json", "--yes", code=5)
    assert "it was already applied" in again.err
    assert opened.calls() == []


def test_both_names_managed_is_an_error_with_its_place(opened):
    session(opened, "morning-yoga", moved_from="yoga")
    opened.forget("Session", "yoga")
    opened.run("apply", "--yes", code=0)
    opened.calls()
    opened.declare(
        "Session", "yoga", {"name": "Other", "type": "event", "group": "x", "start_date": "2027-05-01", "time": "09:00"}
    )
    session(opened, "morning-yoga")
    opened.run("apply", "--yes", code=0)
    opened.calls()
    opened.forget("Session", "yoga")
    session(opened, "morning-yoga", moved_from="yoga")
    refused = opened.run("plan", code=1)
    assert "manifests/session-morning-yoga.json:" in refused.err
    assert "both Session/morning-yoga and Session/yoga are managed" in refused.err
    assert opened.calls() == []


def test_destroy_deletes_under_the_new_name_and_keeps_what_is_protected(opened):
    session(opened, "morning-yoga", moved_from="yoga", protect=True)
    opened.forget("Session", "yoga")
    assert "Session/morning-yoga: is protected" in opened.run("destroy", "--yes", code=4).err
    session(opened, "morning-yoga", moved_from="yoga")
    opened.run("destroy", "--yes", code=0)
    assert records(opened) == {}
    assert len([call for call in opened.calls() if call.startswith("DELETE")]) == 3


def test_an_undeclared_rename_is_suggested_on_both_sides(opened):
    session(opened, "morning-yoga")
    opened.forget("Session", "yoga")
    plan = opened.run("plan", "--format", "json", code=0).json
    hints = {item["address"]: item["hint"] for item in plan["problems"] if item["code"] == "looks-renamed"}
    assert hints.keys() == {"Session/yoga", "Session/morning-yoga"}
    for hint in hints.values():
        assert "metadata.moved_from: yoga" in hint
        assert "reconciler state mv Session/yoga Session/morning-yoga" in hint


@pytest.mark.parametrize("way", ["removed", "metadata.forget"])
def test_what_is_forgotten_stays_as_it_is_and_is_managed_no_more(opened, way):
    document = json.loads((opened.folder / "manifests" / "session-yoga.json").read_text())
    if way == "removed":
        opened.forget("Session", "yoga")
        removed(opened, "Session/yoga")
    else:
        session(opened, "yoga", forget=True)
    plan = opened.run("plan", "--detailed-exitcode", "--format", "json", code=2).json
    (change,) = [item for item in plan["changes"] if item["address"] == "Session/yoga"]
    assert (change["action"], change["forget"], change["calls"]) == ("noop", True, [])
    assert change["reason"] == "no longer managed; the remote object is unchanged"
    text = opened.run("plan", code=0).out
    assert '= Session/yoga "Yoga"' in text
    assert "forget: no longer managed; the remote object is unchanged" in text
    assert "Plan: 1 to forget; 2 unchanged." in text
    opened.run("plan", "--out", "plan.json", code=0)
    opened.run("apply", "plan.json", "--yes", code=0)
    assert opened.calls() == []
    assert records(opened).keys() == {"Block/closed", "Resource/hall"}
    opened.settled()
    found = opened.run("plan", "--format", "json", code=0).json
    assert not any(item.get("forget") for item in found["changes"])
    # The live object is there: declared again, it exists already and is not ours.
    opened.manifest("session-yoga.json", json.dumps(document))
    if way == "removed":
        opened.forget("Removed", "gone")
    (again,) = [item for item in opened.run("plan", "--format", "json").json["changes"] if item["kind"] == "Session"]
    assert (again["action"], again["remote_id"]) == ("adopt", change["remote_id"])


def test_forgetting_is_no_deletion_to_any_guard(opened):
    session(opened, "yoga", protect=True)
    opened.run("apply", "--yes", code=0)
    opened.calls()
    for kind, name in (("Session", "yoga"), ("Resource", "hall"), ("Block", "closed")):
        opened.forget(kind, name)
    removed(opened, "Session/yoga", "Resource/hall", "Block/closed")
    done = opened.run("apply", "--yes", "--max-deletes", "0", code=0)
    assert done.out.count("no longer managed; the remote object is unchanged") >= 3
    assert opened.calls() == []
    assert records(opened) == {}
    opened.settled()


def test_destroy_forgets_what_is_to_be_forgotten(opened):
    opened.forget("Session", "yoga")
    removed(opened, "Session/yoga")
    opened.run("destroy", "--yes", code=0)
    assert not any("session" in call for call in opened.calls())
    assert records(opened) == {}


def test_a_connection_that_is_gone_does_not_keep_an_object_from_being_forgotten(opened):
    for kind, name in (("Resource", "hall"), ("Block", "closed")):
        opened.forget(kind, name)
    removed(opened, "Resource/hall", "Block/closed")
    lines = (opened.folder / "reconciler.yaml").read_text().split("    admin:")[0]
    opened.project(lines)
    opened.run("apply", "--yes", code=0)
    assert records(opened).keys() == {"Session/yoga"}
    assert opened.calls() == []


def test_adopt_all_leaves_alone_what_is_moved_or_to_be_forgotten(opened):
    renamed(opened)
    opened.box.add_session({"name": "Pilates", "group": "Classes", "type": "event"})
    opened.declare("Session", "pilates", {"name": "Pilates", "group": "Classes", "type": "event"}, forget=True)
    opened.run("adopt", "--all", code=0)
    assert records(opened).keys() == {"Block/closed", "Resource/hall", "Session/yoga"}
    opened.run("apply", "--yes", code=0)
    assert opened.calls() == []


def test_a_mistyped_removal_is_reported_while_something_would_be_deleted(opened):
    opened.forget("Session", "yoga")
    removed(opened, "Session/yogaa")
    problems = opened.run("plan", "--format", "json", code=0).json["problems"]
    (problem,) = [item for item in problems if item["code"] == "removed-unknown"]
    assert "did you mean Session/yoga, which would be deleted?" in problem["message"]
    removed(opened, "Session/yoga", "Session/yogaa")
    opened.run("apply", "--yes", code=0)
    assert opened.run("plan", "--format", "json", code=0).json["problems"] == []


KILLED = """
import os, signal, sys
from reconciler.cli.main import run
from reconciler.state.store import Store

method, left, after = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "after"
real = getattr(Store, method)

def deadly(self, *arguments, **more):
    global left
    left -= 1
    if left < 0 and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(self, *arguments, **more)
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(Store, method, deadly)
sys.exit(run(["apply", "--yes"]))
"""


def killed(desk, method, call, when):
    """Apply in a process that is killed around one call to the state."""
    command = [sys.executable, "-c", KILLED, method, str(call), when]
    done = subprocess.run(command, cwd=desk.folder, env=desk.env, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done


@pytest.mark.parametrize(
    ("method", "call"), [("rename_all", 0), ("_rename_rows", 1)], ids=["around all", "between two"]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rename_killed_between_its_steps_loses_and_doubles_nothing(opened, method, call, when):
    ids = {item["remote_id"] for item in records(opened).values()}
    renamed(opened)
    killed(opened, method, call, when)
    assert {item["remote_id"] for item in records(opened).values()} == ids
    plan = opened.run("plan", "--format", "json", code=0).json
    assert plan["summary"]["noop"] == 3
    opened.run("apply", "--yes", "--lock-timeout", "30", code=0)
    assert opened.calls() == []
    after = records(opened)
    assert after.keys() == {"Block/closed", "Resource/great-hall", "Session/morning-yoga"}
    assert {item["remote_id"] for item in after.values()} == ids
    opened.settled()


@pytest.mark.parametrize(("method", "when"), [("remove", "before"), ("remove", "after"), ("settle", "after")])
def test_forgetting_killed_between_its_steps_is_finished_by_the_next_run(opened, method, when):
    opened.forget("Session", "yoga")
    removed(opened, "Session/yoga")
    killed(opened, method, 0, when)
    opened.run("apply", "--yes", "--lock-timeout", "30", code=0)
    assert opened.calls() == []
    assert "Session/yoga" not in records(opened)
    opened.settled()
