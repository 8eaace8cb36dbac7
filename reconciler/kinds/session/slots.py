"""A session's slots: how the live ones become the desired ones with the least harm to bookings.

Seed 000 documents two writes. `PUT /api/slots/{id}.xml` changes one slot and keeps its id, and so its bookings.
A session PUT with slots deletes all existing slots and creates new ones. Therefore slots that are right stay,
others move one by one, and the set is replaced only where the number of slots changes.
The show sample returns a slot's date and bookings, but neither time nor duration. What was last applied replaces
values that are not returned. Where even that is ambiguous (two slots on one day), the day either has its applied slots,
or each of its slots is written in full.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.session.bookings import Slot, slot_order, slot_risks
from reconciler.model.change import Edit, FieldChange, Origin
from reconciler.model.kind import PartRevision
from reconciler.model.risk import Risk, unknown
from reconciler.model.words import count, plural

Pair = tuple[Slot, Slot]
_ATTRIBUTES = ("date", "time", "duration")
_WHOLE = frozenset(_ATTRIBUTES)


def slot_key(slot: Slot) -> tuple[str, str]:
    """Return date and time, the key of a session's slots (contract, Session)."""
    return (slot["date"], slot.get("time") or "")


def compare_slots(desired: Any, live: Any, applied: Any, reset_by: str | None = None) -> PartRevision:
    """Return how `live` slots become `desired` ones; `applied` are the slots last applied, or None.

    Desired and applied slots are `{date, time, duration?}`; live ones add `id`, `spaces_booked` and
    `spaces_reserved`, and may lack time and duration. Without live slots, the last applied set is
    compared instead. A changed `repeat` recreates the slots, so the whole set is sent with it (seed 000).
    """
    desired, applied = list(desired), list(applied or ())
    if live is None:
        return _compare_unanswered(desired, applied)
    live = sorted(live, key=slot_order)
    if reset_by is None and _as_wanted(desired, live):
        return PartRevision(verified=_ATTRIBUTES)
    known = with_applied_times(live, applied)
    leftover_desired, leftover_live, shorter = _pair_off(desired, known, applied)
    coverage = _coverage(live)
    if reset_by is not None or len(desired) != len(live):
        return _replace_all(desired, known, applied, coverage, reset_by)
    pairs = shorter + _pair_by_day(leftover_desired, leftover_live)
    by_key = _by_key(applied)
    return PartRevision(
        fields=tuple(_moved(slot, wanted, by_key) for slot, wanted in pairs),
        edits=tuple(
            Edit(part="slots", part_id=slot["id"], values=_stated(wanted), replaces=_stated(slot))
            for slot, wanted in pairs
        ),
        risks=tuple(_move_risks(pairs)),
        note=_move_note(pairs),
        verified=coverage[0],
        unverified=coverage[1],
    )


def _as_wanted(desired: Sequence[Slot], live: Sequence[Slot]) -> bool:
    """Whether every attribute of every slot was returned and is right: so it is in nearly every plan."""
    return len(desired) == len(live) and all(
        wanted.items() <= slot.items() and slot.keys() >= _WHOLE for wanted, slot in zip(desired, live, strict=True)
    )


def _compare_unanswered(desired: list[Slot], applied: list[Slot]) -> PartRevision:
    if _as_applied(desired, applied):
        return PartRevision(unverified=_ATTRIBUTES)
    message = "replacing slots whose bookings the API did not return; some of them may be booked"
    return PartRevision(
        fields=tuple(_set_changes(desired, applied, "manifest", verifiable=False)),
        edits=(Edit(values={"slots": desired}),),
        risks=(unknown("booked-slot-lost", message),),
        note="the API did not return the slots, so all of them are sent",
        unverified=_ATTRIBUTES,
    )


def _by_day(slots: Sequence[Slot]) -> dict[str, list[Slot]]:
    days: dict[str, list[Slot]] = defaultdict(list)
    for slot in slots:
        days[slot["date"]].append(slot)
    return days


def with_applied_times(live: Sequence[Slot], applied: list[Slot]) -> list[Slot]:
    """Fill in time and duration that were not returned from the only applied slot of the same day or time."""
    # What is compared with a live object may itself have been returned without times.
    timed = [slot for slot in applied if "time" in slot]
    by_key, applied_days = _by_key(timed), _by_day(timed)
    left: dict[str, list[Slot]] = {}
    for date, slots in _by_day(live).items():
        known = [item.get("time") for item in slots]
        if known.count(None) == 1:
            taken = set(known)
            left[date] = [item for item in applied_days.get(date, []) if item["time"] not in taken]
    filled = []
    for slot in live:
        candidates = by_key.get(slot_key(slot), []) if "time" in slot else left.get(slot["date"], [])
        filled.append({**candidates[0], **slot} if len(candidates) == 1 else slot)
    return filled


def _pair_off(desired: list[Slot], known: list[Slot], applied: list[Slot]) -> tuple[list[Slot], list[Slot], list[Pair]]:
    """Leave out what is right already; return the remaining desired and live slots, and pairs of wrong duration."""
    waiting = {slot_key(slot): slot for slot in desired}
    leftover_live, wrong_duration = [], []
    for slot in known:
        wanted = waiting.pop(slot_key(slot), None) if "time" in slot else None
        if wanted is None:
            leftover_live.append(slot)
        elif "duration" in wanted and slot.get("duration") != wanted["duration"]:
            wrong_duration.append((slot, wanted))
    _settle_ambiguous_days(waiting, leftover_live, applied)
    return list(waiting.values()), leftover_live, wrong_duration


