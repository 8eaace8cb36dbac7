"""Bytes to documents: strict YAML, or JSON, read by one set of rules.

Any bytes give documents and problems, never an exception.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice
from typing import Any

import yaml
from msgspec import Struct

from reconciler.manifests.build import FRAME, UNUSED_ANCHOR, Builder, Unreadable
from reconciler.manifests.chunks import chunks, document_marks, line_breaks, without_start
from reconciler.manifests.json_events import NotJson, begins_like_json, json_events
from reconciler.manifests.plain import Unusual, plain_documents
from reconciler.manifests.positions import DocumentPositions, LatePositions
from reconciler.manifests.secrets import MARKS, secret_places
from reconciler.manifests.syntax import BEGINS_WRONG, in_plain_words
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.source import SourceText

MAX_BYTES = 10_000_000
MAX_DOCUMENTS = 20_000
"""Maximum number of documents in one file, empty ones included: checking more would take minutes."""
MAX_TAGS = 100
"""Maximum number of %TAG lines: the parser compares each with all the others."""
_TAG_LINE = re.compile("^%TAG", re.MULTILINE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_JOINT = re.compile("^\ufeff", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}|={7})(?=\s|\Z)", re.MULTILINE)
"""The lines that Git adds where two changes meet. In YAML no text of several lines can begin a line with them."""

_POINTER = re.compile(r"\Aversion https://git-lfs\.github\.com/spec/")

_PIECEMEAL = re.compile(rf"{_POINTER.pattern}|{_CONFLICT.pattern}|{_JOINT.pattern}|^---[ \t\r\n]+[{{\[]", re.MULTILINE)
"""Files that the YAML parser must not read whole; JSON after a `---` is read as JSON."""

_JSON_DOCUMENT = re.compile(r"---[ \t\r\n]+[{\[]")
_SIGNS = ("version https://git-lfs", "<<<<<<<", ">>>>>>>", "|||||||", "=======", "\ufeff")
"""What occurs in each file of `_PIECEMEAL` but those with JSON: a search for plain words takes a tenth of the time."""

_FOREIGN = {
    "conflict-marks": (
        _CONFLICT,
        "the file contains the marks of a Git merge conflict; expected the result of the merge",
        "resolve the conflict, and remove the lines that begin with <<<<<<<, |||||||, ======= and >>>>>>>",
    ),
    "byte-order-mark": (
        _JOINT,
        "the file contains a byte order mark (U+FEFF) in the middle, as if two files had been joined",
        "remove this invisible character",
    ),
    "large-file-pointer": (
        _POINTER,
        "the file is a pointer of Git LFS; expected the content of the file",
        "run: git lfs pull",
    ),
}
"""What other programs leave in a file, by the code of its problem: the parser's words would mislead."""

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_OURS = re.compile(r"\b(?:apiVersion|kind|metadata|spec)\b[\"']?[ \t]*:")
"""What shows that a text is a manifest or a project file. Of any other file nothing is quoted: it may be anything."""


class _File(Struct, frozen=True, dict=True):
    """One file: its name in messages, and its text."""

    path: str
    text: SourceText
    whole: str
    holds_secrets: bool
    """Whether a document of it may have values that are not shown."""

    @classmethod
    def of(cls, path: str, text: str) -> _File:
        return cls(path, SourceText(text), text, any(mark in text for mark in MARKS))

    @cached_property  # each broken document asks for it
    def broken(self) -> SourceText | None:
        """Its text where a document cannot be read."""
        return SourceText(self.whole, guarded=True) if _OURS.search(self.whole) else None

    def at(self, line: int, column: int = 1) -> SourceRef:
        """Return the place of what cannot be read."""
        return SourceRef(self.path, line, column, self.broken)


class Document(Struct, frozen=True):
    """One YAML document as plain Python values."""

    data: Any
    positions: DocumentPositions | LatePositions
    templated: bool = False
    """Whether its file holds `{{`."""
    unescaped: bool = False
    """Whether no text of it has an escape, so that it only has the characters that YAML allows in a file."""
    accepted: bool = False
    """Whether an earlier run found nothing wrong with it alone."""

    @property
    def path(self) -> str:
        """The file that holds it, as messages show it."""
        return self.positions.path

    @property
    def name_at(self) -> SourceRef:
        """The place of its name."""
        return self.positions.locate(("metadata", "name"))

    @property
    def kind(self) -> str | None:
        """The kind that it states, if readable."""
        kind = self.data.get("kind") if isinstance(self.data, dict) else None
        return kind if isinstance(kind, str) else None

    @property
    def address(self) -> Address | None:
        """The address that it states, if kind and name are readable and on one line. It may be invalid."""
        if not isinstance(self.data, dict):
            return None
        kind, metadata = self.data.get("kind"), self.data.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not (isinstance(kind, str) and isinstance(name, str) and name and (kind + name).isprintable()):
            return None
        return Address(kind, name)


