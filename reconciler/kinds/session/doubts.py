"""What is most likely a mistake in the manifest of a session, although the API takes it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.session.defaults import known
from reconciler.kinds.session.fields import ONCE
from reconciler.model import days
from reconciler.model.objects import Fields, Manifest, Problem

_WEEKS_APART = frozenset({"weekly", "fortnightly", "monthly_by_day", "monthly_by_weekday"})


def doubts(manifest: Manifest, fields: Fields) -> Iterator[Problem]:
    """Warn about defaults that were most likely not meant; a manifest without a type creates no session."""
    kind, repeat = fields.get("type"), fields.get("repeat", "none")
    if kind is None:
        return
    defaults = known(fields)
    if "name" not in fields:
        summary = f"name is not stated, so customers see {defaults['name']!r} (API default); expected a name"
        yield manifest.problem("default-name", summary, "name", severity="warning")
    if "spaces" not in fields:
        summary = f"spaces is not stated, so each date has {defaults['spaces']} place (API default); expected a number"
        hint = f"add spaces: 12, or spaces: {defaults['spaces']} if one place is meant"
        yield manifest.problem("default-spaces", summary, "spaces", hint=hint, severity="warning")
    if kind == "course" and repeat not in ONCE and "end_date" not in fields:
        summary = (
            f"repeat is {repeat}, but end_date is not stated, so the course ends on the day it starts (API default); "
            "expected the last date"
        )
        yield manifest.problem("default-end-date", summary, "repeat", severity="warning")
    if kind == "event" and repeat in _WEEKS_APART:
        summary = f"type is event, a single event, but repeat is {repeat}; expected type: recurring_event, or no repeat"
        yield manifest.problem("event-repeats", summary, "repeat", severity="warning")


def over(fields: Fields, day: str) -> str | None:
    """Say that a session starts before a day."""
    starts = [fields.get("start_date"), *(slot.get("date") for slot in fields.get("slots") or ())]
    first = min((date for date in starts if date is not None), default=day)
    return f"starts on {days.shown_text(first)}" if first < day else None
