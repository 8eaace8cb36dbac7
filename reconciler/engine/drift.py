"""What changed outside since the last apply: the recorded fields against the live ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.engine.diff import compare
from reconciler.engine.expiry import expired_words
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.subject import still_reaches
from reconciler.model.kind import Kind
from reconciler.model.objects import Record
from reconciler.model.report import Drift, Drifted, Sync
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
    status, reason = _standing(record, snapshot, kind, connections)
    live = snapshot.reading(record.connection, kind.name).live.get(record.remote_id)
    if status != "in_sync" or live is None:
        shown = kind.public_id(record.remote_id)
        return Drifted(address=record.address, status=status, shown_id=shown, reason=reason)
    comparison = compare(kind, record.fields, live.fields, record.fields)
    moved = tuple(
        replace(change, before=change.after, after=change.before, origin="drift") for change in comparison.fields
    )
    return Drifted(
        address=record.address,
        status="changed" if moved else "in_sync",
        fields=moved,
        shown_id=kind.public_id(record.remote_id),
        verifiable=len(comparison.verified),
        total=len(comparison.verified) + len(comparison.unverified) + len(kind.unanswered),
    )


def _standing(
    record: Record, snapshot: Snapshot, kind: Kind, connections: Mapping[str, Connection]
) -> tuple[Sync, str | None]:
    """Return whether an object can be compared (`in_sync`), or why not."""
    if not still_reaches(connections, record):
        return "unknown", f"connection {record.connection!r} was removed or no longer points to {record.target}"
    why = snapshot.why_unreadable(record.connection, kind.name, record.remote_id)
    if why is not None:
        return "unknown", why
    reading = snapshot.reading(record.connection, kind.name)
    if record.remote_id in reading.expired:
        return "expired", expired_words(reading.expired[record.remote_id])
    if record.remote_id not in reading.live:
        return "missing", f"id {kind.public_id(record.remote_id)} no longer exists on {record.target}"
    return "in_sync", None
