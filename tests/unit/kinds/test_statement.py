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
        ({"spaces": 1, "max_num_bookings": 1, "disabled": False, "min_cancel": 5}, {"spaces": 1}),
        ({**DATES, "type": "course", "repeat": "weekly"}, None),
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
def test_a_session_states_no_certain_default_unless_it_would_look_forgotten(live, stated):
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


OPAQUE = {"line": "2", "slip": "a8s7d6", "item_id": "18", "options": {"31": "in"}, "rated_quantity": 8}


@pytest.mark.parametrize(
    "line",
    [LINE, {**LINE, "params": {"guests": 2}}, {**WHOLE, "discounted": True}, OPAQUE, {**OPAQUE, "item_id": ""}],
    ids=str,
)
def test_a_line_that_does_not_show_all_that_it_is_for_is_stated_by_its_slip(line):
    said = booking_session.KIND.statement({"items": [line]}, {})
    (item,) = said.fields["items"]
    assert item["slip"] == line["slip"]
    assert item.keys() <= {"key", "slip", "options"}
    assert f"item {item['key']}: stated by the slip" in said.remarks["items"]


def test_times_and_every_parameter_are_stated():
    line = {**WHOLE, "params": {"qty": 2, "guests": 1}, "start_time": "08:00", "end_time": "12:00"}
    (item,) = booking_session.KIND.statement({"items": [line]}, {}).fields["items"]
    assert (item["start_time"], item["end_time"], item["params"]) == ("08:00", "12:00", {"qty": 2, "guests": 1})


def test_a_quantity_that_only_the_rate_shows_is_stated_as_it_is_now():
    line = {**OPAQUE, "key": "bikes", "recorded": {"slip": "a8s7d6", "qty": 3}}
    said = booking_session.KIND.statement({"items": [line]}, {"items": [{"key": "bikes", "quantity": 3}]})
    assert said.fields["items"] == [{"key": "bikes", "quantity": 8}]
