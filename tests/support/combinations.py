"""A few combinations that cover what all of them cover in pairs: each two values of two options occur together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from allpairspy import AllPairs

Row = dict[str, Any]


def all_pairs(choices: Mapping[str, Sequence[Any]], *, possible: Callable[[Row], bool] = lambda _: True) -> list[Row]:
    """Return rows of one value for each option; `possible` is also asked about the beginning of a row."""
    rows = AllPairs(list(choices.values()), filter_func=lambda row: possible(dict(zip(choices, row, strict=False))))
    return [dict(zip(choices, row, strict=True)) for row in rows]
