"""The places of values that may be credentials: messages quote their lines, but never the values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from reconciler.manifests.positions import DocumentPositions, Path
from reconciler.model.source import Part, SourceRef
from reconciler.schema import load_schema

HOLDERS = ("auth", "webhooks")
"""Keys below which each value is a credential, or says where one is."""

_URLS = frozenset({"base_url", "state"})
"""Keys of addresses, which may contain a user, a password or a token."""

_SETTINGS = frozenset({"connections", "environments", "policy", "state"})
"""What shows that a document is, or was to be, a project file."""

MARKS = (*HOLDERS, *sorted(_SETTINGS), "Project")
"""Words without which a file has nothing to hide."""

_CREDENTIALS = "project#/$defs/connection/properties/auth/properties"
_SOURCES = frozenset({"env", "file", "command"})
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")
_ADDRESS = re.compile(
    r"(?:(?P<git>git\+)(?:[a-z]+:?/+)?|[a-z]+(?:\+[a-z]+)?:/+)(?:(?P<user>[^?#]+)@)?[\w./:\[\]-]*"
    r"(?(git)(?:#[\w./-]+)?)(?P<query>\?[^@]+)?",
    re.IGNORECASE,
)
"""An address whose parts are known: only its user, with a password or token, and its query could be a credential."""


def secret_places(positions: DocumentPositions) -> Iterator[SourceRef | Part]:
    """Yield the place of each such value of a document, or of a part of one, and of each key that may be one itself.

    In a project file that is every value but those of settings that exist and are no credentials.
    """
    data = positions.data
    spec = data.get("spec")
    stated = {*data, *(spec if isinstance(spec, Mapping) else ())}
    shown = _settings() if data.get("kind") == "Project" or _SETTINGS & stated else None
    yield from _among(data, (), positions, shown)


@cache
def _settings() -> frozenset[str]:
    """Return the names of all settings of a project file that are no credentials."""
    names: set[str] = set()
    waiting: list[Any] = [load_schema("project")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            properties = node.get("properties")
            names |= set(properties) if isinstance(properties, Mapping) else set()
        waiting += [item for _, item in _items(node)]
    return frozenset(names - load_schema(_CREDENTIALS).keys() | {"apiVersion", "kind", "name"})


def _among(
    value: Any, path: Path, positions: DocumentPositions, shown: frozenset[str] | None
) -> Iterator[SourceRef | Part]:
    """Yield what is hidden outside of `HOLDERS`; `shown` are the keys whose values are shown, None for all."""
    for step, item in _items(value):
        inner = (*path, step)
        if step in HOLDERS:
            yield from _below(item, inner, positions, alone=False)
        elif _items(item):
            yield from _among(item, inner, positions, shown)
        elif shown is not None:
            key = next((each for each in reversed(inner) if isinstance(each, str)), "")
            if key not in shown:
                yield positions.locate(inner)
            elif key in _URLS:
                yield from _of_address(item, positions.locate(inner))


def _of_address(value: Any, place: SourceRef) -> Iterator[SourceRef | Part]:
    """Yield the parts of an address that may be credentials; all of it where its parts or their places are not known.

    What is left shows what is wrong with it.
    """
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    line = (place.text.line(place.line) if place.text is not None else None) or ""
    start = place.column - 1 + (line[place.column - 1 : place.column] in {'"', "'"})
    if found is None or not line.startswith(value, start):
        yield place
        return
    for part in ("user", "query"):
        first, last = found.span(part)
        if first < last:
            yield Part(place.line, start + first, start + last)


def _below(value: Any, path: Path, positions: DocumentPositions, *, alone: bool) -> Iterator[SourceRef]:
    """Yield every value but the name of a variable that is the only source of a credential."""
    items = _items(value)
    for step, item in items:
        inner = (*path, step)
        if isinstance(step, str) and step not in load_schema(_CREDENTIALS).keys() | _SOURCES | _settings():
            yield positions.locate(inner, key=True)
        yield from _below(item, inner, positions, alone=len(items) == 1)
    variable = alone and path[-1] == "env" and isinstance(value, str) and _VARIABLE.fullmatch(value)
    if not items and not variable:
        yield positions.locate(path)


def _items(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
