"""What writing calls without a recorded result leave in doubt until somebody has looked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.model.change import Edit, merged
from reconciler.model.objects import Computed, Fields, Intent, Reading, Record
from reconciler.settings import Connection


def intended(edit: Edit) -> Fields:
    """Return what an update's intent remembers: the values sent, or under `slots[123456]` what that slot was."""
    if edit.part is None:
        return edit.values
    return {f"{edit.part}[{edit.part_id}]": edit.replaces or {}}


def certain(record: Record, intents: Iterable[Intent]) -> Record:
    """Return a record without the applied values that an update of unknown result may have overwritten.

    A value that the API does not answer is compared with what was last applied, which here nobody knows.
    """
    fields: dict[str, Any] = dict(record.fields)
    computed: Computed = record.computed
    for intent in intents:
        if intent.effect != "update":
            continue
        for name, value in intent.fields.items():
            part, bracket, member_id = name.partition("[")
            if bracket:
                fields[part] = [member for member in fields.get(part) or () if not _holds(member, value)]
                computed = merged(computed, {part: {member_id[:-1]: None}} if part in computed else {})
            else:
                fields.pop(name, None)
                computed = {other: members for other, members in computed.items() if other != name}
    if fields == record.fields and computed == record.computed:
        return record
    return replace(record, fields=fields, computed=computed)


def _holds(member: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a member is the one that was written over; a member that is new was no other before."""
    return bool(values) and all(member.get(key) == value for key, value in values.items())


def creations(intents: Sequence[Intent], connections: Mapping[str, Connection]) -> tuple[Intent, ...]:
    """Return the creations among them, at systems that are still the same."""
    return tuple(
        intent
        for intent in intents
        if intent.effect == "create"
        and intent.connection in connections
        and connections[intent.connection].target == intent.target
    )


def unread_stranger(reading: Reading, taken: Collection[str]) -> str | None:
    """Say which unmanaged object could not be read: it might be the one that is looked for."""
    strangers = sorted(remote_id for remote_id in reading.unreadable if remote_id not in taken)
    return f"{strangers[0]}: {reading.unreadable[strangers[0]]}" if strangers else None
