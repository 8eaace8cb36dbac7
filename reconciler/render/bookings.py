"""Bookings that a plan touches as text, and their value: `Yoga Mon 8 Mar 2027, 11:00: 7 booked`."""

from __future__ import annotations

from reconciler.model import days
from reconciler.model.change import Change, SlotBookings
from reconciler.model.words import count, more
from reconciler.money import money as in_currency
from reconciler.render.safe import shown_value

SHOWN = 12
"""Slots with bookings that are listed for one change; the rest is counted."""

_TIMES = "\N{MULTIPLICATION SIGN}"


def slots(change: Change, *, fold: bool = True) -> tuple[str, ...]:
    """Return a line for each slot that has, or may have, bookings, and the number of those without."""
    lines = [_line(change.label, item) for item in change.bookings if item.places or not item.known]
    free = len(change.bookings) - len(lines)
    if fold and len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"{more(len(lines) - SHOWN, 'slot')} with bookings"]
    if free:
        lines.append(f"{count(free, 'slot')} without bookings")
    return tuple(shown_value(line) for line in lines)


def stake(change: Change, currency: str | None) -> str | None:
    """Return `≈ 9 x £35.00 = £315.00`; None where nothing is booked or the price is not known."""
    found = change.at_stake
    if found is None:
        return None
    words = f"≈ {found.places} {_TIMES} {money(found.price, currency)} = {money(found.amount, currency)}"
    return words if all(item.known for item in change.bookings) else f"{words}, unknown bookings not included"


def money(amount: str, currency: str | None) -> str:
    """Return an amount with its currency (`£35.00`), or as it is where the project states none."""
    return amount if currency is None else in_currency(amount, currency)


def _line(label: str, item: SlotBookings) -> str:
    if item.slot is None:
        return f"{label}: bookings unknown, because the API returned no slots"
    return f"{label} {days.spelled(item.when or '')}: {', '.join(places(item.booked, item.reserved))}"


def places(booked: int | None, reserved: int | None) -> tuple[str, ...]:
    """Return `7 booked` and `2 reserved`; what is not known is said, never shown as 0."""
    if booked is None and reserved is None:
        return ("bookings unknown",)
    both = ((booked, "booked"), (reserved, "reserved"))
    return tuple(f"{word} unknown" if number is None else f"{number} {word}" for number, word in both)
