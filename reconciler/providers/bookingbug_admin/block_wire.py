"""Blocks of the admin API without I/O: slots of status 3 (seed 002, notes §3.4 and §3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.kinds.block import CALLED
from reconciler.model import canonical
from reconciler.model.objects import Fields, Live, Ref
from reconciler.model.sharing import shared
from reconciler.providers.answer import identifier, neutral, whole
from reconciler.providers.bookingbug_admin.answers import id_text, link, read_value, remote_id
from reconciler.providers.bookingbug_admin.wire import Wire, admin_path, call

if TYPE_CHECKING:
    from reconciler.model.change import Call, Decision
    from reconciler.model.objects import Address
    from reconciler.settings import Connection

BLOCKED = 3
"""The slot status that makes a slot a block (notes §3.4)."""

FREED = frozenset({0, 6})
"""Slot statuses of time that is no longer blocked: available, cancelled."""

STATUSES = (
    "available",
    "enquired",
    "taken",
    "blocked",
    "booked",
    "unavailable",
    "cancelled",
    "not live",
    "waiting",
    "held",
    "queued",
    "created externally",
)
"""Words of the slot statuses, by number (notes §3.4)."""

_WIRE_NAMES = {name: wire for wire, name in CALLED.items()}
"""What the API calls the two instants of a block (seed 002)."""

_RESOURCE_LINK = re.compile(r".*/resources?/([0-9]+)")


def _create(change: Decision, connection: Connection) -> Call:
    fields = change.declared
    owner = fields.get("resource_id")
    place = f"{{{owner}}}" if isinstance(owner, Ref) else identifier(owner)
    path = admin_path(connection, "resources", place, "block")
    return call(change, "create", "PUT", path, _times(fields), needs=_needs(owner))


def _update(change: Decision, connection: Connection) -> Call:
    fields = change.declared
    owner = fields.get("resource_id")
    body = _times(fields) if owner is None else {**_times(fields), "resource_id": owner}
    path = admin_path(connection, "slots", identifier(change.remote_id))
    return call(change, "update", "PUT", path, body, needs=_needs(owner))


def _times(fields: Fields) -> dict[str, Any]:
    return {wire: fields.get(name) for name, wire in _WIRE_NAMES.items()}


def _needs(owner: object) -> tuple[Address, ...]:
    return (owner.target,) if isinstance(owner, Ref) else ()


WIRE = Wire(
    collection="slots",
    writable=r"resources/[0-9]+/block|slots/[0-9]+",
    create=_create,
    update=_update,
    ids=frozenset({"resource_id"}),
)


def decode_block(data: Mapping[str, Any]) -> Live:
    """Return a slot of status 3 as a block (seed 002, notes §3.4); ValueError where its times are unusable."""
    identity = remote_id(data)
    if data.get("datetime") is None:
        what = "is day-based (`date`)" if data.get("date") is not None else "has no `datetime`"
        message = f"slot {identity} {what}, so its time is unknown"
        raise ValueError(message)
    start = _moment("datetime", data["datetime"])
    if data.get("end_datetime") is not None:
        end = _moment("end_datetime", data["end_datetime"])
    elif data.get("duration") is not None:
        minutes = read_value("duration", whole, data["duration"])
        end = read_value("duration", lambda duration: start + timedelta(minutes=duration), minutes)
    else:
        message = f"slot {identity} has neither `end_datetime` nor `duration`"
        raise ValueError(message)
    fields: dict[str, Any] = {"start": canonical.utc(start), "end": canonical.utc(end)}
    owner = _owner(data)
    if owner is not None:
        fields["resource_id"] = owner
    return Live(remote_id=identity, fields=shared(fields))


def slot_status(data: Mapping[str, Any]) -> int:
    """Return a slot's status; ValueError where there is none."""
    return int(read_value("status", whole, data.get("status")))


def is_event(data: Mapping[str, Any]) -> bool:
    """Whether a slot is an occurrence of an event (notes §3.4): deleting one would cancel a class."""
    return data.get("session_id") is not None


def hinted_owner(data: Mapping[str, Any]) -> str | None:
    """Return the resource that a block's `person` link or `person_id` hints at; None where neither is there.

    Seed 002's own sample of a resource's block names no resource: it has a `person_id` and a `person` link to
    `/resource/15288`. A hint can confirm an owner that is known; alone it proves none.
    """
    match = _RESOURCE_LINK.fullmatch(link(data, "person") or "")
    person = data.get("person_id")
    return match[1] if match else None if person is None else str(person)


_LONGEST = timedelta(days=400)
"""A longer block is looked for on the day of its start: the slots of a thousand years are never listed."""

_APART = timedelta(days=366)
"""Days between two blocks that are not listed together: a server may refuse a day far away."""


def span(fields: Fields) -> tuple[str, str] | None:
    """Return both instants of a block; None where one of them is not known."""
    start, end = (fields.get(key) for key in _WIRE_NAMES)
    return (start, end) if isinstance(start, str) and isinstance(end, str) else None


def window(fields: Fields, longest: timedelta | None = None) -> tuple[date, date] | None:
    """Return the first and last day of a span, a day wider at both ends; None where it has no times.

    The additional day is for the company's time zone, which the API's days are in. Of a span that is longer than
    `longest` it is the first day alone.
    """
    times = [fields.get(key) for key in _WIRE_NAMES]
    days = [datetime.fromisoformat(value).date() for value in times if isinstance(value, str)]
    if not days:
        return None
    last = days[-1] if longest is None or days[-1] - days[0] <= longest else days[0]
    one = timedelta(days=1)
    return max(days[0], date.min + one) - one, min(last, date.max - one) + one


def windows(blocks: Iterable[Fields], whole: Fields) -> dict[tuple[date, date], list[Fields]]:
    """Return the spans of days that hold every block and the `whole` of a span, each with its blocks.

    Blocks that are far from each other stay apart.
    """
    found: dict[tuple[date, date], list[Fields]] = {}
    days = [(item, fields) for fields in blocks if (item := window(fields, _LONGEST)) is not None]
    if (span := window(whole)) is not None:
        days.append((span, whole))
    for (first, last), fields in sorted(days, key=lambda item: item[0]):
        key = next(reversed(found), None)
        if key is not None and first - key[1] <= _APART:
            together = found.pop(key)
            together.append(fields)
            found[key[0], max(key[1], last)] = together
        else:
            found[first, last] = [fields]
    return found


def _owner(data: Mapping[str, Any]) -> str | None:
    """Return the resource of a block: `resource_id`, else what the `resource` link names."""
    if data.get("resource_id") is not None:
        return str(read_value("resource_id", id_text, data["resource_id"]))
    match = _RESOURCE_LINK.fullmatch(link(data, "resource") or "")
    return match[1] if match else None


def _moment(key: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        # Naive times are UTC (notes §3.4: DEV index.md; seed 002's block sample).
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"field `{key}`: {neutral(repr(value), 40)} is not a date-time"
        raise ValueError(message) from None