class Loaded(Struct, frozen=True):
    """The content of one file."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


def load_bytes(content: bytes, path: str) -> Loaded:
    """Read the bytes of one file. `path` is its name in messages."""
    if len(content) > MAX_BYTES:
        return _refused(path, "file-too-large", f"is larger than {MAX_BYTES // 1_000_000} MB")
    if content.startswith(_UTF16) or b"\0" in content[:2]:
        return _refused(path, "not-utf8", "is UTF-16 text; expected UTF-8", hint="save the file as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig")) + 1
        where = _File.of(path, content.decode("utf-8-sig", "replace")).at(line, column)
        # Most files that are not UTF-8 come from an editor on Windows.
        seen = content[error.start : error.start + 1].decode("cp1252", "replace")
        name = f'"{seen}"' if seen.isprintable() else f"U+{ord(seen):04X}"
        what = f"is not UTF-8 text (the next character is {name} in Windows-1252); expected UTF-8"
        return _refused(path, "not-utf8", what, where=where, hint="save the file as UTF-8")
    return load_text(text, path)


def load_text(text: str, path: str) -> Loaded:
    """Read the text of one or more documents; empty documents are skipped."""
    if text.count("---") > MAX_DOCUMENTS and document_marks(text) > MAX_DOCUMENTS:
        return _refused(
            path, "file-too-large", f"contains more than {MAX_DOCUMENTS:,} documents", hint="split the file"
        )
    if text.count("%TAG") > MAX_TAGS and len(_TAG_LINE.findall(text)) > MAX_TAGS:
        return _refused(path, "yaml-refused", f"contains more than {MAX_TAGS} %TAG lines; expected plain YAML")
    if begins_like_json(text):
        with suppress(NotJson):
            return _read_json(text, _File.of(path, text))
    suspicious = any(sign in text for sign in _SIGNS) or _JSON_DOCUMENT.search(text)
    if suspicious and _PIECEMEAL.search(text):
        return _read_each(text, path)
    with suppress(Unusual, yaml.YAMLError, UnicodeError, ValueError):
        found = list(islice(plain_documents(_events(text)), MAX_DOCUMENTS + 1))
        if len(found) <= MAX_DOCUMENTS:
            return placed_later(found, text, path)
    return _read_whole(text, path)


def placed_later(found: Sequence[tuple[Any, int]], text: str, path: str, accepted: Sequence[bool] = ()) -> Loaded:
    """Return plain documents, whose places are read from the text as soon as one is asked for."""
    again, templated, unescaped = _Again(text, path), "{{" in text, "\\" not in text
    documents = [
        Document(
            data, LatePositions(path, mark, index, again), templated, unescaped, bool(accepted and accepted[index])
        )
        for index, (data, mark) in enumerate(found)
    ]
    return Loaded(tuple(documents), ())


class _Again:
    """Reads a file again with all its places, once."""

    __slots__ = ("_documents", "_path", "_text")

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        self._documents: tuple[Document, ...] | None = None

    def __call__(self, index: int) -> DocumentPositions:
        """Return the places of one of its documents."""
        if self._documents is None:
            self._documents = _read_whole(self._text, self._path).documents
        positions = self._documents[index].positions
        assert isinstance(positions, DocumentPositions)  # noqa: S101 - `_read_whole` gives no others
        return positions


def _read_whole(text: str, path: str) -> Loaded:
    """Read a file with the place of each value."""
    try:
        return _read(_events(text), _File.of(path, text), 0, "{{" in text)
    except (Unreadable, yaml.YAMLError, UnicodeError, ValueError):
        return _read_each(text, path)


def _read_each(text: str, path: str) -> Loaded:
    """Read each document alone, so that a broken one does not hide the others."""
    file = _File.of(path, text)
    documents: list[Document] = []
    problems: list[Problem] = []
    for first_line, chunk in chunks(text):
        loaded = _read_chunk(chunk, file, first_line, templated="{{" in text)
        documents += loaded.documents
        problems += loaded.problems
    return Loaded(tuple(documents), tuple(problems))


def _read_chunk(text: str, file: _File, first_line: int, *, templated: bool) -> Loaded:
    """Read the text of one document, as JSON where it is JSON."""
    for code, (marks, summary, hint) in _FOREIGN.items():
        mark = marks.search(text)
        if mark is not None:
            where = file.at(first_line + line_breaks(text[: mark.start()]) + 1)
            return Loaded((), (Problem(code=code, summary=summary, where=where, hint=hint),))
    body = without_start(text)
    not_json: NotJson | None = None
    try:
        if begins_like_json(body):
            return _read_json(body, file, first_line)
    except NotJson as error:
        not_json = error
    try:
        return _read(_events(text), file, first_line, templated)
    except Unreadable as error:
        return Loaded((), (_unreadable(error, file, first_line),))
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        if not_json is not None and file.path.lower().endswith(".json"):
            # The author writes JSON; an error of the YAML parser would be about the tabs.
            where = file.at(first_line + not_json.line + 1, not_json.column + 1)
            problem = Problem(code="json-syntax", summary=f"this is not valid JSON: {not_json}", where=where)
        else:
            problem = _syntax_problem(error, text, file, first_line)
        return Loaded((), (problem,))


def _read_json(text: str, file: _File, first_line: int = 0) -> Loaded:
    """Read a text that is JSON throughout; NotJson if it is not."""
    events = json_events(text)
    try:
        return _read(partial(next, events, None), file, first_line, templated="{{" in text)
    except Unreadable as error:
        deque(events, maxlen=0)  # the rest may be a YAML file of several documents
        return Loaded((), (_unreadable(error, file, first_line),))


def _refused(path: str, code: str, what: str, *, hint: str | None = None, where: SourceRef | None = None) -> Loaded:
    place = where or SourceRef(path, 1, 1)
    return Loaded((), (Problem(code=code, summary=f"the file {what}", where=place, hint=hint),))


def _unreadable(error: Unreadable, file: _File, first_line: int) -> Problem:
    where = DocumentPositions(file.path, None, 0, first_line, file.broken).at(error.mark)
    return Problem(code="yaml-refused", summary=str(error), where=where, hint=error.hint)


def _syntax_problem(error: Exception, text: str, file: _File, first_line: int) -> Problem:
    what = mark = None
    if isinstance(error, yaml.MarkedYAMLError):
        begins_wrong = (error.context or "").startswith(BEGINS_WRONG)
        what, mark = error.problem, (begins_wrong and error.context_mark) or error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    bad = _CONTROL.search(text)
    if mark is None and bad is not None:
        before = text[: bad.start()]
        line, column = line_breaks(before), len(before) - max(before.rfind("\n"), before.rfind("\r")) - 1
        what = f"the character U+{ord(bad.group()):04X} is not allowed in a text file"
    words, hint = in_plain_words(what, text, line, column)
    where = file.at(first_line + line + 1, column + 1)
    return Problem(code="yaml-syntax", summary=f"this is not valid YAML: {words}", where=where, hint=hint)


def _events(text: str) -> Callable[[], Any]:
    """Return a function that returns the next event, of libyaml or, if it is missing, of the pure Python parser."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    following: Callable[[], Any] = loader(text).get_event
    return following


