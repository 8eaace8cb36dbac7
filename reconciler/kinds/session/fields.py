"""The fields of a session and of its slots (seed 000): their order, their types and the words of enumerations."""

from __future__ import annotations

from reconciler.model.field import Field, FieldTable

TYPES = ("event", "course", "recurring_event")
"""Words of `type` by number (seed 000, table session_type)."""

REPEATS = (
    "none",
    "weekly",
    "fortnightly",
    "weekdays",
    "weekends",
    "daily",
    "custom",
    "monthly_by_day",
    "monthly_by_weekday",
)
"""Words of `repeat` by number (seed 000, table repeat)."""

ONCE = frozenset({"none", "custom"})
"""Repeats that give no dates beyond the first one and the slots."""

TICKET_TYPES = ("none", "questions_per_user", "assigned_to_member", "assigned_reassignable")
"""Words of `ticket_type` by number (seed 000, table ticket_type)."""

FIELDS: FieldTable = {
    "name": Field("text"),
    "type": Field("word", TYPES),
    "start_date": Field("day"),
    "end_date": Field("day"),
    "duration": Field("whole"),
    "time": Field("clock"),
    "group": Field("text"),
    "description": Field("text"),
    "spaces": Field("whole"),
    "price": Field("money"),
    "max_num_bookings": Field("whole"),
    "repeat": Field("word", REPEATS),
    "disabled": Field("flag"),
    "min_cancel": Field("whole"),
    "max_advance": Field("whole"),
    "ask_address": Field("flag"),
    "ticket_type": Field("word", TICKET_TYPES),
}
"""A session's fields in the order of seed 000's table; `slots` is a collection with a separate table."""

SLOT_FIELDS: FieldTable = {"date": Field("day"), "time": Field("clock"), "duration": Field("whole")}
"""What is written of a slot."""

SLOT_COUNTS: FieldTable = {"spaces_booked": Field("whole"), "spaces_reserved": Field("whole")}
"""What is only returned for a slot: places that are booked or reserved."""
