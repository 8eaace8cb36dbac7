"""Every guard and every risk: refused with nothing sent, let through by the override it names, and recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from guarded import (
    SOON,
    course,
    deleted,
    fewer,
    hours,
    longer,
    moved,
    passes,
    project,
    refused,
    room,
    second_project,
    smaller,
)
from holding import CREDENTIALS as SHOP
from holding import PROJECT as SHOP_PROJECT
from holding import ROOM

from reconciler.sandbox import Fault


@pytest.mark.parametrize(
    ("change", "code", "policy"),
    [
        (deleted, "booked-session-deleted", ()),
        (fewer, "booked-slot-lost", ()),
        (moved, "booked-slot-moved", ()),
        (smaller, "booked-spaces-cut", ()),
        (longer, "booked-slot-changed", ("policy:", "  risks: {booked-slot-changed: block}")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_risk_of_a_session_is_refused_named_and_allowed(desk, change, code, policy):
    course(desk)
    project(desk, "currency: GBP", *policy)
    change(desk)
    words, outcomes = refused(desk, f"guard-{code}")
    assert "7 booked, 2 reserved" in words
    assert desk.run("plan", code=0)
    assert desk.run("plan", "--detailed-exitcode", code=4)
    assert desk.run("plan", "--detailed-exitcode", "--allow-booked", "Session/yoga", code=2)
    place = " at reconciler.yaml:20" if policy else ", the default"
    assert f"policy.risks.{code} is block{place}" in words
    assert "--allow-booked Session/yoga" in words
    assert "7 booked, 2 reserved" in outcomes["Session/yoga"]["error"]
    assert "to allow it: --allow-booked Session/yoga" in outcomes["Session/yoga"]["error"]
    assert outcomes["Resource/other"]["state"] == "noop"
    shown = desk.run("plan").out
    assert "touches Yoga Mon 8 Mar 2027, 11:00: 7 booked, 2 reserved" in shown
    assert "at stake ≈ 9 \xd7 £35.00 = £315.00" in shown
    assert "Bookings touched: 7 booked, 2 reserved on " in shown
    assert f"⊘ blocked by guard-{code}" in shown
    allowed = passes(desk, "--allow-booked", "Session/y*")
    assert allowed["Session/yoga"] == [(f"guard-{code}", "--allow-booked Session/y*")]


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_plan_does_not_call_an_allowed_risk_blocking(desk, form):
    course(desk)
    moved(desk)
    assert "blocks apply" in desk.run("plan", "--format", form).out
    assert "; allowed" not in desk.run("plan", "--format", form).out
    by_flag = desk.run("plan", "--format", form, "--allow-booked", "Session/yoga", "--out", "fine.plan").out
    again = desk.run("show", "fine.plan", "--format", form).out
    for shown in (by_flag, again):
        assert "7 booked, 2 reserved); allowed" in shown
        assert "blocks apply" not in shown
        assert "--allow-booked" not in shown


def test_a_project_may_have_a_risk_only_warned_of(desk):
    course(desk)
    project(desk, "policy:", "  risks: {booked-slot-moved: warn}")
    moved(desk)
    desk.box.clear_log()
    assert passes(desk)["Session/yoga"] == []


def test_a_new_price_touches_no_booking(desk):
    course(desk)
    desk.session(spaces=12, price=40)
    plan = desk.run("plan", "--format", "json", code=0).json
    assert [item["bookings"] for item in plan["changes"]] == [[], []]
    assert plan["bookings"]["slots"] == 0


def test_the_plan_document_holds_bookings_and_money_as_decimals(desk):
    course(desk)
    project(desk, "currency: EUR")
    moved(desk)
    plan = desk.run("plan", "--format", "json", code=0).json
    (change,) = [item for item in plan["changes"] if item["address"] == "Session/yoga"]
    (touched,) = change["bookings"]
    assert (touched["when"], touched["booked"], touched["reserved"]) == ("2027-03-08 11:00", 7, 2)
    assert change["stake"] == {"places": 9, "price": "35.00", "amount": "315.00", "currency": "EUR"}
    assert plan["bookings"] == {
        "slots": 1,
        "booked": 7,
        "reserved": 2,
        "unknown": 0,
        "amount": "315.00",
        "currency": "EUR",
        "unpriced": 0,
    }
    assert list(plan["summary"]) == ["create", "update", "replace", "delete", "adopt", "noop", "unknown", "record"]


def test_bookings_that_the_api_does_not_answer_are_not_zero(desk):
    desk.session(spaces=12)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(slot_counts="no")
    smaller(desk)
    words, _ = refused(desk, "guard-bookings-unknown")
    assert "it is not known whether enough places remain" in words
    moved(desk)
    refused(desk, "guard-bookings-unknown")
    shown = desk.run("plan").out
    assert "touches Yoga Mon 8 Mar 2027, 11:00: bookings unknown" in shown
    assert "0 booked" not in shown
    plan = desk.run("plan", "--format", "json", code=0).json
    assert (plan["bookings"]["booked"], plan["bookings"]["reserved"], plan["bookings"]["unknown"]) == (None, None, 1)
    allowed = passes(desk, "--allow-booked", "Session/yoga")
    assert ("guard-bookings-unknown", "--allow-booked Session/yoga") in allowed["Session/yoga"]


def booked_room(desk, **spec):
    room(desk, **spec)
    room(desk, "other")
    desk.run("apply", "--yes", code=0)
    (found,) = [item for item in desk.box.resources() if item["name"] == "The room"]
    desk.box.add_booking(found["id"], *hours(0, 1))
    return found["id"]


def disabled(desk):
    room(desk, disabled=True)


def gone(desk):
    desk.forget("Resource", "room")


def blocked(desk):
    start, end = hours(-1, 3)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})


READABLE = {
    "plain": {},
    "no list": {"bookings_list": "not_found"},
    "forbidden": {"bookings_list": "forbidden"},
    "blocks listed": {"blocks_as_bookings": "yes"},
    "persons": {"bookings_list": "not_found", "block_owner": "person"},
    "far away": {"company_zone": "Pacific/Auckland", "datetime_style": "millis"},
    "paged": {"max_page_size": 1},
}


@pytest.mark.parametrize("options", READABLE)
@pytest.mark.parametrize(
    ("change", "address", "code"),
    [
        (disabled, "Resource/room", "booked-resource-disabled"),
        (gone, "Resource/room", "booked-resource-deleted"),
        (blocked, "Block/works", "booked-time-blocked"),
    ],
    ids=["disabled", "deleted", "blocked"],
)
def test_each_risk_of_a_resource_is_refused_named_and_allowed(desk, options, change, address, code):
    desk.box.set_options(**READABLE[options])
    booked_room(desk)
    change(desk)
    words, outcomes = refused(desk, f"guard-{code}")
    assert f"{SOON:%a} {SOON.day} {SOON:%b %Y, %H:%M} UTC" in words
    assert f"--allow-booked {address}" in words
    assert outcomes[address]["state"] == "blocked"
    allowed = passes(desk, "--allow-booked", address)
    assert allowed[address] == [(f"guard-{code}", f"--allow-booked {address}")]
    desk.settled()


def test_a_block_moved_over_a_booking_is_refused_and_one_moved_off_is_not(desk):
    room_id = booked_room(desk)
    start, end = hours(3, 5)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    desk.run("apply", "--yes", code=0)
    start, end = hours(0, 4)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    refused(desk, "guard-booked-time-blocked")
    passes(desk, "--allow-booked", "Block/*")
    start, end = hours(0, 3)  # it took the booked hour before
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    assert not [item for item in desk.box.log() if "/bookings" in item.path]
    assert room_id


@pytest.mark.parametrize("options", [{}, {"bookings_list": "not_found"}], ids=["bookings", "slots"])
def test_a_booking_at_the_edge_of_a_block_and_a_cancelled_one_are_not_hit(desk, options):
    desk.box.set_options(**options)
    room_id = booked_room(desk)
    other = desk.box.add_booking(room_id, *hours(1, 2))
    (slot,) = [item["id"] for item in desk.box.slots() if item["booking_id"] == other]
    desk.box.delete("slot", slot)
    start, end = hours(1, 3)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    desk.run("apply", "--yes", code=0)


def test_bookings_of_another_resource_are_not_hit(desk):
    booked_room(desk)
    room(desk, "other", disabled=True)
    desk.run("apply", "--yes", code=0)


@pytest.mark.parametrize("change", [disabled, gone, blocked], ids=["disabled", "deleted", "blocked"])
def test_bookings_that_could_not_be_read_are_not_known(desk, change):
    room(desk)
    room(desk, "other")
    desk.run("apply", "--yes", code=0)
    change(desk)
    desk.box.fault(Fault(kind="status_before", match_method="GET", match_path="/bookings", status=500, times=None))
    words, _ = refused(desk, "guard-bookings-unknown")
    assert "so there may be some" in words
    address = "Block/works" if change is blocked else "Resource/room"
    allowed = passes(desk, "--allow-booked", address)
    assert allowed[address] == [("guard-bookings-unknown", f"--allow-booked {address}")]


def test_no_bookings_are_asked_for_where_no_change_needs_them(desk):
    booked_room(desk)
    room(desk, description="Quiet")
    desk.box.clear_log()
    desk.run("plan", code=0)
    assert not [item.path for item in desk.box.log() if "/bookings" in item.path or "/slots" in item.path]
    disabled(desk)
    desk.box.clear_log()
    desk.run("plan", code=0)
    assert len([item for item in desk.box.log() if item.path.split("?")[0].endswith("/bookings")]) == 1


def test_too_many_deletes_and_changes_record_the_flag(desk):
    for number in range(10):
        room(desk, f"r{number}")
    desk.run("apply", "--yes", code=0)
    project(desk, "policy: {max_deletes: 1}")
    for number in range(4):
        desk.forget("Resource", f"r{number}")
    words, outcomes = refused(desk, "guard-max-deletes")
    assert "4 objects would be deleted, more than the limit of 1 (policy.max_deletes at reconciler.yaml:18)" in words
    assert "4 of 10 managed objects (40 %)" in words
    assert "the default of policy.max_change_percent" in words
    assert outcomes["Resource/r0"]["state"] == "blocked"
    assert outcomes["Resource/r9"]["state"] == "noop"
    allowed = passes(desk, "--max-deletes", "4", "--max-change-percent", "40")
    assert allowed["Resource/r0"] == [
        ("guard-max-deletes", "--max-deletes 4"),
        ("guard-max-change-percent", "--max-change-percent 40"),
    ]
    assert allowed["Resource/r9"] == []


def test_what_no_guard_concerns_is_not_started_when_the_run_is_refused(desk):
    course(desk)
    moved(desk)
    room(desk, "new")
    _, outcomes = refused(desk, "guard-booked-slot-moved")
    assert outcomes["Resource/new"]["error"] == "not started, because the run was refused"
    assert outcomes["Resource/new"]["state"] == "blocked"


def test_an_empty_project_records_the_flag(desk):
    room(desk)
    desk.run("apply", "--yes", code=0)
    gone(desk)
    words, _ = refused(desk, "guard-empty")
    assert "--allow-empty" in words
    assert passes(desk, "--allow-empty")["Resource/room"] == [("guard-empty", "--allow-empty")]


def test_protection_takes_two_reviewed_steps(desk):
    desk.declare("Resource", "room", {"name": "Room"}, protect=True)
    room(desk, "other")
    desk.run("apply", "--yes", code=0)
    gone(desk)
    words, _ = refused(desk, "guard-protected", "--allow-booked", "*", "--max-deletes", "9")
    assert "metadata.protect: true in the state" in words
    assert "two reviewed steps" in words
    desk.declare("Resource", "room", {"name": "Room"}, protect=False)
    desk.run("apply", "--yes", code=0)
    gone(desk)
    desk.box.clear_log()
    assert passes(desk)["Resource/room"] == []


def test_no_flag_allows_an_object_that_already_exists(desk):
    desk.box.add_resource({"name": "The room"})
    room(desk)
    refused(desk, "guard-already-exists", "--allow-booked", "*")
    desk.run("adopt", "Resource/room", code=0)
    desk.run("apply", "--yes", code=0)


def test_what_another_project_manages_is_neither_adopted_nor_written_to(desk):
    room(desk)
    desk.run("apply", "--yes", code=0)
    shop = second_project(desk)
    desk.box.clear_log()
    done = desk.run("adopt", "Resource/room", *shop, code=4)
    assert "is also managed by project acme (as Resource/room) in the same state" in done.err
    assert "--allow-shared Resource/room" in done.err
    assert desk.calls() == []
    done = desk.run("adopt", "--all", *shop, code=4)
    assert "is also managed by project acme (as Resource/room) in the same state" in done.err
    assert "0 objects; 1 not adopted" in done.err
    desk.run("adopt", "Resource/room", "--allow-shared", "Resource/r*", *shop, code=0)
    desk.run("apply", "--yes", code=0)  # nothing to write, nothing to guard
    room(desk, description="Quiet")
    desk.box.clear_log()
    words, _ = refused(desk, "guard-managed-elsewhere")
    assert "is also managed by project shop (as Resource/room) in the same state" in words
    allowed = passes(desk, "--allow-shared", "Resource/room")
    assert allowed["Resource/room"] == [("guard-managed-elsewhere", "--allow-shared Resource/room")]


def test_two_environments_of_one_system_do_not_write_to_the_same_object(desk):
    project(desk, "environments: {test: {}}")
    room(desk)
    desk.run("apply", "--yes", code=0)
    done = desk.run("adopt", "Resource/room", "13", "--env", "test", code=4)
    assert "is also managed by project acme (as Resource/room) in the same state" in done.err
    desk.run("adopt", "--all", "--env", "test", "--allow-shared", "Resource/*", code=0)
    room(desk, description="Quiet")
    words, _ = refused(desk, "guard-managed-elsewhere")
    assert "is also managed by project acme, environment test (as Resource/room) in the same state" in words
    assert (
        "does not match Resource/room"
        in desk.run("adopt", "Resource/room", "--allow-shared", "Resource/hall", code=64).err
    )


def test_a_recreated_booking_session_that_may_be_booked_warns_or_blocks_by_policy(desk):
    desk.env |= SHOP
    text = SHOP_PROJECT.format(url=desk.box.url)
    desk.project(text)
    desk.declare("BookingSession", "gala", {"on_expiry": "recreate", "items": [ROOM]})
    desk.run("apply", "--yes", code=0)
    desk.box.expire_sessions()
    plan = desk.run("plan", "--format", "json", code=0).json
    assert [(item["code"], item["level"]) for item in plan["changes"][0]["risks"]] == [("expired-or-booked", "warn")]
    desk.project(text + "  policy:\n    risks:\n      expired-or-booked: block\n")
    words, _ = refused(desk, "guard-expired-or-booked")
    assert "policy.risks.expired-or-booked is block at reconciler.yaml:14" in words
    allowed = passes(desk, "--allow-booked", "BookingSession/gala")
    assert allowed["BookingSession/gala"] == [("guard-expired-or-booked", "--allow-booked BookingSession/gala")]


def test_a_flag_that_names_nothing_is_wrong_usage(desk):
    room(desk)
    for flag in ("--allow-booked", "--allow-shared"):
        assert "matches no object of this plan" in desk.run("plan", flag, "Resource/rom", code=64).err


def annotated(desk, until):
    desk.declare(
        "Session",
        "yoga",
        {
            "name": "Yoga",
            "type": "course",
            "group": "Body & Mind",
            "repeat": "custom",
            "slots": [{"date": "2027-03-09", "time": "11:00", "duration": 60}],
        },
        annotations={"allow-booked-until": until},
    )


def annotated_course(desk):
    desk.session(slots=[("2027-03-08", "11:00", 60)], price=None)
    desk.run("apply", "--yes", code=0)
    desk.box.book(desk.box.sessions()[0]["slots"][0]["id"], places=7, reserved=2)


def test_an_annotation_lets_risks_through_up_to_and_including_its_day(desk):
    annotated_course(desk)
    today = datetime.now(UTC).date()
    annotated(desk, (today - timedelta(days=1)).isoformat())
    refused(desk, "guard-booked-slot-moved")
    shown = desk.run("plan", code=0).out
    assert f"allow-booked-until {today - timedelta(days=1)} has expired" in shown
    until = (today + timedelta(days=1)).isoformat()
    annotated(desk, until)
    shown = desk.run("plan", code=0).out
    assert f"annotation allow-booked-until {until} allows: moving 1 slot with bookings" in shown
    assert passes(desk)["Session/yoga"] == [("guard-booked-slot-moved", f"annotation allow-booked-until {until}")]


def test_a_policy_leaves_risks_to_bookings_to_who_runs_the_command(desk):
    annotated_course(desk)
    project(desk, "policy: {booked_approval: flag}")
    annotated(desk, "2999-01-01")
    words, _ = refused(desk, "guard-booked-slot-moved")
    assert "annotation allow-booked-until 2999-01-01 is not enough (policy.booked_approval at reconciler.yaml:" in words
    assert "to allow it: --allow-booked Session/yoga" in words
    allowed = passes(desk, "--allow-booked", "Session/yoga")["Session/yoga"]
    assert allowed == [("guard-booked-slot-moved", "--allow-booked Session/yoga")]


def test_a_bad_day_in_the_annotation_is_an_error_with_its_place(desk):
    annotated(desk, "2027-02-30")
    done = desk.run("validate", code=1)
    assert "manifests/session-yoga.json:7:" in done.out + done.err
    assert "this day does not exist, because February 2027 has 28 days" in done.out + done.err


@pytest.mark.parametrize("form", ["markdown", "html", "text"])
def test_a_refused_and_an_allowed_run_are_reported_in_every_form(desk, form):
    course(desk)
    moved(desk)
    file = desk.folder / "report"
    arguments = ("--format", form, "--output", str(file))
    desk.box.clear_log()
    done = desk.run("apply", "--yes", *arguments, code=4)
    assert "--allow-booked Session/yoga" in done.err
    text = file.read_text(encoding="utf-8")
    assert "Refused before the first write." in text
    assert "7 booked, 2 reserved" in text
    assert desk.calls() == []
    desk.run("apply", "--yes", "--allow-booked", "Session/yoga", *arguments, code=0)
    assert "allowed by --allow-booked Session/yoga: moving 1 slot" in file.read_text(encoding="utf-8")


def test_a_refused_destroy_reports_every_object_as_blocked(desk):
    course(desk)
    _, outcomes = refused(desk, "guard-booked-session-deleted", command="destroy")
    assert {item["state"] for item in outcomes.values()} == {"blocked"}
    assert outcomes["Resource/other"]["error"] == "not started, because the run was refused"
    allowed = passes(desk, "--allow-booked", "Session/yoga", command="destroy")
    assert allowed["Session/yoga"] == [("guard-booked-session-deleted", "--allow-booked Session/yoga")]


def test_a_saved_plan_hints_at_the_flags_it_was_made_with(desk):
    course(desk)
    moved(desk)
    done = desk.run("plan", "--out", "p.plan", "--allow-booked", "Session/yoga", "--allow-shared", "*", code=0)
    assert "reconciler apply p.plan --allow-booked Session/yoga --allow-shared '*'" in done.err
    assert json.loads((desk.folder / "p.plan").read_text(encoding="utf-8"))["bookings"]["booked"] == 7
    desk.run("apply", "p.plan", "--yes", code=4)
    desk.run("apply", "p.plan", "--yes", "--allow-booked", "Session/yoga", code=0)


def test_all_objects_of_a_connection_gone_at_once_ask_for_the_right_credentials(desk):
    """The other account of a system without a target of its own, or a server that was set up again."""
    for name in ("red", "green", "blue"):
        room(desk, name)
    desk.session()
    desk.run("apply", "--yes", code=0)
    for item in desk.box.resources():
        desk.box.delete("resource", item["id"])
    drift = desk.run("drift", code=2)
    assert "all 3 managed objects of connection admin no longer exist" in drift.out
    words, outcomes = refused(desk, "guard-all-missing")
    assert f"no longer exist at {desk.box.url} company 37004: are these the right credentials" in words
    assert "if they were deleted: --allow-missing admin" in words
    assert outcomes["Session/yoga"]["state"] == "noop"
    refused(desk, "guard-all-missing", command="destroy")
    assert "matches no connection" in desk.run("plan", "--allow-missing", "adnim", code=64).err
    desk.run("plan", "--detailed-exitcode", code=4)
    saved = desk.run("plan", "--out", "new.plan", "--allow-missing", "admin", code=0)
    assert "--allow-missing admin" in saved.err
    desk.run("apply", "new.plan", "--yes", code=4)
    done = desk.run("apply", "new.plan", "--yes", "--allow-missing", "admin", "--format", "json", code=0).json
    allowed = {item["by"] for outcome in done["outcomes"] for item in outcome["allowed"]}
    assert allowed == {"--allow-missing admin"}
    desk.settled()
