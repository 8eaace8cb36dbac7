"""What only alters the record is a change like any other: shown, counted, saved, carried out, and then gone."""

from __future__ import annotations

import json

import pytest
from desk import PROJECT
from holding import CREDENTIALS

from reconciler.sandbox import Fault

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "spaces": 9}
ROOM = {"key": "room", "item_id": "17", "start_date": "2031-07-07", "end_date": "2031-07-09", "params": {"guests": 2}}
COURT = {"name": "Court", "address": {"address1": "1 Road", "postcode": "N1"}}
CONNECTION = """\
    shop:
      provider: checkfront
      base_url: {url}
      auth: {{key: {{env: CF_KEY}}, secret: {{env: CF_SECRET}}}}
"""


@pytest.fixture
def shop(desk):
    desk.project(PROJECT.format(url=desk.box.url) + CONNECTION.format(url=desk.box.url))
    desk.env |= CREDENTIALS
    return desk


def protect(desk):
    desk.declare("Session", "swim", SWIM, protect=True)
    return "Session/swim", ["protect"]


def protect_and_drop_a_field(desk):
    desk.declare("Session", "swim", {key: value for key, value in SWIM.items() if key != "type"}, protect=True)
    return "Session/swim", ["protect", "undeclared"]


def drop_a_field(desk):
    desk.declare("Resource", "court", {"name": "Court", "address": COURT["address"]})
    return "Resource/court", ["undeclared"]


def drop_a_part_of_a_field(desk):
    desk.declare("Resource", "court", {**COURT, "description": "Clay", "address": {"address1": "1 Road"}})
    return "Resource/court", ["undeclared"]


def accept_what_changed_outside(desk):
    desk.box.edit_resource(13, description="Grass")
    desk.declare("Resource", "court", {**COURT, "description": "Grass"})
    return "Resource/court", ["baseline"]


def state_a_field_that_is_so_already(desk):
    desk.declare("Resource", "court", {**COURT, "description": "Clay", "disabled": False})
    return "Resource/court", ["baseline"]


def lose_the_answer_to_an_update(desk):
    desk.declare("Resource", "court", {**COURT, "description": "Grass"})
    desk.box.fault(Fault(kind="drop_after", match_method="PUT", times=None))
    desk.run("apply", "--yes", code=3)
    desk.box.clear_faults()
    return "Resource/court", ["baseline", "settled"]


def lose_a_create_and_its_manifest(desk):
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    desk.box.fault(Fault(kind="drop_before", match_method="POST", times=1))
    desk.run("apply", "--yes", code=3)
    desk.forget("Session", "yoga")
    return "Session/yoga", ["settled", "forgotten"]


def move(desk):
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM, moved_from="swim")
    return "Session/bath", ["moved"]


def move_and_protect(desk):
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM, moved_from="swim", protect=True)
    return "Session/bath", ["protect", "moved"]


def forget(desk):
    desk.declare("Session", "swim", SWIM, forget=True)
    return "Session/swim", ["forgotten"]


def forget_a_hold_and_its_manifest(desk):
    desk.declare("BookingSession", "group", {"items": [ROOM], "on_expiry": "forget"})
    desk.run("apply", "--yes", code=0)
    desk.box.expire_sessions()
    desk.run("apply", "--yes", code=0)
    desk.forget("BookingSession", "group")
    return "BookingSession/group", ["forgotten"]


def expect_an_expiry_otherwise(desk):
    desk.declare("BookingSession", "group", {"items": [ROOM]})
    desk.run("apply", "--yes", code=0)
    desk.declare("BookingSession", "group", {"items": [ROOM], "on_expiry": "recreate"})
    return "BookingSession/group", ["baseline"]


EDITS = [
    protect,
    protect_and_drop_a_field,
    drop_a_field,
    drop_a_part_of_a_field,
    accept_what_changed_outside,
    state_a_field_that_is_so_already,
    lose_the_answer_to_an_update,
    lose_a_create_and_its_manifest,
    move,
    move_and_protect,
    forget,
    forget_a_hold_and_its_manifest,
    expect_an_expiry_otherwise,
]


