"""One odd object in a list hides no other one: a character that XML does not allow, a day at the end of time."""

from __future__ import annotations

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00"}
NIGHT = {"start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"}


def test_a_control_character_in_a_foreign_session_stops_nothing(desk):
    desk.box.add_session({**SWIM, "name": "Yoga\x0b"})
    assert "&#11;" not in desk.run("plan", code=0).out
    desk.declare("Session", "swim", SWIM)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert [item["name"] for item in desk.box.sessions()] == ["Yoga\x0b", "Swim"]


def test_a_block_at_the_end_of_time_stops_only_itself(desk):
    number = desk.box.add_resource({"name": "Court"})
    desk.declare("Block", "night", {**NIGHT, "resource_id": number})
    desk.declare("Block", "far", {"resource_id": number, "start": "9999-12-30T09:00Z", "end": "9999-12-31T09:00Z"})
    plan = desk.run("plan", "--format", "json", code=1).json
    changes = {change["address"]: change for change in plan["changes"]}
    assert [changes[f"Block/{name}"]["action"] for name in ("night", "far")] == ["create", "unknown"]
    assert "start_date is invalid (slots from 9999-12-29 to 9999-12-31)" in changes["Block/far"]["reason"]
    desk.run("apply", "--yes", "--allow-unknown", "Block/far", code=3)
    assert len([slot for slot in desk.box.slots() if slot["status"] == 3]) == 1
