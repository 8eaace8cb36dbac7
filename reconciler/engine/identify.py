"""Finding an object that has no recorded id: by natural key, exactly one or none, never a guess."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.engine.diff import compare
from reconciler.model.kind import Kind
from reconciler.model.objects import Fields, Live, Reading


def twins(kind: Kind, fields: Fields, reading: Reading, taken: Collection[str]) -> tuple[Live, ...]:
    """Return live objects with the same natural key that nobody has `taken`, by the strongest key that finds any."""
    free = [live for live in reading.live.values() if live.remote_id not in taken]
    for key in kind.identities(fields):
        found = [live for live in free if key in kind.identities(live.fields)]
        if found:
            return tuple(sorted(found, key=lambda live: (len(live.remote_id), live.remote_id)))
    return ()


def created(kind: Kind, fields: Fields, reading: Reading, taken: Collection[str]) -> tuple[Live, ...]:
    """Return the twins that also hold every created value that was answered: those our own call could have made."""
    found = []
    for live in twins(kind, fields, reading, taken):
        comparison = compare(kind, fields, live.fields, fields)
        if not any(change.verifiable for change in comparison.fields):
            found.append(live)
    return tuple(found)
