"""What a manifest of a live object states: no documented default, no slot that cannot be named, no slip."""

from __future__ import annotations

import pytest

from reconciler.kinds import block, resource
from reconciler.kinds.booking_session import kind as booking_session
from reconciler.kinds.session import kind as session

DATES = {"start_date": "2031-03-03", "end_date": "2031-03-03", "time": "18:00"}


@pytest.mark.parametrize(
    ("live", "stated"),
    [
        ({"spaces": 1, "max_num_bookings": 1, "disabled": False, "min_cancel": 5}, {}),
        ({"spaces": 2, "max_num_bookings": 3, "disabled": True, "min_cancel": 1}, None),
        ({"duration": 60}, None),
        ({"duration": 120, "type": "event", "repeat": "none"}, {"type": "event"}),
        ({"duration": 60, "type": "event", "repeat": "weekly"}, None),
        (
            {"duration": 60, "max_advance": 60, "repeat": "weekly", "type": "recurring_event"},
            {"type": "recurring_event"},
        ),
        ({**DATES, "type": "event"}, {"start_date": "2031-03-03", "time": "18:00", "type": "event"}),
        ({**DATES, "type": "recurring_event"}, None),
        (DATES, None),
        ({"description": "", "price": "0.00"}, None),
    ],
)
def test_a_session_states_no_default_that_is_certain(live, stated):
    said = session.KIND.statement(live, {})
    assert said.fields == (live if stated is None else stated)
    assert said.left_out == {}


SLOT = {"id": "9", "date": "2031-03-03", "time": "11:00", "duration": 60, "spaces_booked": 2, "spaces_reserved": 0}
LATER = {**SLOT, "id": "8", "date": "2031-03-10", "duration": 45}


def test_custom_slots_are_stated_in_order_without_what_goes_without_saying():
    said = session.KIND.statement({"repeat": "custom", "type": "course", "duration": 60, "slots": [LATER, SLOT]}, {})
    assert said.fields["slots"] == [
        {"date": "2031-03-03", "time": "11:00"},
        {"date": "2031-03-10", "time": "11:00", "duration": 45},
    ]
    assert (said.fields["repeat"], said.fields["duration"]) == ("custom", 60)


@pytest.mark.parametrize(
    ("live", "left_out"),
    [
        ({"repeat": "custom", "slots": [{"id": "9", "date": "2031-03-03"}]}, {"slots", "repeat"}),
        ({"repeat": "custom", "slots": []}, {"slots", "repeat"}),
        (
            {"repeat": "custom", "duration": 60, "slots": [{"id": "9", "date": "2031-03-03", "time": "9"}]},
            {"slots", "repeat"},
        ),
        ({"slots": [SLOT]}, {"slots"}),
        ({"repeat": "weekly", "slots": [SLOT]}, set()),
        ({"repeat": "weekly"}, set()),
    ],
)
def test_slots_that_cannot_be_stated_are_left_out_with_a_reason(live, left_out):
    said = session.KIND.statement(live, {})
    assert said.left_out.keys() == left_out
    assert "slots" not in said.fields


def test_a_resource_states_its_own_address_or_the_id_of_a_shared_one():
    own = {"name": "Hall", "disabled": False, "address_id": "6", "address": {"address1": "1 High St", "address2": ""}}
    assert resource.KIND.statement(own, {}).fields == {"name": "Hall", "address": {"address1": "1 High St"}}
    shared = {"name": "Hall", "disabled": True, "address_id": "6"}
    assert resource.KIND.statement(shared, {}).fields == shared
    empty = {"name": "Hall", "address_id": "6", "address": {"address1": "", "country": ""}}
    assert resource.KIND.statement(empty, {}).fields == {"name": "Hall", "address_id": "6"}


def test_a_block_states_everything():
    live = {"resource_id": "7", "start": "2031-03-03T09:00:00Z", "end": "2031-03-03T10:00:00Z"}
    assert block.KIND.statement(live, {}).fields == live


LINE = {"line": "1", "slip": "17.20310707X2-guests.2", "item_id": "17", "start_date": "2031-07-07", "options": {}}
WHOLE = {**LINE, "end_date": "2031-07-09", "params": {"guests": 2}, "quantity": None}


def test_a_held_booking_states_its_items_and_never_a_slip():
    said = booking_session.KIND.statement({"items": [WHOLE, {**WHOLE, "line": "2"}]}, {})
    item = {"item_id": "17", "start_date": "2031-07-07", "end_date": "2031-07-09", "params": {"guests": 2}}
    assert said.fields == {"items": [{"key": "item-17", **item}, {"key": "item-17-2", **item}]}


def test_a_line_that_is_as_it_was_applied_is_stated_as_it_was_declared():
    declared = {
        "key": "room",
        "item_id": "17",
        "start_date": "2031-07-07",
        "end_date": "2031-07-09",
        "discount_code": "X",
    }
    said = booking_session.KIND.statement(
        {"items": [{**WHOLE, "key": "room"}]}, {"items": [declared], "on_expiry": "recreate"}
    )
    assert said.fields == {"on_expiry": "recreate", "items": [declared]}


def test_a_line_without_item_and_dates_keeps_the_booking_from_being_declared():
    said = booking_session.KIND.statement({"items": [LINE]}, {})
    assert said.fields == {}
    assert "line 1 does not show its item and dates" in said.left_out["items"]
