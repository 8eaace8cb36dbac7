"""The places of values that may be credentials: messages quote their lines, but never the values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.positions import DocumentPositions, Path
from reconciler.model.source import SourceRef
from reconciler.schema import load_schema

HOLDERS = ("auth", "webhooks")
"""Keys below which each value is a credential, or says where one is."""

_CREDENTIALS = "project#/$defs/connection/properties/auth/properties"
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")


def secret_places(positions: DocumentPositions) -> Iterator[SourceRef]:
    """Yield the place of each such value of a document, and of each key that may be one itself."""
    for path in _holders(positions.data, ()):
        yield from _below(_at(positions.data, path), path, positions)


def _holders(value: Any, path: Path) -> Iterator[Path]:
    for step, item in _items(value):
        if step in HOLDERS:
            yield (*path, step)
        else:
            yield from _holders(item, (*path, step))


def _below(value: Any, path: Path, positions: DocumentPositions) -> Iterator[SourceRef]:
    items = _items(value)
    for step, item in items:
        inner = (*path, step)
        if path[-1] == "auth" and isinstance(step, str) and step not in load_schema(_CREDENTIALS):
            yield positions.locate(inner, key=True)
        yield from _below(item, inner, positions)
    names = path[-1] in {"file", "template"} or (
        path[-1] == "env" and isinstance(value, str) and _VARIABLE.fullmatch(value)
    )
    if not items and not names:
        yield positions.locate(path)


def _items(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
