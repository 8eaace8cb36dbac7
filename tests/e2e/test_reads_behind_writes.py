"""Reads that are behind writes: what was just created is not absent, what was just written is no outside change."""

from __future__ import annotations

import pytest
from guarded import room

from reconciler.engine import readback

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "price": "5"}
HOURS = {"start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"}


def swim(desk, **spec):
    desk.declare("Session", "swim", {**SWIM, **spec})


def only(desk):
    """The one change of a plan."""
    (change,) = desk.run("plan", "--format", "json").json["changes"]
    return change


def current(desk):
    """Let every write be shown from now on."""
    desk.box.set_options(lag_reads=0)


@pytest.mark.parametrize("kind", ["Session", "Resource", "Block"])
@pytest.mark.parametrize("lag", [1, 2])
def test_an_apply_looks_again_until_a_write_is_shown(desk, kind, lag):
    if kind == "Session":
        swim(desk)
    else:
        room(desk)
    if kind == "Block":
        desk.run("apply", "--yes", code=0)
        desk.declare("Block", "night", {"resource": "room", **HOURS})
    desk.box.set_options(lag_reads=lag)
    desk.run("apply", "--yes", code=0)
    current(desk)
    desk.settled()


@pytest.mark.parametrize("kind", ["Session", "Resource", "Block"])
def test_what_was_created_and_never_seen_is_unknown_and_not_created_again(desk, kind):
    if kind == "Session":
        swim(desk)
    else:
        room(desk)
    if kind == "Block":
        desk.run("apply", "--yes", code=0)
        desk.declare("Block", "night", {"resource": "room", **HOURS})
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    for _ in range(2):
        done = desk.run("plan", "--format", "json", code=1)
        (change,) = [item for item in done.json["changes"] if item["kind"] == kind]
        assert change["action"] == "unknown"
        assert change["remote_id"]
        assert f"(id {change['remote_id']})" in change["reason"]
        assert "which started at 20" in change["reason"]
        assert f"reconciler state rm {change['address']}" in change["reason"]
    desk.box.clear_log()
    desk.run("apply", "--yes", code=3)
    assert desk.calls() == []
    assert change["address"] in desk.run("drift", code=1).out
    current(desk)
    desk.run("drift", code=0)
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []
    desk.settled()


def test_what_is_moved_before_it_was_seen_is_named_as_the_state_knows_it(desk):
    """A move waits until the object is known again, so a command that plan or apply names finds it."""
    swim(desk)
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM, moved_from="swim")
    assert only(desk)["action"] == "unknown"
    (outcome,) = desk.run("apply", "--yes", "--format", "json", code=3).json["outcomes"]
    assert "reconciler state rm Session/swim" in outcome["error"]
    assert "Session/swim" in desk.run("state", "list", code=0).out
    current(desk)
    desk.run("apply", "--yes", code=0)
    assert "Session/bath" in desk.run("state", "list", code=0).out
    desk.settled()
    assert len(desk.box.sessions()) == 1


