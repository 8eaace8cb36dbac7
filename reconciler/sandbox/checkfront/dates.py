"""Read and write dates in the formats of the API (checkfront API notes §1.3, §2)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from reconciler import zones
from reconciler.sandbox import clock

if TYPE_CHECKING:
    from reconciler.sandbox.options import Options

# The names of the calendar module depend on the locale of the process.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = re.compile(rf"(today|tomorrow|{'|'.join(_LONG_DAYS)})(?:\+([0-9]{{1,3}})days?)?")
_NOON = 12
_WEEK = 7


def read(text: str, options: Options) -> date:
    """Read YYYYMMDD, YYYY-MM-DD or words such as `tomorrow` and `monday+4days`; otherwise ValueError."""
    words = _WORDS.fullmatch(text.replace(" ", "+").lower())
    if words:
        return _from_words(words[1], int(words[2] or 0), clock.now(options).date())
    if not re.fullmatch(r"[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        msg = f"{text!r} is not a date"
        raise ValueError(msg)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a day of the calendar"
        raise ValueError(msg) from None
    clock.check_year(day)
    return day


def _from_words(word: str, extra: int, today: date) -> date:
    ahead = int(word == "tomorrow")
    if word in _LONG_DAYS:
        ahead = (_LONG_DAYS.index(word) - today.weekday()) % _WEEK
    return today + timedelta(days=ahead + extra)


def read_time(text: str) -> str:
    """Read H:MM or HH:MM as HH:MM; otherwise ValueError."""
    try:
        return datetime.strptime(text, "%H:%M").strftime("%H:%M")  # noqa: DTZ007 - a time of day
    except ValueError:
        msg = f"{text!r} is not a time of day"
        raise ValueError(msg) from None


def compact(day: date) -> str:
    """Write a date like slips and the 2014 answers: 20140408."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def unix(day: date, at: str, options: Options) -> int:
    """Write a date, or a time (HH:MM) on it, like the 2017 answers. Midnight is in the company's zone."""
    moment = datetime.combine(day, time.fromisoformat(at or "00:00"), tzinfo=zones.zone(options.company_zone))
    return int(moment.timestamp())


def summary(first: date, last: date, times: tuple[str, str] = ("", "")) -> str:
    """Write a span for people, like seed 004: Tue Apr 8 2014 - Wed Apr 9 2014."""
    text = _long(first) if first == last else f"{_long(first)} - {_long(last)}"
    return f"{text} {' - '.join(map(_clock_face, times))}" if times[0] else text


def _long(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {_MONTHS[day.month - 1]} {day.day} {day.year}"


def _clock_face(text: str) -> str:
    at = time.fromisoformat(text)
    return f"{at.hour % _NOON or _NOON}:{at.minute:02d} {'AM' if at.hour < _NOON else 'PM'}"