def _settle_ambiguous_days(
    waiting: dict[tuple[str, str], Slot], leftover_live: list[Slot], applied: list[Slot]
) -> None:
    """Leave out days whose slot times are not returned where they still have what was applied."""
    live_days, wanted_days, applied_days = map(_by_day, (leftover_live, list(waiting.values()), applied))
    settled: set[str] = set()
    for date, slots in live_days.items():
        wanted = wanted_days.get(date, [])
        timeless = all("time" not in slot for slot in slots)
        if timeless and len(wanted) == len(slots) and _as_applied(wanted, applied_days.get(date, [])):
            settled.add(date)
            for slot in wanted:
                del waiting[slot_key(slot)]
    leftover_live[:] = [slot for slot in leftover_live if slot["date"] not in settled]


def _as_applied(wanted: Sequence[Slot], applied: Sequence[Slot]) -> bool:
    """Whether each slot states what was last applied to it."""
    kept = {slot_key(slot): slot for slot in applied}
    return len(wanted) == len(applied) and all(
        slot_key(slot) in kept and {**kept[slot_key(slot)], **slot} == kept[slot_key(slot)] for slot in wanted
    )


def _pair_by_day(desired: list[Slot], live: list[Slot]) -> list[Pair]:
    """Pair the remaining slots, those of one day first, then in order, so that slots move as little as possible."""
    days = {date: deque(slots) for date, slots in _by_day(sorted(live, key=slot_order)).items()}
    pairs: list[Pair] = []
    others: list[Slot] = []
    for wanted in sorted(desired, key=slot_key):
        same_day = days.get(wanted["date"])
        if same_day:
            pairs.append((same_day.popleft(), wanted))
        else:
            others.append(wanted)
    left = sorted((slot for slots in days.values() for slot in slots), key=slot_order)
    pairs.extend(zip(left, others, strict=True))
    return sorted(pairs, key=lambda pair: (slot_key(pair[1]), pair[0]["id"]))


def _replace_all(
    desired: list[Slot],
    known: list[Slot],
    applied: list[Slot],
    coverage: tuple[tuple[str, ...], tuple[str, ...]],
    reset_by: str | None,
) -> PartRevision:
    why = f"{reset_by} changes" if reset_by else f"the number of slots changes from {len(known)} to {len(desired)}"
    note = f"{why}, so all slots are replaced and get new ids"
    origin: Origin = "drift" if desired == applied else "manifest"
    return PartRevision(
        fields=tuple(_set_changes(desired, known, origin)),
        edits=(Edit(values={"slots": desired}),),
        risks=tuple(slot_risks("booked-slot-lost", "replacing all slots loses", known)),
        note=note,
        verified=coverage[0],
        unverified=coverage[1],
    )


def _stated(slot: Slot) -> dict[str, Any]:
    return {name: slot[name] for name in _ATTRIBUTES if name in slot}


def _path(slot: Slot) -> str:
    return f"slots[{slot['date']} {slot['time']}]" if "time" in slot else f"slots[{slot['date']}]"


def _moved(slot: Slot, wanted: Slot, applied: Mapping[tuple[str, str], Sequence[Slot]]) -> FieldChange:
    origin: Origin = "drift" if wanted in applied.get(slot_key(wanted), ()) else "manifest"
    return FieldChange(path=_path(slot), before=_stated(slot), after=_stated(wanted), origin=origin)


def _set_changes(
    desired: list[Slot], before: Sequence[Slot], origin: Origin, *, verifiable: bool = True
) -> Iterator[FieldChange]:
    """Yield the slots that are added and removed when one set replaces another."""
    old, new = _by_turn(before), _by_turn(desired)
    for key in sorted(old.keys() | new.keys()):
        gone, come = old.get(key), new.get(key)
        if gone is None or come is None or ("duration" in gone and _stated(gone) != _stated(come)):
            yield FieldChange(
                path=_path(come or gone or {}),
                before=None if gone is None else _stated(gone),
                after=None if come is None else _stated(come),
                origin=origin,
                verifiable=verifiable,
            )


def _by_turn(slots: Sequence[Slot]) -> dict[tuple[str, str, int], Slot]:
    """Key slots by date, time and a number: two of one day are equal if their times are not returned."""
    return {(*key, turn): slot for key, members in _by_key(slots).items() for turn, slot in enumerate(members)}


def _by_key(slots: Sequence[Slot]) -> dict[tuple[str, str], list[Slot]]:
    keyed: dict[tuple[str, str], list[Slot]] = defaultdict(list)
    for slot in slots:
        keyed[slot_key(slot)].append(slot)
    return keyed


def _move_risks(pairs: Sequence[Pair]) -> Iterator[Risk]:
    """Distinguish a move (another day or start) from a change of length, which moves no class."""
    moved = [slot for slot, wanted in pairs if slot_key(slot) != slot_key(wanted)]
    resized = [slot for slot, wanted in pairs if slot_key(slot) == slot_key(wanted)]
    yield from slot_risks("booked-slot-moved", "moving", moved)
    yield from slot_risks("booked-slot-changed", "changing the length of", resized)


def _move_note(pairs: Sequence[Pair]) -> str | None:
    if not pairs:
        return None
    slots = f"{count(len(pairs), 'slot')} {plural(len(pairs), 'is', 'are')}"
    return f"{slots} changed one by one, so ids and bookings are kept"


def _coverage(live: Sequence[Slot]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    answered = tuple(name for name in _ATTRIBUTES if all(name in slot for slot in live))
    return answered, tuple(name for name in _ATTRIBUTES if name not in answered)
