"""Masking known secrets in every output: the second line of defence.

The first line: values are only in `settings.Secret` and in requests. But a remote system may send one back, in a
message or in a field. So every value is registered here when it is resolved, tokens and session ids when they are
obtained, and every output passes through `redacted`.

Texts are compared as a reader sees them: case, accents, blanks and line breaks, control, invisible and format
characters do not count, and escapes of URLs, JSON, HTML, terminals and mail are read, also one inside the other. So a
character that a remote system puts into a value does not hide it from a reader, nor from the mask.

A value shorter than `SHORTEST` is not masked: `yoga` as a password would garble the timetable, and the masked words
would reveal it. Machine documents are masked value by value, so that they stay valid. Names that the project gives
(`NAMES`) and digests are not masked, because they identify a saved plan.

`escape_commands` keeps output from steering the build agent that prints it.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from reconciler.needles import Needles

MASK = "********"

SHORTEST = 8
"""Minimum length of a value that is masked."""

NAMES = frozenset(
    {"address", "blocked_by", "kind", "connection", "action", "project", "environment", "file", "code", "tool_version"}
)
"""Keys of machine documents with texts that the project gives. Everything below the keys `_DATA` is data."""

AGENT_COMMAND = re.compile(r"##(?=\w*\[)")
"""The beginning of a build agent's command, which runs wherever it is printed: `##[group]`, `##vso[`."""

_DATA = frozenset({"before", "after", "live"})

_FEWEST = 5
"""Minimum length of what is left of a value of at least `SHORTEST` without its blanks and accents."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"})
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u23ce")
"""Letters and symbols that look like a blank, and the sign that our own output shows for a line break."""

_CODED = re.compile(
    r"[%&\\\x1b](?:(?<=%)[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*|(?<=&)#?[0-9A-Za-z]{1,31};"
    r"|(?<=\\)(?:u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})*|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[0-7]{3}|[bfnrt]|[^0-9A-Za-z\s])"
    r"|(?<=\x1b)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)))"
)
"""An escape of another format, or what a terminal does not print. It begins with a set, which is found quickly."""

_MAIL = re.compile(r"=(?:[0-9A-Fa-f]{2}(?:=[0-9A-Fa-f]{2})*|\r?\n)")
_TYPED = re.compile(r"[^\x08]\x08")
"""A character that a terminal shows until the next one replaces it."""

_READINGS: tuple[tuple[re.Pattern[str], ...], ...] = (
    (),
    (_CODED,),
    (_CODED, _CODED),
    (_CODED, _CODED, _CODED),
    (_MAIL,),
    (_TYPED,),
    (_CODED, _TYPED),
)
"""The ways to read a text, each a sequence of what is read: a URL may be in JSON in HTML."""


_STARTS = frozenset("%&=\\\x1b\b#;")
"""Characters that a further escape may need."""

_ESCAPING = re.compile(r"[%&=\\\x1b\x08](?:(?<!=)|(?=[0-9A-Fa-f]{2}|\r?\n))")
"""One of these is in every escape. Most texts have none, and then there is only one way to read them."""


@lru_cache(maxsize=4096)
def _folded_char(char: str) -> str:
    """Return what a character counts as: its base letter in lower case, or nothing if a reader does not see it."""
    parts = unicodedata.normalize("NFKD", char).casefold()
    return "".join(part for part in parts if part not in _FILLERS and unicodedata.category(part) not in _UNSEEN)


_ASCII = {code: _folded_char(chr(code)) or None for code in range(128)}
_LOWER = bytes(range(256)).lower()
_DROPPED = bytes(code for code, shown in _ASCII.items() if shown is None)
_OTHERS = re.compile("[^\0-\x7f]")


def _folded(text: str) -> str:
    """Return what a text counts as. Most of it is ASCII, for which there is a quick way: of other texts as bytes."""
    if text.isascii():
        return text.translate(_ASCII)
    text = _OTHERS.sub(lambda match: _folded_char(match[0]), text)
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _DROPPED).decode("utf-8", "surrogatepass")


_SHORT = 60
"""Characters of a text that is remembered at most."""

_WINDOW = 262_144
_OVERLAP = 65_536
"""Characters of a long text that are searched at once, and again with what follows."""

_REPEATED = 4_096
"""Number of texts that are remembered at most."""


class Redactor:
    """The values to mask; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hidden: set[str] = set()
        self._needles = needles(())
        self._read: tuple[int, dict[str, str]] = (0, {})
        """What is shown of short texts that were searched for so many needles: a plan repeats most of its words."""
        self._depth = 0

    def hide(self, value: str) -> None:
        """Mask a value, and each of its lines, from now on, unless it is too short or only spaces and asterisks."""
        for part in {value.strip(), *map(str.strip, value.splitlines())}:
            if len(part) >= SHORTEST and part.strip("* \t\r\n"):
                self._hide(part)

    def _hide(self, value: str) -> None:
        with self._lock:
            if value not in self._hidden:
                self._hidden.add(value)
                for form in _forms(value):
                    self._needles.add(form)

    def redacted(self, text: str) -> str:
        """Return a text with every known secret masked."""
        if not self._needles.number:
            return text
        number, read = self._read
        if number != self._needles.number:
            _, read = self._read = self._needles.number, {}
        found = read.get(text)
        if found is None:
            found = masked(text, self._needles)
            if len(text) <= _SHORT and len(read) < _REPEATED:
                read[text] = found
        return found

    def shows_none(self, text: str) -> bool:
        """Return whether the JSON of data as a whole proves that no text in it holds a secret; it nearly always does.

        False does not mean that there is one: JSON with an escape or a needle proves nothing.
        """
        text = text.replace('\\"', '"')
        if _ESCAPING.search(text) is not None:
            return False
        return not self._needles.found(_folded(text))

    def redacted_pieces(self, pieces: Iterable[str]) -> Iterator[str]:
        """Yield a long text with every known secret masked, also one that goes on in another piece."""
        return masked_pieces(pieces, self._needles)

    def redacted_data(self, value: Any, *, named: bool = True) -> Any:
        """Return JSON data with every secret in its texts masked, except in keys, names and digests."""
        if not self._needles.number:
            return value
        if isinstance(value, str):
            return value if value.startswith("sha256:") else self.redacted(value)
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, (dict, Mapping)):
            return {
                key: item
                if named and key in NAMES and isinstance(item, str)
                else self.redacted_data(item, named=named and key not in _DATA)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.redacted_data(item, named=named) for item in value]
        return value

    @contextmanager
    def run(self) -> Iterator[None]:
        """Remember secrets during one command line. A nested command line shares them."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                with self._lock:
                    self._hidden, self._needles, self._read = set(), needles(()), (0, {})


def escape_commands(text: str, sign: str = "\\x23") -> str:
    """Return a text in which no build agent's command begins: `sign` replaces its second `#`."""
    return AGENT_COMMAND.sub(lambda _: f"#{sign}", text) if "##" in text else text


