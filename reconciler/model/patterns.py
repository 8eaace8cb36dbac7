"""Globs that choose objects: thousands of them may be given, nearly all of them exact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_SPECIAL = re.compile(r"[*?[]")


class Patterns:
    """Globs, in the order in which they were given. Those without a wildcard are looked up, not compared."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact: dict[str, int] = {}
        self._globs: list[tuple[int, str]] = []
        for place, pattern in enumerate(patterns):
            if _SPECIAL.search(pattern):
                self._globs.append((place, pattern))
            else:
                self._exact.setdefault(pattern, place)

    def first(self, text: object) -> str | None:
        """Return the first that matches a text, such as an address; None where none does. Case counts."""
        words = str(text)
        known = self._exact.get(words)
        for place, glob in self._globs:
            if known is not None and known < place:
                break
            if fnmatchcase(words, glob):
                return glob
        return None if known is None else words

    def every(self, text: object) -> list[str]:
        """Return all that match a text, in no order."""
        words = str(text)
        globs = [glob for _, glob in self._globs if fnmatchcase(words, glob)]
        return [words, *globs] if words in self._exact else globs

    def unmatched(self, texts: Iterable[object]) -> str | None:
        """Return the first that matches none of some texts; None where each matches one."""
        words = set(map(str, texts))
        missing = [(place, exact) for exact, place in self._exact.items() if exact not in words]
        missing += [item for item in self._globs if not any(fnmatchcase(text, item[1]) for text in words)]
        return min(missing)[1] if missing else None