@pytest.fixture
def opened(shop):
    shop.declare("Session", "swim", SWIM)
    shop.declare("Resource", "court", {**COURT, "description": "Clay"})
    shop.run("apply", "--yes", code=0)
    shop.settled()
    return shop


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "direct"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_a_change_of_the_record_is_a_change(opened, edit, saved):
    address, codes = edit(opened)
    opened.calls()
    plan = opened.run("plan", "--out", "saved.plan", "--detailed-exitcode", "--format", "json", code=2).json
    (change,) = [item for item in plan["changes"] if item["address"] == address]
    assert (change["action"], change["record"], change["calls"]) == ("noop", codes, [])
    assert plan["summary"]["record"] == 1
    assert [item["address"] for item in plan["changes"] if "record" in item] == [address]
    for form in ("text", "markdown", "html"):
        page = opened.run("show", "saved.plan", "--format", form, code=0).out
        assert address in page
        assert "No changes" not in page
    assert "no terminal to ask" in opened.run("apply", *(["saved.plan"] * saved), code=4).err
    arguments = ["saved.plan"] if saved else []
    report = opened.run("apply", *arguments, "--yes", "--format", "json", code=0).json
    (outcome,) = [item for item in report["outcomes"] if item["state"] == "applied"]
    assert (outcome["address"], outcome["record"], outcome["calls"]) == (address, codes, 0)
    assert opened.calls() == []
    opened.settled()
    if saved:
        assert "already applied" in opened.run("apply", "saved.plan", "--yes", code=5).err


def test_a_field_that_is_no_longer_stated_does_not_drift(opened):
    opened.declare("Resource", "court", COURT)
    opened.run("plan", "--out", "saved.plan", code=0)
    opened.run("apply", "saved.plan", "--yes", code=0)
    opened.box.edit_resource(13, description="Grass")
    opened.run("drift", code=0)


def test_a_protection_from_a_saved_plan_outlives_the_manifest(opened):
    protect(opened)
    opened.run("plan", "--out", "saved.plan", code=0)
    opened.run("apply", "saved.plan", "--yes", code=0)
    opened.forget("Session", "swim")
    assert "is protected" in opened.run("apply", "--yes", code=4).err
    assert len(opened.box.sessions()) == 1


@pytest.mark.parametrize("fault", ["refusal_before", "drop_before"])
@pytest.mark.parametrize("saved", [True, False], ids=["saved", "direct"])
def test_a_protection_outlives_the_manifest_although_the_update_beside_it_fails(opened, fault, saved):
    opened.declare("Session", "swim", {**SWIM, "price": "7"}, protect=True)
    opened.box.fault(Fault(kind=fault, match_method="PUT", times=None))
    opened.run("plan", "--out", "saved.plan", code=0)
    opened.run("apply", *(["saved.plan"] if saved else []), "--yes", code=3)
    opened.box.clear_faults()
    opened.forget("Session", "swim")
    assert "is protected" in opened.run("apply", "--yes", code=4).err


