"""Parser events to Python values, with the place of every key and value.

One pass without constructors: a tag can never run code. It is also about twice as fast as `yaml.load` with the C
loader.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

import yaml

from reconciler.manifests.positions import COLUMN_BITS, DocumentPositions, Marks
from reconciler.manifests.scalars import SPECIAL_STARTS, plain_scalar, shown, tagged_scalar

MAX_DEPTH = 64
FRAME = frozenset({"apiVersion", "kind", "metadata", "spec"})
"""The keys of every object. One that is given twice usually means a missing `---`."""

UNUSED_ANCHOR = "unused-anchor"
"""The code of a note that is a warning: a text may be meant to begin with &."""

MAX_MISTAKES = 1_000
"""Maximum number of mistakes reported for one document: describing more would take minutes."""
MAX_ALIASED = 100_000
"""Maximum number of values that the aliases of one document may expand to: a few lines could expand to billions."""
_TEXT = 100
"""Characters of an aliased text that count as one value."""

_NEXT = "if another object begins here, put a line `---` above it"
_QUOTE = "to begin a text with &, put the whole text in quotes"
_TAG_PREFIX = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset({"str", "int", "float", "bool", "null"})

_Scalar = yaml.ScalarEvent
_MappingStart = yaml.MappingStartEvent
_SequenceStart = yaml.SequenceStartEvent
_MappingEnd = yaml.MappingEndEvent
_End = (_MappingEnd, yaml.SequenceEndEvent)


class Unreadable(Exception):
    """A document that cannot be used. The rest of the file still can."""

    def __init__(self, summary: str, event: Any, hint: str | None = None, *, nameless: str | None = None) -> None:
        super().__init__(summary)
        self.mark = _mark(event)
        self.hint = hint
        self.nameless = nameless or summary
        """What is wrong, without any text of the document."""


def _mark(event: Any) -> int:
    mark = event.start_mark
    place: int = (mark.line << COLUMN_BITS) + mark.column
    return place


class Builder:
    """Builds one document from parser events and collects notes about mistakes that do not stop it."""

    __slots__ = ("_aliased", "_anchors", "_following", "_notes", "_open", "_unused")

    def __init__(self, following: Callable[[], Any]) -> None:
        self._following = following
        self._anchors: dict[str, tuple[Any, Marks]] = {}
        self._open: set[str] = set()
        self._aliased = 0
        self._notes: list[tuple[str, str, int, str | None, int | None]] = []
        self._unused: dict[str, int] = {}

    def notes(self, positions: DocumentPositions) -> list[tuple[str, str, int, str | None]]:
        """Return (code, summary, mark, hint). The summary names a second place."""
        notes = [
            (code, summary if other is None else f"{summary}; the first is at {positions.at(other)}", mark, hint)
            for code, summary, mark, hint, other in self._notes
        ]
        return notes + [
            (UNUSED_ANCHOR, f"&{name} is the name of an anchor that is not used, not a part of the text", mark, _QUOTE)
            for name, mark in self._unused.items()
        ]

    def node(self, event: Any, depth: int) -> tuple[Any, Marks]:
        """Build the value that begins with `event`."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"values are nested more than {MAX_DEPTH} levels deep", event)
        kind = event.__class__
        if kind is _Scalar:
            return self._scalar(event), _mark(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        anchor = event.anchor
        if event.tag is not None:
            self._container_tag(event, "map" if kind is _MappingStart else "seq")
        if anchor is None:
            return self._mapping(event, depth) if kind is _MappingStart else self._sequence(event, depth)
        self._open.add(anchor)
        built = self._mapping(event, depth) if kind is _MappingStart else self._sequence(event, depth)
        self._open.discard(anchor)
        self._anchors[anchor] = built
        return built

    def _mapping(self, start: Any, depth: int) -> tuple[dict[str, Any], list[Any]]:
        following = self._following
        data: dict[str, Any] = {}
        marks: list[Any] = [_mark(start)]
        merges: list[tuple[int, Any, Any]] = []
        event: Any
        inner: Any
        mark: Any
        while (event := following()).__class__ is not _MappingEnd:
            if event.__class__ is not _Scalar:
                self._odd_key(event)
                self.node(following(), depth + 1)
                continue
            # The steps for a scalar are inlined here and below: calls would cost a third of the loading time.
            key, mark, plain = event.value, event.start_mark, event.implicit[0]
            place = (mark.line << COLUMN_BITS) + mark.column
            if plain and key == "<<":
                if merges:
                    self._note_repeated(key, place, merges[0][0], depth)
                merges.append((place, *self.node(following(), depth + 1)))
                continue
            if event.tag or event.anchor or (plain and (not key or key[0] in SPECIAL_STARTS)):
                key = self._string_key(event)
            event = following()
            if event.__class__ is _Scalar:
                mark = event.start_mark
                inner = (mark.line << COLUMN_BITS) + mark.column
                value = event.value
                if event.tag or event.anchor or (event.implicit[0] and (not value or value[0] in SPECIAL_STARTS)):
                    value = self._scalar(event)
            else:
                value, inner = self.node(event, depth + 1)
            if key in data:
                if len(self._notes) < MAX_MISTAKES:
                    self._note_repeated(key, place, marks[1 + 2 * list(data).index(key)], depth)
                continue
            data[intern(key)] = value
            marks += (place, inner)
        for merge in merges:
            self._merge(data, marks, *merge)
        return data, marks

    def _sequence(self, start: Any, depth: int) -> tuple[list[Any], list[Any]]:
        data: list[Any] = []
        marks: list[Any] = [_mark(start)]
        while (event := self._following()).__class__ is not yaml.SequenceEndEvent:
            value, inner = self.node(event, depth + 1)
            data.append(value)
            marks.append(inner)
        return data, marks

    def _note_repeated(self, key: str, place: int, first: int, depth: int) -> None:
        """Note a key that is given twice. A repeated key of FRAME usually means a missing `---` and is noted once."""
        hint = "keep one of them" if key != "<<" else "merge several mappings with one list: <<: [*first, *second]"
        if depth == 1 and key in FRAME:
            if any(note[0] == "duplicate-key" and note[3] == _NEXT for note in self._notes):
                return
            hint = _NEXT
        if len(self._notes) < MAX_MISTAKES:
            self._notes.append(("duplicate-key", f"the key {shown(key)} is given twice", place, hint, first))

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.tag is not None or event.anchor is not None:
            return self._marked_scalar(event)
        if event.implicit[0] and (not text or text[0] in SPECIAL_STARTS):
            return plain_scalar(text)
        return text

    def _marked_scalar(self, event: Any) -> Any:
        """Read a scalar that has a tag or an anchor."""
        text, tag = event.value, event.tag
        value: Any = text
        if tag is None:
            value = plain_scalar(text) if event.implicit[0] else text
        elif tag != "!":
            short = tag.removeprefix(_TAG_PREFIX)
            if tag == short or short not in _SCALAR_TAGS:
                self._custom_tag(tag, event)
            else:
                try:
                    value = tagged_scalar(text, short)
                except ValueError as error:
                    self._note("wrong-tag", str(error), event)
        if event.anchor is not None:
            self._anchor(event, value)
        return value

    def _anchor(self, event: Any, value: Any) -> None:
        name, mark = event.anchor, _mark(event)
        self._anchors[name] = (value, mark)
        if value is None and not event.value:
            what = f"&{name} is the name of an anchor, and no value follows it; expected a value"
            self._note("empty-anchor", what, event, _QUOTE)
        elif event.implicit[0] and len(self._unused) < MAX_MISTAKES:
            self._unused[name] = mark

    def _container_tag(self, event: Any, kind: str) -> None:
        if event.tag not in ("!", _TAG_PREFIX + kind):
            self._custom_tag(event.tag, event)

    def _custom_tag(self, tag: str, event: Any) -> None:
        written = f"!!{tag.removeprefix(_TAG_PREFIX)}" if tag.startswith(_TAG_PREFIX) else tag
        hint = "to begin a text with !, put the whole text in quotes"
        self._note("custom-tag", f"the tag {shown(written)} is not allowed; expected plain YAML", event, hint)

    def _string_key(self, event: Any) -> str:
        """Return a key's text, noting one that is not a string."""
        value = self._scalar(event)
        if not isinstance(value, str):
            what = "an empty key" if value is None else f"the key {shown(value)}"
            hint = None if not event.value else f'write it in quotes: "{event.value}"'
            self._note("key-not-string", f"{what} is not text; expected a field's name", event, hint)
        text: str = event.value
        return text

    def _odd_key(self, event: Any) -> None:
        """Note a list, mapping or alias that is used as a key, and skip it."""
        hint = None
        if event.__class__ is _MappingStart and event.flow_style:
            hint = 'a template needs quotes: "{{ values.name }}"'
        self._note("key-not-string", "a key is not text; expected a field's name", event, hint)
        depth = 0
        while True:
            depth += event.__class__ in (_MappingStart, _SequenceStart)
            depth -= event.__class__ in _End
            if depth == 0:
                return
            if depth > MAX_DEPTH:
                raise Unreadable(f"values are nested more than {MAX_DEPTH} levels deep", event)
            event = self._following()

    def _alias(self, event: Any) -> tuple[Any, Marks]:
        name = event.anchor
        if name in self._open:
            nameless = "an alias refers to a value that contains it"
            raise Unreadable(f"the alias *{name} refers to a value that contains it", event, nameless=nameless)
        if name not in self._anchors:
            hint = "to begin a text with *, put the whole text in quotes"
            self._note("unknown-alias", f"the alias *{name} refers to no anchor above it", event, hint)
            return None, _mark(event)
        self._unused.pop(name, None)
        value, marks = self._anchors[name]
        self._aliased += _size(value, MAX_ALIASED - self._aliased)
        if self._aliased > MAX_ALIASED:
            what = (
                f"aliases expand to more than {MAX_ALIASED:,} values or {MAX_ALIASED * _TEXT // 1_000_000} MB of text"
            )
            raise Unreadable(what, event)
        return value, _mark(event) if isinstance(marks, int) else [_mark(event), *marks[1:]]

    def _merge(self, data: dict[str, Any], marks: list[Any], place: int, value: Any, inner: Any) -> None:
        """Take over the keys of a `<<` mapping (or list of mappings) that are not given here."""
        sources = [(value, inner)] if isinstance(value, dict) else []
        if isinstance(value, list) and isinstance(inner, list):
            sources = list(zip(value, inner[1:], strict=True))
        if not sources or not all(isinstance(source, dict) for source, _ in sources):
            summary = "the merge key << has no mapping; expected an alias of a mapping"
            self._notes.append(("wrong-merge", summary, place, None, None))
            return
        for source, source_marks in sources:
            for index, key in enumerate(source):
                if key not in data:
                    data[key] = source[key]
                    marks += (place, source_marks[2 + 2 * index])

    def _note(self, code: str, summary: str, event: Any, hint: str | None = None) -> None:
        if len(self._notes) < MAX_MISTAKES:
            self._notes.append((code, summary, _mark(event), hint, None))


def _size(value: Any, limit: int) -> int:
    """Count a value and all values inside it, long texts several times; stop just above `limit`."""
    count, todo = 0, [value]
    while todo and count <= limit:
        item = todo.pop()
        count += 1
        if isinstance(item, str):
            count += len(item) // _TEXT
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return count
