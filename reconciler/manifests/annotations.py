"""Annotations that mean something here, and those whose name is nearly one of theirs: they would count for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from reconciler.manifests.scalars import shown
from reconciler.model.kind import ADOPT_ID
from reconciler.model.objects import Manifest, Problem
from reconciler.schema import load_schema

_CLOSE_ENOUGH = 0.78
"""Nearer than for a field's name: any other annotation is somebody's own, and no mistake."""


def annotation_problems(manifest: Manifest) -> Iterator[Problem]:
    """Warn of every annotation that is most likely meant for this program, and is written otherwise."""
    if not manifest.annotations:
        return
    stated = load_schema("envelope")["properties"]["metadata"]["properties"]["annotations"]["properties"]
    known = (ADOPT_ID, *sorted(stated.keys() - {ADOPT_ID}))
    for name in sorted(manifest.annotations.keys() - set(known)):
        plain = name.lower().replace("_", "-")[:100]
        near = get_close_matches(plain, known, n=1, cutoff=_CLOSE_ENOUGH) if "/" not in name else []
        if near:
            yield Problem(
                code="annotation-unknown",
                severity="warning",
                summary=f'annotation {shown(name)} has no meaning here; did you mean "{near[0]}"?',
                where=manifest.positions.locate(("metadata", "annotations", name), key=True),
                address=manifest.address,
            )
