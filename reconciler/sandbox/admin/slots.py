"""The slots of a resource's calendar: blocks, bookings and others (bookingbug API notes §3.4, §3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from reconciler import zones
from reconciler.sandbox import clock
from reconciler.sandbox.admin import refusals, shapes
from reconciler.sandbox.admin.pages import page_of
from reconciler.sandbox.admin.resources import deleted, existing
from reconciler.sandbox.api import Call, Reply, json_reply
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import BOOKING, RESOURCE, SLOT

_OK = 200
_LONGEST_ID = 18
_KNOWN = frozenset({"start_time", "end_time", "resource_id", "person_id", "allday", "booking", "questions"})


def block(call: Call) -> Reply:
    """PUT /api/v1/admin/{company}/resources/{id}/block; a second call creates a second block (notes §7)."""
    resource = existing(call)
    if resource["deleted"]:
        raise refusals.not_found()
    body = refusals.read_object(call)
    start, end = _period(call, body)
    slot_id = _add_block(call, resource, start, end)
    wants_booking = call.options.block_answer == "booking" or (
        call.options.block_answer == "asked" and body.get("booking") in {True, "true"}
    )
    if wants_booking:
        return json_reply(_OK, _block_booking(call, slot_id))
    return json_reply(_OK, _shown(call, slot_id))


def create(call: Call) -> Reply:
    """POST /api/v1/admin/{company}/slots: block the time of the resource in the body."""
    body = refusals.read_object(call)
    start, end = _period(call, body)
    resource = _resource(call, body)
    slot_id = _add_block(call, resource, start, end)
    return json_reply(call.options.json_create_status, _shown(call, slot_id))


def listing(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/slots; requires a range of days (last day included)."""
    first, last = window(call)
    where = 'start < ? AND "end" > ?'
    bounds = clock.day_bounds(first, last, call.options)
    rows = filtered(call, call.company.db.find(SLOT, where, bounds[::-1], "start, id"))
    days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
    page, links = page_of(call, "slots", rows, canonical(call, days))
    shown = [shapes.slot(call, row, in_list=True) for row in page]
    extra = {**days, "company_id": call.options.company_id} if call.options.slot_list == "all" else {}
    return json_reply(_OK, {"total_entries": len(rows), **extra, "_embedded": {"slots": shown}, "_links": links})


def canonical(call: Call, days: Mapping[str, str]) -> dict[str, str]:
    """Return the window of a list as its links name it: `date`, or its first and last day."""
    return {"date": days["start_date"]} if "date" in call.query else dict(days)


