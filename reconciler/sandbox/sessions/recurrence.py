"""The dates of a repeating session.

Seed 000 only names the frequencies. The number of dates of a session without an end is not documented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice, takewhile

from reconciler.sandbox.sessions import fields

_WITHOUT_END = 10
_AT_MOST = 200
_WEEK = 7
_SATURDAY = 5
_LAST_DAY = date.max - timedelta(days=800)

# Some rules rarely match a day (a 31st, a fifth Monday). The search must end.
_HORIZON_DAYS = 366 * 20


def occurrences(repeat: int, start: date, end: date | None) -> list[date]:
    """Return the dates from `start` to `end` inclusive, or the first ten without an end.

    A custom session has no dates here, because its slots define them.
    """
    if repeat == fields.CUSTOM:
        return []
    if repeat == fields.NO_REPEAT:
        return [start]
    wanted = _RULES[repeat]
    days = (day for day in _days(start) if wanted(start, day))
    if end is None:
        return list(islice(days, _WITHOUT_END))
    return list(islice(takewhile(lambda day: day <= end, days), _AT_MOST))


def _days(start: date) -> Iterator[date]:
    day = start
    for _ in range(_HORIZON_DAYS):
        if day > _LAST_DAY:
            return
        yield day
        day += timedelta(days=1)


def _every_days(step: int) -> Callable[[date, date], bool]:
    return lambda start, day: (day - start).days % step == 0


def _week_of_month(day: date) -> int:
    return (day.day - 1) // _WEEK


_RULES: dict[int, Callable[[date, date], bool]] = {
    fields.WEEKLY: _every_days(_WEEK),
    fields.FORTNIGHTLY: _every_days(2 * _WEEK),
    fields.WEEKDAYS: lambda _start, day: day.weekday() < _SATURDAY,
    fields.WEEKENDS: lambda _start, day: day.weekday() >= _SATURDAY,
    fields.DAILY: lambda _start, _day: True,
    fields.MONTHLY_BY_DAY: lambda start, day: day.day == start.day,
    fields.MONTHLY_BY_WEEKDAY: lambda start, day: (
        day.weekday() == start.weekday() and _week_of_month(day) == _week_of_month(start)
    ),
}
