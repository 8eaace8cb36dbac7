"""How many calls a plan makes, and about how long they take at the pace of its connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from reconciler.model.change import Change
from reconciler.model.plan import Forecast
from reconciler.settings import Connection


def forecast(changes: Iterable[Change], connections: Mapping[str, Connection]) -> Forecast:
    """Count writes, and the reads they need; connections run concurrently, so the slowest one counts.

    The time of a connection without `requests_per_second` is not known: the whole takes at least as long as the others.
    """
    writes: Counter[str] = Counter()
    reads: Counter[str] = Counter()
    for change in changes:
        for call in change.calls:
            writes[call.connection] += 1
            reads[call.connection] += len(call.reads)
        if change.calls and change.action != "delete":
            reads[change.connection] += 1  # what was written is read back
    spans = {name: _seconds(writes[name] + reads[name], connections[name]) for name in sorted(writes)}
    known = {name: seconds for name, seconds in spans.items() if seconds is not None}
    found = Forecast(writes=writes.total(), reads=reads.total())
    if not known:
        return found
    slowest = max(known, key=lambda name: known[name])
    pace = connections[slowest].requests_per_second or 0.0
    return replace(
        found,
        seconds=round(known[slowest], 1),
        connection=slowest,
        per_minute=round(pace * 60, 2),
        at_least=len(known) < len(spans),
    )


def _seconds(calls: int, connection: Connection) -> float | None:
    return calls / connection.requests_per_second if connection.requests_per_second else None
