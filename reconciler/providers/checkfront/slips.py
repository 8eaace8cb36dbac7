"""Slips taken apart, to show and recognise a line. They are never built, and not trusted where that fails.

A slip is officially opaque and its format may change (checkfront API notes §2). The shapes read here are
those of published samples: `17.20140408X2-guests.2`, `21.20171005X1-1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 1000
"""Characters of the longest slip that is taken: the longest seen has 60."""

_SHAPE = re.compile(r"([0-9]{1,9})\.([0-9]{4})([0-9]{2})([0-9]{2})X[0-9]{1,4}-([A-Za-z0-9_.-]+)")
_PARAM = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\.([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a slip seems to mean."""

    item_id: str
    start_date: str
    params: dict[str, int] = field(default_factory=dict)
    quantity: int | None = None
    """The quantity of a simple item, which has no parameters."""


def is_slip(value: object) -> bool:
    """Whether a value can be a slip: one line of printable text."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def meaning(slip: str) -> Meaning | None:
    """Return what a slip means; None unless every part of it is of a known shape."""
    shape = _SHAPE.fullmatch(slip)
    if shape is None:
        return None
    item_id, start_date, rest = str(int(shape[1])), f"{shape[2]}-{shape[3]}-{shape[4]}", shape[5]
    if _NUMBER.fullmatch(rest):
        return Meaning(item_id=item_id, start_date=start_date, quantity=int(rest))
    params: dict[str, int] = {}
    for part in rest.split("-"):
        found = _PARAM.fullmatch(part)
        if found is None or found[1] in params:
            return None
        params[found[1]] = int(found[2])
    return Meaning(item_id=item_id, start_date=start_date, params=params)
