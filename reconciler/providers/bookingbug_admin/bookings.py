"""Reading the bookings of a resource in a time span (notes §3.5).

The list of bookings is read first. Where it does not exist or is forbidden, the slots of the window are read
instead: those that are taken or booked, and those with places booked (notes §3.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.errors import RemoteError
from reconciler.model import canonical
from reconciler.model.bookings import Booking, Occupancy, Window
from reconciler.providers.answer import whole
from reconciler.providers.bookingbug_admin import block_wire
from reconciler.providers.bookingbug_admin.reader import Listing, Reader

_PAGE_SIZE = "100"
_A_DAY = 24 * 60
_NOT_THERE = frozenset({403, 404, 410})
_CANCELLED = 6
_BOOKED = frozenset({4, 11})
"""Statuses of a booked slot: booked here, or in an external calendar (notes §3.4)."""

_TAKEN = frozenset({1, 2, 8, 9, 10})
"""Statuses of a slot that is about to be booked: enquired, taken, waiting, held, queued."""

_FREE = frozenset({0, block_wire.BLOCKED, 5, _CANCELLED, 7})
"""Statuses of a slot that is free, unless places are booked on it."""

_NOBODYS = frozenset({block_wire.BLOCKED, _CANCELLED})
"""Statuses of a listed booking that does not count: a block of time, a cancelled booking."""

_NO_PUBLIC = "bookings cannot be read with public access; expected a connection with access: admin"


def read_occupancy(reader: Reader, window: Window) -> Occupancy:
    """Return the bookings in a window; a list that cannot be read or understood is a failure, never empty."""
    if reader.public:
        return Occupancy(failure=_NO_PUBLIC)
    listing, decode = _list(reader, "bookings", window), _bookings
    if listing.status in _NOT_THERE:
        listing, decode = _list(reader, "slots", window), _slots
    if listing.rows is None:
        return Occupancy(failure=listing.failure)
    try:
        return Occupancy(bookings=tuple(decode(listing.rows.values(), window)))
    except ValueError as error:
        return Occupancy(failure=str(error))


def _list(reader: Reader, name: str, window: Window) -> Listing:
    days = block_wire.window({"start": window.start, "end": window.end})
    first, last = days if days is not None else ("", "")
    params = {"start_date": str(first), "end_date": str(last), "resource_id": window.resource_id}
    try:
        return reader.collection(name, {**params, "per_page": _PAGE_SIZE})
    except RemoteError as error:
        if error.status not in _NOT_THERE:
            raise
        return Listing(failure=error.said, status=error.status)


def _bookings(rows: Any, window: Window) -> Iterator[Booking]:
    for row in rows:
        if _flag(row, "is_cancelled") or _status(row) in _NOBODYS:
            continue
        yield from _if_hit(row, window, booked=1, reserved=0)


def _slots(rows: Any, window: Window) -> Iterator[Booking]:
    for row in rows:
        status, booked, reserved = _status(row), _count(row, "spaces_booked"), _count(row, "spaces_reserved")
        if status in _TAKEN:
            reserved = reserved or 1
        elif status in _BOOKED:
            booked = booked or 1
        elif status not in _FREE and row.get("spaces_booked") is None and row.get("spaces_reserved") is None:
            what = "no status" if row.get("status") is None else f"status {row['status']!r}"
            msg = f"slot {row.get('id')} has {what} and no number of booked places, so it may be booked"
            raise ValueError(msg)
        if booked or reserved:
            yield from _if_hit(row, window, booked=booked, reserved=reserved)


def _if_hit(row: Mapping[str, Any], window: Window, *, booked: int, reserved: int) -> Iterator[Booking]:
    """Yield a row's booking if it is in the window and of its resource: a server may ignore the filter."""
    live = block_wire.decode_block(row)
    if live.fields.get("resource_id", window.resource_id) != window.resource_id:
        return
    found = Booking(
        id=live.remote_id,
        start=live.fields["start"],
        end=live.fields["end"],
        before=_minutes(row, "pre_time"),
        after=_minutes(row, "post_time"),
        booked=booked,
        reserved=reserved,
    )
    if found.overlaps(window):
        yield found


def _status(row: Mapping[str, Any]) -> int | None:
    """Return a row's status; None for one that is not a number, which does not count as cancelled."""
    try:
        return block_wire.slot_status(row)
    except ValueError:
        return None


def _flag(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) is not None and canonical.flag(row[name])


def _minutes(row: Mapping[str, Any], name: str) -> int:
    minutes = _count(row, name)
    if not 0 <= minutes <= _A_DAY:  # more than the days that are listed around a window
        msg = f"booking {row.get('id')} has a {name} of {minutes} minutes; expected 0 to {_A_DAY}"
        raise ValueError(msg)
    return minutes


def _count(row: Mapping[str, Any], name: str) -> int:
    return 0 if row.get(name) is None else whole(row[name])
