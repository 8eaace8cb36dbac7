"""Small pieces of sentences: numbers with their nouns."""

from __future__ import annotations

from collections.abc import Sequence


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return the word that fits a number: `is` or `are`, `field` or `fields`; `many` is `one` with an s by default."""
    return one if number == 1 else many or f"{one}s"


def count(number: int, noun: str, plural_noun: str | None = None) -> str:
    """Return a number with its noun: `1 object`, `3 objects`."""
    return f"{number} {plural(number, noun, plural_noun)}"


def listed(items: Sequence[str], limit: int, number: int | None = None) -> str:
    """Return the first items and how many are not shown: `a, b and 3 more`; `number` where not all are given."""
    hidden = (len(items) if number is None else number) - limit
    return ", ".join(items[:limit]) + (f" and {hidden} more" if hidden > 0 else "")


def more(number: int, noun: str) -> str:
    """Say how many of a list are not shown: `… and 3 more calls`."""
    return f"… and {number} more {plural(number, noun)}"
