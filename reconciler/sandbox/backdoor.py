"""Direct access to the stored objects: change and read them without an API call, as another client would.

`Sandbox` uses it in Python, and the control endpoints use it over HTTP. KeyError means an unknown id.
ValueError means a wrong field or value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox import clock
from reconciler.sandbox.admin import resources as resource_rows
from reconciler.sandbox.admin import slots as slot_rows
from reconciler.sandbox.admin.shapes import BLOCKED, BOOKED
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row, Table
from reconciler.sandbox.sessions import fields
from reconciler.sandbox.sessions import rows as session_rows
from reconciler.sandbox.tables import ADDRESS, ADDRESS_FIELDS, BOOKING, RESOURCE, SESSION, SESSION_SLOT, SLOT

_SLOT_COUNTS = frozenset({"id", "spaces_booked", "spaces_reserved"})


def book(company: Company, slot_id: int, places: int = 1, reserved: int = 0) -> None:
    """Book places on a session's slot. Negative numbers cancel places, at most those booked."""
    with company.db.transaction():
        slot = _row(company, SESSION_SLOT, slot_id)
        counts = {
            "spaces_booked": max(0, slot["spaces_booked"] + places),
            "spaces_reserved": max(0, slot["spaces_reserved"] + reserved),
        }
        company.db.update(SESSION_SLOT, slot_id, counts)


def add_session(company: Company, values: Mapping[str, Any]) -> int:
    """Add a session. `type` may be a word, `slots` a list of dicts."""
    stated, slots = _session_values(values)
    kinds = {kind.number: word for word, kind in fields.TYPES.items()}
    with company.db.transaction():
        return session_rows.create(company, kinds[stated.get("type", 0)], stated, slots)


def edit_session(company: Company, session_id: int, values: Mapping[str, Any]) -> None:
    """Change fields of a session. `slots` replaces all slots; without it they stay."""
    stated, slots = _session_values(values)
    for name, flag in (("start_date", "start_stated"), ("end_date", "end_stated")):
        if name in stated:
            stated[flag] = stated[name] is not None
    with company.db.transaction():
        _row(company, SESSION, session_id)
        company.db.update(SESSION, session_id, stated)
        if slots is not None:
            session_rows.replace_slots(company, session_id, slots)


def add_resource(company: Company, values: Mapping[str, Any]) -> int:
    """Add a resource. `address` may be an object."""
    with company.db.transaction():
        return resource_rows.insert(company, _resource_values(company, values, None))


def edit_resource(company: Company, resource_id: int, values: Mapping[str, Any]) -> None:
    """Change fields of a resource. An `address` object updates its address row or creates one."""
    with company.db.transaction():
        present = _row(company, RESOURCE, resource_id)["address_id"]
        company.db.update(RESOURCE, resource_id, _resource_values(company, values, present))


def add_slot(company: Company, values: Mapping[str, Any]) -> int:
    """Add a slot of any status to a resource's calendar: `resource_id`, `start` and `end` (ISO).

    Status 3 is a block, 4 a booking, 11 an event of an external calendar (bookingbug API notes §3.4).
    """
    row = dict(values)
    with company.db.transaction():
        _row(company, RESOURCE, row["resource_id"])
        for name in ("start", "end"):
            row[name] = clock.stored(clock.parse(str(row[name]), company.options))
        return slot_rows.insert(company, **_known(SLOT, row))


def add_block(company: Company, resource_id: int, start: str, end: str) -> int:
    """Block a resource's time; return the id of the slot."""
    label = f"Resource - {_row(company, RESOURCE, resource_id)['name']}"
    values = {"resource_id": resource_id, "start": start, "end": end, "status": BLOCKED, "full_describe": label}
    return add_slot(company, values)


def add_booking(company: Company, resource_id: int, start: str, end: str, **minutes: int) -> int:
    """Book a resource's time; return the id of the booking. Its slot has status 4.

    `pre_time` and `post_time` are minutes that the resource is occupied before and after it.
    """
    with company.db.transaction():
        values = {"resource_id": resource_id, "start": start, "end": end, "status": BOOKED}
        slot_id = add_slot(company, {**values, "full_describe": "Booking"})
        slot = _row(company, SLOT, slot_id)
        copied = {name: slot[name] for name in ("resource_id", "start", "end", "status", "full_describe")}
        return slot_rows.insert_booking(company, slot_id, {**copied, **_known(BOOKING, minutes)})


