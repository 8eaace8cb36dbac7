"""Files with nothing unusual: their values in one quick pass, and the place of each only where it is asked for.

Nearly every manifest is such a file, and nearly no run asks where a value is. What is unusual (an anchor, a tag, a key
that is given twice) is `Unusual`, and the file is read with all its places (`build`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sys import intern
from typing import Any

import yaml

from reconciler.manifests.positions import COLUMN_BITS
from reconciler.manifests.scalars import SPECIAL_STARTS, plain_scalar

_DEEP = 32
"""Levels of nesting that are unusual; their limit is checked by `build`."""

_Scalar = yaml.ScalarEvent
_MappingStart = yaml.MappingStartEvent
_SequenceStart = yaml.SequenceStartEvent
_MappingEnd = yaml.MappingEndEvent
_SequenceEnd = yaml.SequenceEndEvent


_NAMES: dict[str, str] = {}
"""Names of fields that were met: nearly every key is one of a few."""
_MOST_NAMES, _LONGEST_NAME = 1_000, 40


class Unusual(Exception):
    """The file has something that this reading does not know."""


def plain_documents(following: Callable[[], Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each document, and where it begins; Unusual where one is not a plain mapping."""
    while (event := following()) is not None:
        if event.__class__ is not yaml.DocumentStartEvent:
            continue
        first: Any = following()
        if first.__class__ is not _MappingStart:
            raise Unusual
        mark: Any = first.start_mark
        yield _mapping(following, first, 1), (mark.line << COLUMN_BITS) + mark.column


def _mapping(following: Callable[[], Any], start: Any, depth: int) -> dict[str, Any]:
    if start.anchor is not None or start.tag is not None or depth > _DEEP:
        raise Unusual
    data: dict[str, Any] = {}
    value: Any
    while (event := following()).__class__ is not _MappingEnd:
        if event.__class__ is not _Scalar or event.anchor is not None or event.tag is not None:
            raise Unusual
        key = _NAMES.get(event.value) or _name(event)
        if key in data:
            raise Unusual
        event = following()
        if event.__class__ is _Scalar:
            if event.anchor is not None or event.tag is not None:
                raise Unusual
            value = event.value
            if event.implicit[0] and (not value or value[0] in SPECIAL_STARTS):
                value = plain_scalar(value)
        else:
            value = _value(following, event, depth + 1)
        data[key] = value
    return data


def _name(event: Any) -> str:
    """Return a key that is a text, the same object each time, and keep it if it is one with and without quotes."""
    key: str = event.value
    is_plain = bool(key) and key != "<<" and (key[0] not in SPECIAL_STARTS or plain_scalar(key) is key)
    if event.implicit[0] and not is_plain:
        raise Unusual
    key = intern(key)
    if is_plain and len(_NAMES) < _MOST_NAMES and len(key) <= _LONGEST_NAME:
        _NAMES[key] = key
    return key


def _value(following: Callable[[], Any], event: Any, depth: int) -> Any:
    if event.__class__ is _MappingStart:
        return _mapping(following, event, depth)
    if event.__class__ is not _SequenceStart or event.anchor is not None or event.tag is not None or depth > _DEEP:
        raise Unusual
    items: list[Any] = []
    while (event := following()).__class__ is not _SequenceEnd:
        if event.__class__ is not _Scalar:
            items.append(_value(following, event, depth + 1))
            continue
        if event.anchor is not None or event.tag is not None:
            raise Unusual
        value = event.value
        items.append(plain_scalar(value) if event.implicit[0] and (not value or value[0] in SPECIAL_STARTS) else value)
    return items
