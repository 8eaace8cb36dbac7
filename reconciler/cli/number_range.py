"""Numbers as values of options."""

from __future__ import annotations

from typing import Any

import click


class NumberRange(click.FloatRange):
    """A range without NaN, which no comparison finds outside."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; BadParameter for any other text, and outside the range."""
        try:
            float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)
        number: float = super().convert(value, param, ctx)
        if number != number:  # noqa: PLR0124 - true for NaN alone
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number
