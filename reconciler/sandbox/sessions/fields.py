"""The parameter table of seed 000: the type of each field, and the defaults of each type of session."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

NO_REPEAT, WEEKLY, FORTNIGHTLY, WEEKDAYS, WEEKENDS, DAILY, CUSTOM, MONTHLY_BY_DAY, MONTHLY_BY_WEEKDAY = range(9)
"""The values of `repeat`."""

_NAME_LENGTH = 50
_PRICE_LIMIT = Decimal(10) ** 6
_LAST_TICKET_TYPE = 3
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def name(text: str) -> str:
    """Parse a string(50)."""
    if len(text) > _NAME_LENGTH:
        msg = f"is too long (maximum is {_NAME_LENGTH} characters)"
        raise ValueError(msg)
    return text


def text(value: str) -> str:
    """Parse a string of any length."""
    return value


def group(value: str) -> str:
    """Parse the name of the group, the only field marked as required."""
    if not value.strip():
        msg = "can't be blank"
        raise ValueError(msg)
    return value


def whole(value: str) -> int:
    """Parse an integer, zero or more."""
    if not _WHOLE.fullmatch(value.strip()) or int(value) < 0:
        msg = "is not a number"
        raise ValueError(msg)
    return int(value)


def up_to(last: int) -> Callable[[str], int]:
    """Return a parser for an enumeration 0..last."""

    def read(value: str) -> int:
        number = whole(value)
        if number > last:
            msg = "is not included in the list"
            raise ValueError(msg)
        return number

    return read


def boolean(value: str) -> bool:
    """Parse a boolean. Its format is not documented, so words and digits are accepted."""
    try:
        return _BOOLEANS[value.strip().lower()]
    except KeyError as error:
        msg = "is not a boolean"
        raise ValueError(msg) from error


def price(value: str) -> str:
    """Parse a decimal(8,2) as text with two digits, rounded like a column of that type."""
    try:
        amount = Decimal(value.strip()).quantize(Decimal("0.01"))
    except InvalidOperation as error:
        msg = "is not a number"
        raise ValueError(msg) from error
    if not amount.is_finite() or abs(amount) >= _PRICE_LIMIT:
        msg = "is out of range"
        raise ValueError(msg)
    return str(amount)


def day(value: str) -> str:
    """Parse a date YYYY-MM-DD."""
    try:
        return datetime.strptime(value.strip(), "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a date
    except ValueError as error:
        msg = "is not a date"
        raise ValueError(msg) from error


def clock(value: str) -> str:
    """Parse a time as HH:MM. Seed 000 writes 9:30 once."""
    match = _CLOCK.fullmatch(value.strip())
    if match is None:
        msg = "is not a time"
        raise ValueError(msg)
    return f"{int(match[1]):02d}:{match[2]}"


READERS: dict[str, Callable[[str], Any]] = {
    "name": name,
    "type": up_to(2),
    "group": group,
    "start_date": day,
    "end_date": day,
    "time": clock,
    "duration": whole,
    "description": text,
    "spaces": whole,
    "price": price,
    "max_num_bookings": whole,
    "repeat": up_to(MONTHLY_BY_WEEKDAY),
    "disabled": boolean,
    "min_cancel": whole,
    "max_advance": whole,
    "ask_address": boolean,
    "ticket_type": up_to(_LAST_TICKET_TYPE),
}
"""The parser of each session field. A ValueError has a message in the style of Rails."""

SLOT_READERS: dict[str, Callable[[str], Any]] = {"date": day, "time": clock, "duration": whole}
"""The parser of each slot field."""

KEEPS_EMPTY = frozenset({"name", "description"})
"""Fields for which an empty element means an empty text. For other fields it means no value."""


class SessionType(Struct, frozen=True, kw_only=True):
    """A type of session: its number and the defaults of its fields."""

    number: int
    name: str
    repeat: int
    duration: int
    has_end: bool
    max_advance: int | None = None

    def defaults(self, now: datetime) -> dict[str, Any]:
        """Return the default of every field (tables of seed 000). Some depend on the day."""
        start: date = now.date() + timedelta(days=7)
        return {
            "name": self.name,
            "type": self.number,
            "group": "",
            "start_date": start.isoformat(),
            "end_date": start.isoformat() if self.has_end else None,
            "time": now.strftime("%H:%M"),
            "duration": self.duration,
            "description": None,
            "spaces": 1,
            "price": None,
            "max_num_bookings": 1,
            "repeat": self.repeat,
            "disabled": False,
            "min_cancel": 5,
            "max_advance": self.max_advance,
            "ask_address": False,
            "ticket_type": 0,
        }


TYPES = {
    "event": SessionType(number=0, name="My Event", repeat=NO_REPEAT, duration=120, has_end=True),
    "course": SessionType(number=1, name="My Course", repeat=CUSTOM, duration=60, has_end=True),
    "recurring_event": SessionType(
        number=2, name="My Recurring Event", repeat=WEEKLY, duration=60, has_end=False, max_advance=60
    ),
}
"""The types by their word in `?type=`. A body has the number (bookingbug API notes §2.2)."""