def masked(text: str, needles: Needles) -> str:
    """Return a text with every one of these needles masked, which `needles` made of values."""
    spans = _secrets(text, needles)
    return _covered(text, spans) if spans else text


def _secrets(text: str, needles: Needles) -> list[tuple[int, int]]:
    """Return the places of the needles in a text, in their order."""
    spans: list[tuple[int, int]] = []
    for reading, seen in _readings(text, needles) if needles.number else ():
        if needles.found(_folded(seen)):
            spans += _spans(text, reading, needles)
    return sorted(spans)


def _covered(text: str, spans: Iterable[tuple[int, int]]) -> str:
    shown, position = [], 0
    for start, end in spans:
        if start >= position:
            shown += [text[position:start], MASK]
        position = max(position, end)
    return "".join((*shown, text[position:]))


def masked_pieces(pieces: Iterable[str], needles: Needles) -> Iterator[str]:
    """Yield a long text with its needles masked: also one that goes on in another piece, unless it is spread widely.

    The text is searched in windows that overlap by `_OVERLAP`, and no cut divides a secret.
    """
    parts: list[str] = []
    size = 0
    for piece in (each[at : at + _WINDOW] for each in pieces for at in range(0, len(each), _WINDOW)):
        parts.append(piece)
        size += len(piece)
        if size < _WINDOW:
            continue
        text = "".join(parts)
        spans, cut = _secrets(text, needles), max(size - _OVERLAP, 0)
        cut = text.rfind("\n", cut // 2, cut) + 1 or cut  # few escapes go on in another line
        for start, end in spans:
            cut = end if start < cut < end else cut
        yield _covered(text[:cut], (span for span in spans if span[0] < cut))
        parts, size = [text[cut:]], size - cut
    yield masked("".join(parts), needles)


def needles(values: Iterable[str], shortest: int = _FEWEST) -> Needles:
    """Return values as they are searched for, without those whose mask would only garble a sentence."""
    return Needles(map(_folded, values), shortest=shortest)


def _readings(text: str, needles: Needles) -> Iterable[tuple[tuple[re.Pattern[str], ...], str]]:
    """Return each way to read a text that can show a character of the needles, and what it reads then."""
    return (((), text),) if _ESCAPING.search(text) is None else _all_readings(text, needles.characters)


def _all_readings(text: str, wanted: set[str]) -> Iterator[tuple[tuple[re.Pattern[str], ...], str]]:
    seen: dict[tuple[re.Pattern[str], ...], str] = {(): text}
    yield (), text
    for reading in _READINGS[1:]:
        before = seen.get(reading[:-1], "")
        escapes = set(reading[-1].findall(before))
        stand_for = [_plain(escape) for escape in escapes]
        shown = set(map(_folded, stand_for))
        useful = "" in shown or not wanted.isdisjoint("".join(shown))
        if useful or not _STARTS.isdisjoint("".join(stand_for)):
            seen[reading] = reading[-1].sub(_in_plain, before)
            yield reading, seen[reading]


def _in_plain(match: re.Match[str]) -> str:
    return _plain(match[0])


@lru_cache(maxsize=4096)
def _plain(escape: str) -> str:
    """Return what an escape stands for."""
    from html import unescape  # noqa: PLC0415 - late, for a quick --help, which knows no secrets
    from urllib.parse import unquote  # noqa: PLC0415 - as above

    match escape[0], escape[1:2]:
        case "%", _:
            return unquote(escape)
        case "=", code if not code.isspace():
            return unquote(escape.replace("=", "%"))
        case "&", _:
            return unescape(escape)
        case "\\", char if char.isascii() and char.isalnum():
            units = escape.encode("ascii").decode("unicode_escape", "replace")
            return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case "\\", char:
            return char
        case _:
            return ""


def _spans(text: str, reading: Iterable[re.Pattern[str]], needles: Needles) -> Iterator[tuple[int, int]]:
    """Yield the places of a text where these needles are found in this reading."""
    seen, starts, ends = text, array("q", range(len(text))), array("q", range(1, len(text) + 1))
    for pattern in reading:
        seen, starts, ends = _read(pattern, seen, starts, ends)
    parts = [_ASCII.get(ord(char), "") or "" if char.isascii() else _folded(char) for char in seen]
    places = [index for index, part in enumerate(parts) for _ in part]
    for start, end in needles.spans("".join(parts)):
        yield starts[places[start]], ends[places[end - 1]]


def _read(
    pattern: re.Pattern[str], text: str, starts: array[int], ends: array[int]
) -> tuple[str, array[int], array[int]]:
    """Read the escapes of a text once, and keep for each character where it starts and ends in the first text."""
    parts: list[str] = []
    begin, finish = array("q"), array("q")
    position = 0
    for match in (*pattern.finditer(text), None):
        start, end = match.span() if match is not None else (len(text), len(text))
        parts.append(text[position:start])
        begin.extend(starts[position:start])
        finish.extend(ends[position:start])
        if match is not None:
            plain = _plain(match[0])
            parts.append(plain)
            begin.extend([starts[start]] * len(plain))
            finish.extend([ends[end - 1]] * len(plain))
        position = end
    return "".join(parts), begin, finish


def _forms(value: str) -> Iterable[str]:
    """Return what is searched for a value: it, and its encodings in requests that no escape undoes."""
    from urllib.parse import quote_plus  # noqa: PLC0415 - late, for a quick --help, which knows no secrets

    data = value.encode("utf-8", "surrogatepass")
    forms = (value, value.replace(" ", "+"), quote_plus(value, errors="replace"), data.hex(), *_base64(data))
    return map(_folded, forms)


def _base64(data: bytes) -> Iterator[str]:
    """Yield the base64 of the value at each offset in a longer text, such as `user:password`."""
    from base64 import b64encode  # noqa: PLC0415 - as above

    yield b64encode(data).decode("ascii")
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode("ascii").rstrip("=")
        # The characters at both ends also depend on the neighbours.
        first = (0, 2, 3)[before]
        last = len(encoded) - (1 if (before + len(data)) % 3 else 0)
        yield encoded[first:last]
        yield encoded[first:last].replace("+", "-").replace("/", "_")


_KNOWN = Redactor()
hide = _KNOWN.hide
redacted = _KNOWN.redacted
redacted_data = _KNOWN.redacted_data
redacted_pieces = _KNOWN.redacted_pieces
shows_none = _KNOWN.shows_none
run = _KNOWN.run
