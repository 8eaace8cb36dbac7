"""Creations whose result is in doubt: looked for, never repeated while they could be there."""

from __future__ import annotations

import pytest
from desk import PROJECT, until

from reconciler.engine import intents
from reconciler.sandbox import Fault

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00"}


def lose_answers(desk, method="POST", path="/api/sessions", times=1):
    desk.box.fault(Fault(kind="drop_after", match_method=method, match_path=path, times=times))


@pytest.mark.parametrize("show_fields", ["documented", "all"])
def test_a_course_without_start_date_is_found_again(desk, show_fields):
    desk.box.set_options(create_answer="none", show_fields=show_fields)
    desk.session()
    lose_answers(desk)
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1


def test_a_server_that_answers_its_own_start_date_does_not_hide_what_was_made(desk):
    desk.session()
    lose_answers(desk)
    desk.run("apply", "--yes", code=3)
    desk.box.edit_session(123, start_date="2026-12-01")
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1


def test_a_session_without_a_name_is_not_made_twice(desk):
    desk.session(name=None)
    lose_answers(desk)
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1


def test_what_the_server_stores_otherwise_than_sent_is_never_made_again(desk):
    desk.declare("Session", "swim", SWIM)
    lose_answers(desk)
    desk.run("apply", "--yes", code=3)
    desk.box.edit_session(123, name="SWIM")
    for _ in range(2):
        plan = desk.run("plan", "--format", "json", code=1).json
        assert plan["summary"]["unknown"] == 1
        assert "reconciler adopt Session/swim ID" in plan["changes"][0]["reason"]
        desk.run("apply", "--yes", code=3)
    assert len(desk.box.sessions()) == 1
    desk.run("adopt", "Session/swim", "123", code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert [item["name"] for item in desk.box.sessions()] == ["Swim"]


def test_a_person_can_say_that_nothing_was_made(desk):
    desk.declare("Session", "swim", SWIM)
    desk.box.fault(Fault(kind="drop_before", match_method="POST", times=1))
    desk.run("apply", "--yes", code=3)
    desk.box.add_session({"name": "Somebody else's", "group": "Other", "start_date": "2027-05-01"})
    assert "newer objects could be its result" in desk.run("plan", code=1).out
    desk.run("state", "rm", "Session/swim", code=0)
    desk.run("apply", "--yes", code=0)
    assert sorted(item["name"] for item in desk.box.sessions()) == ["Somebody else's", "Swim"]


def test_a_run_waits_for_a_call_that_the_server_may_still_be_at(desk, monkeypatch):
    desk.project(PROJECT.format(url=desk.box.url).replace("      auth:", "      timeout: 2\n      auth:"))
    desk.declare("Session", "swim", SWIM)
    desk.hold()
    monkeypatch.setattr(intents, "PENDING_MARGIN", 600)
    desk.run("apply", "--yes", code=3)
    desk.project(PROJECT.format(url=desk.box.url))
    assert desk.box.sessions() == []
    (change,) = desk.run("plan", "--format", "json", code=1).json["changes"]
    assert change["action"] == "unknown"
    assert "may still be in progress at the server until 20" in change["reason"]
    assert "--wait" in change["reason"]
    desk.box.clear_log()
    desk.run("apply", "--yes", code=3)
    assert desk.calls() == []
    waited = desk.released_while_waiting(monkeypatch, desk.box.sessions)
    done = desk.run("apply", "--yes", "--wait", code=0)
    assert "may still be in progress" in done.err
    assert 0 < waited[0] <= 602
    desk.settled()
    assert len(desk.box.sessions()) == 1


def test_a_kill_while_the_server_is_at_work_makes_no_duplicate(desk, monkeypatch):
    desk.declare("Session", "swim", SWIM)
    desk.hold()
    process = desk.start("apply", "--yes")
    until(desk.asked, process)
    process.kill()
    process.communicate(timeout=30)
    assert desk.box.sessions() == []
    waited = desk.released_while_waiting(monkeypatch, desk.box.sessions)
    desk.run("apply", "--yes", "--wait", "60", code=0)
    assert len(waited) == 1
    desk.settled()
    assert len(desk.box.sessions()) == 1


@pytest.mark.parametrize("owner", ["both", "resource", "person"])
def test_a_block_without_an_owner_is_not_created_twice(desk, owner):
    desk.box.set_options(block_owner=owner)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Block", "night", {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"})
    lose_answers(desk, method="PUT", path="/block")
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len([slot for slot in desk.box.slots() if slot["status"] == 3]) == 1


