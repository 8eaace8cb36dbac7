"""The effect of a session write on the rows: defaults, generated slots, dates derived from slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from reconciler.sandbox import clock
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.sessions import fields
from reconciler.sandbox.sessions.recurrence import occurrences
from reconciler.sandbox.tables import SESSION, SESSION_SLOT

_SCHEDULE = ("repeat", "start_date", "end_date", "time")


def create(company: Company, kind: str, values: Mapping[str, Any], slots: Sequence[Mapping[str, Any]] | None) -> int:
    """Add a session of type `kind` with the defaults of seed 000 and its slots; return its id."""
    row = {**fields.TYPES[kind].defaults(clock.now(company.options)), **values}
    if slots is not None and "repeat" not in values:
        row["repeat"] = fields.CUSTOM
    if "start_date" in values and "end_date" not in values and row["end_date"] is not None:
        row["end_date"] = row["start_date"]
    row["start_stated"] = bool(values.get("start_date"))
    row["end_stated"] = bool(values.get("end_date"))
    session_id = company.db.insert(SESSION, row)
    if slots is None:
        generate(company, session_id)
    else:
        replace_slots(company, session_id, slots)
    return session_id


def update(
    company: Company, session_id: int, values: Mapping[str, Any], slots: Sequence[Mapping[str, Any]] | None
) -> None:
    """Change the given fields. Given slots replace all slots and get new ids (seed 000)."""
    before = company.db.get(SESSION, session_id)
    if before is None:
        raise KeyError(session_id)
    changes = dict(values)
    if slots is not None and "repeat" not in values:
        changes["repeat"] = fields.CUSTOM
    for name, flag in (("start_date", "start_stated"), ("end_date", "end_stated")):
        if values.get(name):
            changes[flag] = True
    company.db.update(SESSION, session_id, changes)
    if slots is not None:
        replace_slots(company, session_id, slots)
    elif moves_schedule(before, values) and company.options.regenerate == "regenerate":
        generate(company, session_id)


def moves_schedule(before: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether a write changes the schedule of a session, apart from its slots."""
    return any(name in values and values[name] != before[name] for name in _SCHEDULE)


def generate(company: Company, session_id: int) -> None:
    """Recreate the slots of a repeating session. A custom session keeps its slots."""
    session = company.db.get(SESSION, session_id)
    if session is None or session["repeat"] in {None, fields.CUSTOM} or not session["start_date"]:
        return
    end = date.fromisoformat(session["end_date"]) if session["end_date"] else None
    days = occurrences(session["repeat"], date.fromisoformat(session["start_date"]), end)
    _clear_slots(company, session_id)
    for day in days:
        _insert_slot(company, session, {"date": day.isoformat()})


def replace_slots(company: Company, session_id: int, slots: Sequence[Mapping[str, Any]]) -> None:
    """Replace all slots of a session."""
    session = company.db.get(SESSION, session_id)
    if session is None:
        raise KeyError(session_id)
    _clear_slots(company, session_id)
    for slot in slots:
        _insert_slot(company, session, slot)
    follow_slots(company, session_id)


def follow_slots(company: Company, session_id: int) -> None:
    """Set the first and last date from the slots, if no client has set them."""
    session = company.db.get(SESSION, session_id)
    days = [slot["date"] for slot in slots_of(company, session_id)]
    if session is None or not days or session["repeat"] != fields.CUSTOM:
        return
    changes = {}
    if not session["start_stated"]:
        changes["start_date"] = min(days)
    if not session["end_stated"]:
        changes["end_date"] = max(days)
    company.db.update(SESSION, session_id, changes)


def slots_of(company: Company, session_id: int) -> list[Row]:
    """Return the slots of a session in the order set by `slot_order`."""
    order = "date, time, id" if company.options.slot_order == "date" else "id"
    return company.db.find(SESSION_SLOT, "session_id = ?", (session_id,), order)


def is_booked(slot: Mapping[str, Any]) -> bool:
    """Return whether the slot has booked or reserved places."""
    return bool(slot["spaces_booked"] or slot["spaces_reserved"])


def delete(company: Company, session_id: int) -> bool:
    """Delete a session with its slots; return False if it does not exist."""
    _clear_slots(company, session_id)
    return company.db.remove(SESSION, session_id)


def _clear_slots(company: Company, session_id: int) -> None:
    for slot in slots_of(company, session_id):
        company.db.remove(SESSION_SLOT, slot["id"])


def _insert_slot(company: Company, session: Mapping[str, Any], slot: Mapping[str, Any]) -> int:
    row = {
        "session_id": session["id"],
        "date": slot.get("date") or session["start_date"],
        "time": slot.get("time") or session["time"],
        "duration": slot.get("duration") if slot.get("duration") is not None else session["duration"],
        "spaces_booked": slot.get("spaces_booked", 0),
        "spaces_reserved": slot.get("spaces_reserved", 0),
    }
    if slot.get("id"):
        row["id"] = slot["id"]
    return company.db.insert(SESSION_SLOT, row)
