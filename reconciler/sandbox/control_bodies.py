"""What the control end-points take: JSON objects whose members have the types that their handlers rely on.

Whatever else arrives is refused here, in words for the person who sent it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox.api import Call

_LARGEST = 2**63 - 1
"""The largest whole number that the database takes."""

Check = Callable[[Any], bool]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, float)) or _whole(value)


def _flat(value: Any) -> bool:
    return isinstance(value, dict) and all(_scalar(item) for item in value.values())


_NUMBER = (_whole, "a whole number")
_COUNT = (lambda value: value is None or _whole(value), "a whole number or null")
_TEXT = (lambda value: isinstance(value, str), "text")
_PATTERN = (lambda value: value is None or isinstance(value, str), "text or null")
_SECONDS = (lambda value: isinstance(value, (int, float)) and not isinstance(value, bool), "a number")
_FLAG = (lambda value: isinstance(value, bool), "true or false")
_PLAIN = (_scalar, "text, a number, true, false or null")
_MEMBERS = (lambda value: isinstance(value, list) and all(map(_flat, value)), "a list of objects with plain values")
_OBJECT = (lambda value: value is None or _flat(value), "an object with plain values")
_NUMBERS = (
    lambda value: isinstance(value, dict) and all(map(_whole, value.values())),
    "an object with whole numbers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which type each member has, with its words; `closed` allows no others, else those are plain values."""

    members: Mapping[str, tuple[Check, str]] = field(default_factory=dict)
    closed: bool = False


FLAT = Shape()
SESSION = Shape(members={"slots": _MEMBERS})
ADDRESS = Shape(members={"address": _OBJECT})
SLOT = Shape(members={"resource_id": _NUMBER, "start": _TEXT, "end": _TEXT})
LINE = Shape(
    members={
        "slip": _TEXT,
        "params": _NUMBERS,
        "options": _OBJECT,
        **dict.fromkeys(("start_date", "end_date", "start_time", "end_time", "discount_code"), _TEXT),
    },
    closed=True,
)
BOOK = Shape(members=dict.fromkeys(("slot_id", "places", "reserved"), _NUMBER), closed=True)
STOCK = Shape(members={"item_id": _NUMBER, "date": _TEXT, "qty": _NUMBER}, closed=True)
FAULT = Shape(
    members={
        "kind": _TEXT,
        "match_method": _PATTERN,
        "match_path": _PATTERN,
        "times": _COUNT,
        "after": _NUMBER,
        "seconds": _SECONDS,
        "status": _NUMBER,
        "retry_after": _PLAIN,
        "size": _NUMBER,
        "binary": _FLAG,
    },
    closed=True,
)


def checked(body: bytes, shape: Shape) -> dict[str, Any]:
    """Return the object that a body holds; ValueError says what of it cannot be taken."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        msg = "the body is not JSON; a JSON object is expected"
        raise ValueError(msg) from None
    if not isinstance(value, dict):
        msg = "a JSON object is expected"
        raise ValueError(msg)  # noqa: TRY004 - a body from outside, not a defect of the caller
    for name, item in value.items():
        if shape.closed and name not in shape.members:
            msg = f"there is no {name!r} here; expected {', '.join(shape.members)}"
            raise ValueError(msg)
        check, words = shape.members.get(name, _PLAIN)
        if not check(item):
            msg = f"{name} must be {words}"
            raise ValueError(msg)
    return value


def row_id(call: Call) -> int:
    """Return the id that a path names; KeyError where there can be no such row."""
    number = int(call.params["id"])
    if number > _LARGEST:
        msg = f"no row {number}"
        raise KeyError(msg)
    return number
