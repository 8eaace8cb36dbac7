"""Objects that expire by themselves: what a plan says of one, and what it does.

The API of such an object has no list, and does not show whether an expired object became a booking.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.subject import Decided, Subject
from reconciler.model.canonical import digest, utc
from reconciler.model.change import Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Desired, Fields, Problem, Reading, Record
from reconciler.model.risk import Risk, risk

_NOT_KNOWN = "the API does not show whether it became a booking"


def expired_words(how: str) -> str:
    """Return what is known about an expired object; `how` is the evidence."""
    return f"it expired ({how}); {_NOT_KNOWN}"


def may_be_booked() -> Risk:
    """Warn of recreating what may have become a booking: the same places would be taken twice."""
    return risk("expired-or-booked", f"recreated after it expired: {_NOT_KNOWN}", booked=None, reserved=None)


def declaration(kind: Kind, fields: Fields) -> str:
    """Digest what is declared of an object, without fields that only this program reads."""
    return digest({name: value for name, value in fields.items() if name not in kind.local})


def with_ended(snapshot: Snapshot, records: Iterable[Record], kinds: Mapping[str, Kind], now: str) -> Snapshot:
    """Return what was read, with objects as expired that the system refuses to show after their longest life.

    How a system reports an expired object is not documented, and its words may be unknown here.
    """
    ended: dict[Place, dict[str, str]] = {}
    for record in records:
        place, ephemeral = (record.connection, record.address.kind), kinds[record.address.kind].ephemeral
        reading = snapshot.readings.get(place)
        if ephemeral is None or reading is None or record.remote_id not in reading.refused or not record.updated_at:
            continue
        if now < utc(datetime.fromisoformat(record.updated_at) + timedelta(seconds=ephemeral.settles_after)):
            continue
        why = f"last changed at {record.updated_at}, and the server does not show it: "
        ended.setdefault(place, {})[record.remote_id] = why + reading.unreadable[record.remote_id]
    return replace(snapshot, readings={**snapshot.readings, **dict(_with_ended(snapshot, ended))})


def _with_ended(snapshot: Snapshot, ended: Mapping[Place, Mapping[str, str]]) -> Iterator[tuple[Place, Reading]]:
    for place, whys in ended.items():
        reading = snapshot.readings[place]
        yield (
            place,
            dataclasses.replace(
                reading,
                expired={**reading.expired, **whys},
                unreadable={key: words for key, words in reading.unreadable.items() if key not in whys},
                refused=reading.refused - whys.keys(),
            ),
        )


def keep_expired(subject: Subject, desired: Desired, how: str, policy: Literal["report", "forget"]) -> Decided:
    """Do not change an expired object, or remove its record; nothing is sent in either case."""
    said = expired_words(how)
    if policy == "forget":
        reason = f"{said}; on_expiry is forget, so only the record is removed"
        return replace(subject.nothing(desired.connection, reason, expired=True, forget=True), absent=True), ()
    problem = Problem(
        code="expired",
        severity="warning",
        summary=said,
        hint=(
            "check whether it was booked; to hold it again, set on_expiry: recreate; "
            "to stop managing it, set on_expiry: forget"
        ),
        where=desired.source,
        address=desired.address,
    )
    reason = f"{said}; on_expiry is report, so nothing is changed"
    return subject.nothing(desired.connection, reason, expired=True), (problem,)


def given_up(subject: Subject, desired: Desired) -> Decision:
    """Do not change an expired object that is no longer managed, as long as its manifest has not changed."""
    reason = (
        "expired and no longer managed, because on_expiry is forget; to hold it again, change its manifest "
        f"or run: `reconciler state rm {subject.recorded}`"
    )
    return subject.nothing(desired.connection, reason, expired=True)
