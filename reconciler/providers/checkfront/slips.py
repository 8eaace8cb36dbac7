"""Slips taken apart, to show and recognise a line. They are never built, and not trusted where that fails.

A slip is officially opaque and its format may change (checkfront API notes §2). The shapes read here are
those of published samples: `17.20140408X2-guests.2`, `21.20171005X1-1`, and of an item with times
`30.20270702X1@08:00X240X240-number.1`: the first day, days or nights, the start, and how many minutes it takes.
"""

from __future__ import annotations

import re
from datetime import date

from msgspec import Struct

from reconciler.model.canonical import clock

LONGEST = 1000
"""Characters of the longest slip that is taken: the longest seen has 60."""

_SHAPE = re.compile(
    r"([0-9]{1,9})\.([0-9]{4})([0-9]{2})([0-9]{2})X([0-9]{1,4})"
    r"(?:@([01]?[0-9]|2[0-3]):?([0-5][0-9])(?:X([0-9]{1,4})(?:X([0-9]{1,4}))?)?)?"
    r"-([A-Za-z0-9_.-]+)"
)
_PARAM = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\.([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(r"\s*([0-9]{1,2})(?::([0-9]{2}))?(?::[0-9]{2})?\s*([AaPp])\.?[Mm]\.?\s*")
_NOON = 12
_HOUR, _DAY = 60, 24 * 60


class Meaning(Struct, frozen=True, kw_only=True):
    """What a slip seems to mean."""

    item_id: str
    start_date: str
    units: int
    """How many days or nights; which of them, the slip does not show."""
    start_time: str | None = None
    """None for an item without times."""
    end_time: str | None = None
    params: dict[str, int] = {}
    quantity: int | None = None
    """The quantity of a simple item, which has no parameters."""

    @property
    def times(self) -> dict[str, str]:
        """The times that it has, by the names of a manifest's fields."""
        stated = {"start_time": self.start_time, "end_time": self.end_time}
        return {name: time for name, time in stated.items() if time is not None}


def is_slip(value: object) -> bool:
    """Whether a value can be a slip: one line of printable text."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def meaning(slip: str) -> Meaning | None:
    """Return what a slip means; None unless every part of it is of a known shape."""
    shape = _SHAPE.fullmatch(slip)
    if shape is None:
        return None
    item_id, year, month, number, units, hour, minute, takes, step, rest = shape.groups()
    counts, day = _counts(rest), f"{year}-{month}-{number}"
    start = None if hour is None else int(hour) * _HOUR + int(minute)
    end = None if start is None or takes is None else start + int(takes)
    # Two lengths that differ, and an end on another day, could mean more than one thing.
    one_length = step is None or int(step) == int(takes)
    if counts is None or not one_length or (end is not None and end >= _DAY) or not _is_day(day):
        return None
    quantity = counts.pop("", None)
    return Meaning(
        item_id=str(int(item_id)),
        start_date=day,
        units=int(units),
        start_time=_clock(start),
        end_time=_clock(end),
        params=counts,
        quantity=quantity,
    )


def _counts(rest: str) -> dict[str, int] | None:
    """Return the number of each parameter; that of a simple item, which is bare, has no name."""
    counts: dict[str, int] = {}
    for part in rest.split("-"):
        found = _PARAM.fullmatch(part)
        name, count = found.groups() if found is not None else ("", part)
        if name in counts or _NUMBER.fullmatch(count) is None:
            return None
        counts[name] = int(count)
    return counts


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _clock(minutes: int | None) -> str | None:
    return None if minutes is None else f"{minutes // _HOUR:02d}:{minutes % _HOUR:02d}"


def read_time(value: object) -> str | None:
    """Return HH:MM of a shown time, `17:00` or `5:00 PM`; None where it is none, such as a unix time."""
    text = str(value or "")
    half = _TIME.fullmatch(text)
    if half is not None:
        text = f"{int(half[1]) % _NOON + _NOON * (half[3] in 'Pp')}:{half[2] or '00'}"
    try:
        return clock(text)
    except ValueError:
        return None
