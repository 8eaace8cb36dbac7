"""What a manifest or the project file may contain: a kind or a field described, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import UsageError
from reconciler.manifests.describe import Field, describe
from reconciler.model.nearest import meant, nearest
from reconciler.registry import kinds
from reconciler.schema import load_schema, schema_names


def explain(what: str) -> Field:
    """Describe a kind, or one of its fields (`Session.slots.time`); UsageError where there is none."""
    kind, *path = what.split(".")
    known = {**{name: item.schema for name, item in kinds().items()}, "Removed": "removed", "Project": "project"}
    name = _found(kind, {name.lower(): name for name in known})
    if name is None:
        hint = meant(nearest(kind, known), f"there are {', '.join(known)}")
        raise UsageError(f"there is no kind {kind!r}", hint=hint)
    return describe(name, known[name], tuple(path))


def schemas() -> tuple[str, ...]:
    """Return the names of all schemas."""
    return schema_names()


def schema(kind: str) -> Mapping[str, object]:
    """Return the JSON Schema of a kind; UsageError where there is none."""
    names = {name.replace("_", ""): name for name in schema_names()}
    name = _found(kind, names)
    if name is None:
        hint = meant(nearest(kind, names), f"there are {', '.join(schema_names())}")
        raise UsageError(f"there is no schema {kind!r}", hint=hint)
    return load_schema(name)


def _found(text: str, names: Mapping[str, str]) -> str | None:
    return names.get(text.lower().replace("_", "").replace("-", ""))
