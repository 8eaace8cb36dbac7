"""What the API sets of a session that is created by type, as this program creates them (seed 000).

Its tables by type say 5 for `min_cancel`, where the general one says 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.session.fields import FIELDS
from reconciler.model.field import Default
from reconciler.model.objects import Fields

ALWAYS: Mapping[str, Any] = {"spaces": 1, "max_num_bookings": 1, "disabled": False, "min_cancel": 5}

BY_TYPE: Mapping[str, Mapping[str, Any]] = {
    "event": {"name": "My Event", "repeat": "none", "duration": 120},
    "course": {"name": "My Course", "repeat": "custom", "duration": 60},
    "recurring_event": {"name": "My Recurring Event", "repeat": "weekly", "duration": 60, "max_advance": 60},
}

_BY_DAY = {"start_date": "one week after the day of the create", "time": "the time of the create"}

_DAYS = ("start_date", "end_date")

_ONE_DAY = frozenset({"event", "course"})
"""Types whose last day is the first unless stated."""


def known(fields: Fields) -> dict[str, Any]:
    """Return the defaults of a session that do not depend on the day, those of stated fields among them."""
    kind = fields.get("type")
    found = {**ALWAYS, **BY_TYPE.get(str(kind), {})}
    if kind in _ONE_DAY and "start_date" in fields:
        found["end_date"] = fields["start_date"]
    return found


def defaults(fields: Fields) -> tuple[Default, ...]:
    """Return what the API sets of a new session; nothing without a type, which every create states.

    What it makes of the first and last day of a session with slots is not documented.
    """
    if "type" not in fields:
        return ()
    values = known(fields)
    rules = {**_BY_DAY, **({"end_date": "equal to start_date"} if fields["type"] in _ONE_DAY else {})}
    stated = {*fields, *(_DAYS if "slots" in fields else ())}
    return tuple(
        Default(path=name, value=values.get(name), rule=None if name in values else rules[name])
        for name in FIELDS
        if name not in stated and (name in values or name in rules)
    )
