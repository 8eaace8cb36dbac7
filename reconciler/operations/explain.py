"""What a manifest or the project file may contain, and what a problem means: a kind, a field or a code described."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import UsageError
from reconciler.manifests.describe import Field, describe
from reconciler.model.codes import Code, codes, find
from reconciler.model.nearest import meant, nearest
from reconciler.registry import kinds, project_file_schema

PROJECT = "Project"
DOCUMENTS = ("plan", "report", "drift", "validation", "why", "render")
"""The documents that commands write."""


def explain(what: str) -> Field | Code:
    """Describe a kind, one of its fields or a code (RC0301); UsageError where there is none."""
    name, dot, _ = what.partition(".")
    code = find(name) if meant_name(name, explained()) is None else None
    if code is not None and dot:
        raise UsageError(f"the code {name} has no fields", hint=f"`reconciler explain {code.number}`")
    return code or explain_field(what)


def explain_field(what: str) -> Field:
    """Describe a kind, or one of its fields (`Session.slots.time`); UsageError where there is none."""
    kind, *path = what.split(".")
    known = explained()
    name = meant_name(kind, known)
    if name is None:
        names = (*known, *(name for item in codes() for name in (item.number, item.code)))
        expected = f"there are {', '.join(known)}, and the codes that `reconciler explain` lists"
        raise UsageError(f"there is no kind or code {kind!r}", hint=meant(nearest(kind, names), expected))
    schema = project_file_schema() if name == PROJECT else manifest_kinds()[name]
    return describe(name, schema, tuple(path))


def explained() -> tuple[str, ...]:
    """Return the names of what can be explained."""
    return (*manifest_kinds(), PROJECT)


def meant_name(text: str, names: Iterable[str]) -> str | None:
    """Return the name that a text means: case, hyphens and underscores do not count. None if there is none."""
    return {name.lower(): name for name in names}.get(text.lower().replace("_", "").replace("-", ""))


def manifest_kinds() -> dict[str, str]:
    """Return the schema of each kind of manifest, by its name."""
    return {**{name: item.schema for name, item in kinds().items()}, "Removed": "removed"}


def schema_names() -> tuple[str, ...]:
    """Return what `schema` can name: each kind, the project file, and the documents that commands write."""
    return (*manifest_kinds(), PROJECT, *DOCUMENTS)
