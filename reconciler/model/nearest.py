"""Finding the word or address that was meant."""

from __future__ import annotations

from collections.abc import Iterable

_CANDIDATES = 5
_CLOSE_ENOUGH = 0.6
_LONGEST = 100


def nearest(word: object, candidates: Iterable[object]) -> str | None:
    """Return the candidate that `word` most likely stands for, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    known = {text.lower(): text for text in sorted(str(item) for item in candidates)}
    close = get_close_matches(str(word).lower()[:_LONGEST], list(known), n=1, cutoff=_CLOSE_ENOUGH)
    return known[close[0]] if close else None


def nearest_address(text: str, addresses: Iterable[object]) -> str | None:
    """Return the address that `text` most likely stands for, or None.

    The names must be similar too: two addresses of one kind always share its letters.
    """
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415 - only a mistake needs it

    name = text.rpartition("/")[2]
    for near in get_close_matches(text, sorted(map(str, addresses)), n=_CANDIDATES, cutoff=_CLOSE_ENOUGH):
        if SequenceMatcher(None, name, near.rpartition("/")[2]).ratio() >= _CLOSE_ENOUGH:
            return near
    return None


def meant(near: str | None, otherwise: str) -> str:
    """Return the hint that names what was probably meant, or another one."""
    return f"did you mean {near}?" if near else otherwise
