"""Instants and the company's time zone.

Rows store an instant as UTC text that sorts: 2017-09-07T11:00:00Z. Answers show it in the company's zone:
2017-09-07T12:00:00+01:00 (seed 002).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from reconciler import zones

if TYPE_CHECKING:
    from reconciler.sandbox.options import Options

_STORED = "%Y-%m-%dT%H:%M:%SZ"
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


def now(options: Options) -> datetime:
    """Return the current time of the company, or `fixed_now` of the options."""
    zone = zones.zone(options.company_zone)
    if options.fixed_now:
        fixed = datetime.fromisoformat(options.fixed_now)
        return fixed.astimezone(zone) if fixed.tzinfo else fixed.replace(tzinfo=zone)
    return datetime.now(zone)


def stored(moment: datetime) -> str:
    """Format an aware date-time for a row."""
    return moment.astimezone(UTC).strftime(_STORED)


def loaded(text: str) -> datetime:
    """Parse the instant of a row as an aware UTC date-time."""
    return datetime.strptime(text, _STORED).replace(tzinfo=UTC)


def parse(text: str, options: Options) -> datetime:
    """Parse a client's ISO date-time. `naive_times` sets the zone if it has no offset (seed 002: UTC).

    Raises ValueError if it is not a date-time.
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
        zone = UTC if options.naive_times == "utc" else zones.zone(options.company_zone)
        moment = moment.replace(tzinfo=zone)
    check_year(moment)
    return moment.astimezone(UTC)


def check_year(day: date) -> None:
    """Raise ValueError for a year so distant that date arithmetic would overflow."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        msg = f"{day} is out of range"
        raise ValueError(msg)


def shown(text: str, options: Options) -> str:
    """Format a stored instant for an answer."""
    local = loaded(text).astimezone(zones.zone(options.company_zone))
    return local.isoformat(timespec="milliseconds" if options.datetime_style == "millis" else "seconds")


def day_bounds(first: date, last: date, options: Options) -> tuple[str, str]:
    """Return the stored instants at the start of day `first` and the end of day `last`, in the company's zone."""
    zone = zones.zone(options.company_zone)
    start = datetime.combine(first, time(), tzinfo=zone)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)
    return stored(start), stored(end)
