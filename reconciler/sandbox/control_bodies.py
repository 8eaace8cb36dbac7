"""Check the bodies of control requests: JSON objects whose members have the types that handlers rely on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.sandbox.api import Call

_LARGEST = 2**63 - 1
"""The largest whole number that the database stores."""

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


class Shape(Struct, frozen=True, kw_only=True):
    """The allowed members of a JSON object."""

    members: Mapping[str, tuple[Check, str]] = {}
    """The check of each member, and the name of the expected type."""

    closed: bool = False
    """Whether other members are refused. Otherwise they must be plain values."""


FLAT = Shape()
SESSION = Shape(members={"slots": _MEMBERS})
ADDRESS = Shape(members={"address": _OBJECT})
SLOT = Shape(members={"resource_id": _NUMBER, "start": _TEXT, "end": _TEXT, "pre_time": _NUMBER, "post_time": _NUMBER})
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
    """Return the JSON object of a body; ValueError names what is wrong."""
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        msg = "the body is not JSON; expected a JSON object"
        raise ValueError(msg) from None
    if not isinstance(value, dict):
        msg = "expected a JSON object"
        raise ValueError(msg)  # noqa: TRY004 - a wrong body is not a programming error
    for name, item in value.items():
        if shape.closed and name not in shape.members:
            msg = f"unknown member {name!r}; expected {', '.join(shape.members)}"
            raise ValueError(msg)
        check, words = shape.members.get(name, _PLAIN)
        if not check(item):
            msg = f"{name} must be {words}"
            raise ValueError(msg)
    return value


def row_id(call: Call) -> int:
    """Return the id in the path; KeyError if no row can have it."""
    number = int(call.params["id"])
    if number > _LARGEST:
        msg = f"no row {number}"
        raise KeyError(msg)
    return number
