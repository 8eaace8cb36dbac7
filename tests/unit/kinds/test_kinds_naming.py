"""What people know an object by: its title, a short description, and the time that it takes."""

from __future__ import annotations

import pytest

from reconciler.registry import kinds

KINDS = kinds()


@pytest.mark.parametrize(
    ("kind", "fields", "title", "description"),
    [
        ("Session", {"name": "Yoga", "group": "Body", "price": "35.00"}, "Yoga", "name 'Yoga', group 'Body'"),
        ("Session", {"name": "", "group": "Body"}, "", "group 'Body'"),
        (
            "Session",
            {"group": "Body", "slots": [{"date": "2027-03-08"}, {"date": "2027-03-01"}]},
            None,
            "group 'Body', first slot 2027-03-01",
        ),
        ("Session", {"slots": [{"date": "2027-03-01"}]}, None, "first slot 2027-03-01"),
        (
            "Session",
            {"start_date": "2027-03-01", "time": "09:30", "slots": [{"date": "2027-03-02"}]},
            None,
            "start_date '2027-03-01', time '09:30'",
        ),
        ("Resource", {"name": "Court", "api_ref": "c1", "email": ""}, "Court", "name 'Court', api_ref 'c1'"),
        ("Block", {"resource_id": "7", "start": "A", "end": "B"}, None, "resource_id '7', start 'A', end 'B'"),
        ("BookingSession", {"items": [{"key": "room"}]}, None, ""),
    ],
)
def test_an_object_is_known_by_its_title_and_description(kind, fields, title, description):
    assert KINDS[kind].title(fields) == title
    assert KINDS[kind].describe(fields) == description


@pytest.mark.parametrize(
    ("kind", "fields", "span"),
    [
        ("Block", {"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}, True),
        ("Block", {"start": "2027-03-01T09:00:00Z"}, False),
        ("Session", {"start_date": "2027-03-01", "end_date": "2027-03-02"}, False),
        ("Resource", {"name": "Court"}, False),
    ],
)
def test_only_a_block_takes_one_stretch_of_time(kind, fields, span):
    assert KINDS[kind].span(fields) == ((fields["start"], fields["end"]) if span else None)
