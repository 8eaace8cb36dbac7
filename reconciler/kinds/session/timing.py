"""When a session takes place, as customers know it: `Mondays 11:00`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from reconciler.model import days
from reconciler.model.objects import Fields
from reconciler.model.words import count

_NAMED = 3
"""Weekdays, or times of one day, that are named."""

_ORDINALS = ("first", "second", "third", "fourth", "fifth")

_REGULAR: Mapping[str, Callable[[date], str]] = {
    "weekly": lambda start: f"{days.WEEKDAYS[start.weekday()]}s",
    "fortnightly": lambda start: f"every second {days.WEEKDAYS[start.weekday()]}",
    "weekdays": lambda _: "Mondays to Fridays",
    "weekends": lambda _: "Saturdays and Sundays",
    "daily": lambda _: "daily",
    "monthly_by_day": lambda start: f"monthly on day {start.day}",
    "monthly_by_weekday": lambda start: (
        f"monthly on the {_ORDINALS[(start.day - 1) // 7]} {days.WEEKDAYS[start.weekday()]}"
    ),
}


def timing(fields: Fields, _names: Mapping[str, str], _zone: str | None) -> str | None:
    """Say when a session takes place, as far as its fields tell; its times are those of its place."""
    time, start = fields.get("time"), _day(fields.get("start_date"))
    # Reads return slots without times. Those of a custom session, or of one whose repeat is unknown, may differ.
    usual = time if fields.get("repeat", "custom") != "custom" else None
    slots = [(slot["date"], slot.get("time") or usual) for slot in fields.get("slots") or () if slot.get("date")]
    if slots:
        return _of_slots([date.fromisoformat(day) for day, _ in slots], [time for _, time in slots])
    if start is None:
        return time
    regular = _REGULAR.get(fields.get("repeat", ""))
    if regular is not None:
        return f"{regular(start)} {time}" if time else regular(start)
    end = _day(fields.get("end_date"))
    until = f" to {days.shown(end)}" if end is not None and end != start and fields.get("repeat") != "none" else ""
    return f"{days.shown(start)}{until}{f', {time}' if time else ''}"


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _of_slots(dates: Sequence[date], times: Iterable[str | None]) -> str:
    clocks = sorted({time for time in times if time})
    clock = _listed(clocks) if len(clocks) <= _NAMED else ""
    if len(set(dates)) == 1:
        return f"{days.shown(dates[0])}{f', {clock}' if clock else ''}"
    weekdays = [day.weekday() for day in set(dates)]
    on = sorted(set(weekdays))
    if len(on) <= _NAMED and min(map(weekdays.count, on)) > 1:
        return f"{_listed([f'{days.WEEKDAYS[number]}s' for number in on])}{f' {clock}' if clock else ''}"
    return f"{count(len(set(dates)), 'date')} from {days.shown(min(dates))}{f', {clock}' if clock else ''}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
