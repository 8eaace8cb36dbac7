"""Reading back what was written: a 200 proves neither that a value was stored nor that an object was deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.engine.diff import compare
from reconciler.errors import Interrupted, OutcomeUnknown, RemoteError
from reconciler.model.kind import Kind
from reconciler.model.objects import Computed, Fields, Record, Scope
from reconciler.model.report import State
from reconciler.model.words import listed
from reconciler.providers.base import Provider

_SHOWN_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What reading back an object showed."""

    state: State
    error: str | None = None
    """What differs, with both values, or why it could not be read."""
    interrupted: bool = False
    """Whether it was not read because the user stopped the run."""


def confirm(reader: Provider, kind: Kind, remote_id: str, fields: Fields, computed: Computed) -> Confirmation:
    """Compare a written object with what it should be."""
    try:
        scope = Scope(kind=kind.name, ids={remote_id: fields}, listing=False, computed={remote_id: computed})
        reading = reader.read(scope)
    except RemoteError as error:
        words = f"applied, but it could not be read back: {error.message}"
        return Confirmation("unknown", words, interrupted=isinstance(error, Interrupted))
    live = reading.live.get(remote_id)
    if live is None:
        why = reading.unreadable.get(remote_id) or reading.expired.get(
            remote_id, "the server says that it does not exist"
        )
        return Confirmation("unknown", f"applied, but it could not be read back: {why}")
    comparison = compare(kind, fields, live.fields, fields)
    wrong = [
        f"{item.path} {_shown(item.before)} instead of {_shown(item.after)}"
        for item in comparison.fields
        if item.verifiable
    ]
    if not wrong:
        return Confirmation("applied")
    return Confirmation("failed", f"applied, but the server returns {listed(wrong, _SHOWN_DIFFERENCES)}")


def confirm_gone(reader: Provider, kind: Kind, record: Record) -> None:
    """Raise RemoteError where a deleted object is still there, OutcomeUnknown where that is not known.

    An object that expires by itself is not read: to ask for one that has ended may start a new one.
    """
    if kind.ephemeral is not None:
        return
    unread = "deleted, but it could not be read back"
    try:
        reading = reader.read(Scope(kind=kind.name, ids={record.remote_id: {}}, listing=False))
    except RemoteError as error:
        raise OutcomeUnknown(f"{unread}: {error.message}", interrupted=isinstance(error, Interrupted)) from None
    if record.remote_id in reading.live:
        raise RemoteError("deleted, but the server still returns it; it stays managed")
    if record.remote_id not in reading.absent:
        raise OutcomeUnknown(
            f"{unread}: {reading.unreadable.get(record.remote_id, 'the API returned nothing about it')}"
        )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(item) for item in value.values())
    return repr(value) if isinstance(value, str) else str(value)
