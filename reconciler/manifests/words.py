"""Finding the word that was meant."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.nearest import nearest


def did_you_mean(word: object, candidates: Iterable[object]) -> str:
    """Return `; did you mean "x"?`, or nothing where no candidate is near."""
    found = nearest(word, candidates)
    return f'; did you mean "{found}"?' if found else ""
