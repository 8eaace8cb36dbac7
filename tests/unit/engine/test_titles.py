"""What customers know objects by, for each kind."""

from __future__ import annotations

import pytest

from reconciler.engine.titles import LONGEST, Titles
from reconciler.model.objects import Address, Desired, Record, Ref, SourceRef
from reconciler.registry import kinds

HALL = Address("Resource", "hall")


def desired(address, fields, zone=None):
    return Desired(address=address, connection="admin", fields=fields, source=SourceRef("a.yaml", 1), zone=zone)


def record(address, remote_id, fields, connection="admin"):
    return Record(address=address, connection=connection, target="x", remote_id=remote_id, fields=fields)


def title(kind, fields, *, declared=(), records=(), zone=None):
    address = Address(kind, "it")
    found = {item.address: item for item in (*declared, desired(address, fields, zone))}
    return Titles(kinds(), found, {item.address: item for item in records}).of(address, fields)


def slots(*days, time="11:00"):
    return [{"date": day, "time": time, "duration": 60} for day in days]


MONDAYS = ("2027-03-01", "2027-03-08", "2027-03-15")
DATES = [{"id": day, "date": day} for day in MONDAYS]
START = {"start_date": "2027-03-01", "time": "11:00"}

SESSIONS = {
    "weekly": ({**START, "repeat": "weekly"}, "Mondays 11:00"),
    "fortnightly": ({**START, "repeat": "fortnightly"}, "every second Monday 11:00"),
    "weekdays": ({**START, "repeat": "weekdays"}, "Mondays to Fridays 11:00"),
    "weekends": ({**START, "repeat": "weekends"}, "Saturdays and Sundays 11:00"),
    "daily": ({**START, "repeat": "daily"}, "daily 11:00"),
    "by day": ({**START, "repeat": "monthly_by_day"}, "monthly on day 1 11:00"),
    "by weekday": (
        {**START, "start_date": "2027-03-29", "repeat": "monthly_by_weekday"},
        "monthly on the fifth Monday 11:00",
    ),
    "once": ({**START, "repeat": "none", "end_date": "2027-06-01"}, "Mon 1 Mar 2027, 11:00"),
    "unknown repeat": (START, "Mon 1 Mar 2027, 11:00"),
    "unknown repeat with an end": ({**START, "end_date": "2027-03-02"}, "Mon 1 Mar 2027 to Tue 2 Mar 2027, 11:00"),
    "one slot": ({"slots": slots("2027-03-02")}, "Tue 2 Mar 2027, 11:00"),
    "slots of one weekday": ({"slots": slots(*MONDAYS)}, "Mondays 11:00"),
    "two times": ({"slots": [*slots(*MONDAYS), *slots(*MONDAYS, time="18:30")]}, "Mondays 11:00 and 18:30"),
    "two weekdays": (
        {"slots": slots("2027-03-01", "2027-03-08", "2027-03-04", "2027-03-11")},
        "Mondays and Thursdays 11:00",
    ),
    "odd days": ({"slots": slots("2027-03-01", "2027-03-02", "2027-03-09")}, "3 dates from Mon 1 Mar 2027, 11:00"),
    "slots without times": ({"slots": [{"id": "1", "date": "2027-03-01"}]}, "Mon 1 Mar 2027"),
    "slots without times of a weekly class": ({**START, "repeat": "weekly", "slots": DATES}, "Mondays 11:00"),
    "slots without times of a custom class": ({**START, "repeat": "custom", "slots": DATES}, "Mondays"),
    "slots without times of an unknown repeat": ({**START, "slots": DATES}, "Mondays"),
    "a time only": ({"time": "09:05"}, "09:05"),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_named_with_its_days_and_time(name):
    fields, timing = SESSIONS[name]
    expected = '"Yoga for all"' + (f" · {timing}" if timing else "")
    assert title("Session", {"name": "Yoga for all", **fields}) == expected
    assert title("Session", fields) == timing


SPAN = {"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T17:00:00Z"}
BLOCKS = {
    "London in winter": (SPAN, "Europe/London", "Mon 1 Mar 2027, 09:00–17:00"),
    "an offset": (SPAN, "+05:30", "Mon 1 Mar 2027, 14:30–22:30 +05:30"),
    "no zone": (SPAN, None, "Mon 1 Mar 2027, 09:00–17:00 UTC"),
    "over a clock change": (
        {"start": "2027-03-27T09:00:00Z", "end": "2027-03-28T16:00:00Z"},
        "Europe/London",
        "Sat 27 Mar 2027, 09:00 – Sun 28 Mar 2027, 17:00",
    ),
    "a whole day": (
        {"start": "2027-06-30T23:00:00Z", "end": "2027-07-01T23:00:00Z"},
        "Europe/London",
        "Thu 1 Jul 2027, 00:00–24:00",
    ),
    "until midnight": (
        {"start": "2027-03-01T18:00:00Z", "end": "2027-03-02T00:00:00Z"},
        "Europe/London",
        "Mon 1 Mar 2027, 18:00–24:00",
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_named_by_its_resource_and_time_in_one_zone(name):
    fields, zone, words = BLOCKS[name]
    hall = desired(HALL, {"name": "Studio 1"})
    fields = {"resource_id": Ref(HALL), **fields}
    assert title("Block", fields, declared=[hall], zone=zone) == f"Studio 1, {words}"


def test_the_resource_of_a_block_is_found_by_its_id_and_named_as_far_as_it_is_known():
    fields = {"resource_id": "55", **SPAN}
    zone = "Europe/London"
    managed = record(HALL, "55", {"name": "Old hall"})
    assert title("Block", fields, records=[managed], zone=zone).startswith("Old hall, Mon")
    declared = desired(HALL, {"name": "Studio 1"})
    assert title("Block", fields, declared=[declared], records=[managed], zone=zone).startswith("Studio 1, Mon")
    assert title("Block", fields, zone=zone).startswith("resource 55, Mon")
    assert title("Block", SPAN, zone=zone) == "Mon 1 Mar 2027, 09:00–17:00"


def test_an_object_without_a_manifest_has_the_zone_of_the_project_where_there_is_one():
    declared = {
        Address("Block", name): desired(Address("Block", name), SPAN, zone)
        for name, zone in (("a", "Europe/London"), ("b", "Europe/London"), ("c", "+01:00"), ("d", None))
    }
    gone = Address("Block", "gone")
    assert Titles(kinds(), declared, {}).zone(gone) == "Europe/London"
    assert Titles(kinds(), declared, {}).zone(Address("Block", "d")) is None
    other = Address("Block", "e")
    assert Titles(kinds(), {**declared, other: desired(other, SPAN, "Europe/Rome")}, {}).zone(gone) is None


def test_a_held_booking_and_a_resource_are_named():
    items = [{"key": "a", "start_date": "2027-05-02"}, {"key": "b", "start_date": "2027-05-01"}, {"key": "c"}]
    assert title("BookingSession", {"items": items}) == "3 items from Sat 1 May 2027"
    assert title("BookingSession", {"items": [{"key": "c", "slip": "1"}]}) == "1 item"
    assert title("Resource", {"name": "Court 1"}) == '"Court 1"'


def test_an_object_is_named_as_it_is_live_and_what_is_not_returned_as_it_was_applied():
    address = Address("Session", "it")
    titles = Titles(kinds(), {}, {})
    live, applied = {"name": "Yoga", "time": None}, {"name": "Old", **START, "repeat": "weekly"}
    assert titles.of(address, live, applied) == '"Yoga" · Mondays 11:00'


def test_a_name_cannot_pretend_to_be_more_than_a_name():
    assert title("Session", {"name": 'Yoga" · Mondays 9:00', "time": "11:00"}) == '"Yoga\\" · Mondays 9:00" · 11:00'
    assert len(title("Resource", {"name": "x" * 1000})) == LONGEST + 2
