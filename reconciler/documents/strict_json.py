"""JSON that can be read in one way only, for documents that decide what is written."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from reconciler.model.sharing import shared

DEEPEST = 40
"""Levels of nesting that are accepted; no value of any kind comes near it."""


def strict_json(text: str) -> Any:
    """Return the value of a JSON text; ValueError says what is wrong with it.

    Unlike `json.loads` it refuses what two readers could read differently (repeated keys, NaN, numbers out of
    range) and nesting that nothing here can follow.
    """
    try:
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        message = f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(message) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        inner = (each for item in level for each in (item.values() if isinstance(item, dict) else item))
        level = [item for item in inner if isinstance(item, (dict, list))]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON value"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        message = f"the number {digits[:20]}… is too large"
        raise ValueError(message)
    return number


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        message = f"the number {digits[:20]}… is too large"
        raise ValueError(message) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; what is in its parts is shared already."""
    found = {key: shared(item) if type(item) is str else item for key, item in pairs}
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        message = f"the key {repeated!r} appears twice in one object"
        raise ValueError(message)
    return found
