"""What changed outside since the last apply; only reads."""

from __future__ import annotations

from reconciler.engine.drift import drift as compare_records
from reconciler.engine.plan import World, scopes
from reconciler.engine.snapshot import take
from reconciler.model.plan import Selection
from reconciler.model.report import Drift
from reconciler.operations.plan import unreachable
from reconciler.operations.select import select
from reconciler.operations.session import ProjectSession


def drift(session: ProjectSession, selection: Selection | None = None) -> Drift:
    """Compare what was last applied with what is live; only reads. InvalidInput where no system could be read."""
    records = session.store.records()
    selected = select(records.keys(), selection or Selection(), {}, records.keys())
    world = World(
        desired={},
        records=records,
        selected=selected,
        kinds=session.kinds,
        providers=session.providers,
        connections=session.project.connections,
    )
    wanted = scopes(world)
    session.resolve_credentials({connection for connection, _ in wanted})
    snapshot = take(wanted, session.reader)
    failure = unreachable(snapshot)
    if failure is not None:
        raise failure
    chosen = [record for address, record in records.items() if address in selected]
    return compare_records(chosen, snapshot, session.kinds, session.project.connections)
