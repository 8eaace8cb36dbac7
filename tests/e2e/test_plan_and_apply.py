"""The main job in a real shell: create, no-op, change, move, delete, drift, repair."""

from __future__ import annotations

import pytest

BLOCK = {
    "resource": "court-1",
    "start": "2027-03-01T09:00",
    "end": "2027-03-01T12:00",
    "timezone": "Europe/London",
}
COURT = {"name": "Court 1", "price": 12.5, "address": {"address1": "1 Sports Road", "postcode": "E12 8YH"}}


def declare_all(desk):
    desk.session()
    desk.declare("Resource", "court-1", COURT)
    desk.declare("Block", "court-1-paint", BLOCK)


def applied(desk):
    desk.run("apply", "--yes", code=0)
    desk.settled()
    desk.box.clear_log()


def test_creating_everything_ends_in_an_empty_plan(desk):
    declare_all(desk)
    plan = desk.run("plan", "--format", "json", "--detailed-exitcode", code=2).json
    assert plan["summary"]["create"] == 3
    assert desk.calls() == []
    desk.run("apply", "--yes", code=0)
    calls = desk.calls()
    assert sorted(calls) == [
        "POST /api/sessions.xml",
        "POST /api/v1/admin/37004/resources",
        "PUT /api/v1/admin/37004/resources/13/block",
    ]
    assert calls.index("POST /api/v1/admin/37004/resources") < calls.index("PUT /api/v1/admin/37004/resources/13/block")
    desk.settled()


def test_a_plan_sends_nothing_but_get(desk):
    declare_all(desk)
    applied(desk)
    desk.session(price=40)
    desk.run("plan", code=0)
    desk.run("drift", code=0)
    assert {item.method for item in desk.box.log()} == {"GET"}


def test_a_moved_slot_is_one_put_on_the_slot_and_ids_stay(desk):
    declare_all(desk)
    applied(desk)
    before = [slot["id"] for slot in desk.box.sessions()[0]["slots"]]
    desk.session(slots=[("2027-03-01", "11:00", 60), ("2027-03-10", "12:15", 60), ("2027-03-15", "09:30", 90)])
    plan = desk.run("plan", "--format", "json", code=0).json
    (change,) = [item for item in plan["changes"] if item["action"] == "update"]
    assert change["calls"] == [{"method": "PUT", "path": f"/api/slots/{before[1]}.xml"}]
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == [f"PUT /api/slots/{before[1]}.xml"]
    slots = desk.box.sessions()[0]["slots"]
    assert [slot["id"] for slot in slots] == before
    assert (slots[1]["date"], slots[1]["time"]) == ("2027-03-10", "12:15")
    desk.settled()


