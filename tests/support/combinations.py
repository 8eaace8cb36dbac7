"""A few combinations that cover what all of them cover in pairs: each two values of two options occur together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from allpairspy import AllPairs

Row = dict[str, Any]


def all_pairs(choices: Mapping[str, Sequence[Any]], *, possible: Callable[[Row], bool] = lambda _: True) -> list[Row]:
    """Return rows of one value for each option; `possible` is also asked about the beginning of a row."""
    rows = AllPairs(list(choices.values()), filter_func=lambda row: possible(dict(zip(choices, row, strict=False))))
    return [dict(zip(choices, row, strict=True)) for row in rows]


def first_quick(values: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """Return all values as parameters of a test: the first of them run always, the others are slow."""
    return [pytest.param(value, marks=[pytest.mark.slow] * (at >= quick)) for at, value in enumerate(values)]