def test_a_look_alike_of_a_forgotten_create_is_reported_and_left_alone(opened):
    lose_a_create_and_its_manifest(opened)
    opened.run("plan", "--out", "saved.plan", code=0)
    opened.run("apply", "saved.plan", "--yes", code=0)
    theirs = opened.box.add_session({**SWIM, "name": "Yoga", "type": 0})
    (problem,) = opened.run("plan", "--detailed-exitcode", "--format", "json", code=2).json["problems"]
    assert (problem["code"], problem["address"]) == ("possible-duplicate", "Session/yoga")
    opened.run("apply", "--yes", code=3)
    opened.run("state", "rm", "Session/yoga", code=0)
    opened.settled()
    opened.run("apply", "--yes", code=0)
    assert theirs in {item["id"] for item in opened.box.sessions()}


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "direct"])
@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_a_look_alike_of_a_lost_create_is_named_and_never_deleted(opened, command, saved):
    lose_a_create_and_its_manifest(opened)
    theirs = opened.box.add_session({**SWIM, "name": "Yoga", "type": 0})
    if command == "destroy":
        opened.run("destroy", "--yes", code=3)
    else:
        plan = opened.run("plan", "--out", "saved.plan", "--format", "json", code=1).json
        (change,) = [item for item in plan["changes"] if item["action"] == "unknown"]
        assert f"reconciler adopt Session/yoga {theirs}" in change["reason"]
        opened.run("apply", *(["saved.plan"] if saved and (opened.folder / "saved.plan").exists() else []), "--yes")
    assert theirs in {item["id"] for item in opened.box.sessions()}
    opened.run("state", "rm", "Session/yoga", code=0)
    opened.run("apply", "--yes", code=0) if command == "apply" else opened.run("destroy", "--yes", code=0)
    assert theirs in {item["id"] for item in opened.box.sessions()}


def test_a_lost_create_whose_manifest_is_back_is_adopted_and_then_deleted_with_it(opened):
    opened.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    opened.box.fault(Fault(kind="drop_after", match_method="POST", times=1))
    opened.run("apply", "--yes", code=3)
    manifest = opened.folder / "manifests" / "session-yoga.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.unlink()
    reason = next(
        item["reason"]
        for item in opened.run("plan", "--format", "json", code=1).json["changes"]
        if item["action"] == "unknown"
    )
    command = reason.partition("`reconciler adopt ")[2].partition("`")[0].split()
    manifest.write_text(text, encoding="utf-8")
    opened.run("adopt", *command, code=0)
    manifest.unlink()
    opened.run("apply", "--yes", code=0)
    opened.settled()
    assert [item["name"] for item in opened.box.sessions()] == ["Swim"]


@pytest.mark.parametrize("edit", [protect, drop_a_field, accept_what_changed_outside], ids=lambda edit: edit.__name__)
def test_a_saved_change_of_the_record_is_stale_once_something_else_would_be_recorded(opened, edit):
    address, _ = edit(opened)
    opened.run("plan", "--out", "saved.plan", code=0)
    name = address.partition("/")[2]
    kind = "session" if name == "swim" else "resource"
    path = opened.folder / "manifests" / f"{kind}-{name}.json"
    before = path.read_text(encoding="utf-8")
    opened.run("state", "rm", address, code=0)
    assert address in opened.run("apply", "saved.plan", "--yes", code=5).err
    opened.run("adopt", address, code=0)
    document = json.loads(before)
    document["metadata"]["protect"] = not document["metadata"].get("protect", False)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert address in opened.run("apply", "saved.plan", "--yes", code=5).err


@pytest.mark.parametrize("which", [("Resource/court",), ("Resource/court", "14"), ("--all",)], ids=" ".join)
def test_an_adopted_object_that_is_as_declared_leaves_nothing_to_record(desk, which):
    desk.box.add_resource({"name": "Other"})
    live = desk.box.add_resource({**COURT, "description": "Clay"})
    desk.declare("Resource", "court", {**COURT, "description": "Clay"})
    desk.run("adopt", *which, code=0)
    desk.settled()
    desk.box.edit_resource(live, description="Grass")
    assert desk.run("drift", "--format", "json", code=2).json["summary"]["changed"] == 1
    plan = desk.run("plan", "--format", "json", code=0).json
    assert [field["origin"] for field in plan["changes"][0]["fields"]] == ["drift"]


def test_an_empty_saved_plan_does_not_say_that_nothing_is_managed(opened):
    opened.run("plan", "--out", "saved.plan", code=0)
    done = opened.run("apply", "saved.plan", "--yes", code=0)
    assert "No changes. 2 objects match the live timetable." in done.out
