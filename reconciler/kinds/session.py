"""Session: an event, a course or a recurring event, with its slots (seed 000)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.session_statement import statement
from reconciler.kinds.slots import booked_slots, compare_slots, counted, slot_key
from reconciler.model.canonical import (
    REPEATS,
    SESSION_TYPES,
    TICKET_TYPES,
    clock,
    day,
    flag,
    money,
    whole,
    word,
)
from reconciler.model.change import Action, FieldChange, Risk
from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Live, Manifest, Problem

_CANONICAL: Mapping[str, Callable[[Any], Any]] = {
    "name": str,
    "type": lambda value: word(value, SESSION_TYPES),
    "group": str,
    "start_date": day,
    "end_date": day,
    "time": clock,
    "duration": whole,
    "description": str,
    "spaces": whole,
    "price": money,
    "max_num_bookings": whole,
    "repeat": lambda value: word(value, REPEATS),
    "disabled": flag,
    "min_cancel": whole,
    "max_advance": whole,
    "ask_address": flag,
    "ticket_type": lambda value: word(value, TICKET_TYPES),
}

READABLE = frozenset({"name", "group", "time", "start_date", "end_date", "slots"})
"""The fields in the show sample of seed 000; a server may answer more."""

_DEFAULT_NAMES = {"event": "My Event", "course": "My Course", "recurring_event": "My Recurring Event"}
"""What a session is called that is created without a name (seed 000, the tables of defaults)."""

_MOVES_SLOTS = frozenset({"time", "start_date", "end_date", "repeat"})
"""Fields whose change may make the server lay its slots out anew: seed 000 does not say."""


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return a session's spec in canonical values; slots sorted by date and time.

    A slot without a duration takes the session's, because seed 000 asks for all three to be sent.
    """
    fields = {name: _CANONICAL[name](value) for name, value in spec.items() if name in _CANONICAL}
    if "slots" in spec:
        slots = [_canonical_slot(slot, fields.get("duration")) for slot in spec["slots"]]
        fields["slots"] = sorted(slots, key=slot_key)
    return fields


def _canonical_slot(slot: Mapping[str, Any], duration: int | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"date": day(slot["date"]), "time": clock(slot["time"])}
    if "duration" in slot:
        fields["duration"] = whole(slot["duration"])
    elif duration is not None:
        fields["duration"] = duration
    return fields


def identities(fields: Fields) -> tuple[IdentityKey, ...]:
    """Return the natural keys: name, group and first day, which is the start date or that of the first slot.

    Both count on both sides, because a server may answer its default start date for a session with slots.
    A name that is not stated is the one the API gives by type (seed 000).
    """
    name, group = fields.get("name", _DEFAULT_NAMES.get(fields.get("type", ""))), fields.get("group")
    first_slot = min((slot["date"] for slot in fields.get("slots") or ()), default=None)
    days = dict.fromkeys(day for day in (fields.get("start_date"), first_slot) if day is not None)
    return () if name is None or group is None else tuple((name, group, day) for day in days)


def missing_to_create(fields: Fields) -> tuple[str, ...]:
    """Say what a creation needs beyond what is stated: the API's own defaults depend on the day."""
    missing = []
    if "type" not in fields:
        missing.append("`type` is needed to create a session; add type: event, course or recurring_event")
    if not fields.get("slots"):
        missing.extend(
            f"`{name}` is needed to create a session without slots, because the API's default depends on the day; "
            f"add {name}: {example}"
            for name, example in (("start_date", "2027-03-01"), ("time", "18:00"))
            if name not in fields
        )
    return tuple(missing)


def check(manifest: Manifest) -> Iterator[Problem]:
    """Check dates against each other: the rules that a schema cannot say."""
    try:
        fields = canonical(manifest.spec)
    except ValueError:
        return  # the schema, or the step that resolves manifests, says which value it is
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and end < start:
        yield _problem(
            manifest,
            "end-before-start",
            f"end_date {end} is before start_date {start}; expected the same day or later",
            "end_date",
        )
        start = end = None
    yield from _check_slots(manifest, start, end)


def _check_slots(manifest: Manifest, start: str | None, end: str | None) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for index, slot in enumerate(manifest.spec.get("slots") or ()):
        key = (day(slot["date"]), clock(slot["time"]))
        if key in seen:
            first = manifest.where("slots", seen[key])
            summary = (
                f"slot {key[0]} {key[1]} is stated twice (first at line {first.line}); expected each date and time once"
            )
            yield _problem(manifest, "duplicate-slot", summary, "slots", index)
        seen.setdefault(key, index)
        if (start and key[0] < start) or (end and key[0] > end):
            summary = (
                f"slot {key[0]} {key[1]} lies outside the session's own dates; "
                f"expected a date from {start or 'any day'} to {end or 'any day'}"
            )
            yield _problem(manifest, "slot-outside-session", summary, "slots", index, "date")


def _problem(manifest: Manifest, code: str, summary: str, *path: str | int) -> Problem:
    return Problem(code=code, summary=summary, where=manifest.where(*path), address=manifest.address)


def risks(action: Action, fields: Sequence[FieldChange], live: Live | None) -> tuple[Risk, ...]:
    """Say what deleting or re-timing a session does to the places booked on its slots (contract, rule 5)."""
    if live is None:
        return ()
    if action in {"delete", "replace"}:
        return tuple(_booked_risk("booked-slot-lost", "block", "deleting the session loses", live))
    changed = sorted({change.path for change in fields} & _MOVES_SLOTS)
    if changed:
        what = f"changing {', '.join(changed)} may move"
        return tuple(_booked_risk("booked-slot-moved", "block", what, live))
    if any(change.path == "duration" for change in fields):
        return tuple(_booked_risk("booked-slot-changed", "warn", "changing duration may lengthen or shorten", live))
    return ()


def _booked_risk(code: str, level: Any, what: str, live: Live) -> Iterable[Risk]:
    booked, unknown = booked_slots(live.fields.get("slots"))
    if booked:
        yield counted(code, level, what, booked)
    if unknown and level == "block":
        yield Risk(
            code="bookings-unknown",
            level="block",
            message=f"{what} slots whose bookings the API did not answer: not known whether anyone has booked",
        )


KIND = Kind(
    name="Session",
    provider="bookingbug-sessions",
    schema="session",
    canonical=canonical,
    identities=identities,
    readable=READABLE,
    volatile=frozenset({"spaces_booked", "spaces_reserved"}),
    parts={"slots": compare_slots},
    lays_anew={"slots": frozenset({"repeat"})},
    may_lay_anew=_MOVES_SLOTS,
    check=check,
    missing_to_create=missing_to_create,
    statement=statement,
    risks=risks,
)
