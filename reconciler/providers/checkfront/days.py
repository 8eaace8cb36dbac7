"""The first and last day of a line: "20140408" in seed 004, unix times in 2017, whose zone is not in the answer.

A unix time is one of at most three days, from UTC-12 to UTC+14. Which one, the text for people beside it shows, in the
formats of many countries, or the slip. A day that stays open is that of a midnight, since whole days begin at one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.model.canonical import day

_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_UNIX = re.compile(r"[0-9]{9,11}")
_SHOWN = re.compile(
    r"\b(?P<big>[0-9]{4})[-/.](?P<middle>[0-9]{1,2})[-/.](?P<last>[0-9]{1,2})\b"
    r"|\b(?P<one>[0-9]{1,2})[-/.] ?(?P<two>[0-9]{1,2})[-/.] ?(?P<year>[0-9]{4}|[0-9]{2})\b"
    r"|\b(?P<before>[^\W\d]{3,12})\.? (?P<after>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<then>[0-9]{4})\b"
    r"|\b(?P<number>[0-9]{1,2})(?:st|nd|rd|th|\.)?(?: de)? (?P<month>[^\W\d]{3,12})\.?,?(?: de)? (?P<at>[0-9]{4})\b"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)
_ONE = timedelta(days=1)
_CHANGED = timedelta(hours=23)
"""The time of day to which a clock change moves the midnight of another day."""


def span(shown: Mapping[str, Any], slip_start: str | None) -> dict[str, str]:
    """Return `start_date` and `end_date`, as far as they are known; `slip_start` is the day that the slip names."""
    found = {name: exact for name in ("start_date", "end_date") if (exact := _exact(shown.get(name))) is not None}
    start, end = _moment(shown.get("start_date")), _moment(shown.get("end_date"))
    texts = [set(_days(match.groupdict())) for match in _SHOWN.finditer(str(shown.get("summary", "")))]
    if start is not None:
        first = _among(start, texts[0]) if texts else None
        if first is None and slip_start is not None:
            first = _among(start, {date.fromisoformat(slip_start)})
        found["start_date"] = (first or _of_midnight(start)).isoformat()
    if end is not None:
        last = _among(end, texts[-1]) if len(texts) > 1 or (texts and end == start) else None
        if last is None and start is not None:
            last = _as_far(start, date.fromisoformat(found["start_date"]), end)
        found["end_date"] = (last or _of_midnight(end)).isoformat()
    return found


def _exact(value: Any) -> str | None:
    compact = _COMPACT.fullmatch(value) if isinstance(value, str) else None
    try:
        return day("-".join(compact.groups())) if compact is not None else None
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or _UNIX.fullmatch(str(value)) is None:
        return None
    return datetime.fromtimestamp(int(value), UTC) if 0 < int(value) < 2**35 else None


def _days(part: Mapping[str, str | None]) -> Iterator[date]:
    """Yield the days that a text can mean: 02/07/2027 is one in July or one in February."""
    numbers: list[tuple[str, str | None, str | None]]
    if part["big"]:
        numbers = [(part["big"], part["middle"], part["last"])]
    elif part["one"]:
        year = part["year"] or ""
        whole = year if len(year) > 2 else f"20{year}"  # noqa: PLR2004 - a year of two digits
        numbers = [(whole, part["two"], part["one"]), (whole, part["one"], part["two"])]
    else:
        word = (part["before"] or part["month"] or "")[:3].lower()
        months = [_MONTHS.index(word) + 1] if word in _MONTHS else range(1, 13)  # a month in another language
        year = part["then"] or part["at"] or ""
        numbers = [(year, str(month), part["after"] or part["number"]) for month in months]
    for year, month, number in numbers:
        try:
            yield date(int(year), int(month or 0), int(number or 0))
        except ValueError:
            continue


def _among(moment: datetime, days: set[date]) -> date | None:
    """Return the one of the days that a moment can be on somewhere on earth."""
    near = sorted(item for item in days if (moment + _WEST).date() <= item <= (moment + _EAST).date())
    return near[0] if len(near) == 1 else None


def _as_far(start: datetime, first: date, end: datetime) -> date:
    """Return the day of `end`, which is as far from `start` as the local times are, but for a clock change."""
    local = datetime.combine(first, datetime.min.time(), UTC) + (end - start)
    clock = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    return local.date() + (_ONE if clock == _CHANGED else timedelta())


def _of_midnight(moment: datetime) -> date:
    """Return the day that begins somewhere at a moment: up to 10 o'clock in UTC it is west of it, later east."""
    return (moment + _EAST - timedelta(seconds=1)).date()