def test_a_new_name_that_no_read_shows_yet_is_first_waited_for(desk):
    desk.declare("Resource", "hall", {"name": "Hall", "description": "Large"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Resource", "hall", {"name": "Studio", "description": "Small"})
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    assert "= help: plan again later or with --wait" in desk.run("plan", code=1).out
    current(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_a_new_name_that_no_read_shows_yet_is_sent_again_where_nothing_else_can_be_compared(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.run("apply", "--yes", code=0)
    desk.declare("Resource", "hall", {"name": "Studio"})
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    assert "succeeded, but no read shows its effect yet" in desk.run("plan", "--detailed-exitcode", code=2).out
    current(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_a_person_can_decide_that_it_is_created_again(desk):
    swim(desk)
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    desk.box.delete("session", desk.box.sessions()[0]["id"])
    current(desk)
    assert "reconciler state rm Session/swim" in desk.run("plan", code=1).out
    desk.run("state", "rm", "Session/swim", code=0)
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1
    desk.settled()


def test_once_seen_it_is_missed_like_any_other(desk):
    swim(desk)
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    current(desk)
    desk.run("apply", "--yes", code=0)
    desk.box.delete("session", desk.box.sessions()[0]["id"])
    assert only(desk)["action"] == "create"


def test_a_removed_manifest_does_not_orphan_what_was_never_seen(desk):
    swim(desk)
    desk.box.set_options(lag_reads=99)
    desk.run("apply", "--yes", code=3)
    desk.forget("Session", "swim")
    desk.run("apply", "--yes", "--allow-empty", code=3)
    current(desk)
    desk.run("apply", "--yes", "--allow-empty", code=0)
    assert desk.box.sessions() == []


@pytest.mark.parametrize("lag", [1, 99])
def test_a_confirmed_create_without_an_id_is_found_later_and_not_repeated(desk, lag):
    desk.box.set_options(create_answer="none", lag_reads=lag)
    swim(desk)
    desk.run("apply", "--yes", code=0 if lag == 1 else 3)
    if lag > 1:
        change = only(desk)
        assert change["action"] == "unknown"
        assert "succeeded" in change["reason"]
        desk.run("apply", "--yes", code=3)
    current(desk)
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()) == 1
    desk.settled()


def test_a_confirmed_create_that_could_not_be_looked_up_is_not_waited_for(desk):
    """Its call has ended: only a lost one may still be in progress."""
    desk.box.set_options(create_answer="none", lag_reads=99)
    swim(desk)
    desk.run("apply", "--yes", code=3)
    current(desk)
    done = desk.run("apply", "--yes", code=0)
    assert "Waiting" not in done.err
    assert len(desk.box.sessions()) == 1


@pytest.mark.parametrize("spec", [{"price": "7"}, {"name": "Swimming"}, {"price": "7", "name": "Swimming"}])
def test_an_update_that_is_read_back_stale_is_no_outside_change(desk, spec):
    """The same values may be sent again."""
    desk.box.set_options(show_fields="all")
    swim(desk)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(lag_reads=99)
    swim(desk, **spec)
    desk.run("apply", "--yes", code=3)
    change = only(desk)
    assert change["action"] == "update"
    assert "outside" not in change["reason"]
    assert "a call to update it, which started at 20" in change["reason"]
    assert {item["origin"] for item in change["fields"]} == {"manifest"}
    assert "a call to update it" in desk.run("drift", code=1).out
    current(desk)
    desk.box.clear_log()
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []
    desk.settled()


def test_another_change_of_the_manifest_goes_on(desk):
    desk.box.set_options(show_fields="all")
    swim(desk)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(lag_reads=99)
    swim(desk, price="7")
    desk.run("apply", "--yes", code=3)
    swim(desk, price="9")
    assert only(desk)["action"] == "update"
    current(desk)
    desk.run("apply", "--yes", code=0)
    assert desk.box.sessions()[0]["price"] == "9.00"
    desk.settled()


def test_a_slot_that_was_just_added_is_not_added_again(desk):
    slots = [("2027-03-01", "11:00", 60)]
    desk.session(slots=slots)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(lag_reads=99)
    desk.session(slots=[*slots, ("2027-03-08", "11:00", 60)])
    desk.run("apply", "--yes", code=3)
    desk.box.clear_log()
    desk.run("apply", "--yes", code=3)
    assert desk.calls() == []
    current(desk)
    desk.run("apply", "--yes", code=0)
    assert len(desk.box.sessions()[0]["slots"]) == 2
    desk.settled()


def test_a_new_address_that_is_not_shown_yet_is_no_outside_change(desk):
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(lag_reads=2)
    room(desk, address={"address1": "1 High St"})
    desk.run("apply", "--yes")
    current(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()


@pytest.mark.parametrize("lag", [1, 99])
def test_a_deleted_object_that_is_still_shown_is_deleted_once(desk, lag):
    swim(desk)
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.forget("Session", "swim")
    desk.box.set_options(lag_reads=lag)
    desk.run("apply", "--yes", code=0 if lag == 1 else 3)
    current(desk)
    desk.run("apply", "--yes", code=0)
    assert desk.box.sessions() == []
    desk.settled()


def test_reads_that_are_behind_for_seconds(desk, monkeypatch):
    monkeypatch.setattr(readback, "LOOKS", (0.25, 0.5, 1.0, 2.0))
    desk.box.set_options(lag_seconds=1)
    swim(desk)
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.settled()
