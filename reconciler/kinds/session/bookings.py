"""Bookings on slots: which slots have some, for which it is not known, and how a risk names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model import days
from reconciler.model.change import SlotBookings, total
from reconciler.model.risk import Risk, risk, unknown
from reconciler.model.words import count

Slot = Mapping[str, Any]


def slot_order(slot: Slot) -> tuple[str, str, str]:
    """Sort key: by day, start and id."""
    return (slot["date"], slot.get("time") or "", slot["id"])


def when(slot: Slot) -> str:
    """Return a slot's day, with its start where that is known."""
    return f"{slot['date']} {slot.get('time') or ''}".strip()


def touched(slots: Any) -> tuple[SlotBookings, ...]:
    """Return the bookings of slots, by day and start; one entry without a slot where none were returned."""
    if slots is None:
        return (SlotBookings(slot=None, when=None),)
    return tuple(
        SlotBookings(
            slot=slot["id"], when=when(slot), booked=slot.get("spaces_booked"), reserved=slot.get("spaces_reserved")
        )
        for slot in sorted(slots, key=slot_order)
    )


def booked_slots(slots: Any, beyond: int = 0) -> tuple[list[Slot], list[Slot]]:
    """Return the slots with more than `beyond` places taken, and those whose bookings are not known.

    Where no slots were returned, one entry without an id is unknown.
    """
    if slots is None:
        return [], [{"id": None}]
    booked, not_known = [], []
    for slot in sorted(slots, key=slot_order):
        counts = _counts(slot)
        # A count below zero is invalid, and does not prove that there are no bookings.
        if sum(abs(count) for count in counts if count is not None) > beyond:
            booked.append(slot)
        elif None in counts:
            not_known.append(slot)
    return booked, not_known


def slot_risks(code: str, what: str, slots: Any) -> Iterator[Risk]:
    """Yield the risks of doing `what` to slots: `code` for those with bookings, unknown for the others."""
    booked, not_known = booked_slots(slots)
    if booked:
        yield counted(code, what, booked)
    if not_known:
        ids = tuple(slot["id"] for slot in not_known if slot["id"] is not None)
        message = f"{what} slots whose bookings the API did not return; some of them may be booked"
        yield unknown(code, message, slots=ids)


def counted(code: str, what: str, slots: Sequence[Slot]) -> Risk:
    """Return a risk that names each slot with its places booked and reserved."""
    named = "; ".join(f"{days.spelled(when(slot))}: {words(_counts(slot))}" for slot in slots)
    return risk(
        code,
        f"{what} {count(len(slots), 'slot')} with bookings ({named})",
        slots=tuple(slot["id"] for slot in slots),
        booked=total(slot.get("spaces_booked") for slot in slots),
        reserved=total(slot.get("spaces_reserved") for slot in slots),
    )


def _counts(slot: Slot) -> tuple[int | None, int | None]:
    return slot.get("spaces_booked"), slot.get("spaces_reserved")


def words(counts: tuple[int | None, int | None]) -> str:
    """Return `7 booked, 2 reserved`; a count that is not known is never shown as 0."""
    return ", ".join(
        f"{word} unknown" if number is None else f"{number} {word}"
        for number, word in zip(counts, ("booked", "reserved"), strict=True)
    )
