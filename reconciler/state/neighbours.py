"""The other projects and environments in a shared state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, func, select

from reconciler.model.words import count, listed
from reconciler.state.restore import place
from reconciler.state.schema import objects

_NAMED = 5

_WHOSE = (objects.c.project, objects.c.environment)

QUERY = select(
    *_WHOSE,
    objects.c.target,
    objects.c.remote_id,
    objects.c.kind.label("other_kind"),  # a kind of theirs may be unknown here
    objects.c.name.label("other_name"),
)
"""What they manage."""

COUNTS = select(*_WHOSE, func.count().label("number")).group_by(*_WHOSE).order_by(*_WHOSE)
"""How many objects each has."""


def managed(rows: Iterable[Row[Any]]) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
    """Return who manages each object of `QUERY`, by target, kind and remote id."""
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for row in rows:
        words = f"{place(row.project, row.environment)} (as {row.other_kind}/{row.other_name})"
        key = (row.target, row.other_kind, row.remote_id)
        found[key] = tuple(sorted((*found.get(key, ()), words)))
    return found


def mention(label: str, scope: Mapping[str, str], rows: Iterable[Row[Any]]) -> str | None:
    """Say what `COUNTS` found in a state that has nothing of `scope`; None where it has, or is empty."""
    found = {(row.project, row.environment): int(row.number) for row in rows}
    mine = (scope["project"], scope["environment"])
    if not found or mine in found:
        return None
    others = listed([f"{count(number, 'object')} of {place(*other)}" for other, number in found.items()], _NAMED)
    same = any(project == mine[0] for project, _ in found)
    advice = "choose it with --env" if same else "if the project was renamed, restore metadata.name"
    return f"The state {label} has no objects of {place(*mine)}, but it has {others}: {advice}"
