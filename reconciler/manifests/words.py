"""Finding the word that was meant."""

from __future__ import annotations

from collections.abc import Iterable

_CLOSE_ENOUGH = 0.6


def nearest(word: object, candidates: Iterable[object]) -> str | None:
    """Return the candidate that `word` most likely stands for, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    known = {text.lower(): text for text in sorted(str(item) for item in candidates)}
    close = get_close_matches(str(word).lower()[:100], list(known), n=1, cutoff=_CLOSE_ENOUGH)
    return known[close[0]] if close else None


def did_you_mean(word: object, candidates: Iterable[object]) -> str:
    """Return `; did you mean "x"?`, or nothing where no candidate is near."""
    found = nearest(word, candidates)
    return f'; did you mean "{found}"?' if found else ""
