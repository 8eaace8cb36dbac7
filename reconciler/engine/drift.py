"""What changed outside since the last apply: the recorded fields against the live ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.engine.diff import compare
from reconciler.engine.snapshot import Snapshot
from reconciler.model.kind import Kind
from reconciler.model.objects import Record
from reconciler.model.report import Drift, Drifted
from reconciler.settings import Connection


def drift(
    records: Iterable[Record], snapshot: Snapshot, kinds: Mapping[str, Kind], connections: Mapping[str, Connection]
) -> Drift:
    """Return every record's standing, ordered by address."""
    found = [_drifted(record, snapshot, kinds, connections) for record in records]
    return Drift(objects=tuple(sorted(found, key=lambda item: str(item.address))))


def _drifted(
    record: Record, snapshot: Snapshot, kinds: Mapping[str, Kind], connections: Mapping[str, Connection]
) -> Drifted:
    plain = Drifted(address=record.address, status="in_sync", remote_id=record.remote_id)
    connection = connections.get(record.connection)
    if connection is None or connection.target != record.target:
        reason = f"connection {record.connection!r} is gone or points elsewhere than {record.target}"
        return replace(plain, status="unknown", reason=reason)
    kind = kinds[record.address.kind]
    why = snapshot.why_unreadable(record.connection, kind.name, record.remote_id)
    if why is not None:
        return replace(plain, status="unknown", reason=why)
    live = snapshot.reading(record.connection, kind.name).live.get(record.remote_id)
    if live is None:
        return replace(plain, status="missing", reason=f"{record.remote_id} is gone from {record.target}")
    comparison = compare(kind, record.fields, live.fields, record.fields)
    moved = tuple(
        replace(change, before=change.after, after=change.before, origin="drift") for change in comparison.fields
    )
    return replace(
        plain,
        status="changed" if moved else "in_sync",
        fields=moved,
        verifiable=len(comparison.verified),
        total=len(comparison.verified) + len(comparison.unverified),
    )