def test_two_applies_at_once_double_nothing(desk):
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", {"name": "Court"})
    desk.hold()
    first = desk.start("apply", "--yes")
    until(desk.asked, first)
    refused = desk.run("apply", "--yes", code=1)
    assert "another run holds the state lock" in refused.err
    assert f"process {first.pid}" in refused.err
    assert "may still be in progress" in desk.run("plan", code=1).out
    waiting = desk.start("apply", "--yes", "--lock-timeout", "100")
    desk.box.clear_faults()
    first.communicate(timeout=60)
    out, err = waiting.communicate(timeout=60)
    assert (first.returncode, waiting.returncode) == (0, 0), err
    assert "No changes" in out
    assert (len(desk.box.sessions()), len(desk.box.resources())) == (1, 1)


def test_unlocking_needs_the_id_of_the_run_that_holds_the_state(desk):
    desk.declare("Session", "swim", SWIM)
    desk.run("apply", "--yes", code=0)
    assert "run 123 does not hold the state lock" in desk.run("state", "unlock", "123", code=1).err


def test_adopting_takes_the_only_one_of_its_natural_key_and_changes_nothing(desk):
    desk.box.add_session({**SWIM, "type": 0, "price": "3.00"})
    desk.box.add_resource({"name": "Court"})
    desk.declare("Session", "swim", {**SWIM, "price": 4})
    desk.declare("Resource", "court", {"name": "Court"})
    desk.run("adopt", "Session/swim", code=0)
    desk.run("adopt", "Resource/court", "13", code=0)
    assert desk.calls() == []
    assert "already managed" in desk.run("adopt", "Session/swim", code=1).err
    assert desk.run("adopt", "Session/nosuch", code=1).err
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert [item["price"] for item in desk.box.sessions()] == ["4.00"]


def test_adopting_among_several_lists_them(desk):
    for _ in range(2):
        desk.box.add_resource({"name": "Court"})
    desk.declare("Resource", "court", {"name": "Court"})
    assert "id 13 (name 'Court'), id 14 (name 'Court')" in desk.run("adopt", "Resource/court", code=1).err


def test_making_a_weekly_class_a_custom_course_sends_the_slots_with_it(desk):
    desk.session(slots=None, repeat="weekly", start_date="2027-03-01", end_date="2027-03-15", time="11:00", duration=60)
    desk.run("apply", "--yes", code=0)
    desk.session()
    plan = desk.run("plan", "--format", "json", code=0).json
    assert plan["changes"][0]["calls"] == [{"method": "PUT", "path": "/api/sessions/123.xml"}]
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_parts_of_an_address_that_are_not_stated_stay(desk):
    desk.declare("Resource", "court", {"name": "Court", "address": {"address1": "1 Road", "postcode": "A"}})
    desk.run("apply", "--yes", code=0)
    desk.box.edit_resource(13, address={"address1": "1 Road", "postcode": "A", "country": "UK"})
    desk.declare("Resource", "court", {"name": "Court", "address": {"address1": "2 Road", "postcode": "A"}})
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    (put,) = [item for item in desk.box.log() if item.method == "PUT"]
    assert '"country":"UK"' in put.request_body


def test_a_resource_is_not_deleted_below_a_block_that_is_not_selected(desk):
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Block", "night", {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"})
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    done = desk.run("destroy", "--yes", "--target", "Resource/court", code=1)
    assert "add --target Block/night" in done.err
    assert desk.calls() == []
    desk.run("destroy", "--yes", "--target", "Resource/court", "--target", "Block/night", code=0)


def test_a_run_that_lost_its_lease_sends_nothing_more(desk):
    for number in range(4):
        desk.declare("Resource", f"court-{number}", {"name": f"Court {number}"})
    desk.hold()
    first = desk.start("apply", "--yes", "--parallelism", "1", "--format", "json")
    until(desk.asked, first)
    holder = desk.run("apply", "--yes", code=1).err.split("run ")[-1].split()[0]
    desk.run("state", "unlock", holder, code=0)
    desk.box.clear_faults()
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 3
    assert "no longer holds the state lock" in out
    assert len(desk.box.resources()) == 1
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.resources()) == 4
