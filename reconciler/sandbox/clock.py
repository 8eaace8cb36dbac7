"""Instants and the company's zone.

Inside, an instant is UTC text that sorts: 2017-09-07T11:00:00Z. Outside, it is written in the
company's zone: 2017-09-07T12:00:00+01:00 (seed 002).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from reconciler.sandbox.options import Options

_STORED = "%Y-%m-%dT%H:%M:%SZ"
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


def now(options: Options) -> datetime:
    """Return the company's present, or the one the options fix."""
    zone = ZoneInfo(options.company_zone)
    if options.fixed_now:
        fixed = datetime.fromisoformat(options.fixed_now)
        return fixed.astimezone(zone) if fixed.tzinfo else fixed.replace(tzinfo=zone)
    return datetime.now(zone)


def stored(moment: datetime) -> str:
    """Write an aware date-time the way rows keep it."""
    return moment.astimezone(UTC).strftime(_STORED)


def loaded(text: str) -> datetime:
    """Read a stored instant as an aware UTC date-time."""
    return datetime.strptime(text, _STORED).replace(tzinfo=UTC)


def parse(text: str, options: Options) -> datetime:
    """Read a client's ISO date-time; one without offset counts as the options say (seed 002: UTC).

    Raises ValueError when it is not a date-time.
    """
    if len(text) <= len("2017-09-07"):
        msg = f"{text!r} has no time of day"
        raise ValueError(msg)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a date-time"
        raise ValueError(msg) from None
    if moment.tzinfo is None:
        zone = UTC if options.naive_times == "utc" else ZoneInfo(options.company_zone)
        moment = moment.replace(tzinfo=zone)
    check_year(moment)
    return moment.astimezone(UTC)


def check_year(day: date) -> None:
    """Refuse, with ValueError, days so far off that counting from them would leave the calendar."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        msg = f"{day} is out of range"
        raise ValueError(msg)


def shown(text: str, options: Options) -> str:
    """Write a stored instant as an answer does."""
    local = loaded(text).astimezone(ZoneInfo(options.company_zone))
    return local.isoformat(timespec="milliseconds" if options.datetime_style == "millis" else "seconds")


def day_bounds(first: date, last: date, options: Options) -> tuple[str, str]:
    """Return the stored instants between which the company's days `first` to `last` lie, last included."""
    zone = ZoneInfo(options.company_zone)
    start = datetime.combine(first, time(), tzinfo=zone)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    return stored(start), stored(end)
