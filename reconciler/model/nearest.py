"""Finding the address that was meant."""

from __future__ import annotations

from collections.abc import Iterable

_CANDIDATES = 5
_CLOSE_ENOUGH = 0.6


def nearest_address(text: str, addresses: Iterable[object]) -> str | None:
    """Return the address that `text` most likely stands for, or None.

    The names have to be alike, too: two addresses of one kind always share its letters.
    """
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415 - only a mistake needs it

    name = text.rpartition("/")[2]
    for near in get_close_matches(text, sorted(map(str, addresses)), n=_CANDIDATES, cutoff=_CLOSE_ENOUGH):
        if SequenceMatcher(None, name, near.rpartition("/")[2]).ratio() >= _CLOSE_ENOUGH:
            return near
    return None
