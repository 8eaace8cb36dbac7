"""Small words that every room needs."""

from __future__ import annotations


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 object`, `3 objects`."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"