def test_another_number_of_slots_is_one_put_on_the_session(desk):
    declare_all(desk)
    applied(desk)
    desk.session(slots=[("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 60)])
    plan = desk.run("plan", code=0)
    assert "the number of slots changes from 3 to 2" in plan.out
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == ["PUT /api/sessions/123.xml"]
    desk.settled()


SESSION_FIELDS = {
    "name": "Evening Yoga",
    "type": "event",
    "group": "Mind",
    "start_date": "2027-02-01",
    "end_date": "2027-04-01",
    "time": "18:45",
    "duration": 75,
    "description": "Bring a mat. <b>Ünïcode & more</b>",
    "spaces": 12,
    "price": "41.50",
    "max_num_bookings": 3,
    "disabled": True,
    "min_cancel": 2,
    "max_advance": 90,
    "ask_address": True,
    "ticket_type": "questions_per_user",
}


@pytest.mark.parametrize("show_fields", ["documented", "all"])
def test_every_session_field_is_updated(desk, show_fields):
    desk.box.set_options(show_fields=show_fields)
    desk.session()
    applied(desk)
    for name, value in SESSION_FIELDS.items():
        desk.session(**{name: value})
        desk.run("apply", "--yes", code=0)
        assert desk.calls() == ["PUT /api/sessions/123.xml"], name
        desk.session()
        if name not in {"name", "type", "group", "price"}:
            continue  # no longer stated: left alone
        desk.run("apply", "--yes", code=0)
        desk.box.clear_log()
    desk.session(**SESSION_FIELDS)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    (live,) = desk.box.sessions()
    assert live["type"] == 0
    assert live["ticket_type"] == 1
    assert live["disabled"] is True
    assert {name: live[name] for name in ("name", "description", "spaces", "time")} == {
        name: SESSION_FIELDS[name] for name in ("name", "description", "spaces", "time")
    }


RESOURCE_FIELDS = {
    "name": "Court One",
    "description": "Newly laid",
    "email": "court@example.com",
    "disabled": True,
    "price": 15,
    "position": 4,
    "never_booked": True,
    "count": 2,
    "max_book": 3,
    "api_ref": "court-one",
    "address": {"address1": "2 Sports Road", "postcode": "E12 8YH", "country": "United Kingdom"},
}


@pytest.mark.parametrize("resource_fields", ["documented", "all"])
def test_every_resource_field_is_updated(desk, resource_fields):
    desk.box.set_options(resource_fields=resource_fields)
    desk.declare("Resource", "court-1", COURT)
    applied(desk)
    for name, value in RESOURCE_FIELDS.items():
        desk.declare("Resource", "court-1", {**COURT, name: value})
        desk.run("apply", "--yes", code=0)
        assert desk.calls() == ["PUT /api/v1/admin/37004/resources/13"], name
        desk.declare("Resource", "court-1", COURT)
        desk.run("apply", "--yes", code=0)
        desk.box.clear_log()
    desk.declare("Resource", "court-1", RESOURCE_FIELDS)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_a_block_moves_in_place_and_is_deleted_before_its_resource(desk):
    declare_all(desk)
    applied(desk)
    desk.declare("Block", "court-1-paint", {**BLOCK, "start": "2027-03-02T09:00", "end": "2027-03-02T10:00"})
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == ["PUT /api/v1/admin/37004/slots/22"]
    desk.settled()
    desk.forget("Block", "court-1-paint")
    desk.forget("Resource", "court-1")
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == ["DELETE /api/v1/admin/37004/slots/22", "DELETE /api/v1/admin/37004/resources/13"]
    desk.settled()


def test_drift_is_shown_and_repaired(desk):
    desk.box.set_options(show_fields="all")
    declare_all(desk)
    applied(desk)
    assert desk.run("drift", "--format", "json", code=0).json["summary"]["in_sync"] == 3
    desk.box.edit_session(123, price="30.00")
    desk.box.delete("slot", 22)
    drift = desk.run("drift", "--format", "json", code=2).json
    assert drift["summary"] == {"changed": 1, "missing": 1, "expired": 0, "in_sync": 1, "unknown": 0}
    (changed,) = [item for item in drift["objects"] if item["status"] == "changed"]
    assert [(item["path"], item["before"], item["after"]) for item in changed["fields"]] == [
        ("price", "35.00", "30.00")
    ]
    plan = desk.run("plan", "--format", "json", code=0).json
    actions = {item["address"]: item["action"] for item in plan["changes"]}
    assert actions == {"Block/court-1-paint": "create", "Resource/court-1": "noop", "Session/yoga": "update"}
    (repair,) = [item for item in plan["changes"] if item["action"] == "update"]
    assert [item["origin"] for item in repair["fields"]] == ["drift"]
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert desk.box.sessions()[0]["price"] == "35.00"


def test_destroy_deletes_what_is_managed_and_nothing_else(desk):
    desk.box.add_session({"name": "Not ours", "group": "Other", "start_date": "2027-01-01"})
    declare_all(desk)
    applied(desk)
    desk.run("destroy", "--yes", code=0)
    assert [item["name"] for item in desk.box.sessions()] == ["Not ours"]
    assert desk.run("state", "list", "--format", "json", code=0).json["objects"] == []


def test_targets_and_excludes_narrow_an_apply(desk):
    declare_all(desk)
    desk.run("apply", "--yes", "--target", "Resource/*", code=0)
    assert desk.calls() == ["POST /api/v1/admin/37004/resources"]
    desk.run("apply", "--yes", "--exclude", "Session/yoga", code=0)
    assert desk.calls() == ["PUT /api/v1/admin/37004/resources/13/block"]
    assert desk.run("plan", "--target", "Sesion/yoga", code=64).err.count("did you mean Session/yoga") == 1


def test_a_target_brings_along_what_it_needs_and_does_not_exist_yet(desk):
    declare_all(desk)
    desk.run("apply", "--yes", "--target", "Block/court-1-paint", code=0)
    assert desk.calls() == ["POST /api/v1/admin/37004/resources", "PUT /api/v1/admin/37004/resources/13/block"]
