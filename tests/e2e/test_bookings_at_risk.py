"""Harm to bookings that hides: behind values the API does not answer, behind other fields, behind other commands."""

from __future__ import annotations

import pytest
from guarded import course, hours, passes, refused, room

from reconciler.sandbox import Fault


def booked_spaces(desk, **options):
    desk.box.set_options(**options)
    desk.session(spaces=12)
    desk.run("apply", "--yes", code=0)
    live = desk.box.sessions()[0]
    desk.box.edit_session(live["id"], spaces=30)
    desk.box.book(live["slots"][1]["id"], places=20, reserved=2)


def test_spaces_that_are_not_answered_may_be_more_than_was_applied(desk):
    booked_spaces(desk)
    desk.session(spaces=15)
    words, _ = refused(desk, "guard-booked-spaces-cut")
    assert "setting spaces to 15 leaves too few spaces for 1 slot with bookings" in words
    assert "20 booked, 2 reserved" in desk.run("plan", code=0).out
    desk.session(spaces=22)
    plan = desk.run("plan", "--format", "json", code=0).json
    assert [change["risks"] for change in plan["changes"]] == [[]]
    assert plan["bookings"]["slots"] == 0
    desk.session(spaces=15)
    passes(desk, "--allow-booked", "Session/yoga")


def test_spaces_that_grow_beyond_what_is_answered_are_no_cut(desk):
    booked_spaces(desk, show_fields="all")
    desk.session(spaces=31)
    passes(desk)


def test_another_type_may_move_slots_and_one_that_was_never_applied_does_not(desk):
    course(desk)
    desk.session(spaces=12, type="recurring_event")
    words, _ = refused(desk, "guard-booked-slot-moved")
    assert "changing type may move 1 slot with bookings" in words
    desk.session(spaces=12)
    desk.run("state", "rm", "Session/yoga", code=0)
    desk.run("adopt", "Session/yoga", code=0)
    plan = desk.run("plan", "--format", "json", code=0).json
    (change,) = [item for item in plan["changes"] if item["address"] == "Session/yoga"]
    assert "type" in [item["path"] for item in change["fields"]]
    assert not [item for item in change["risks"] if "type" in item["message"]]


@pytest.mark.parametrize("answered", ["documented", "all"])
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"never_booked": True}, "setting never_booked true of the resource"),
        ({"count": 0}, "setting count 0 of the resource"),
        ({"max_book": 0, "count": 0}, "setting count 0, max_book 0 of the resource"),
        ({"disabled": True, "count": 0}, "disabling the resource"),
    ],
)
def test_a_resource_taken_out_of_use_by_another_field(desk, spec, words, answered):
    desk.box.set_options(resource_fields=answered)
    room(desk, count=3, max_book=2)
    desk.run("apply", "--yes", code=0)
    (live,) = desk.box.resources()
    desk.box.add_booking(live["id"], *hours(0, 1))
    room(desk, **{"count": 3, "max_book": 2, **spec})
    told, _ = refused(desk, "guard-booked-resource-disabled")
    assert words in told
    passes(desk, "--allow-booked", "Resource/room")


def test_a_resource_without_bookings_is_taken_out_of_use(desk):
    room(desk, count=3)
    desk.run("apply", "--yes", code=0)
    room(desk, count=0, max_book=0, never_booked=True, disabled=True)
    passes(desk)


@pytest.mark.parametrize("counts", ["yes", "no"])
def test_what_is_not_known_is_null_in_risks_too(desk, counts):
    course(desk)
    desk.box.set_options(slot_counts=counts)
    desk.session(spaces=8)
    plan = desk.run("plan", "--format", "json", code=0).json
    (risk,) = [risk for change in plan["changes"] for risk in change["risks"]]
    assert (risk["booked"], risk["reserved"]) == ((7, 2) if counts == "yes" else (None, None))


def test_bookings_that_could_not_be_read_are_nowhere_counted(desk):
    room(desk)
    room(desk, "other")
    desk.run("apply", "--yes", code=0)
    desk.forget("Resource", "room")
    desk.box.fault(Fault(kind="status_before", match_method="GET", match_path="/bookings", status=500, times=None))
    for form in ("text", "markdown", "html"):
        shown = desk.run("plan", "--format", form, code=0).out
        assert "Bookings touched: bookings unknown." in shown
        assert "0 slots" not in shown
        assert "0 booked" not in shown
    plan = desk.run("plan", "--format", "json", code=0).json
    assert (plan["bookings"]["booked"], plan["bookings"]["unknown"]) == (None, 1)


def told_by_slots(desk, **slot):
    """A room, to be disabled, whose bookings can only be told by its one slot."""
    desk.box.set_options(bookings_list="not_found")
    room(desk)
    desk.run("apply", "--yes", code=0)
    (live,) = desk.box.resources()
    start, end = hours(0, 1)
    desk.box.add_slot(resource_id=live["id"], start=start, end=end, **slot)
    room(desk, disabled=True)


@pytest.mark.parametrize("status", [1, 2, 4, 8, 9, 10, 11])
def test_a_slot_that_is_taken_is_recognised_by_its_status(desk, status):
    told_by_slots(desk, status=status)
    refused(desk, "guard-booked-resource-disabled")


@pytest.mark.parametrize("status", [0, 3, 5, 6, 7])
def test_a_free_slot_blocks_nothing(desk, status):
    told_by_slots(desk, status=status)
    passes(desk)


@pytest.mark.parametrize(
    ("pre_time", "post_time", "hit"), [(0, 0, False), (30, 0, False), (0, 45, True), (15, 30, False)]
)
def test_a_block_in_the_time_after_a_booking_is_refused(desk, pre_time, post_time, hit):
    number = desk.box.add_resource({"name": "Court"})
    desk.box.add_booking(number, *hours(0, 1), pre_time=pre_time, post_time=post_time)
    start, end = hours(1, 3)
    later = {"resource_id": number, "start": start.replace(":00:00", ":30:00"), "end": end}
    desk.declare("Block", "later", later)
    if hit:
        words, _ = refused(desk, "guard-booked-time-blocked")
        assert "UTC with 45 min after" in words
    else:
        desk.run("apply", "--yes", code=0)
