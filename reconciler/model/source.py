"""Places in files, and the lines that messages quote from there."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

_BREAK = re.compile(r"\r\n|[\n\r]")
"""The line breaks that YAML knows in files."""

_QUOTED = r'"(?:\\.|[^"\\])*+"|\'(?:\'\'|[^\'])*+\''

_VALUE = re.compile(
    _QUOTED
    + r"|\{\{.*?\}\}"  # a template
    + r"|[-?](?=\s)"  # the beginning of an item
    + r"|[^\s:#,\[\]{}]+(?=\s*:(?:\s|$))"  # a key
    + r"|(?P<plain>(?:[^\s#:]|:(?=\S)|(?<=\S)#|[ \t](?=[^\s#]))+)"  # a plain value up to a comment
)
_IN_BRACKETS = re.compile(r"[,\]}]")
"""What ends a plain value inside brackets."""
_BRACKETS = re.compile(rf"{_QUOTED}|(?P<open>[\[{{])|(?P<close>[\]}}])|\s#.*|[^\s\[\]{{}}\"']++|.")

_NAMED_SECRET = re.compile(
    r"\b(?=\w*?(?:user|pass|secret|token|key|app_id|auth|email|url|state))\w++[\"']?\s*[:=]\s*(?P<secret>\S.*)",
    re.IGNORECASE,
)
"""A value that may be a credential, in a text that could not be read: its structure is not known."""

_ANY_VALUE = re.compile(r"(?:^|:\s|-\s)\s*(?P<secret>(?![\w.-]+\s*:(?:\s|$))[^\s\[{-].*)")
"""Every value, where such a text may be a project file."""

_PROJECT = re.compile(r"\b(?:connections|Project|auth)\b")

_USER_INFO = re.compile(r"://(?P<secret>[^/\s\"'@]+)@")

_NEAR = 10_000
"""Characters in which the other end of a bracket is looked for: a file may be one line."""

Span = tuple[int, int]
"""Characters of a line, from 0: the first one, and the one after the last."""


class Part(Struct, frozen=True):
    """A part of one line."""

    line: int
    start: int
    """Its first character, from 0."""
    end: int
    """The character after its last one."""


class SourceText:
    """The text of a file that was read: what a message may quote of it."""

    __slots__ = ("_continued", "_hidden", "_lines", "_patterns", "_text")

    def __init__(self, text: str, *, guarded: bool = False) -> None:
        """`guarded`: what looks like a credential is not shown."""
        self._text = text
        self._lines: list[str] = []
        """Empty until one is asked for; shared with the views of `hiding`."""
        guards = (_NAMED_SECRET, _ANY_VALUE) if guarded and _PROJECT.search(text) else (_NAMED_SECRET,)
        self._patterns = (_USER_INFO, *(guards if guarded else ()))
        self._hidden: dict[int, list[Span | tuple[int, None]]] = {}
        """The values and keys that are never shown, by line; None where only quotes or the line end one."""
        self._continued: list[tuple[int, int, int]] = []
        """What may belong to them on other lines: the line before, the last line, and its characters."""

    def line(self, number: int) -> str | None:
        """Return a line, counted from 1; None if there is none."""
        if not self._lines:
            self._lines += _BREAK.split(self._text)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else None

    def secrets(self, number: int) -> tuple[Span, ...]:
        """Return the parts of a line that must not be shown."""
        line = self.line(number) or ""
        # Only quotes show where a secret ends: what YAML reads as a comment may be its second half.
        spans = [
            (start, end or (end_of(line, start) if line[start : start + 1] in {'"', "'"} else len(line)))
            for start, end in self._hidden.get(number, ())
        ]
        for first, last, end in self._continued:
            if first < number <= last and line[: end if number == last else None].strip(" \t-?"):
                spans.append((0, end if number == last else len(line)))
        for pattern in self._patterns:
            spans += [match.span("secret") for match in pattern.finditer(line)]
        return tuple(sorted(spans))

    def hiding(self, places: Iterable[SourceRef | Part], starts: Sequence[SourceRef]) -> SourceText:
        """Return the text without the values and keys at these places, each of which ends before the next start."""
        view = SourceText(self._text)
        view._lines = self._lines
        known = [(start.line, start.column) for start in starts]
        for place in places:
            if isinstance(place, Part):
                view._hidden.setdefault(place.line, []).append((place.start, place.end))
                continue
            view._hidden.setdefault(place.line, []).append((place.column - 1, None))
            after = bisect_right(known, (place.line, place.column))
            line, column = known[after] if after < len(known) else (sys.maxsize, 1)
            if line > place.line:
                view._continued.append((place.line, line, column - 1))
        return view


class SourceLine(SourceText):
    """One line of a text that another process read."""

    __slots__ = ("_number", "_spans")

    def __init__(self, number: int, line: str, secrets: Iterable[Span]) -> None:
        super().__init__(line)
        self._number, self._spans = number, tuple(secrets)

    def line(self, number: int) -> str | None:
        """Return the line, if it is that one."""
        return self._text if number == self._number else None

    def secrets(self, number: int) -> tuple[Span, ...]:
        """Return what the other process masked."""
        return self._spans if number == self._number else ()


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A place in a file."""

    path: str
    line: int
    """Counts from 1."""
    column: int = 1
    """Counts from 1."""
    text: SourceText | None = field(default=None, compare=False, repr=False)
    """Where it was read; None where nothing of it may be quoted."""
    exact: bool = field(default=True, compare=False, repr=False)
    """Whether a key or value begins there; otherwise it is the nearest place of one that is missing."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def quote(self) -> str | None:
        """The line of the file; None where it is not known."""
        return None if self.text is None else self.text.line(self.line)

    @property
    def end_column(self) -> int:
        """The column after the key or value that begins there, on its first line; at least one character."""
        start = self.column - 1
        return (end_of(self.quote or "", start) if self.exact else start + 1) + 1


class Position(Struct, frozen=True):
    """A character of a file. Line and column count from 1, columns in characters."""

    line: int
    column: int


class Range(Struct, frozen=True):
    """The part of a file that a problem is about."""

    start: Position
    end: Position
    """The position after the last character."""

    @classmethod
    def of(cls, where: SourceRef) -> Range:
        """Return the key or value at a place."""
        return cls(Position(where.line, where.column), Position(where.line, where.end_column))


def end_of(line: str, start: int) -> int:
    """Return where the key or value that begins at `start` ends; what goes on in the next line ends with the line."""
    end = start
    if line[start : start + 1] in {"[", "{"} and not line.startswith("{{", start):
        end = _closed(line, start)
    elif found := _VALUE.match(line, start):
        inner = found["plain"] is not None and _depth(line, start) > 0 and _IN_BRACKETS.search(line, start)
        end = min(found.end(), inner.start()) if inner else found.end()
    elif line[start : start + 1] in {'"', "'"}:  # a text of several lines
        end = len(line)
    return max(start + 1, start + len(line[start:end].rstrip()))


def _depth(line: str, end: int) -> int:
    """Return how many brackets are open before a place of a line."""
    kinds = [match.lastgroup for match in _BRACKETS.finditer(line, max(0, end - _NEAR), end)]
    return kinds.count("open") - kinds.count("close")


def _closed(line: str, start: int) -> int:
    """Return where the bracket at `start` is closed; the end of the line where it is not."""
    depth = 0
    for match in _BRACKETS.finditer(line, start, start + _NEAR):
        depth += (match["open"] is not None) - (match["close"] is not None)
        if depth == 0:
            return match.end()
    return len(line)
