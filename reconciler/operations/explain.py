"""What a manifest or the project file may contain: a kind or a field described."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import UsageError
from reconciler.manifests.describe import Field, describe
from reconciler.model.nearest import meant, nearest
from reconciler.operations.schemas import manifest_kinds
from reconciler.registry import project_file_schema


def explain(what: str) -> Field:
    """Describe a kind, or one of its fields (`Session.slots.time`); UsageError where there is none."""
    kind, *path = what.split(".")
    known = {**manifest_kinds(), "Project": project_file_schema()}
    name = _found(kind, {name.lower(): name for name in known})
    if name is None:
        hint = meant(nearest(kind, known), f"there are {', '.join(known)}")
        raise UsageError(f"there is no kind {kind!r}", hint=hint)
    return describe(name, known[name], tuple(path))


def _found(text: str, names: Mapping[str, str]) -> str | None:
    return names.get(text.lower().replace("_", "").replace("-", ""))