def read(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/slots/{id}."""
    return json_reply(_OK, shapes.slot(call, _slot(call)))


def update(call: Call) -> Reply:
    """PUT /api/v1/admin/{company}/slots/{id}; requires start_time and end_time and keeps the id."""
    slot = _slot(call)
    body = refusals.read_object(call)
    start, end = _period(call, body)
    changes: dict[str, Any] = {"start": start, "end": end}
    if "resource_id" in body or "person_id" in body:
        changes["resource_id"] = _resource(call, body)["id"]
    if slot["status"] == shapes.BLOCKED:
        resource_id: int = changes.get("resource_id") or slot["resource_id"]
        _check_overlap(call, resource_id, start, end, own_id=slot["id"])
    call.company.db.update(SLOT, slot["id"], changes)
    if slot["booking_id"] is not None:
        call.company.db.update(BOOKING, slot["booking_id"], changes)
    return json_reply(_OK, _shown(call, slot["id"]))


def delete(call: Call) -> Reply:
    """DELETE /api/v1/admin/{company}/slots/{id}: free the time and cancel its booking."""
    slot_id = int(call.params["id"])
    slot = call.company.db.get(SLOT, slot_id)
    if slot is None:
        if call.options.delete_again == _OK and call.company.db.was_issued(SLOT, slot_id):
            return deleted(call, {})
        raise refusals.not_found()
    if call.options.deletes("slot"):
        free(call.company, slot)
    return deleted(call, shapes.slot(call, slot))


def free(company: Company, slot: Mapping[str, Any]) -> None:
    """Remove a slot and cancel its booking."""
    if slot["booking_id"] is not None:
        company.db.update(BOOKING, slot["booking_id"], {"is_cancelled": True})
    company.db.remove(SLOT, slot["id"])


def insert(company: Company, **values: Any) -> int:
    """Add a slot row with the counts for its status; return its id."""
    counts = {"spaces_booked": 0, "spaces_reserved": 0, "spaces_blocked": 0, "spaces_wait": 0, "num_spaces": 1}
    if values.get("status") == shapes.BLOCKED:
        counts["spaces_blocked"] = 1
    if values.get("status") == shapes.BOOKED:
        counts["spaces_booked"] = 1
    return company.db.insert(SLOT, {"status": 0, "full_describe": "", **counts, **values})


def insert_booking(company: Company, slot_id: int, values: Mapping[str, Any]) -> int:
    """Add a booking that occupies a slot; return its id."""
    booking_id = company.db.insert(BOOKING, {"slot_id": slot_id, "is_cancelled": False, **values})
    company.db.update(SLOT, slot_id, {"booking_id": booking_id})
    return booking_id


def window(call: Call) -> tuple[date, date]:
    """Return the requested days: start_date and end_date, or date. Refuses with 400 without them."""
    names = ("date", "date") if "date" in call.query else ("start_date", "end_date")
    days = []
    for name in names:
        if name not in call.query:
            raise refusals.invalid(f"{name} is missing")
        try:
            day = date.fromisoformat(call.query[name][:10])
            clock.check_year(day)
            days.append(day)
        except ValueError as error:
            raise refusals.invalid(f"{name} is invalid") from error
    if days[1] < days[0]:
        raise refusals.invalid("end_date is before start_date")
    return days[0], days[1]


def filtered(call: Call, rows: list[Row]) -> list[Row]:
    """Return the rows of the requested resource. There is no filter by status (notes §7)."""
    asked = call.query.get("resource_id")
    return rows if asked is None else [row for row in rows if str(row["resource_id"]) == asked]


def _add_block(call: Call, resource: Row, start: str, end: str) -> int:
    _check_overlap(call, resource["id"], start, end, own_id=None)
    label = f"Resource - {resource['name']}"
    return insert(
        call.company, resource_id=resource["id"], start=start, end=end, status=shapes.BLOCKED, full_describe=label
    )


def _block_booking(call: Call, slot_id: int) -> dict[str, Any]:
    slot = call.company.db.get(SLOT, slot_id) or {}
    values = {name: slot[name] for name in ("resource_id", "start", "end", "status", "full_describe")}
    booking_id = insert_booking(call.company, slot_id, values)
    return shapes.booking(call, call.company.db.get(BOOKING, booking_id) or {})


def _check_overlap(call: Call, resource_id: int, start: str, end: str, own_id: int | None) -> None:
    where = 'resource_id = ? AND start < ? AND "end" > ?'
    rows = call.company.db.find(SLOT, where, (resource_id, end, start))
    statuses = {row["status"] for row in rows if row["id"] != own_id}
    if shapes.BLOCKED in statuses and call.options.block_over_block == "conflict":
        raise refusals.conflict("the time is already blocked")
    if shapes.BOOKED in statuses and call.options.block_over_booking == "conflict":
        raise refusals.conflict("the time is booked")


def _period(call: Call, body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the given period as stored instants. An all-day period is a whole day in the company's zone."""
    unknown = sorted(set(body) - _KNOWN)
    if unknown and call.options.strict == "strict":
        raise refusals.invalid(f"{unknown[0]} is not a known parameter")
    start = _instant(call, body, "start_time")
    if body.get("allday") in {True, "true"}:
        zone = zones.zone(call.options.company_zone)
        midnight = datetime.combine(start.astimezone(zone).date(), time(), tzinfo=zone)
        return clock.stored(midnight), clock.stored(midnight + timedelta(days=1))
    end = _instant(call, body, "end_time")
    if end <= start:
        raise refusals.invalid("end_time is not after start_time")
    return clock.stored(start), clock.stored(end)


def _instant(call: Call, body: Mapping[str, Any], name: str) -> datetime:
    text = body.get(name)
    if text is None:
        raise refusals.invalid(f"{name} is missing")
    try:
        return clock.parse(str(text), call.options)
    except (ValueError, OverflowError) as error:
        raise refusals.invalid(f"{name} is invalid") from error


def _resource(call: Call, body: Mapping[str, Any]) -> Row:
    given = body.get("resource_id", body.get("person_id"))
    if given is None:
        raise refusals.invalid("resource_id is missing")
    is_id = str(given).isdecimal() and len(str(given)) < _LONGEST_ID
    row = call.company.db.get(RESOURCE, int(given)) if is_id else None
    if row is None:
        raise refusals.not_found()
    return row


def _slot(call: Call) -> Row:
    row = call.company.db.get(SLOT, int(call.params["id"]))
    if row is None:
        raise refusals.not_found()
    return row


def _shown(call: Call, slot_id: int) -> dict[str, Any]:
    row = call.company.db.get(SLOT, slot_id)
    if row is None:
        raise KeyError(slot_id)
    return shapes.slot(call, row)
