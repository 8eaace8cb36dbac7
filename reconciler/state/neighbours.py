"""The other projects and environments in a shared state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.words import count, listed
from reconciler.state.restore import place
from reconciler.state.rows import Row
from reconciler.state.schema import IN_SCOPE, objects

_NAMED = 5

OTHERS = f"""
SELECT project, environment, target, remote_id, kind, name FROM {objects.name}
WHERE NOT ({IN_SCOPE})
"""
"""What they manage. A kind of theirs may be unknown here."""

COUNTS = f"SELECT project, environment, count(*) AS number FROM {objects.name} GROUP BY 1, 2 ORDER BY 1, 2"
"""How many objects each has."""


def managed(rows: Iterable[Row]) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
    """Return who manages each object of `OTHERS`, by target, kind and remote id."""
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for row in rows:
        words = f"{place(row['project'], row['environment'])} (as {row['kind']}/{row['name']})"
        key = (row["target"], row["kind"], row["remote_id"])
        found[key] = tuple(sorted((*found.get(key, ()), words)))
    return found


def mention(label: str, scope: Mapping[str, str], rows: Iterable[Row]) -> str | None:
    """Say what `COUNTS` found in a state that has nothing of `scope`; None where it has, or is empty."""
    found = {(row["project"], row["environment"]): int(row["number"]) for row in rows}
    mine = (scope["project"], scope["environment"])
    if not found or mine in found:
        return None
    others = listed([f"{count(number, 'object')} of {place(*other)}" for other, number in found.items()], _NAMED)
    same = [f"with --env {name}" if name else "without --env" for project, name in found if project == mine[0]]
    advice = f"choose it {' or '.join(same)}" if same else "if the project was renamed, restore metadata.name"
    return f"The state {label} has no objects of {place(*mine)}, but it has {others}: {advice}"
