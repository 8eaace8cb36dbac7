"""The operators, filters and tests of templates."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from jinja2.filters import do_float, do_int, do_round, do_title
from jinja2.tests import TESTS as JINJA_TESTS
from msgspec import Struct

MAX_PRECISION = 30


class Refused(Exception):
    """A template that has no value; the message completes `FIELD: `."""


class Missing(Struct, frozen=True):
    """The value of a name that is not defined: only `default` and `is defined` accept it."""

    words: Callable[[], str] | None
    """Says what is missing; None where it counts as an empty text."""


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """Round as jinja2 does, with a limit: jinja2 computes 10**precision, which takes minutes for a billion."""
    if not isinstance(precision, int) or abs(precision) > MAX_PRECISION:
        raise Refused(f"the template cannot be computed: round takes at most {MAX_PRECISION} digits")
    return do_round(value, precision, method)


def _default(value: Any, otherwise: Any = "", boolean: bool = False) -> Any:
    return otherwise if isinstance(value, Missing) or (boolean and not value) else value


def _end(direction: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Any]:
    missing = Missing(lambda: "the template takes an item of an empty list")
    return lambda value: next(direction(value), missing)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(value: Any, case_sensitive: bool = False) -> Any:
        def key(item: Any) -> Any:
            return item.lower() if isinstance(item, str) and not case_sensitive else item

        return choose(value, key=key) if value else Missing(lambda: "the template compares the items of an empty list")

    return extreme


FILTERS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": str.capitalize,
    "d": _default,
    "default": _default,
    "first": _end(iter),
    "float": do_float,
    "int": do_int,
    "last": _end(reversed),
    "length": len,
    "lower": str.lower,
    "max": _extreme(max),
    "min": _extreme(min),
    "round": _round,
    "string": str,
    "title": do_title,
    "trim": lambda text, chars=None: text.strip(chars),
    "upper": str.upper,
}
TEXT_FILTERS = frozenset({"capitalize", "lower", "string", "title", "trim", "upper"})
"""The filters that convert a value to text."""
ON_MISSING = frozenset({"d", "default", "defined", "undefined"})
"""The filters and tests that accept a value that is not defined."""
AT_ONCE = frozenset({"d", "default", "first", "last", "length"})
"""The filters that do not look at all of a value."""

NUMBER_TESTS = frozenset({"divisibleby", "even", "odd"})
"""The tests that use %, which is formatting where the value is a text."""
TESTS: Mapping[str, Callable[..., Any]] = {
    name: JINJA_TESTS[name]  # type: ignore[misc] # jinja2 types its table with a bare `function`
    for name in (
        *NUMBER_TESTS, "boolean", "defined", "false", "float", "in", "integer", "iterable", "lower", "mapping", "none",
        "number", "sequence", "string", "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">=", "eq", "equalto",
        "ge", "greaterthan", "gt", "le", "lessthan", "lt", "ne",
    )
}  # fmt: skip

NUMERIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}

COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda item, whole: item in whole,
    "notin": lambda item, whole: item not in whole,
}
