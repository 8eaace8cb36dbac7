"""A few combinations that cover what all of them cover in pairs: each two values of two options occur together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from allpairspy import AllPairs

from reconciler.sandbox import Options

Row = dict[str, Any]

BOOKING_SESSION_OPTIONS = (
    "session_expired",
    "session_error_status",
    "error_shape",
    "refused_start",
    "clear_answer",
    "get_extends",
    "end_again",
    "line_renumber",
    "numeric_alter",
    "alter_zero",
    "over_quantity",
    "bad_slip",
    "rated_params",
    "rated_fields",
    "hold_stock",
    "slip_style",
    "slip_times",
    "altered_slip",
    "slip_echo",
    "empty_items",
    "line_dates",
    "line_fields",
    "day_status",
    "default_time",
    "foreign_parameters",
    "money_style",
    "session_cookie",
    "short_paths",
    "strict",
)
"""The options of the sandbox that decide how the booking/session API answers."""


def all_pairs(choices: Mapping[str, Sequence[Any]], *, possible: Callable[[Row], bool] = lambda _: True) -> list[Row]:
    """Return rows of one value for each option; `possible` is also asked about the beginning of a row."""
    rows = AllPairs(list(choices.values()), filter_func=lambda row: possible(dict(zip(choices, row, strict=False))))
    return [dict(zip(choices, row, strict=True)) for row in rows]


def quick_where(is_quick: Callable[..., bool], *choices: Iterable[Any]) -> list[Any]:
    """Return every combination as parameters of a test: those for which `is_quick` run always, the others are slow."""
    return [
        pytest.param(*values, marks=[] if is_quick(*values) else [pytest.mark.slow])
        for values in itertools.product(*choices)
    ]


def first_quick(values: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """Return all values as parameters of a test: the first of them run always, the others are slow."""
    return [pytest.param(value, marks=[pytest.mark.slow] * (at >= quick)) for at, value in enumerate(values)]


@cache
def bookingbug_servers() -> list[Row]:
    """Return servers in which every two values of the options of both BookingBug APIs occur together."""
    others = set(BOOKING_SESSION_OPTIONS) - {"strict"}
    choices = {name: values for name, values in Options.choices().items() if name not in others}
    numbers = {
        "page_size": (0, 1, 2),
        "max_page_size": (1024, 1),
        "company_zone": ("Europe/London", "America/New_York"),
    }
    return all_pairs({**choices, **numbers}, possible=_findable)


def _findable(row: Row) -> bool:
    """A disabled session that is created with no answer and is left out of lists cannot be found by anybody."""
    return (row["create_answer"], row.get("list_shows_disabled")) != ("none", "no")
