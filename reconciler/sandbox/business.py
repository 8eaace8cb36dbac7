"""The company seed: a plausible leisure centre at a harbour, in the summer term of 2027. Nothing in it is real."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from reconciler.sandbox import backdoor
from reconciler.sandbox.checkfront import backdoor as holds_backdoor
from reconciler.sandbox.company import Company

_WEEKS = 10
_TERM = date(2027, 4, 12)
"""The Monday on which the term starts. The rows are the same on every day."""

_MON, _TUE, _WED, _THU, _FRI, _SAT, _SUN = range(7)

# Name, group, day of the week, time, minutes, places, price, places booked on the first dates.
_CLASSES = (
    ("Pool lane swim", "Swimming", _MON, "06:30", 60, 24, "5.20", (11, 9, 7)),
    ("Family splash", "Swimming", _SAT, "13:00", 90, 60, "4.80", (22, 14)),
    ("Aqua fit", "Swimming", _TUE, "09:15", 45, 25, "6.90", (12, 8)),
    ("Yoga flow", "Mind and body", _MON, "18:30", 60, 20, "8.50", (17, 12, 4)),
    ("Lunchtime pilates", "Mind and body", _WED, "12:15", 45, 14, "8.50", (9, 3)),
    ("Spin and stretch", "Fitness", _THU, "18:30", 45, 18, "6.50", (18, 16, 2)),
    ("Circuits", "Fitness", _TUE, "19:00", 60, 24, "6.90", (6,)),
    ("Over-60s badminton", "Over 60s", _TUE, "14:00", 120, 16, "4.20", (8, 8, 8)),
    ("Walking football", "Over 60s", _THU, "11:00", 60, 14, "4.20", ()),
    ("Junior gymnastics", "Children", _FRI, "16:30", 60, 20, "7.40", (13, 13)),
    ("Toddler gym", "Children", _WED, "10:00", 45, 16, "5.50", (5,)),
    ("Sunday five-a-side", "Sport", _SUN, "10:00", 60, 30, "6.00", (20,)),
)

# Name, group, day of the week, time, minutes, places, price, lessons, places booked on all of them.
_COURSES = (
    ("Learn to swim: stage 1", "Swimming lessons", _WED, "16:00", 30, 8, "46.20", 6, 6),
    ("Learn to swim: stage 2", "Swimming lessons", _WED, "16:35", 30, 10, "46.20", 6, 4),
    ("Adult improvers", "Swimming lessons", _MON, "20:00", 45, 8, "58.00", 6, 0),
    ("Pottery for beginners", "Arts", _THU, "19:00", 120, 10, "96.00", 5, 7),
    ("Couch to 5k", "Fitness", _SAT, "09:00", 60, 25, "18.00", 8, 0),
)

# Name, group, day, time, minutes, places, price, places booked.
_EVENTS = (
    ("Open water taster", "Swimming", "2027-06-05", "10:00", 120, 12, "22.00", 5),
    ("First aid at work, one day", "Workshops", "2027-06-12", "09:00", 420, 12, "85.00", 8),
    ("Summer concert", "Arts", "2027-06-19", "19:30", 150, 180, "14.00", 64),
)

# Name, description, price for an hour, our own number.
_ROOMS = (
    ("Main hall", "Sprung floor, 34 x 20 m.", 62, "HL-HALL"),
    ("Studio 1", "Mirrors, barre and a sound system. Up to 24 mats.", 28, "HL-ST1"),
    ("Studio 2", "Quiet studio on the first floor, lift access.", 22, "HL-ST2"),
    ("Badminton court 1", "Bring your own rackets.", 12, "HL-BC1"),
    ("Badminton court 2", "Bring your own rackets.", 12, "HL-BC2"),
    ("Squash court", "Glass back wall.", 11, "HL-SQ1"),
    ("Learner pool", "12 x 7 m, 0.9 m deep, 31 degrees.", 55, "HL-LEARN"),
    ("Pottery room", "Six wheels and a kiln.", 35, "HL-POT"),
)

# Room, start, end: UTC.
_CLOSURES = (
    ("Learner pool", "2027-05-10T06:00Z", "2027-05-11T20:00Z"),
    ("Main hall", "2027-05-03T07:00Z", "2027-05-03T21:00Z"),
    ("Studio 2", "2027-06-24T12:00Z", "2027-06-24T16:00Z"),
    ("Squash court", "2027-05-17T08:00Z", "2027-05-21T17:00Z"),
)
_HIRES = (
    ("Main hall", "2027-05-15T09:00Z", "2027-05-15T17:00Z"),
    ("Badminton court 1", "2027-04-20T17:00Z", "2027-04-20T18:00Z"),
    ("Squash court", "2027-04-27T18:00Z", "2027-04-27T19:00Z"),
)
_HELD = ("18.20270605X1-adults.6-children.2",)
"""Kayaks for a club trip, as a slip (checkfront API notes §2)."""

_ADDRESS = {"address1": "Harbour Leisure", "address2": "1 Quay Street", "postcode": "HR1 2QS", "country": "England"}


def fill(company: Company) -> None:
    """Create the rooms, classes, courses, events, closures and bookings."""
    rooms = _rooms(company)
    for name, start, end in _CLOSURES:
        backdoor.add_block(company, rooms[name], start, end)
    for name, start, end in _HIRES:
        backdoor.add_booking(company, rooms[name], start, end)
    for name, group, day, time, minutes, places, price, booked in _CLASSES:
        dates = {"start_date": _day(day), "end_date": _day(day, _WEEKS - 1), "repeat": 1, "max_advance": 14}
        _add(company, (name, group, time, minutes, places, price), booked, type="recurring_event", **dates)
    for name, group, day, time, minutes, places, price, lessons, children in _COURSES:
        slots = [{"date": _day(day, week), "time": time, "duration": minutes} for week in range(lessons)]
        fields = (name, group, time, minutes, places, price)
        _add(company, fields, (children,) * lessons, type="course", repeat=6, slots=slots, max_advance=60)
    for name, group, on, time, minutes, places, price, taken in _EVENTS:
        dates = {"start_date": on, "end_date": on, "repeat": 0, "max_advance": 120}
        _add(company, (name, group, time, minutes, places, price), (taken,), type="event", **dates)
    holds_backdoor.add(company, _HELD)


def _rooms(company: Company) -> dict[str, int]:
    """Create the rooms at one address; return their ids by name."""
    made: dict[str, int] = {}
    shared: dict[str, Any] = {"address": _ADDRESS}
    for position, (name, description, price, number) in enumerate(_ROOMS, 1):
        values = {"name": name, "description": description, "price": price, "api_ref": number, "position": position}
        made[name] = backdoor.add_resource(
            company, {**values, "email": "desk@harbour.example", "max_book": 1, **shared}
        )
        shared = {"address_id": backdoor.resources(company)[0]["address_id"]}
    return made


def _add(
    company: Company, fields: tuple[str, str, str, int, int, str], booked: tuple[int, ...], **values: object
) -> None:
    """Create a session, with places booked on its first dates."""
    names = ("name", "group", "time", "duration", "spaces", "price")
    made = backdoor.add_session(company, {**dict(zip(names, fields, strict=True)), "min_cancel": 1, **values})
    slots = next(session["slots"] for session in backdoor.sessions(company) if session["id"] == made)
    for slot, places in zip(slots, booked, strict=False):
        backdoor.book(company, slot["id"], places=places)


def _day(weekday: int, week: int = 0) -> str:
    return (_TERM + timedelta(weeks=week, days=weekday)).isoformat()