def _read(following: Callable[[], Any], file: _File, first_line: int, templated: bool) -> Loaded:
    documents: list[Document] = []
    problems: list[Problem] = []
    count = 0
    while True:
        event = following()
        if event is None or event.__class__ is yaml.StreamEndEvent:
            return Loaded(tuple(documents), tuple(problems))
        if event.__class__ is not yaml.DocumentStartEvent:
            continue
        count += 1
        if count > MAX_DOCUMENTS:
            raise Unreadable(f"the file contains more than {MAX_DOCUMENTS:,} documents", event, "split the file")
        builder = Builder(following)
        first = following()
        is_mapping = first.__class__ is yaml.MappingStartEvent
        try:
            data, marks = builder.node(first, 1)
        except Unreadable as error:
            if not is_mapping:  # its text is not shown: it may be anything
                error.args = (error.nameless,)
            raise
        ours = isinstance(data, dict) and FRAME & data.keys()
        positions = DocumentPositions(file.path, data, marks, first_line, file.text if ours else None)
        if ours and file.holds_secrets:
            hidden = file.text.hiding(secret_places(positions), positions.starts())
            positions = DocumentPositions(file.path, data, marks, first_line, hidden)
        document = Document(data, positions, templated)
        problems += [
            Problem(
                code=code,
                summary=summary,
                severity="warning" if code == UNUSED_ANCHOR else "error",
                where=positions.at(mark),
                hint=hint,
                address=document.address,
            )
            for code, summary, mark, hint in (builder.notes(positions) if is_mapping else ())
        ]
        if data is not None:
            documents.append(document)
