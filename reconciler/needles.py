"""Texts that are searched for in other texts, all at once: thousands of ids are looked for in thousands of texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NEEDLE, _CHAR, _PLACE = 40, 0.1, 70
"""Nanoseconds, about: to look for one needle in a text, in each character of it, and to look up one place."""


class Needles:
    """Texts to search for, which may be added to while other threads search."""

    def __init__(self, needles: Iterable[str] = (), *, shortest: int) -> None:
        self._shortest = shortest
        self._all: list[str] = []
        self.number = 0
        """How many there are: an attribute, because every text that is shown asks for it several times."""
        self._known: set[str] = set()
        self._lengths: dict[str, list[int]] = {}
        """How long the needles are that begin with some characters."""
        self.characters: set[str] = set()
        """What the needles consist of."""
        for each in needles:
            self.add(each)

    def add(self, needle: str) -> None:
        """Search for one more text from now on, if it is long enough."""
        if needle in self._known or len(needle) < self._shortest:
            return
        lengths = self._lengths.setdefault(needle[: self._shortest], [])
        if len(needle) not in lengths:
            lengths.append(len(needle))
        self.characters.update(needle)
        self._known.add(needle)
        self._all.append(needle)
        self.number += 1

    def found(self, text: str) -> list[str]:
        """Return the needles that are in a text, the longest first: one may be part of another one."""
        if self._are_few(text):
            some = {each for each in self._all if each in text}
        else:
            some = {text[start:end] for start, end in self._spans(text)}
        return sorted(some, key=lambda each: (-len(each), each))

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Return the places of the needles in a text, in any order."""
        if self._are_few(text):
            return [match.span() for each in self._all for match in re.finditer(re.escape(each), text)]
        return self._spans(text)

    def _are_few(self, text: str) -> bool:
        """Whether it is quicker to look for each needle than at each place of a text."""
        return len(self._all) * (_NEEDLE + _CHAR * len(text)) < _PLACE * len(text)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for start in range(len(text) - self._shortest + 1):
            for length in self._lengths.get(text[start : start + self._shortest], ()):
                if start + length <= len(text) and text[start : start + length] in self._known:
                    yield start, start + length
