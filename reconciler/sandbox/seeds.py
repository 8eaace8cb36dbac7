"""The initial content of a sandbox: nothing, the documented samples, a plausible business, or hostile names."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox import backdoor, business, hostile
from reconciler.sandbox.company import Company
from reconciler.sandbox.tables import ADDRESS, SESSION, SESSION_SLOT


def fill(company: Company, seed: str) -> None:
    """Fill an empty company. A database with rows stays unchanged.

    Raises ValueError for an unknown seed.
    """
    if seed not in SEEDS:
        msg = f"seed must be one of {', '.join(SEEDS)}; got {seed!r}"
        raise ValueError(msg)
    with company.db.transaction():
        if company.db.is_empty():
            SEEDS[seed](company)


def _nothing(_company: Company) -> None:
    """Leave the company empty."""


def _samples(company: Company) -> None:
    """Create the objects of the sample answers, with the same ids."""
    common: dict[str, Any] = {"group": "My Group", "time": "10:00", "duration": 60, "spaces": 1, "repeat": 6, "type": 1}
    dates = {"start_date": "2011-08-10", "end_date": "2011-08-15", "start_stated": True, "end_stated": True}
    common |= {"max_num_bookings": 1, "disabled": False, "min_cancel": 5, "ask_address": False, "ticket_type": 0}
    company.db.insert(SESSION, {"id": 123, "name": "My Event", **common, **dates})
    company.db.insert(SESSION, {"id": 124, "name": "Another Event", **common, **dates})
    for slot_id, day in ((123456, "2011-08-10"), (123457, "2011-08-15")):
        slot = {"id": slot_id, "session_id": 123, "date": day, "time": "10:00", "duration": 60}
        company.db.insert(SESSION_SLOT, {**slot, "spaces_booked": 0, "spaces_reserved": 0})
    address = {"address1": "Pet Store", "address2": "123 Some Street", "address3": "Address line 3"}
    address |= {"address4": "London", "postcode": "E12 8YH", "country": "United Kingdom"}
    company.db.insert(ADDRESS, {"id": 6, **address})
    resource: dict[str, Any] = {
        "name": "Consultation room 1",
        "description": "Consultation room",
        "email": "room1@email.com",
    }
    resource |= {"price": 35, "max_book": 1, "api_ref": "roomSR1", "address_id": 6}
    backdoor.add_resource(company, {"id": 13, **resource})


SEEDS = {"none": _nothing, "samples": _samples, "company": business.fill, "hostile": hostile.fill}
"""The names of the seeds."""
