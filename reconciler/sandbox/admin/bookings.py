"""Bookings, so that a client can find those affected by a change (bookingbug API notes §3.5)."""

from __future__ import annotations

from reconciler.sandbox import clock
from reconciler.sandbox.admin import refusals, shapes, slots
from reconciler.sandbox.admin.pages import page_of
from reconciler.sandbox.admin.resources import deleted
from reconciler.sandbox.api import Call, Reply, json_reply
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import BOOKING, SLOT

_OK = 200
_BLOCKS_FROM = 900_000
"""Added to the id of a block that is listed as a booking."""


def listing(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/bookings. Cancelled bookings are listed only on request."""
    if call.options.bookings_list != "yes":
        raise refusals.not_found() if call.options.bookings_list == "not_found" else refusals.forbidden()
    cancelled = call.query.get("include_cancelled") == "true"
    if "slot_id" in call.query:
        rows = call.company.db.find(BOOKING, "CAST(slot_id AS TEXT) = ?", (call.query["slot_id"],))
    else:
        start, end = clock.day_bounds(*slots.window(call), call.options)
        rows = call.company.db.find(BOOKING, 'start < ? AND "end" > ?', (end, start), "start, id")
        rows += _blocks(call, start, end)
    rows = [row for row in slots.filtered(call, rows) if cancelled or not row["is_cancelled"]]
    page, links = page_of(call, "bookings", rows)
    shown = [shapes.booking(call, row) for row in page]
    return json_reply(
        _OK,
        {
            "total_entries": len(rows),
            "include_cancelled": cancelled,
            "_embedded": {"bookings": shown},
            "_links": links,
        },
    )


def _blocks(call: Call, start: str, end: str) -> list[Row]:
    """Return the blocks as bookings, if `blocks_as_bookings` is `yes`."""
    if call.options.blocks_as_bookings == "no":
        return []
    found = call.company.db.find(
        SLOT, 'status = ? AND start < ? AND "end" > ?', (shapes.BLOCKED, end, start), "start, id"
    )
    return [
        {**slot, "id": _BLOCKS_FROM + slot["id"], "slot_id": slot["id"], "is_cancelled": False}
        for slot in found
        if slot["booking_id"] is None
    ]


def read(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/bookings/{id}."""
    return json_reply(_OK, shapes.booking(call, _booking(call)))


def delete(call: Call) -> Reply:
    """DELETE /api/v1/admin/{company}/bookings/{id}: cancel it and free its slot."""
    booking = _booking(call)
    slot = call.company.db.get(SLOT, booking["slot_id"])
    if slot is not None:
        slots.free(call.company, slot)
    call.company.db.update(BOOKING, booking["id"], {"is_cancelled": True})
    return deleted(call, shapes.booking(call, {**booking, "is_cancelled": True}))


def _booking(call: Call) -> Row:
    row = call.company.db.get(BOOKING, int(call.params["id"]))
    if row is None:
        raise refusals.not_found()
    return row
