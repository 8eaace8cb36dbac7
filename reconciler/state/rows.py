"""Rows of the state's tables to values of the model, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from reconciler.model.canonical import now, plain
from reconciler.model.objects import Address, Intent, Lease, PastRun, Record


def record_of(row: Row[Any]) -> Record:
    """Return a row as a managed object."""
    return Record(
        address=Address(row.kind, row.name),
        connection=row.connection,
        target=row.target,
        remote_id=row.remote_id,
        fields=row.fields,
        computed=row.computed,
        protect=row.protect,
        depends_on=tuple(Address.parse(item) for item in row.depends_on),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def record_values(record: Record) -> dict[str, Any]:
    """Return the columns of a record, updated now."""
    return {
        "connection": record.connection,
        "target": record.target,
        "remote_id": record.remote_id,
        "fields": plain(record.fields),
        "computed": plain(record.computed),
        "protect": record.protect,
        "depends_on": [str(address) for address in record.depends_on],
        "updated_at": now(),
    }


def lease_of(row: Row[Any]) -> Lease:
    """Return a row as a lease."""
    return Lease(
        run_id=row.run_id,
        holder=row.holder,
        host=row.host,
        pid=row.pid,
        since=row.since,
        beat=row.beat,
        expires=row.expires,
        machine=row.machine,
    )


def intent_of(row: Row[Any]) -> Intent:
    """Return a row as an intent: a call whose result is not known."""
    return Intent(
        run_id=row.run_id,
        address=Address(row.kind, row.name),
        connection=row.connection,
        target=row.target,
        effect=row.effect,
        fields=row.fields,
        started_at=row.started_at,
        pending_until=row.pending_until,
    )


def intent_values(intent: Intent) -> dict[str, Any]:
    """Return the columns of an intent."""
    return {
        "run_id": intent.run_id,
        "kind": intent.address.kind,
        "name": intent.address.name,
        "connection": intent.connection,
        "target": intent.target,
        "effect": intent.effect,
        "fields": plain(intent.fields),
        "started_at": intent.started_at,
        "pending_until": intent.pending_until,
    }


def past_run_of(row: Row[Any]) -> PastRun:
    """Return a row as a run that wrote, or is writing."""
    return PastRun(
        run_id=row.run_id,
        command=row.command,
        plan_digest=row.plan_digest,
        started_at=row.started_at,
        ended_at=row.ended_at,
        ended=row.ended,
    )
