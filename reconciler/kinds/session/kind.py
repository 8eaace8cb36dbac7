"""Session: an event, a course or a recurring event, with its slots (seed 000)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from msgspec import Struct

from reconciler.kinds.session.bookings import Slot, booked_slots, counted, slot_risks, touched
from reconciler.kinds.session.defaults import defaults, known
from reconciler.kinds.session.doubts import doubts, over
from reconciler.kinds.session.fields import FIELDS, SLOT_COUNTS, SLOT_FIELDS
from reconciler.kinds.session.slots import compare_slots, slot_key, with_applied_times
from reconciler.kinds.session.statement import statement
from reconciler.kinds.session.timing import timing
from reconciler.model.canonical import clock, day
from reconciler.model.change import DESTRUCTIVE, Action, Decision, FieldChange, SlotBookings
from reconciler.model.characters import NOT_XML
from reconciler.model.field import at_field, canonical_fields
from reconciler.model.kind import IdentityKey, Kind, Marks, described
from reconciler.model.objects import Fields, Live, Manifest, Problem
from reconciler.model.risk import Risk, unknown

_ON_ONE_WEEKDAY = frozenset({"weekly", "fortnightly"})

_MOVES_SLOTS = frozenset({"time", "start_date", "end_date", "repeat"})
"""Fields whose change may make the server replace the slots: seed 000 does not say."""


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return a session's spec in canonical values; slots sorted by date and time.

    A slot without a duration takes the session's, because seed 000 asks for all three to be sent.
    """
    fields = canonical_fields(FIELDS, spec)
    if "slots" in spec:
        with at_field("slots"):
            slots = [_canonical_slot(slot, fields.get("duration")) for slot in spec["slots"]]
        fields["slots"] = sorted(slots, key=slot_key)
    return fields


def _canonical_slot(slot: Mapping[str, Any], duration: int | None) -> dict[str, Any]:
    stated = slot if duration is None else {"duration": duration, **slot}
    return canonical_fields(SLOT_FIELDS, stated)


def identities(fields: Fields) -> tuple[IdentityKey, ...]:
    """Return the natural keys: name, group and first day, which is the start date or that of the first slot.

    Both count on both sides, because a server may answer its default start date for a session with slots.
    A name that is not stated is the one the API gives by type (seed 000).
    """
    name, group = fields.get("name", known(fields).get("name")), fields.get("group")
    first_slot = min((slot["date"] for slot in fields.get("slots") or ()), default=None)
    days = dict.fromkeys(day for day in (fields.get("start_date"), first_slot) if day is not None)
    return () if name is None or group is None else tuple((name, group, day) for day in days)


def apart(fields: Fields, other: Fields) -> bool:
    """Whether two sessions of one name, group and first day are two, by start times or weekdays that both state."""
    sides = (fields, other)
    times = [_slot_times(side) for side in sides]
    if not all(times) and all(side.get("repeat") != "custom" for side in sides):
        times = [found or _of(side.get("time")) for found, side in zip(times, sides, strict=True)]
    return any(mine and theirs and mine.isdisjoint(theirs) for mine, theirs in (times, map(_weekdays, sides)))


def marks(fields: Fields) -> tuple[Marks, Marks]:
    """Return what `apart` looks at: the times of slots only, where one side has a custom repeat."""
    slots, days, custom = _slot_times(fields), _weekdays(fields), fields.get("repeat") == "custom"
    times = slots or _of(fields.get("time"))
    asked = {"custom": slots, "days": days, **({"slots": slots} if custom else {"times": times})}
    shown = {"days": days, **({"custom": slots} if custom else {"slots": slots, "times": times})}
    return asked, shown


@lru_cache(maxsize=4096)
def _once(values: frozenset[Any]) -> frozenset[Any]:
    """Return an equal set that exists once: thousands of sessions have mostly the same times and weekdays."""
    return values


def _of(time: str | None) -> frozenset[str]:
    return frozenset() if time is None else _once(frozenset({time}))


def _slot_times(fields: Fields) -> frozenset[str]:
    """Return the times of a session's slots; none where they are not all known. Its own time says nothing of them."""
    times = {slot.get("time") for slot in fields.get("slots") or ()}
    return frozenset() if None in times else _once(frozenset(times))


def _weekdays(fields: Fields) -> frozenset[int]:
    """Return the weekdays of a session's slots, or that of a weekly one; none where they are not known."""
    days = [slot["date"] for slot in fields.get("slots") or () if "date" in slot]
    if not days and fields.get("repeat") in _ON_ONE_WEEKDAY and "start_date" in fields:
        days = [fields["start_date"]]
    return _once(frozenset(date.fromisoformat(day).weekday() for day in days))


def title(fields: Fields) -> str | None:
    """Return the session's name; a damaged record may hold anything."""
    name = fields.get("name")
    return name if isinstance(name, str) else None


def describe(fields: Fields) -> str:
    """Return name, group and dates; without a start date, the day of the first slot."""
    known = described(fields, "name", "group", "start_date", "end_date", "time")
    first = min((slot["date"] for slot in fields.get("slots") or ()), default=None)
    return known if first is None or "start_date" in fields else f"{known}, first slot {first}".removeprefix(", ")


def missing_to_create(fields: Fields) -> tuple[str, ...]:
    """Return what a create needs beyond what is stated: the API's own defaults depend on the day."""
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
    """Check dates against each other: the rules that a schema cannot state."""
    try:
        fields = manifest.canonical(canonical)
    except ValueError:
        return  # reported by the schema, or when the manifest is resolved
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and end < start:
        summary = f"end_date {end} is before start_date {start}; expected the same day or later"
        yield manifest.problem("end-before-start", summary, "end_date")
        start = end = None
    yield from _check_slots(manifest, start, end)
    yield from doubts(manifest, fields)


