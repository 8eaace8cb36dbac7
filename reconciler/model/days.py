"""Days as people write them: `Mon 1 Mar 2027`. In English, also where the machine has another locale."""

from __future__ import annotations

from datetime import date

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def shown(day: date) -> str:
    """Return `Mon 1 Mar 2027`."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1]} {day.year:04}"


def spelled(when: str) -> str:
    """Return a text that starts with a date so that it starts with `Mon 1 Mar 2027`: `2027-03-01 11:00` and others."""
    day, _, rest = when.partition(" ")
    return f"{shown_text(day)}, {rest}" if rest else shown_text(day)


def shown_text(text: object) -> str:
    """Return a date in canonical form as `shown` does; anything else as it is."""
    try:
        return shown(date.fromisoformat(str(text)))
    except ValueError:
        return str(text)
