r"""JSON text to the events of the YAML parser, so that both become documents by the same rules.

YAML is almost a superset of JSON: libyaml refuses what `json.dumps` writes for an emoji (two `\u` escapes), tabs
between values and long keys, and changes some line separators inside strings. Python's own JSON reader does not tell
where a value is, so it cannot be used here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

_BEGINS = re.compile(r"[ \t\r\n]*+[{\[]")
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]*+)"
    r'(?:(?P<text>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(?P<plain>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null)"
    r"|(?P<sign>[\[\]{}:,])"
    r"|(?P<end>\Z)"
    r"|(?P<odd>))"
)
_LINE_BREAK = re.compile(r"\r\n?|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")

# What may come next, as the signs it may begin with. Beside JSON's own there is `0` for a number or word,
# `$` for the end of the text and `?`, which is never expected, for anything else.
_VALUE = '"0{['
_KEY = '"'
_COLON = ":"
_END = "$"
_EXPECTED = {
    _VALUE: "a value",
    _VALUE + "]": "a value or ]",
    _KEY: "a key in double quotes",
    _KEY + "}": "a key in double quotes or }",
    _COLON: "a colon after the key",
    ",}": "a comma or }",
    ",]": "a comma or ]",
    _END: "nothing after the last bracket",
}
_SIGNS = {"text": '"', "plain": "0", "end": "$", "odd": "?"}

_QUOTED, _PLAIN = (False, True), (True, False)


class _Mark(NamedTuple):
    line: int
    column: int


class NotJson(Exception):
    """The text is not JSON. It has the place, counted from 0, and says what was expected there."""

    def __init__(self, mark: _Mark, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.line, self.column = mark


def begins_like_json(text: str) -> bool:
    """Return whether a text may be a JSON object or list. YAML in brackets begins the same way."""
    return _BEGINS.match(text) is not None


def spaced(text: str) -> str:
    """Return a JSON text with a blank in place of each tab between its values; YAML does not take tabs there."""
    if "\t" not in text:
        return text
    parts = []
    for match in _TOKEN.finditer(text):
        parts += [match["blank"].replace("\t", " "), text[match.end("blank") : match.end()]]
        if match.lastgroup in {"end", "odd"}:
            return "".join(parts) + text[match.end() :]
    return "".join(parts)


def json_events(text: str) -> Iterator[Any]:
    """Yield the events of one document; NotJson as soon as the text is something else."""
    yield yaml.DocumentStartEvent()
    closers: list[str] = []
    expected = _VALUE
    for sign, value, mark in _tokens(text):
        if sign not in expected:
            raise NotJson(mark, _EXPECTED[expected])
        if sign in "{[":
            start = yaml.MappingStartEvent if sign == "{" else yaml.SequenceStartEvent
            yield start(None, None, True, mark, flow_style=True)
            closers.append("}" if sign == "{" else "]")
            expected = (_KEY if sign == "{" else _VALUE) + closers[-1]
            continue
        if sign in ",:":
            expected = _KEY if sign == "," and closers[-1] == "}" else _VALUE
            continue
        if sign in "}]":
            closers.pop()
            yield yaml.MappingEndEvent() if sign == "}" else yaml.SequenceEndEvent()
        elif sign != _END:
            yield yaml.ScalarEvent(None, None, _PLAIN if sign == "0" else _QUOTED, value, mark)
            if expected in {_KEY, _KEY + "}"}:
                expected = _COLON
                continue
        expected = "," + closers[-1] if closers else _END
    yield yaml.DocumentEndEvent()


def _tokens(text: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (sign, text of a scalar, mark) up to the end of the text or to something that is not JSON."""
    line, line_start = 0, 0
    for match in _TOKEN.finditer(text):
        begin = match.end("blank")
        if begin > match.start():
            for line_break in _LINE_BREAK.finditer(text, match.start(), begin):
                line, line_start = line + 1, line_break.end()
        mark, kind = _Mark(line, begin - line_start), match.lastgroup or ""
        written = text[begin : match.end()]
        yield _SIGNS.get(kind, written), _unquoted(written, mark) if kind == "text" else written, mark
        if kind in {"end", "odd"}:
            return


def _unquoted(written: str, mark: _Mark) -> str:
    value: str = json.loads(written) if "\\" in written else written[1:-1]
    if not value.isascii() and _SURROGATE.search(value):
        raise NotJson(mark, "two escapes for a character above U+FFFF; one of them is missing")
    return value
