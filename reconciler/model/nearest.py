"""Did you mean …? The word or address that was most likely meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

_CLOSENESS = 0.6
_CANDIDATES = 5
_LONGEST = 100
"""Characters of the word that are compared: a longer one is not a mistyped name."""

_FEW = 100
"""So many names are all compared. Of more, only those that share letters with the word."""
_COMPARED = 12
_SHARED = 1_000
"""Maximum number of names looked up by the letters of one word."""
_SEARCHES = 1_000
"""Maximum number of searches among many names: after so many mistakes, a suggestion does not help."""


class Names:
    """Known names, prepared for many mistakes: the search for one does not grow with their number."""

    def __init__(self, names: Iterable[object]) -> None:
        self._known = {text.lower(): text for text in sorted(map(str, names))}
        self._by_letters: dict[str, list[str]] = {}
        self._left = _SEARCHES

    @property
    def some(self) -> str:
        """The first ten, for a message."""
        return ", ".join(sorted(islice(self._known.values(), 10)))

    def nearest(self, word: object) -> str | None:
        """Return the name that `word` most likely means, or None."""
        lowered = str(word).lower()[:_LONGEST]
        if len(self._known) <= _FEW:
            return next(_close(lowered, self._known.values(), _CLOSENESS), None)
        if self._left <= 0:
            return None
        self._left -= 1
        return next(_close(lowered, self._alike(lowered), _CLOSENESS), None)

    def did_you_mean(self, word: object) -> str:
        """Return `; did you mean "x"?`, or nothing if no name is near."""
        found = self.nearest(word)
        return f'; did you mean "{found}"?' if found else ""

    def _alike(self, word: str) -> list[str]:
        """Return the names that share most groups of three letters with a word, those with rare groups first."""
        if not self._by_letters:
            for name in self._known:
                for letters in _letters(name[:_LONGEST]):
                    self._by_letters.setdefault(letters, []).append(name)
        lists = sorted((self._by_letters.get(letters, []) for letters in _letters(word)), key=len)
        shared = Counter(islice((name for names in lists for name in names), _SHARED))
        return [self._known[name] for name, _ in shared.most_common(_COMPARED)]


def _letters(word: str) -> list[str]:
    """Return each group of three letters of a word once, its beginning and end marked."""
    marked = f"\0{word}\0"
    return list(dict.fromkeys(marked[index : index + 3] for index in range(len(marked) - 2)))


def nearest(word: object, candidates: Iterable[object], *, closeness: float = _CLOSENESS) -> str | None:
    """Return the candidate that `word` most likely means, or None."""
    return next(_close(word, candidates, closeness), None)


def nearest_address(text: str, addresses: Iterable[object]) -> str | None:
    """Return the address that `text` most likely means, or None.

    The names must be similar too: two addresses of one kind always share its letters. A name alone means the first
    address with that name.
    """
    known = sorted(map(str, addresses), reverse=True)
    name = text.rpartition("/")[2]
    close = _close(text, known, _CLOSENESS)
    found = next((near for near in close if nearest(name, [near.rpartition("/")[2]]) is not None), None)
    names = {} if found or "/" in text else {address.rpartition("/")[2]: address for address in known}
    return found or names.get(nearest(text, names) or "")


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
