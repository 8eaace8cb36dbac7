"""A session's slots: how the live ones become the desired ones with the least harm to bookings.

Seed 000 documents two writes. `PUT /api/slots/{id}.xml` changes one slot and keeps its id, and so its bookings.
A session PUT with slots deletes all existing slots and creates new ones. Therefore slots that are right stay,
others move one by one, and the set is replaced only where the number of slots changes.
The show sample returns a slot's date and bookings, but neither time nor duration. What was last applied replaces
values that are not returned. Where even that is ambiguous (two slots on one day), the day either has its applied slots,
or each of its slots is written in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.kinds.session.bookings import Slot, slot_order, slot_risks
from reconciler.model.change import Edit, FieldChange, Origin
from reconciler.model.kind import PartRevision
from reconciler.model.risk import Risk, unknown
from reconciler.model.words import count, plural

Pair = tuple[Slot, Slot]
_ATTRIBUTES = ("date", "time", "duration")


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
    known = with_applied_times(live, applied)
    leftover_desired, leftover_live, shorter = _pair_off(desired, known, applied)
    coverage = _coverage(live)
    if reset_by is not None or len(desired) != len(live):
        return _replace_all(desired, known, applied, coverage, reset_by)
    pairs = shorter + _pair_by_day(leftover_desired, leftover_live)
    return PartRevision(
        fields=tuple(_moved(slot, wanted, applied) for slot, wanted in pairs),
        edits=tuple(
            Edit(part="slots", part_id=slot["id"], values=_stated(wanted), replaces=_stated(slot))
            for slot, wanted in pairs
        ),
        risks=tuple(_move_risks(pairs)),
        note=_move_note(pairs),
        verified=coverage[0],
        unverified=coverage[1],
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
    live_days, applied_days = _by_day(live), _by_day([slot for slot in applied if "time" in slot])
    filled = []
    for slot in live:
        candidates = applied_days.get(slot["date"], [])
        if "time" in slot:
            candidates = [item for item in candidates if item["time"] == slot["time"]]
        else:
            known = [item.get("time") for item in live_days[slot["date"]]]
            candidates = [item for item in candidates if item["time"] not in known] if known.count(None) == 1 else []
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
    live_days, wanted_days = _by_day(leftover_live), _by_day(list(waiting.values()))
    for date, slots in live_days.items():
        wanted = sorted(wanted_days.get(date, []), key=slot_key)
        timeless = all("time" not in slot for slot in slots)
        if timeless and len(wanted) == len(slots) and _as_applied(wanted, _by_day(applied).get(date, [])):
            for slot in slots:
                leftover_live.remove(slot)
            for slot in wanted:
                del waiting[slot_key(slot)]


def _as_applied(wanted: Sequence[Slot], applied: Sequence[Slot]) -> bool:
    """Whether each slot states what was last applied to it."""
    kept = {slot_key(slot): slot for slot in applied}
    return len(wanted) == len(applied) and all(
        slot_key(slot) in kept and {**kept[slot_key(slot)], **slot} == kept[slot_key(slot)] for slot in wanted
    )


def _pair_by_day(desired: list[Slot], live: list[Slot]) -> list[Pair]:
    """Pair the remaining slots, those of one day first, then in order, so that slots move as little as possible."""
    desired, live = (
        sorted(desired, key=slot_key),
        sorted(live, key=slot_order),
    )
    pairs: list[Pair] = []
    for wanted in list(desired):
        same_day = next((slot for slot in live if slot["date"] == wanted["date"]), None)
        if same_day is not None:
            pairs.append((same_day, wanted))
            live.remove(same_day)
            desired.remove(wanted)
    pairs.extend(zip(live, desired, strict=True))
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


def _moved(slot: Slot, wanted: Slot, applied: list[Slot]) -> FieldChange:
    origin: Origin = "drift" if wanted in applied else "manifest"
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
    keyed: dict[tuple[str, str, int], Slot] = {}
    for slot in slots:
        turn = 0
        while (*slot_key(slot), turn) in keyed:
            turn += 1
        keyed[*slot_key(slot), turn] = slot
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