def edit_slot(company: Company, slot_id: int, values: Mapping[str, Any]) -> None:
    """Change the slot of a resource or session with this id."""
    with company.db.transaction():
        if company.db.get(SLOT, slot_id) is None:
            _row(company, SESSION_SLOT, slot_id)
            company.db.update(SESSION_SLOT, slot_id, _session_slot(values))
            return
        row = dict(values)
        for name in {"start", "end"} & row.keys():
            row[name] = clock.stored(clock.parse(str(row[name]), company.options))
        company.db.update(SLOT, slot_id, _known(SLOT, row))


def delete(company: Company, kind: str, row_id: int) -> None:
    """Delete a `session`, `slot` (of a resource or session), `resource` or `address` permanently."""
    removers = {
        "session": lambda: session_rows.delete(company, row_id),
        "slot": lambda: _delete_slot(company, row_id),
        "resource": lambda: company.db.remove(RESOURCE, row_id),
        "address": lambda: company.db.remove(ADDRESS, row_id),
    }
    if kind not in removers:
        msg = f"kind must be one of {', '.join(removers)}; got {kind!r}"
        raise ValueError(msg)
    with company.db.transaction():
        if not removers[kind]():
            msg = f"no {kind} {row_id}"
            raise KeyError(msg)


def _delete_slot(company: Company, slot_id: int) -> bool:
    slot = company.db.get(SLOT, slot_id)
    if slot is None:
        return company.db.remove(SESSION_SLOT, slot_id)
    slot_rows.free(company, slot)
    return True


def shift(company: Company, path: str) -> None:
    """Delete the first object of the list at `path` and add another one: its pages move, its length stays."""
    table = {"resources": RESOURCE, "slots": SLOT, "bookings": BOOKING}.get(path.rpartition("/")[2], SESSION)
    with company.db.transaction():
        order = "id" if company.options.list_order == "id" or table is not RESOURCE else "id DESC"
        for row in company.db.find(table, order=f"{order} LIMIT 1"):
            company.db.remove(table, row["id"])
            company.db.insert(table, {name: value for name, value in row.items() if name != "id"})


def sessions(company: Company) -> list[Row]:
    """Return every session with all its fields and its slots."""
    with company.db.transaction():
        found = company.db.find(SESSION)
        return [{**session, "slots": session_rows.slots_of(company, session["id"])} for session in found]


def resources(company: Company) -> list[Row]:
    """Return every resource, including deleted ones, with all its fields and its address."""
    with company.db.transaction():
        addresses = {row["id"]: row for row in company.db.find(ADDRESS)}
        return [{**row, "address": addresses.get(row["address_id"])} for row in company.db.find(RESOURCE)]


def slots(company: Company) -> list[Row]:
    """Return every slot of the resources. start and end are UTC."""
    return company.db.find(SLOT)


def bookings(company: Company) -> list[Row]:
    """Return every booking of the resources, including cancelled ones."""
    return company.db.find(BOOKING)


def _row(company: Company, table: Table, row_id: int) -> Row:
    row = company.db.get(table, row_id)
    if row is None:
        msg = f"no {table.name} {row_id}"
        raise KeyError(msg)
    return row


def _known(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(table.columns))
    if unknown:
        msg = f"{table.name} has no field {unknown[0]!r}"
        raise ValueError(msg)
    return dict(values)


def _session_values(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    plain = {name: value for name, value in values.items() if name != "slots"}
    if plain.get("type") in fields.TYPES:
        plain["type"] = fields.TYPES[plain["type"]].number
    stated = {name: _read(name, value, fields.READERS) for name, value in plain.items()}
    if "slots" not in values:
        return stated, None
    return stated, [_session_slot(slot) for slot in values["slots"]]


def _session_slot(values: Mapping[str, Any]) -> dict[str, Any]:
    readers = {**fields.SLOT_READERS, **dict.fromkeys(_SLOT_COUNTS, fields.whole)}
    return {name: _read(name, value, readers) for name, value in values.items()}


def _read(name: str, value: object, readers: Mapping[str, Any]) -> Any:
    if name not in readers:
        msg = f"no field {name!r}"
        raise ValueError(msg)
    if value is None:
        return None
    try:
        return readers[name](str(value))
    except ValueError as error:
        msg = f"{name} {error}"
        raise ValueError(msg) from error


def _resource_values(company: Company, values: Mapping[str, Any], present: int | None) -> dict[str, Any]:
    row = _known(RESOURCE, {name: value for name, value in values.items() if name != "address"})
    address = values.get("address")
    if address is None:
        return row
    if unknown := sorted(set(address) - set(ADDRESS_FIELDS)):
        msg = f"address has no field {unknown[0]!r}"
        raise ValueError(msg)
    if present is None:
        row["address_id"] = company.db.insert(ADDRESS, {"address1": None, **address})
    else:
        company.db.update(ADDRESS, present, address)
    return row
