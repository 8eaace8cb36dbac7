"""The hostile seed: many objects, with names and values that a text format, a shell or a table could misread."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.sandbox import backdoor
from reconciler.sandbox.checkfront import backdoor as holds_backdoor
from reconciler.sandbox.company import Company

SESSIONS, RESOURCES, BLOCKS = 120, 110, 110
"""The number of objects of each kind without the odd and duplicate ones."""

_FIRST_DAY = date(2031, 1, 6)
_MIDNIGHT = datetime(2031, 1, 6, tzinfo=UTC)
_NAMES = (
    "Yoga & Pilates",
    'The "Big" Class',
    "Кулинарный класс",
    "瞑想クラス",
    "Crème brûlée — l'atelier",
    "<b>Not a tag</b>",
    "Yoga & Pilates",
    "  padded name  ",
    "No",
    "12:30",
    "Zumba 🕺",
    "{{ mustache }} ${dollar}",
)
ODD_NAMES = (
    "",
    "   ",
    "🕺💃",
    "مرحبا بالعالم",
    "瞑想クラス、火曜日の夜の部、初めての方もどうぞ、道具は貸し出しあり",
    "A name of just as many characters as the table has",
    "-- - --",
    "yes",
    "Null",
    "1e5",
    "0x1F",
    "2031-01-06",
    "12_000",
    "Tab\there",
    "Two\nlines",
    "zero\u200bwidth and \u202ebidi",
    "colon: and #hash",
    "'quotes\" both'",
    "C:\\path\\{{ values.secret }}",
    "{% raw %} {{ x",
    "&amp; &lt;b&gt;",
    "Ⅻ ½ ﬁ",
    "e\u0301 combining",
    "🇬🇧 👩\u200d👧",
    "[list] {map} *alias &anchor !tag",
)
"""Names that people use, and names that a text format or a shell could misread."""

_HOLDS = (("17.20310707X2-guests.2",), ("18.20310708X1-adults.4-children.1", "21.20310708X2-3"), ())
_GROUPS = ("Classes", "Kids' Club", "Größere Gruppe", "Events & More")


def fill(company: Company) -> None:
    """Create the objects. The rows are the same on every day."""
    for number in range(SESSIONS):
        backdoor.add_session(company, _session(number))
    for number in range(RESOURCES):
        backdoor.add_resource(company, _resource(number))
    _add_odd(company)
    rooms = [room["id"] for room in backdoor.resources(company) if not room["deleted"]]
    for number in range(BLOCKS):
        start = _MIDNIGHT + timedelta(days=number % 60, hours=8 + number % 9)
        end = start + timedelta(hours=1 + number % 3)
        backdoor.add_block(company, rooms[number % len(rooms)], start.isoformat(), end.isoformat())
    for _ in range(2):  # two blocks that differ only in their ids
        backdoor.add_block(company, rooms[0], "2031-05-01T09:00:00Z", "2031-05-01T17:00:00Z")
    for room in rooms[:5]:
        backdoor.add_booking(company, room, "2031-02-03T10:00:00Z", "2031-02-03T11:00:00Z")
    for slips in _HOLDS:
        holds_backdoor.add(company, slips)
    for number, session in enumerate(backdoor.sessions(company)):
        if number % 7 == 0 and session["slots"]:
            backdoor.book(company, session["slots"][0]["id"], places=1 + number % 4, reserved=number % 2)


def _add_odd(company: Company) -> None:
    """Add objects that are hard to name, to distinguish or to declare."""
    dates = {"start_date": "2031-03-03", "end_date": "2031-03-03", "time": "18:00", "type": 0, "repeat": 0}
    for number, name in enumerate(ODD_NAMES):
        group = ("Odd", "No", "12:30", "Gruppe: №1")[number % 4]
        backdoor.add_session(company, {**dates, "name": name, "group": group, "description": name})
        backdoor.add_resource(company, {"name": name, "description": f"{name}\n{name}", "email": "front desk"})
    for _ in range(2):
        backdoor.add_session(company, {**dates, "name": "Twins", "group": "Odd"})
        backdoor.add_resource(company, {"name": "Twin room", "api_ref": "twins"})
    backdoor.add_session(company, {**dates, "name": "Never planned", "group": "Odd", "repeat": 6, "slots": []})
    outside = [{"date": "2031-04-07"}, {"date": "2031-05-05"}]
    backdoor.add_session(company, {**dates, "name": "Outside its dates", "group": "Odd", "repeat": 6, "slots": outside})
    twice = [{"date": "2031-03-03"}, {"date": "2031-03-03"}]
    backdoor.add_session(company, {**dates, "name": "Twice a day", "group": "Odd", "repeat": 6, "slots": twice})
    shared = backdoor.add_resource(company, {"name": "East wing", "address": {"address1": "2 High Street"}})
    address = next(room["address_id"] for room in backdoor.resources(company) if room["id"] == shared)
    backdoor.add_resource(company, {"name": "West wing", "address_id": address})


def _session(number: int) -> dict[str, Any]:
    start = _FIRST_DAY + timedelta(days=number % 90)
    values: dict[str, Any] = {
        "name": _NAMES[number % len(_NAMES)] if number % 3 == 0 else f"Session {number:03d}",
        "type": number % 3,
        "group": _GROUPS[number % len(_GROUPS)],
        "time": f"{8 + number % 12:02d}:{15 * (number % 4):02d}",
        "duration": 30 + 15 * (number % 5),
        "description": _description(number),
        "spaces": 1 + number % 20,
        "price": None if number % 4 == 0 else f"{number}.{25 * (number % 4):02d}",
        "disabled": number % 11 == 0,
        "max_num_bookings": 1 + number % 3,
        "ticket_type": number % 4,
    }
    if number % 3 == 1:
        days = [start + timedelta(days=7 * week) for week in range(1 + number % 6)]
        return values | {"repeat": 6, "slots": [{"date": day.isoformat()} for day in days]}
    repeat = (0, 1, 2, 3, 4, 5, 7, 8)[number % 8]
    end = start + timedelta(days=0 if repeat == 0 else 28 + number % 30)
    return values | {"repeat": repeat, "start_date": start.isoformat(), "end_date": end.isoformat()}


def _resource(number: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": _NAMES[number % len(_NAMES)] if number % 4 == 0 else f"Room {number:02d}",
        "description": _description(number),
        "email": "" if number % 6 == 0 else f"room{number}@example.com",
        "disabled": number % 9 == 0,
        "deleted": number == RESOURCES - 1,
        "price": None if number % 5 == 0 else 5 * number,
        "position": number + 1 if number % 2 else None,
        "never_booked": number % 13 == 0,
        "max_book": number % 4 or None,
        "api_ref": None if number % 5 == 1 else f"room-{number:02d}",
    }
    if number % 3 == 0:
        values["address"] = {"address1": f"{number} High Street", "postcode": "E12 8YH", "country": "United Kingdom"}
    return values


def _description(number: int) -> str | None:
    if number % 5 == 0:
        return None
    if number % 10 == 1:
        return "A long story, with\nline breaks & <marks>. " * 40
    return f"About number {number}."
