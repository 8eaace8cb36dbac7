"""What changed outside since the last apply: the recorded fields against the live ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.engine.diff import compare
from reconciler.engine.expiry import expired_words
from reconciler.engine.snapshot import Snapshot
from reconciler.model.kind import Kind
from reconciler.model.objects import Record
from reconciler.model.report import Drift, Drifted
from reconciler.settings import Connection


def drift(
    records: Iterable[Record], snapshot: Snapshot, kinds: Mapping[str, Kind], connections: Mapping[str, Connection]
) -> Drift:
    """Return how every managed object compares with its record, ordered by address."""
    found = [_drifted(record, snapshot, kinds, connections) for record in records]
    return Drift(objects=tuple(sorted(found, key=lambda item: str(item.address))))


def _drifted(
    record: Record, snapshot: Snapshot, kinds: Mapping[str, Kind], connections: Mapping[str, Connection]
) -> Drifted:
    kind = kinds[record.address.kind]
    shown = kind.public_id(record.remote_id)
    plain = Drifted(address=record.address, status="in_sync", shown_id=shown)
    connection = connections.get(record.connection)
    if connection is None or connection.target != record.target:
        reason = f"connection {record.connection!r} was removed or no longer points at {record.target}"
        return replace(plain, status="unknown", reason=reason)
    why = snapshot.why_unreadable(record.connection, kind.name, record.remote_id)
    if why is not None:
        return replace(plain, status="unknown", reason=why)
    reading = snapshot.reading(record.connection, kind.name)
    if record.remote_id in reading.expired:
        return replace(plain, status="expired", reason=expired_words(reading.expired[record.remote_id]))
    live = reading.live.get(record.remote_id)
    if live is None:
        return replace(plain, status="missing", reason=f"{shown} is gone from {record.target}")
    comparison = compare(kind, record.fields, live.fields, record.fields)
    moved = tuple(
        replace(change, before=change.after, after=change.before, origin="drift") for change in comparison.fields
    )
    return replace(
        plain,
        status="changed" if moved else "in_sync",
        fields=moved,
        verifiable=len(comparison.verified),
        total=len(comparison.verified) + len(comparison.unverified) + len(kind.unanswered),
    )
