"""What must be trusted before it is liked: guards, saved plans, lost answers, interruptions."""

from __future__ import annotations

import json
import signal
import stat

import pytest
from combinations import first_quick
from desk import PROJECT, interrupt, until

from reconciler.sandbox import Fault

MOVED = [("2027-03-01", "11:00", 60), ("2027-03-09", "11:00", 60), ("2027-03-15", "9:30", 90)]
FEWER = MOVED[:2]


def policy(desk, **settings):
    lines = "".join(f"    {name}: {value}\n" for name, value in settings.items())
    desk.project(PROJECT.format(url=desk.box.url) + "  policy:\n" + lines)


def booked_course(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    slots = desk.box.sessions()[0]["slots"]
    desk.box.book(slots[1]["id"], places=4, reserved=1)
    desk.box.clear_log()
    return [slot["id"] for slot in slots]


@pytest.mark.parametrize(
    ("change", "code", "slots"),
    [
        ("move", "booked-slot-moved", [1]),
        ("fewer", "booked-slot-lost", [1]),
        ("delete", "booked-session-deleted", [1]),
        ("time", "booked-slot-moved", [1]),
    ],
)
@pytest.mark.parametrize("show_fields", ["documented", "all"])
def test_bookings_at_risk_are_refused_until_they_are_named(desk, change, code, slots, show_fields):
    desk.box.set_options(show_fields=show_fields)
    ids = booked_course(desk)
    if change == "delete":
        desk.forget("Session", "yoga")
        desk.declare("Resource", "court-1", {"name": "Court 1"})
        desk.run("apply", "--yes", "--target", "Resource/court-1", code=0)
        desk.box.clear_log()
    else:
        desk.session(**{"move": {"slots": MOVED}, "fewer": {"slots": FEWER}, "time": {"time": "10:00"}}[change])
    plan = desk.run("plan", "--format", "json", code=0).json
    (risk,) = [risk for item in plan["changes"] for risk in item["risks"] if risk["level"] == "block"]
    assert (risk["code"], risk["slots"], risk["booked"]) == (code, [str(ids[at]) for at in slots], 4)
    done = desk.run("apply", "--yes", code=4)
    assert "--allow-booked Session/yoga" in done.err
    assert desk.calls() == []
    desk.run("apply", "--yes", "--allow-booked", "Session/y*", code=0)
    assert desk.calls() != []


def test_a_change_that_leaves_booked_slots_alone_goes_through(desk):
    booked_course(desk)
    desk.session(slots=[MOVED[0], ("2027-03-08", "11:00", 60), ("2027-03-16", "9:30", 90)], price=40)
    desk.run("apply", "--yes", code=0)
    assert desk.box.sessions()[0]["slots"][1]["spaces_booked"] == 4


def test_too_many_deletes_are_refused_with_the_setting_and_the_flag(desk):
    for number in range(4):
        desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
    desk.run("apply", "--yes", code=0)
    policy(desk, max_deletes=2)
    for number in range(3):
        desk.forget("Resource", f"court-{number}")
    desk.box.clear_log()
    done = desk.run("apply", "--yes", code=4)
    assert "3 objects would be deleted, more than the limit of 2" in done.err
    assert "reconciler.yaml:19" in done.err
    assert "--max-deletes 3" in done.err
    assert "apply would refuse: 3 objects" in desk.run("plan", code=0).out
    assert desk.calls() == []
    desk.run("apply", "--yes", "--max-deletes", "3", code=0)
    assert len(desk.calls()) == 3


def test_a_larger_share_of_changes_than_the_project_states_is_refused(desk):
    desk.project(PROJECT.format(url=desk.box.url) + "  policy: {max_change_percent: 30}\n")
    for number in range(10):
        desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
    desk.run("apply", "--yes", code=0)
    for number in range(4):
        desk.declare("Resource", f"court-{number}", {"name": f"Court No. {number}"})
    desk.box.clear_log()
    done = desk.run("apply", "--yes", code=4)
    assert "4 of 10 managed objects (40 %) would change, more than the limit of 30 %" in done.err
    assert desk.calls() == []
    desk.run("apply", "--yes", "--max-change-percent", "40", code=0)


def test_no_manifests_at_all_never_means_delete_everything(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.forget("Session", "yoga")
    desk.box.clear_log()
    assert "--allow-empty" in desk.run("apply", "--yes", code=4).err
    assert desk.calls() == []
    desk.run("apply", "--yes", "--allow-empty", code=0)
    assert desk.calls() == ["DELETE /api/sessions/123.xml"]


def test_protection_outlives_the_manifest(desk):
    spec = {"name": "Pool"}
    desk.declare("Resource", "pool", spec, protect=True)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.run("apply", "--yes", code=0)
    desk.forget("Resource", "pool")
    desk.box.clear_log()
    assert "is protected" in desk.run("apply", "--yes", code=4).err
    assert "is protected" in desk.run("destroy", "--yes", code=4).err
    assert desk.calls() == []
    desk.declare("Resource", "pool", spec, protect=False)
    desk.run("apply", "--yes", code=0)
    desk.forget("Resource", "pool")
    desk.run("apply", "--yes", code=0)
    gone = [item["name"] for item in desk.box.resources() if item["deleted"]]
    assert gone == ["Pool"]


def test_protection_that_is_declared_and_not_yet_applied_stops_a_destroy_too(desk):
    desk.declare("Resource", "pool", {"name": "Pool"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Resource", "pool", {"name": "Pool"}, protect=True)
    desk.box.clear_log()
    assert "is protected" in desk.run("destroy", "--yes", code=4).err
    assert desk.calls() == []


def test_what_is_live_already_is_not_created_twice(desk):
    desk.box.add_resource({"name": "Court 1"})
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    done = desk.run("apply", "--yes", code=4)
    assert "reconciler adopt Resource/court-1 13" in done.err
    assert desk.calls() == []


def test_apply_without_a_terminal_needs_yes(desk):
    desk.session()
    assert "--yes" in desk.run("apply", code=4).err
    assert desk.calls() == []


def saved(desk, *arguments):
    desk.run("plan", "--out", "saved.plan", *arguments, code=0)
    desk.box.clear_log()


def test_a_saved_plan_is_applied_once(desk):
    desk.session()
    saved(desk)
    assert stat.S_IMODE((desk.folder / "saved.plan").stat().st_mode) == 0o600
    desk.run("apply", "saved.plan", "--yes", code=0)
    assert desk.calls() == ["POST /api/sessions.xml"]
    desk.settled()
    desk.box.clear_log()
    desk.run("apply", "saved.plan", "--yes", code=5)
    assert desk.calls() == []


def test_a_saved_plan_notices_a_changed_manifest(desk):
    desk.session()
    saved(desk)
    desk.session(price=36)
    assert "Session/yoga: its manifest changed" in desk.run("apply", "saved.plan", "--yes", code=5).err
    assert desk.calls() == []


def test_a_saved_plan_notices_a_changed_live_object_and_names_it(desk):
    desk.box.set_options(show_fields="all")
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.session(price=36)
    saved(desk)
    desk.box.edit_session(123, description="changed at the desk")
    assert "Session/yoga" in desk.run("apply", "saved.plan", "--yes", code=5).err
    assert desk.calls() == []


def test_a_saved_plan_stays_current_after_comments_other_objects_and_new_bookings(desk):
    desk.box.set_options(show_fields="all")
    desk.session("yoga")
    desk.session("swim", name="Swim")
    desk.run("apply", "--yes", code=0)
    desk.session("yoga", price=36)
    saved(desk)
    file = desk.folder / "manifests" / "session-yoga.json"
    file.write_text("# reviewed\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    live = {item["name"]: item for item in desk.box.sessions()}
    desk.box.edit_session(live["Swim"]["id"], price="1.00")
    desk.box.book(live["Yoga"]["slots"][0]["id"], places=2)
    desk.run("apply", "saved.plan", "--yes", code=0)
    assert desk.calls() == [f"PUT /api/sessions/{live['Yoga']['id']}.xml"]


def test_a_saved_plan_takes_no_selection_and_no_other_file(desk):
    desk.session()
    saved(desk)
    assert desk.run("apply", "saved.plan", "--yes", "--target", "Session/yoga").code == 64
    (desk.folder / "saved.plan").write_text("{}", encoding="utf-8")
    assert desk.run("apply", "saved.plan", "--yes").code == 1
    assert desk.run("apply", "missing.plan", "--yes").code == 1


def test_a_plan_document_holds_no_secret(desk):
    desk.session()
    saved(desk)
    text = (desk.folder / "saved.plan").read_text(encoding="utf-8")
    state = b""
    desk.run("apply", "saved.plan", "--yes", "-v", code=0)
    state = (desk.folder / ".reconciler" / "state.db").read_bytes()
    for secret in ("demo-password", "demo-key", "demo-token"):
        assert secret not in text
        assert secret.encode() not in state


@pytest.mark.parametrize("kind", ["drop_after", "status_after"])
@pytest.mark.parametrize("create_answer", ["body", "none"])
def test_a_lost_answer_is_unknown_and_the_next_run_doubles_nothing(desk, kind, create_answer):
    desk.box.set_options(create_answer=create_answer)
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.declare("Block", "closed", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})
    for method, path in (("POST", "/api/sessions.xml"), ("POST", "/resources"), ("PUT", "/block")):
        desk.box.fault(Fault(kind=kind, match_method=method, match_path=path, times=1))
    report = desk.run("apply", "--yes", "--format", "json", code=3).json
    assert report["summary"]["unknown"] >= 2
    plan = desk.run("plan", "--format", "json", code=0).json
    assert plan["summary"]["adopt"] == 2
    done = desk.run("apply", "--yes")
    if done.code == 3:  # the block's own answer was lost this time
        desk.run("apply", "--yes", code=0)
    desk.settled()
    assert (len(desk.box.sessions()), len(desk.box.resources())) == (1, 1)
    assert len([slot for slot in desk.box.slots() if slot["status"] == 3]) == 1


def test_a_call_that_never_arrived_is_simply_done_on_the_next_run(desk):
    desk.session()
    desk.box.fault(Fault(kind="drop_before", match_method="POST", times=1))
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 1


def test_an_interrupt_finishes_what_is_in_flight_and_records_it(desk):
    for number in range(12):
        desk.declare("Resource", f"court-{number:02}", {"name": f"Court {number}"})
    desk.hold(after=2)
    process = desk.start("apply", "--yes", "--parallelism", "2")
    until(lambda: desk.asked() == 4, process)
    interrupt(process, signal.SIGINT)
    desk.box.clear_faults()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    assert len(desk.box.resources()) == 4
    recorded = desk.run("state", "list", "--format", "json", code=0).json["objects"]
    assert len(recorded) == 4
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.resources()) == 12


@pytest.mark.parametrize("answered", [0, 5, 11, 19])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(desk, monkeypatch, answered):
    for number in range(10):
        desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
        desk.session(f"class-{number}", name=f"Class {number}")
    desk.hold(after=answered)
    process = desk.start("apply", "--yes")
    until(lambda: desk.asked() > answered, process)
    process.kill()
    process.communicate(timeout=30)
    desk.released_while_waiting(monkeypatch, lambda: all(entry.status for entry in desk.box.log()))
    desk.run("apply", "--yes", "--wait", code=0)
    desk.settled()
    assert len(desk.box.resources()) == 10
    assert len(desk.box.sessions()) == 10


@pytest.mark.parametrize("form", first_quick(["json", "text", "markdown", "html"]))
def test_the_same_world_gives_the_same_bytes_whatever_the_hash_seed(desk, form):
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1", "address": {"address1": "x", "postcode": "y"}})
    desk.run("apply", "--yes", code=0)
    desk.session(price=41, slots=MOVED, description="new", spaces=9)
    desk.declare("Resource", "court-1", {"name": "Court", "address": {"address1": "z", "postcode": "w"}})
    seen = {desk.process("plan", "--format", form, code=0, PYTHONHASHSEED=str(seed)).out for seed in (0, 1, 4242)}
    assert len(seen) == 1


def test_another_system_behind_the_same_connection_is_refused(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    desk.project(PROJECT.format(url=desk.box.url).replace("127.0.0.1", "localhost"))
    done = desk.run("apply", "--yes", code=1)
    assert "an id of one system is never used on another" in done.err
    assert desk.calls() == []


def test_environments_keep_their_records_apart(desk):
    text = PROJECT.format(url=desk.box.url)
    desk.project(text + f"  environments:\n    prod: {{connections: {{sessions: {{base_url: '{desk.box.url}'}}}}}}\n")
    desk.session()
    desk.run("apply", "--yes", code=0)
    assert json.loads(desk.run("state", "list", "--env", "prod", "--format", "json", code=0).out)["objects"] == []


def test_state_show_and_rm_leave_the_live_object_alone(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    shown = desk.run("state", "show", "Session/yoga", "--format", "json", code=0).json
    assert (shown["remote_id"], shown["fields"]["price"]) == ("123", "35.00")
    assert "is not managed" in desk.run("state", "show", "Session/yog", code=1).err
    desk.run("state", "rm", "Session/yoga", code=0)
    assert desk.run("state", "list", "--format", "json", code=0).json["objects"] == []
    assert desk.box.log() == []
    assert len(desk.box.sessions()) == 1
