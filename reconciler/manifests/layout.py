"""Where the values of a document are in its text: ruamel.yaml finds them, no byte is changed (decision 018)."""

from __future__ import annotations

import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from itertools import starmap

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.manifests.json_events import begins_like_json, spaced

_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)*")
"""An anchor or a tag in front of a value."""
_COLON = re.compile(r"(?:(?:\s|#[^\n\r]*[\n\r])*:[ \t]?)?")
"""What follows a key, if it is not alone."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANKS = re.compile(" *")
_SPACE = re.compile(r"\s*")

Splice = tuple[int, int, str]
"""What is replaced: from, to, and the new text."""


class Unparsed(Exception):
    """A text that ruamel.yaml does not read; says why."""


def parsed(text: str) -> list[Node]:
    """Return the documents of a text, without the empty ones."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is used twice is reported by our own loader
            found = YAML(pure=True).compose_all(spaced(text) if begins_like_json(text) else text)
            return [node for node in found if node is not None]
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise Unparsed(where + (getattr(error, "problem", None) or str(error)).splitlines()[0]) from None


def children(node: Node) -> Iterator[Node]:
    """Yield the keys and values of a mapping, or the items of a list."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def applied(text: str, splices: list[Splice], start: int = 0, end: int | None = None) -> str:
    """Return a part of a text with some places replaced."""
    parts, at = [], start
    # Of two insertions at one place, the later one comes first.
    for _, (first, last, new) in sorted(enumerate(splices), key=lambda each: (*each[1][:2], -each[0])):
        parts += [text[at:first], new]
        at = last
    return "".join([*parts, text[at:end]])


class Lines:
    """Where the lines of a text end, which is the same for all documents in it."""

    def __init__(self, text: str) -> None:
        self.eol = next((each for each in ("\r\n", "\n", "\r") if each in text), "\n")
        self.ends = [match.end() for match in _LINE_END.finditer(text)]


class Layout:
    """A text, and how the values in it are laid out."""

    def __init__(self, text: str, lines: Lines | None = None) -> None:
        self.text = text
        lines = lines or Lines(text)
        self.eol, self._ends = lines.eol, lines.ends

    def span(self, node: Node) -> tuple[int, int]:
        """Return from where to where a value goes, without its anchor and tag, and without blank lines at its end."""
        start, end = node.start_mark.index, node.end_mark.index
        properties = _PROPERTIES.match(self.text, start, end)
        start = properties.end() if properties is not None else start
        if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
            end = start + len(self.text[start:end].rstrip())
        return start, end

    def begins_flow(self, node: Node) -> bool:
        """Whether a mapping or a list is in brackets."""
        start, _ = self.span(node)
        return isinstance(node, (MappingNode, SequenceNode)) and self.text[start : start + 1] in {"{", "["}

    def content_end(self, node: Node) -> int:
        """Return where the last value of a node ends, before comments that follow."""
        if isinstance(node, ScalarNode) or self.begins_flow(node):
            return self.span(node)[1]
        ends = (
            starmap(self.entry_end, node.value) if isinstance(node, MappingNode) else map(self.content_end, node.value)
        )
        return max(ends, default=self.span(node)[1])

    def entry_end(self, key: Node, value: Node) -> int:
        """Return where an entry of a mapping ends. The parser places an empty value at the next entry."""
        start, end = self.span(value)
        colon = _COLON.match(self.text, self.span(key)[1]) if start == end else None
        return max(colon.end() if colon is not None else self.content_end(value), self.span(key)[1])

    def line_start(self, index: int) -> int:
        """Return where a line begins."""
        place = bisect_right(self._ends, index)
        return self._ends[place - 1] if place else 0

    def line_end(self, index: int) -> int:
        """Return where the next line begins."""
        place = bisect_right(self._ends, index)
        return self._ends[place] if place < len(self._ends) else len(self.text)

    def indent_of(self, index: int) -> int:
        """Return how many blanks begin a line before a place in it."""
        start = self.line_start(index)
        blanks = _BLANKS.match(self.text, start, index)
        return blanks.end() - start if blanks is not None else 0

    def ends_line(self, index: int) -> bool:
        """Whether only blanks follow on the line of a place."""
        end = self.line_end(index)
        space = _SPACE.match(self.text, index, end)
        return space is not None and space.end() == end
