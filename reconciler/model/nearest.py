"""Did you mean …? The word or address that was most likely meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_CLOSENESS = 0.6
_CANDIDATES = 5
_LONGEST = 100
"""Characters of the word that are compared: a longer one is not a mistyped name."""


def nearest(word: object, candidates: Iterable[object], *, closeness: float = _CLOSENESS) -> str | None:
    """Return the candidate that `word` most likely means, or None."""
    return next(_close(word, candidates, closeness), None)


def nearest_address(text: str, addresses: Iterable[object]) -> str | None:
    """Return the address that `text` most likely means, or None.

    The names must be similar too: two addresses of one kind always share its letters.
    """
    name = text.rpartition("/")[2]
    close = _close(text, addresses, _CLOSENESS)
    return next((near for near in close if nearest(name, [near.rpartition("/")[2]]) is not None), None)


def did_you_mean(word: object, candidates: Iterable[object]) -> str:
    """Return `; did you mean "x"?`, or nothing if no candidate is near."""
    found = nearest(word, candidates)
    return f'; did you mean "{found}"?' if found else ""


def _close(word: object, candidates: Iterable[object], closeness: float) -> Iterator[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - 10 ms, needed only after a mistake

    known = {text.lower(): text for text in sorted(map(str, candidates))}
    for near in get_close_matches(str(word).lower()[:_LONGEST], list(known), n=_CANDIDATES, cutoff=closeness):
        yield known[near]


def meant(near: str | None, otherwise: str) -> str:
    """Return the hint that names what was probably meant, or another one."""
    return f"did you mean {near}?" if near else otherwise