def _check_slots(manifest: Manifest, start: str | None, end: str | None) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for index, slot in enumerate(manifest.spec.get("slots") or ()):
        key = (day(slot["date"]), clock(slot["time"]))
        if key in seen:
            first = manifest.where("slots", seen[key])
            summary = f"slot {key[0]} {key[1]} is listed twice; expected each date and time once"
            hint = f"remove one of them; the first is at line {first.line}"
            yield manifest.problem("duplicate-slot", summary, "slots", index, hint=hint)
        seen.setdefault(key, index)
        if (start and key[0] < start) or (end and key[0] > end):
            summary = (
                f"slot {key[0]} {key[1]} is outside the session's dates; "
                f"expected a date from {start or 'any day'} to {end or 'any day'}"
            )
            yield manifest.problem("slot-outside-session", summary, "slots", index, "date")


def risks(
    action: Action, fields: Sequence[FieldChange], live: Live | None, applied: Fields | None = None
) -> tuple[Risk, ...]:
    """Return what deleting, moving or cutting a session does to the bookings on its slots (contract, rule 5)."""
    if live is None:
        return ()
    slots = _slots(live, applied)
    if action in DESTRUCTIVE:
        return tuple(slot_risks("booked-session-deleted", "deleting the session loses", slots))
    found: list[Risk] = []
    moving = _moving(fields)
    if moving:
        found += slot_risks("booked-slot-moved", f"changing {', '.join(moving)} may move", slots)
    elif any(change.path == "duration" for change in fields):
        found += slot_risks("booked-slot-changed", "changing duration may lengthen or shorten", slots)
    cut = _cut(fields)
    if cut is not None:
        found += _cut_risks(slots, cut)
    return tuple(found)


def _moving(fields: Sequence[FieldChange]) -> list[str]:
    """Return the changed fields that may move slots; a type that was never applied has most likely not changed."""
    retyped = {change.path for change in fields if change.path == "type" and change.before is not None}
    return sorted(retyped | ({change.path for change in fields} & _MOVES_SLOTS))


def touches(change: Decision) -> tuple[SlotBookings, ...]:
    """Return the bookings on the slots that a change deletes, moves or cuts; a new price touches none."""
    if change.live is None or not (change.destroys or change.edits):
        return ()
    slots = _slots(change.live, change.record.fields if change.record is not None else None)
    if change.destroys:
        return touched(slots)
    paths = {item.path for item in change.fields}
    if (
        "duration" in paths
        or _moving(change.fields)
        or any("slots" in edit.values for edit in change.edits if not edit.part)
    ):
        return touched(slots)
    ids = {edit.part_id for edit in change.edits if edit.part == "slots"}
    cut = _cut(change.fields)
    if slots is None:
        return touched(None) if cut is not None and not cut.grown else ()
    if cut is not None:
        over, unknown_slots = booked_slots(slots, cut.spaces)
        ids |= {slot["id"] for slot in (over if cut.grown else [*over, *unknown_slots])}
    return touched([slot for slot in slots if slot["id"] in ids])


def _slots(live: Live, applied: Fields | None) -> list[Slot] | None:
    """Return the live slots; a start or length that was not returned is the last applied one."""
    slots = live.fields.get("slots")
    return None if slots is None else with_applied_times(slots, list((applied or {}).get("slots") or ()))


class _Cut(Struct, frozen=True):
    """A change of `spaces` that may lower it."""

    spaces: int
    """The new number."""
    grown: bool
    """Whether it is more than was last applied, while the live number was not returned."""


def _cut(fields: Sequence[FieldChange]) -> _Cut | None:
    """Return the new number of spaces where it may be less than before."""
    change = next((change for change in fields if change.path == "spaces"), None)
    if change is None or not isinstance(change.after, int):
        return None
    grows = isinstance(change.before, int) and change.after >= change.before
    return None if grows and change.verifiable else _Cut(change.after, grows)


def _cut_risks(slots: Sequence[Slot] | None, cut: _Cut) -> Iterator[Risk]:
    over, unknown_slots = booked_slots(slots, cut.spaces)
    if over:
        verb = "setting" if cut.grown else "lowering"
        yield counted("booked-spaces-cut", f"{verb} spaces to {cut.spaces} leaves too few spaces for", over)
    if unknown_slots and not cut.grown:
        message = (
            f"lowering spaces to {cut.spaces}: the API does not return the bookings of the slots, "
            "so it is not known whether enough places remain"
        )
        ids = tuple(slot["id"] for slot in unknown_slots if slot["id"] is not None)
        yield unknown("booked-spaces-cut", message, slots=ids)


KIND = Kind(
    name="Session",
    provider="bookingbug-sessions",
    schema="session",
    title=title,
    timing=timing,
    describe=describe,
    unwritable=NOT_XML,
    canonical=canonical,
    identities=identities,
    apart=apart,
    marks=marks,
    recognised_by=("name", "group"),
    volatile=frozenset(SLOT_COUNTS),
    parts={"slots": compare_slots},
    part_keys={"slots": "date"},
    resets={"slots": frozenset({"repeat"})},
    may_reset=_MOVES_SLOTS,
    check=check,
    missing_to_create=missing_to_create,
    defaults=defaults,
    over=over,
    statement=statement,
    risks=risks,
    touches=touches,
    price_field="price",
)
