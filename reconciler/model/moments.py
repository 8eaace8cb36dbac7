"""Dates and times as people write them, read by the same rules under every version of Python."""

from __future__ import annotations

import re
from calendar import month_name, monthrange
from datetime import date, datetime

_SHAPE = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[T ](?=\d)|\Z))?"
    r"(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?P<zone>Z|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAST_HOUR, _LAST_MINUTE, _MONTHS = 23, 59, 12
_WEST, _EAST = -12 * 60, 14 * 60
"""The smallest and the largest offset from UTC that is in use, in minutes."""


def fault(text: str) -> str | None:
    """Say what in a date, time or date-time cannot be: `the month 13 does not exist`. None if it has no such fault.

    A text of another shape has none either.
    """
    parts = _SHAPE.fullmatch(text)
    if parts is None:
        return None
    return (_date_fault(parts) if parts["year"] else None) or (_time_fault(parts) if parts["hour"] else None)


def _date_fault(parts: re.Match[str]) -> str | None:
    year, month, day = int(parts["year"]), int(parts["month"]), int(parts["day"])
    if year == 0:
        return "the year 0000 does not exist; expected 0001 to 9999"
    if not 1 <= month <= _MONTHS:
        return f"the month {parts['month']} does not exist; expected 01 to 12"
    days = monthrange(year, month)[1]
    if 1 <= day <= days:
        return None
    return f"this day does not exist, because {month_name[month]} {year} has {days} days"


def _time_fault(parts: re.Match[str]) -> str | None:
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if hour == _LAST_HOUR + 1:
        return "the hour 24 does not exist; write 00:00 of the next day"
    if hour > _LAST_HOUR:
        return f"the hour {hour} does not exist; expected 00 to 23"
    if minute > _LAST_MINUTE:
        return f"the minute {minute} does not exist; expected 00 to 59"
    if second > _LAST_MINUTE:
        leap = " (a leap second)" if second == _LAST_MINUTE + 1 else ""
        return f"the second {second}{leap} is not supported; expected 00 to 59"
    zone = parts["zone"]
    if zone is None or zone == "Z" or (int(zone[4:]) <= _LAST_MINUTE and _WEST <= _offset(zone) <= _EAST):
        return None
    return f"the offset {zone} does not exist; offsets go from -12:00 to +14:00"


def _offset(zone: str) -> int:
    """Return an offset in minutes."""
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return -minutes if zone[0] == "-" else minutes


def is_day(text: str) -> bool:
    """Whether a text is a date that exists."""
    if _DAY.fullmatch(text) is None:  # versions of Python differ in what else they read as a date
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day(text: str) -> date:
    """Return a date, written as YYYY-MM-DD; ValueError says what was expected."""
    if is_day(text):
        return date.fromisoformat(text)
    message = f"{text!r} is not a date; {fault(text) or 'expected YYYY-MM-DD such as 2027-03-01'}"
    raise ValueError(message)


def moment(text: str) -> datetime:
    """Return a date-time, aware if an offset is written; ValueError says what was expected."""
    parts = _SHAPE.fullmatch(text)
    wrong = fault(text)
    if parts is None or not parts["year"] or len(parts["hour"] or "") != len("09") or wrong is not None:
        message = f"{text!r} is not a date-time; {wrong or 'expected a date-time such as 2027-03-01T09:00'}"
        raise ValueError(message)
    return datetime.fromisoformat(text)
