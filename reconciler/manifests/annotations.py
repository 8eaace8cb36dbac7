"""Annotations that have a meaning here, and those whose names are nearly the same and would have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.manifests.scalars import shown
from reconciler.model.kind import ADOPT_ID
from reconciler.model.nearest import nearest
from reconciler.model.objects import Manifest, Problem
from reconciler.schema import load_schema

_CLOSENESS = 0.78
"""Higher than for the name of a field: any other annotation belongs to another tool, and is not a mistake."""


def annotation_problems(manifest: Manifest) -> Iterator[Problem]:
    """Warn of every annotation that is probably meant for this program but spelled differently."""
    if not manifest.annotations:
        return
    stated = load_schema("envelope")["properties"]["metadata"]["properties"]["annotations"]["properties"]
    known = (ADOPT_ID, *sorted(stated.keys() - {ADOPT_ID}))
    for name in sorted(manifest.annotations.keys() - set(known)):
        plain = name.replace("_", "-")
        near = nearest(plain, known, closeness=_CLOSENESS) if "/" not in name else None
        if near is not None:
            yield Problem(
                code="annotation-unknown",
                severity="warning",
                summary=f'annotation {shown(name)} has no effect; did you mean "{near}"?',
                where=manifest.positions.locate(("metadata", "annotations", name), key=True),
                address=manifest.address,
            )
