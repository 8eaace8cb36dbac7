"""scaffold: a manifest of a kind to start from."""

from __future__ import annotations

import re

from reconciler.errors import UsageError
from reconciler.manifests.scaffold import scaffold
from reconciler.model.nearest import meant, nearest
from reconciler.model.objects import is_address
from reconciler.operations.explain import PROJECT, manifest_kinds, meant_name
from reconciler.registry import kinds


def scaffolded(kind: str, name: str | None) -> str:
    """Return a manifest of a kind with every field; UsageError where there is no such kind, or it has no such name."""
    known = manifest_kinds()
    found = meant_name(kind, known)
    if found is None:
        near = "to start a project: `reconciler init`" if meant_name(kind, [PROJECT]) else None
        hint = near or meant(nearest(kind, known), f"there are {', '.join(known)}")
        raise UsageError(f"there is no kind {kind!r} of manifest", hint=hint)
    if name is not None and not is_address(f"{found}/{name}"):
        raise UsageError(f"NAME {name!r}: expected at most 63 lowercase letters, digits and hyphens")
    references = [each.spec_field for each in kinds()[found].references] if found in kinds() else []
    own = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", found).lower()
    return scaffold(found, known[found], name or f"my-{own}", references)
