"""Reading back what was written: a 200 proves neither that a value was stored nor that an object was deleted."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.engine.diff import compare, field_of, respelled
from reconciler.errors import Interrupted, OutcomeUnknown, RemoteError
from reconciler.model.kind import Kind
from reconciler.model.objects import Computed, Fields, Live, Record, Scope
from reconciler.model.report import State
from reconciler.model.words import listed
from reconciler.providers.base import Provider

_SHOWN_DIFFERENCES = 3

LOOKS = (0.25, 0.5, 1.0, 2.0)
"""Pauses in seconds before the next look, where reads do not show a write at once."""


class Confirmation(Struct, frozen=True):
    """What reading back an object showed."""

    state: State
    error: str | None = None
    """What differs, with both values, or why it could not be read."""
    interrupted: bool = False
    """Whether it was not read because the user stopped the run."""
    stored: Fields = {}
    """The fields that the server spells in its own way, as it returns them."""
    seen: bool = False
    """Whether a read showed the object as it is after the write."""
    behind: bool = False
    """Whether it may be a read from before the write."""


def confirm(
    reader: Provider,
    kind: Kind,
    remote_id: str,
    fields: Fields,
    computed: Computed,
    *,
    before: Mapping[str, Any] | None,
    stop: threading.Event,
    shown: Live | None = None,
) -> Confirmation:
    """Compare a written object with what it should be; look again for a while where a read may be behind.

    `before` are the values that an update replaced, by path; None for a create. `shown` is what a read after the write
    returned already.
    """
    if shown is not None:
        return _compared(kind, fields, shown, before)
    for pause in (*LOOKS, None):
        found = _look(reader, kind, remote_id, fields, computed, before)
        if not found.behind or pause is None or stop.wait(pause):
            break
    return found


def _look(
    reader: Provider,
    kind: Kind,
    remote_id: str,
    fields: Fields,
    computed: Computed,
    before: Mapping[str, Any] | None,
) -> Confirmation:
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
        words = f"applied, but it could not be read back: {why}"
        return Confirmation("unknown", words, behind=before is None and remote_id not in reading.unreadable)
    return _compared(kind, fields, live, before)


def _compared(kind: Kind, fields: Fields, live: Live, before: Mapping[str, Any] | None) -> Confirmation:
    stored = respelled(fields, live.fields)
    wrong = [
        item
        for item in compare(kind, fields, live.fields, fields).fields
        if item.verifiable and field_of(item.path) not in stored
    ]
    if not wrong:
        words = "; ".join(spelling(name, fields[name], stored[name]) for name in sorted(stored))
        return Confirmation("applied", words or None, stored=stored, seen=True)
    said = [f"{item.path} {_shown(item.before)} instead of {_shown(item.after)}" for item in wrong]
    behind = before is not None and all(item.path in before and before[item.path] == item.before for item in wrong)
    words = f"applied, but the server returns {listed(said, _SHOWN_DIFFERENCES)}"
    return Confirmation("failed", words, stored=stored, seen=not behind, behind=behind)


def spelling(name: str, wanted: Any, stored: Any) -> str:
    """Say how the server spells a value, and what to do."""
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        differing = [key for key in stored if stored[key] != wanted.get(key)]
        return "; ".join(spelling(f"{name}.{key}", wanted.get(key), stored[key]) for key in differing)
    return f"the server stores {name} as {stored!a} instead of {wanted!a}; write it so"


def confirm_gone(reader: Provider, kind: Kind, record: Record, stop: threading.Event, *, found: bool) -> None:
    """Raise RemoteError where a deleted object stays there, OutcomeUnknown where that is not known.

    `found`: the server deleted it; else it said that it does not exist, which may be about a path that it does not
    know. An object that expires by itself is not read: to ask for one that has ended may start a new one.
    """
    if kind.ephemeral is not None:
        return
    said = "deleted" if found else "the server says that it does not exist"
    unread = f"{said}, but it could not be read back"
    for pause in (*LOOKS, None):
        try:
            reading = reader.read(Scope(kind=kind.name, ids={record.remote_id: {}}, listing=False))
        except RemoteError as error:
            raise OutcomeUnknown(f"{unread}: {error.message}", interrupted=isinstance(error, Interrupted)) from None
        if record.remote_id not in reading.live or pause is None or stop.wait(pause):
            break
    if record.remote_id in reading.live:
        raise RemoteError(f"{said}, but the server still returns it; it stays managed")
    if record.remote_id not in reading.absent:
        raise OutcomeUnknown(
            f"{unread}: {reading.unreadable.get(record.remote_id, 'the API returned nothing about it')}"
        )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(item) for item in value.values())
    return repr(value) if isinstance(value, str) else str(value)
