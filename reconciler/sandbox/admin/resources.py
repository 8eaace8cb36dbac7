"""Resources and their addresses (seed 002; bookingbug API notes §3.3, §3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.admin import forms, refusals, shapes
from reconciler.sandbox.admin.pages import page_of
from reconciler.sandbox.api import NO_CONTENT, Call, Reply, json_reply
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import ADDRESS, RESOURCE

_OK = 200
# Schedules are not emulated. In the sample, resource 13 has schedule 48351; each resource gets its own.
_SCHEDULE_OFFSET = 48351 - 13

DEFAULTS: dict[str, Any] = {
    "disabled": False,
    "deleted": False,
    "never_booked": False,
    "service_ids": (),
    "person_ids": (),
}
"""The default values of a new resource."""


def list_admin(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/resources."""
    every = _rows(call, deleted=call.options.list_shows_deleted == "yes")
    rows, links = page_of(call, "resources", every)
    links["new"] = {"href": shapes.admin_url(call, "resources/new"), "templated": True}
    return _listing(len(every), [shapes.admin_resource(call, row) for row in rows], links)


def list_public(call: Call) -> Reply:
    """GET /api/v1/{company}/resources: the same rows, without the fields for administrators."""
    every = _rows(call, deleted=False)
    rows, links = page_of(call, "resources", every)
    return _listing(len(every), [shapes.public_resource(call, row) for row in rows], links)


def _listing(total: int, shown: list[dict[str, Any]], links: dict[str, Any]) -> Reply:
    return json_reply(_OK, {"total_entries": total, "_embedded": {"resources": shown}, "_links": links})


def _rows(call: Call, *, deleted: bool) -> list[Row]:
    order = "id" if call.options.list_order == "id" else "id DESC"
    return call.company.db.find(RESOURCE, "1" if deleted else "NOT deleted", order=order)


def read_admin(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/resources/{id}; includes softly deleted ones."""
    return json_reply(_OK, shapes.admin_resource(call, existing(call)))


def read_public(call: Call) -> Reply:
    """GET /api/v1/{company}/resources/{id}."""
    row = existing(call)
    if row["deleted"]:
        raise refusals.not_found()
    return json_reply(_OK, shapes.public_resource(call, row))


def create(call: Call) -> Reply:
    """POST /api/v1/admin/{company}/resources."""
    body = refusals.read_object(call)
    values = forms.resource(call, body)
    if not values.get("name"):
        raise refusals.invalid("name is missing")
    _check_api_ref(call, values, own_id=None)
    _store_address(call, body, values, before=None)
    row_id = insert(call.company, values)
    return json_reply(call.options.json_create_status, _shown(call, row_id))


def insert(company: Company, values: Mapping[str, Any]) -> int:
    """Add a resource row with its defaults and a schedule id; return its id."""
    row_id = company.db.insert(RESOURCE, {**DEFAULTS, **values})
    if values.get("schedule_id") is None:
        company.db.update(RESOURCE, row_id, {"schedule_id": row_id + _SCHEDULE_OFFSET})
    return row_id


def update(call: Call) -> Reply:
    """PUT /api/v1/admin/{company}/resources/{id}; other fields stay."""
    before = existing(call)
    if before["deleted"]:
        raise refusals.not_found()
    body = refusals.read_object(call)
    values = forms.resource(call, body)
    if "name" in values and not values["name"]:
        raise refusals.invalid("name is empty")
    if call.options.resource_put == "replace":
        values = {**forms.RESET, **values}
    _check_api_ref(call, values, own_id=before["id"])
    _store_address(call, body, values, before=before)
    call.company.db.update(RESOURCE, before["id"], values)
    return json_reply(_OK, _shown(call, before["id"]))


def delete(call: Call) -> Reply:
    """DELETE /api/v1/admin/{company}/resources/{id}; soft or hard as set by `resource_delete` (notes §3.6)."""
    row_id = int(call.params["id"])
    row = call.company.db.get(RESOURCE, row_id)
    gone = row is None or row["deleted"]
    if gone and not (call.options.delete_again == _OK and call.company.db.was_issued(RESOURCE, row_id)):
        raise refusals.not_found()
    shown: dict[str, Any] = {}
    if row is not None:
        shown = {**shapes.admin_resource(call, row), "deleted": True}
        if not call.options.deletes("resource"):
            pass
        elif call.options.resource_delete == "soft":
            call.company.db.update(RESOURCE, row_id, {"deleted": True})
        else:
            call.company.db.remove(RESOURCE, row_id)
    return deleted(call, shown)


def deleted(call: Call, shown: Mapping[str, Any]) -> Reply:
    """Answer a JSON delete as set by the options: 200 with the object or {}, or 204."""
    if call.options.delete_answer == NO_CONTENT:
        return Reply(status=NO_CONTENT)
    return json_reply(_OK, shown if call.options.delete_body == "object" else {})


def list_addresses(call: Call) -> Reply:
    """GET .../addresses."""
    every = call.company.db.find(ADDRESS)
    rows, links = page_of(call, "addresses", every)
    shown = [shapes.address(call, row) for row in rows]
    return json_reply(_OK, {"total_entries": len(every), "_embedded": {"addresses": shown}, "_links": links})


def read_address(call: Call) -> Reply:
    """GET .../addresses/{id}."""
    row = call.company.db.get(ADDRESS, int(call.params["id"]))
    if row is None:
        raise refusals.not_found()
    return json_reply(_OK, shapes.address(call, row))


def existing(call: Call) -> Row:
    """Return the resource in the path, or refuse with 404."""
    row = call.company.db.get(RESOURCE, int(call.params["id"]))
    if row is None:
        raise refusals.not_found()
    return row


def _shown(call: Call, row_id: int) -> dict[str, Any]:
    row = call.company.db.get(RESOURCE, row_id)
    if row is None:
        raise KeyError(row_id)
    return shapes.admin_resource(call, row)


def _store_address(call: Call, body: Mapping[str, Any], values: dict[str, Any], before: Row | None) -> None:
    """Store a given address as a row and put its id into the values."""
    given = values.get("address_id")
    if given is not None and call.company.db.get(ADDRESS, given) is None:
        raise refusals.invalid("address_id is invalid")
    stated = forms.address(call, body)
    if stated is None or (given is not None and call.options.address_wins == "id"):
        return
    present = before["address_id"] if before else None
    if present is not None and call.options.address_put == "in_place":
        call.company.db.update(ADDRESS, present, stated)
        values["address_id"] = present
        return
    old = call.company.db.get(ADDRESS, present) if present is not None else None
    kept = {name: value for name, value in (old or {}).items() if name != "id"}
    values["address_id"] = call.company.db.insert(ADDRESS, {"address1": None} | kept | stated)


def _check_api_ref(call: Call, values: Mapping[str, Any], own_id: int | None) -> None:
    if call.options.api_ref_unique == "no" or not values.get("api_ref"):
        return
    same = call.company.db.find(RESOURCE, "api_ref = ? AND NOT deleted", (values["api_ref"],))
    if any(row["id"] != own_id for row in same):
        raise refusals.invalid("api_ref has already been taken")
