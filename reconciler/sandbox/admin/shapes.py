"""The JSON objects of the admin API, with the keys of the samples in seed 002 (resources)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox import clock
from reconciler.sandbox.api import Call
from reconciler.sandbox.tables import ADDRESS_FIELDS

_EXTRA_RESOURCE_FIELDS = ("price", "never_booked", "count", "max_book", "api_ref", "extra")
_MINUTE = 60
BLOCKED, BOOKED = 3, 4
"""Slot statuses (bookingbug API notes §3.4)."""


def admin_url(call: Call, rest: str) -> str:
    """Return a full URL under the company's admin path."""
    return f"{call.base_url}/api/v1/admin/{call.options.company_id}/{rest}"


def public_url(call: Call, rest: str) -> str:
    """Return a full URL under the company's public path."""
    return f"{call.base_url}/api/v1/{call.options.company_id}/{rest}"


def public_resource(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a resource like the public endpoints."""
    return {**_resource(call, row), "_links": _resource_links(row, lambda rest: public_url(call, rest), call)}


def admin_resource(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a resource like the admin endpoints.

    Clients write `position` but read `order`. Its default is the id (notes §3.3).
    """
    links = _resource_links(row, lambda rest: admin_url(call, rest), call)
    own = f"resources/{row['id']}"
    schedule = f"schedules/{row['schedule_id']}{{?start_date,end_date}}"
    if not row["deleted"]:
        # What is deleted cannot be edited or blocked.
        links |= {name: {"href": admin_url(call, f"{own}/{name}")} for name in ("edit", "block")}
    links |= {
        "schedule": {"href": admin_url(call, schedule), "templated": True},
        "enabled_services": [{"href": admin_url(call, f"services/{i}")} for i in row["service_ids"] or ()],
        "enabled_people": [{"href": admin_url(call, f"people/{i}")} for i in row["person_ids"] or ()],
    }
    shape = {
        **_resource(call, row),
        "_links": links,
        "schedule_id": row["schedule_id"],
        "service_ids": row["service_ids"] or [],
        "person_ids": row["person_ids"] or [],
    }
    if call.options.resource_fields == "all":
        shape |= {name: row[name] for name in _EXTRA_RESOURCE_FIELDS}
        shape["reference"] = row["api_ref"]
    return shape


def _resource(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "type": "resource",
        "deleted": bool(row["deleted"]),
        "disabled": bool(row["disabled"]),
        "company_id": call.options.company_id,
        "email": row["email"],
        "order": row["id"] if row["position"] is None else row["position"],
        "address_id": row["address_id"],
    }


def _resource_links(row: Mapping[str, Any], url: Callable[[str], str], call: Call) -> dict[str, Any]:
    links = {
        "self": {"href": url(f"resources/{row['id']}")},
        "items": {"href": url(f"items?resource_id={row['id']}")},
        "images": {"href": public_url(call, f"media/resource_images/{row['id']}")},
    }
    if row["address_id"] is not None:
        links["address"] = {"href": url(f"addresses/{row['address_id']}")}
    return links


def address(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write an address (notes §3.5)."""
    links = {"self": {"href": f"{call.base_url}{call.path.partition('/addresses')[0]}/addresses/{row['id']}"}}
    return {"id": row["id"], **{name: row[name] for name in ADDRESS_FIELDS}, "_links": links}


def slot(call: Call, row: Mapping[str, Any], *, in_list: bool = False) -> dict[str, Any]:
    """Write a slot. A block is a slot of status 3.

    The sample is the answer to a block of a resource, but it names a person. `block_owner` decides which key
    holds the id of the resource. Official clients need `slot` in addition to `self` (notes §3.7).
    """
    shape = {
        "id": row["id"],
        "datetime": clock.shown(row["start"], call.options),
        "end_datetime": clock.shown(row["end"], call.options),
        "full_describe": row["full_describe"],
        "status": row["status"],
        "spaces_booked": row["spaces_booked"],
        "spaces_reserved": row["spaces_reserved"],
        "spaces_blocked": row["spaces_blocked"],
        "num_spaces": row["num_spaces"],
        "spaces_wait": row["spaces_wait"],
        **_owner(call, row),
        **_duration(row),
        "company_id": call.options.company_id,
        "_links": _slot_links(call, row),
    }
    if in_list and call.options.slot_end == "no":
        del shape["end_datetime"]
    if in_list and call.options.slot_list == "documented":
        del shape["_links"]["slot"]
    return shape


def _duration(row: Mapping[str, Any]) -> dict[str, int]:
    span = round((clock.loaded(row["end"]) - clock.loaded(row["start"])).total_seconds())
    return {"duration": span // _MINUTE, "duration_span": span}


def _owner(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    keys = {"both": ("person_id", "resource_id"), "resource": ("resource_id",), "person": ("person_id",)}
    return dict.fromkeys(keys[call.options.block_owner], row["resource_id"])


def _slot_links(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    own = {"href": admin_url(call, f"slots/{row['id']}")}
    links = {"self": own, "slot": own}
    if call.options.block_owner != "resource":
        # Seed 002 calls the resource a person and writes its path in the singular.
        name = "resource" if call.options.singular_paths == "yes" else "resources"
        links["person"] = {"href": admin_url(call, f"{name}/{row['resource_id']}")}
    if call.options.block_owner != "person":
        links["resource"] = {"href": admin_url(call, f"resources/{row['resource_id']}")}
    links["bookings"] = {"href": admin_url(call, f"bookings?slot_id={row['id']}")}
    links["booking_details"] = {"href": admin_url(call, f"booking_details/?slot_id={row['id']}")}
    return links


def booking(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a booking. Clients recognize it by `bookings` in its self link (notes §3.7)."""
    return {
        "id": row["id"],
        "slot_id": row["slot_id"],
        "resource_id": row["resource_id"],
        "datetime": clock.shown(row["start"], call.options),
        "end_datetime": clock.shown(row["end"], call.options),
        **_duration(row),
        **{name: row[name] for name in ("pre_time", "post_time") if row.get(name) is not None},
        "full_describe": row["full_describe"],
        "status": row["status"],
        "is_cancelled": bool(row["is_cancelled"]),
        "company_id": call.options.company_id,
        "_links": {
            "self": {"href": admin_url(call, f"bookings/{row['id']}")},
            "slot": {"href": admin_url(call, f"slots/{row['slot_id']}")},
            "resource": {"href": admin_url(call, f"resources/{row['resource_id']}")},
        },
    }
