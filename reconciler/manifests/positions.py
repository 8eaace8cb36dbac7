"""The place of each value of a document, packed so that it can be kept for every value.

A mark is one integer, `line << 24 | column`, both from 0. A scalar's marks are that integer; a
container's marks are a list parallel to it: `[own, value, value, …]` for a list and
`[own, key, value, key, value, …]` for a mapping, in the order of its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.model.objects import SourceRef
from reconciler.model.source import SourceText

COLUMN_BITS = 24
"""A column is below 2**24, because a file has at most 10 MB."""
_COLUMN = (1 << COLUMN_BITS) - 1
_FEW = 32
"""Keys of a mapping in which one is looked for one by one."""

Marks = int | list[Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class DocumentPositions:
    """The places of the values of one document. `first_line` is added to every line."""

    path: str
    data: Any
    marks: Marks
    first_line: int = 0
    source: SourceText | None = field(default=None, compare=False, repr=False)
    _places: dict[int, dict[str, int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The position of each key in the mappings that were looked into, by the identity of the mapping."""

    def locate(self, path: Path, *, key: bool = False) -> SourceRef:
        """Return the place of the value at `path`, or of its key, or of the nearest parent."""
        value, marks = self.data, self.marks
        mark = own_mark(marks)
        if not path:
            return _whole(self.path, mark, self.first_line)
        for depth, step in enumerate(path):
            found = self._child(value, marks, step)
            if found is None:
                return replace(self.at(mark), exact=False)
            value, marks, key_mark = found
            mark = key_mark if key and depth == len(path) - 1 else own_mark(marks)
        return self.at(mark)

    def has(self, path: Path) -> bool:
        """Return whether the document has a value at `path`."""
        value, marks = self.data, self.marks
        for step in path:
            found = self._child(value, marks, step)
            if found is None:
                return False
            value, marks, _ = found
        return True

    def _child(self, value: Any, marks: Marks, step: str | int) -> tuple[Any, Marks, int] | None:
        """Return the value, the marks and the key's mark of a child; None if there is no such child."""
        if isinstance(marks, int):
            return None
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            if len(value) <= _FEW:
                index = 1 + 2 * list(value).index(step)
                return value[step], marks[index + 1], marks[index]
            places = self._places.get(id(value))
            if places is None:
                places = self._places[id(value)] = {key: number for number, key in enumerate(value)}
            index = 1 + 2 * places[step]
            return value[step], marks[index + 1], marks[index]
        if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            return value[step], marks[step + 1], own_mark(marks[step + 1])
        return None

    def starts(self) -> list[SourceRef]:
        """Return the place of every key and value, in the order of the text."""
        found: list[int] = []
        waiting = [self.marks]
        while waiting:
            marks = waiting.pop()
            if isinstance(marks, int):
                found.append(marks)
            else:
                waiting += marks
        return [self.at(mark) for mark in sorted(found)]

    def at(self, mark: int) -> SourceRef:
        """Return a packed mark as a place for people, counted from 1."""
        line = (mark >> COLUMN_BITS) + self.first_line
        return SourceRef(self.path, line + 1, (mark & _COLUMN) + 1, self.source)


@dataclass(frozen=True, slots=True)
class LatePositions:
    """The places of a document whose file is read again as soon as one is asked for: most never are."""

    path: str
    mark: int
    index: int
    """Its number among the documents of the file."""
    again: Callable[[int], DocumentPositions] = field(compare=False, repr=False)
    """Returns the places of one of these documents."""

    def locate(self, path: Path, *, key: bool = False) -> SourceRef:
        """Return the place of the value at `path`, or of its key, or of the nearest parent."""
        return self.again(self.index).locate(path, key=key) if path else _whole(self.path, self.mark, 0)

    def has(self, path: Path) -> bool:
        """Return whether the document has a value at `path`."""
        return self.again(self.index).has(path)


def _whole(path: str, mark: int, first_line: int) -> SourceRef:
    """Return the place of what is about a whole document: nothing of it is quoted."""
    return SourceRef(path, (mark >> COLUMN_BITS) + first_line + 1, (mark & _COLUMN) + 1, exact=False)


def own_mark(marks: Marks) -> int:
    """Return where a value begins."""
    return marks if isinstance(marks, int) else marks[0]
