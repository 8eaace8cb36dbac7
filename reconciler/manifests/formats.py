"""Rules a regular expression cannot hold: a date that exists, a zone that is known, a price in whole cents.

The schemas name them as `format`. Each accepts values of other types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo


def is_date(value: object) -> bool:
    """Return whether a string is a day of the calendar: `2027-02-29` is not."""
    if not isinstance(value, str):
        return True
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_date_time(value: object) -> bool:
    """Return whether a string is a date-time that exists on the calendar and the clock."""
    if not isinstance(value, str):
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def has_decimals(value: object, at_most: int) -> bool:
    """Return whether a number has no more decimals than `at_most`: the keyword `maxDecimals` of our schemas.

    It is exact as people read numbers, unlike `multipleOf`, which 35.1 fails as a float.
    """
    if not isinstance(value, float):
        return True
    exponent = Decimal(repr(value)).as_tuple().exponent
    return isinstance(exponent, int) and (exponent >= -at_most or value.is_integer())


@lru_cache(maxsize=256)
def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def is_timezone(value: object) -> bool:
    """Return whether a string is the name of a time zone in the IANA database."""
    return not isinstance(value, str) or _zone_exists(value)


FORMATS: Mapping[str, Callable[[object], bool]] = {
    "date": is_date,
    "iso-date-time": is_date_time,
    "iana-timezone": is_timezone,
}
