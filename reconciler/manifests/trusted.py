"""What a project file states without effect, where a trusted file decides on connections, state, policy and drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.load import Document
from reconciler.manifests.positions import Path
from reconciler.model.objects import Problem
from reconciler.trust import UNTRUSTED

_DECIDED = ("connections", "state", "policy", "drift")
_MOST = 20
"""Differences that are named."""


def ignored(document: Document, trusted: Document) -> Iterator[Problem]:
    """Warn of each setting that differs from the trusted file, which decides. No value is repeated."""
    mine, theirs = _decided(document.data), _decided(trusted.data)
    found = [*_differences(mine, theirs, ())]
    for path in found[:_MOST]:
        name, place = ".".join(map(str, path)), trusted.positions.locate(path)
        if not document.positions.has(path):
            what = f"{name} is missing; the trusted file sets it ({place.path}:{place.line}), and that applies"
        elif trusted.positions.has(path):
            what = f"{name} is ignored: it differs from the trusted file ({place.path}:{place.line}), which applies"
        else:
            what = f"{name} is ignored: the trusted file {place.path} does not have it"
        yield _warning(document, path, what)
    if len(found) > _MOST:
        yield _warning(
            document, (), f"{len(found) - _MOST} more settings are ignored: they differ from the trusted file"
        )


def _warning(document: Document, path: Path, summary: str) -> Problem:
    return Problem(
        code=UNTRUSTED,
        severity="warning",
        summary=summary,
        hint="it applies once it is in the trusted file",
        where=document.positions.locate(path, key=True),
    )


def _decided(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a project file on which the trusted file decides."""
    spec = data["spec"]
    parts: dict[str, Any] = {key: spec[key] for key in _DECIDED if key in spec}
    environments = spec.get("environments")
    if isinstance(environments, Mapping):
        parts["environments"] = {
            name: {key: over[key] for key in _DECIDED if key in over}
            for name, over in environments.items()
            if isinstance(over, Mapping)
        }
    return {"metadata": {"name": data["metadata"]["name"]}, "spec": parts}


def _differences(mine: Any, theirs: Any, path: Path) -> Iterator[Path]:
    """Yield the shortest paths at which two values differ."""
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        for key in (*mine, *(key for key in theirs if key not in mine)):
            if key in mine and key in theirs:
                yield from _differences(mine[key], theirs[key], (*path, key))
            elif mine.get(key, theirs.get(key)) != {}:
                yield (*path, key)
    elif mine != theirs:
        yield path
