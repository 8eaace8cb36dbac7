"""What changed outside since the last apply: the recorded fields against the live ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from reconciler.engine.diff import compare
from reconciler.engine.expiry import expired_words, with_ended
from reconciler.engine.guards import MISSING_FROM, all_missing
from reconciler.engine.identity import is_another, nothing_in_common
from reconciler.engine.intents import OVERTAKEN, open_call
from reconciler.engine.ledger import Memory
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.subject import still_reaches
from reconciler.model.canonical import now
from reconciler.model.kind import Kind
from reconciler.model.objects import STORED, Address, Intent, Record
from reconciler.model.report import Drifted, Sync
from reconciler.model.sighting import DriftedField
from reconciler.settings import Connection


def drift(
    memory: Memory,
    selected: Collection[Address],
    snapshot: Snapshot,
    kinds: Mapping[str, Kind],
    connections: Mapping[str, Connection],
    *,
    overtaken: Collection[Address] = (),
) -> tuple[Drifted, ...]:
    """Return how every selected object compares with its record, ordered by address.

    An object with an open call is unknown, because its effect is; so is what another run wrote to meanwhile
    (`overtaken`).
    """
    chosen = [record for address, record in memory.records.items() if address in selected]
    snapshot = with_ended(snapshot, chosen, kinds, now())
    by_connection: dict[str, list[Drifted]] = {}
    targets: dict[str, str] = {}
    for record in chosen:
        intents = memory.intents.get(record.address, ())
        item = _drifted(record, intents, snapshot, kinds, connections)
        if record.address in overtaken and item.status != "in_sync":
            item = _unknown(item, OVERTAKEN)
        by_connection.setdefault(record.connection, []).append(item)
        targets[record.connection] = record.target
    found = [item for name, items in by_connection.items() for item in _doubted(items, name, targets[name])]
    found += [
        Drifted(address=address, status="unknown", reason=open_call(intents[-1]))
        for address, intents in memory.intents.items()
        if intents and address in selected and address not in memory.records
    ]
    return tuple(sorted(found, key=lambda item: str(item.address)))


def _doubted(items: Sequence[Drifted], connection: str, target: str) -> Iterator[Drifted]:
    """Ask about the credentials where all that is managed through a connection is missing."""
    missing, unread = (sum(item.status == status for item in items) for status in ("missing", "unknown"))
    doubtful = missing >= MISSING_FROM and missing + unread == len(items)
    words = all_missing(connection, missing, target, unread=unread)
    for item in items:
        yield replace(item, reason=f"{item.reason}; {words}") if doubtful and item.status == "missing" else item


def _drifted(
    record: Record,
    intents: Sequence[Intent],
    snapshot: Snapshot,
    kinds: Mapping[str, Kind],
    connections: Mapping[str, Connection],
) -> Drifted:
    found = _compared(record, snapshot, kinds, connections)
    shown = found.status == "in_sync" and all(intent.confirmed for intent in intents)
    if not intents or shown or found.status in {"expired", "unknown"}:
        return found
    return _unknown(found, open_call(intents[-1]))


def _unknown(found: Drifted, reason: str) -> Drifted:
    return replace(found, status="unknown", reason=reason, fields=(), verifiable=0, total=0)


def _compared(
    record: Record, snapshot: Snapshot, kinds: Mapping[str, Kind], connections: Mapping[str, Connection]
) -> Drifted:
    kind = kinds[record.address.kind]
    status, reason = _standing(record, snapshot, kind, connections)
    live = snapshot.reading(record.connection, kind.name).live.get(record.remote_id)
    if status != "in_sync" or live is None:
        shown = kind.public_id(record.remote_id)
        return Drifted(address=record.address, status=status, shown_id=shown, reason=reason)
    comparison = compare(kind, record.fields, live.fields, record.fields, record.computed.get(STORED))
    moved = tuple(
        DriftedField(
            path=change.path, before=change.after, after=change.before, origin="drift", verifiable=change.verifiable
        )
        for change in comparison.fields
    )
    another = is_another(kind, record.fields, {}, live.fields, deletes=False)
    return Drifted(
        address=record.address,
        status="changed" if moved else "in_sync",
        fields=moved,
        shown_id=kind.public_id(record.remote_id),
        reason=nothing_in_common(kind, record, live) if another else None,
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
