"""Reading back what was written: an answer of 200 proves neither that a value was taken nor that an object is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.engine.diff import compare
from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.model.kind import Kind
from reconciler.model.objects import Computed, Fields, Record, Scope
from reconciler.model.report import State
from reconciler.providers.base import Provider

_SHOWN_DIFFERENCES = 3


def confirm(
    reader: Provider, kind: Kind, remote_id: str, fields: Fields, computed: Computed
) -> tuple[State, str | None]:
    """Compare a written object with what it should be; return how it ended and, where not well, both values."""
    try:
        scope = Scope(kind=kind.name, ids={remote_id: fields}, listing=False, computed={remote_id: computed})
        reading = reader.read(scope)
    except RemoteError as error:
        return "unknown", f"applied, but it could not be read back: {error.message}"
    live = reading.live.get(remote_id)
    if live is None:
        why = reading.unreadable.get(remote_id) or reading.expired.get(remote_id, "the server says it does not exist")
        return "unknown", f"applied, but it could not be read back: {why}"
    comparison = compare(kind, fields, live.fields, fields)
    wrong = [
        f"{item.path} {_shown(item.before)} instead of {_shown(item.after)}"
        for item in comparison.fields
        if item.verifiable
    ]
    if not wrong:
        return "applied", None
    more = f" and {len(wrong) - _SHOWN_DIFFERENCES} more" if len(wrong) > _SHOWN_DIFFERENCES else ""
    return "failed", f"applied, but the server answers {', '.join(wrong[:_SHOWN_DIFFERENCES])}{more}"


def confirm_gone(reader: Provider, kind: Kind, record: Record) -> None:
    """Raise RemoteError where a deleted object is still there, OutcomeUnknown where that cannot be told.

    What is over by itself after a while is not looked at: to ask for one that has ended may start a new one.
    """
    if kind.ephemeral is not None:
        return
    unread = "deleted, but it could not be read back"
    try:
        reading = reader.read(Scope(kind=kind.name, ids={record.remote_id: {}}, listing=False))
    except RemoteError as error:
        raise OutcomeUnknown(f"{unread}: {error.message}") from None
    if record.remote_id in reading.live:
        raise RemoteError("deleted, but the server still answers it; it stays managed")
    if record.remote_id not in reading.absent:
        raise OutcomeUnknown(f"{unread}: {reading.unreadable.get(record.remote_id, 'nothing was answered about it')}")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(item) for item in value.values())
    return repr(value) if isinstance(value, str) else str(value)
