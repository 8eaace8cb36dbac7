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
_ALWAYS = ("0000", "9999")
_BLOCKS_FROM = 900_000
"""Added to the id of a block that is listed as a booking."""


def listing(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/bookings: those of a slot or of some days, or all (notes §3.5).

    Cancelled bookings are listed only on request.
    """
    if call.options.bookings_list != "yes":
        raise refusals.not_found() if call.options.bookings_list == "not_found" else refusals.forbidden()
    cancelled = call.query.get("include_cancelled") == "true"
    days: dict[str, str] = {}
    if "slot_id" in call.query:
        rows = _of_slot(call)
    else:
        start, end = _ALWAYS
        if {"date", "start_date", "end_date"} & call.query.keys():
            first, last = slots.window(call)
            days = slots.canonical(call, {"start_date": first.isoformat(), "end_date": last.isoformat()})
            start, end = clock.day_bounds(first, last, call.options)
        rows = call.company.db.find(BOOKING, 'start < ? AND "end" > ?', (end, start), "start, id")
        rows += _blocks(call, start, end)
    rows = [row for row in slots.filtered(call, rows) if cancelled or not row["is_cancelled"]]
    page, links = page_of(call, "bookings", rows, days)
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


def details(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/booking_details/?slot_id=. Seed 002 has only the link, so the content is a guess."""
    rows = _of_slot(call)
    page, links = page_of(call, "booking_details", rows)
    shown = {"booking_details": [shapes.booking(call, row) for row in page]}
    return json_reply(_OK, {"total_entries": len(rows), "_embedded": shown, "_links": links})


def _of_slot(call: Call) -> list[Row]:
    return call.company.db.find(BOOKING, "CAST(slot_id AS TEXT) = ?", (call.query.get("slot_id", ""),))


def _blocks(call: Call, start: str, end: str) -> list[Row]:
    """Return the blocks as bookings, if `blocks_as_bookings` is `yes`."""
    if call.options.blocks_as_bookings == "no":
        return []
    found = call.company.db.find(
        SLOT, 'status = ? AND start < ? AND "end" > ?', (shapes.BLOCKED, end, start), "start, id"
    )
    return [_as_booking(slot) for slot in found if slot["booking_id"] is None]


def _as_booking(slot: Row) -> Row:
    return {**slot, "id": _BLOCKS_FROM + slot["id"], "slot_id": slot["id"], "is_cancelled": False}


def read(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/bookings/{id}."""
    return json_reply(_OK, shapes.booking(call, _booking(call)))


def delete(call: Call) -> Reply:
    """DELETE /api/v1/admin/{company}/bookings/{id}: cancel it and free its slot."""
    booking = _booking(call)
    slot = call.company.db.get(SLOT, booking["slot_id"])
    if slot is not None:
        slots.free(call.company, slot)
    if booking["id"] < _BLOCKS_FROM:
        call.company.db.update(BOOKING, booking["id"], {"is_cancelled": True})
    return deleted(call, shapes.booking(call, {**booking, "is_cancelled": True}))


def _booking(call: Call) -> Row:
    number = int(call.params["id"])
    row = call.company.db.get(BOOKING, number)
    if row is None and call.options.blocks_as_bookings == "yes":
        slot = call.company.db.get(SLOT, number - _BLOCKS_FROM)
        is_listed = slot is not None and slot["status"] == shapes.BLOCKED and slot["booking_id"] is None
        row = _as_booking(slot) if slot is not None and is_listed else None
    if row is None:
        raise refusals.not_found()
    return row
