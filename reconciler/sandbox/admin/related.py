"""What the links of the samples lead to (seed 002): the company, forms, schedules, items, images, services, people.

None of it can be changed here. It is there so that a client that follows links gets an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from reconciler.sandbox.admin import forms, refusals, shapes, slots
from reconciler.sandbox.admin.access import COMPANY_NAME
from reconciler.sandbox.admin.pages import page_of
from reconciler.sandbox.admin.resources import existing
from reconciler.sandbox.api import Call, Handler, Reply, json_reply
from reconciler.sandbox.tables import RESOURCE

_OK = 200
_OPEN = "0000-2400"
_LONGEST = timedelta(days=366)
_PAGES = "page,per_page"
_DAYS = "start_date,end_date,date"


def admin_company(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/company."""
    own = {
        "self": {"href": shapes.admin_url(call, "company")},
        "resources": {"href": shapes.admin_url(call, f"resources{{?{_PAGES}}}"), "templated": True},
        "addresses": {"href": shapes.admin_url(call, "addresses")},
        "slots": {
            "href": shapes.admin_url(call, f"slots{{?{_DAYS},resource_id,service_id,person_id,{_PAGES}}}"),
            "templated": True,
        },
        "bookings": {
            "href": shapes.admin_url(
                call, f"bookings{{/id}}{{?start_date,end_date,{_PAGES},include_cancelled,slot_id,resource_id}}"
            ),
            "templated": True,
        },
    }
    return json_reply(_OK, _company(call, own))


def public_company(call: Call) -> Reply:
    """GET /api/v1/company/{company}."""
    own = {
        "self": {"href": f"{call.base_url}{call.path}"},
        "resources": {"href": shapes.public_url(call, f"resources{{?{_PAGES}}}"), "templated": True},
    }
    return json_reply(_OK, _company(call, own))


def _company(call: Call, links: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": call.options.company_id,
        "name": COMPANY_NAME,
        "description": "",
        "timezone": call.options.company_zone,
        "currency_code": "GBP",
        "country_code": "gb",
        "live": True,
        "_links": links,
    }


def new_resource(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/resources/new: the schema and the form of a resource (notes §3.2)."""
    return _document(call, forms.description())


def edit_resource(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/resources/{id}/edit."""
    if existing(call)["deleted"]:
        raise refusals.not_found()
    return _document(call, forms.description())


def schedule(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/schedules/{id}: a resource is always open. With a window, each of its days."""
    number = int(call.params["id"])
    if not call.company.db.find(RESOURCE, "schedule_id = ?", (number,)):
        raise refusals.not_found()
    days = {}
    if "start_date" in call.query or "end_date" in call.query:
        first, last = slots.window(call)
        if last - first > _LONGEST:
            raise refusals.invalid("end_date is too far from start_date")
        days = {(first + timedelta(days=step)).isoformat(): _OPEN for step in range((last - first).days + 1)}
    rules = {str(weekday): _OPEN for weekday in range(7)}
    values = {"id": number, "name": "Always open", "company_id": call.options.company_id}
    return _document(call, {**values, "rules": rules, "dates": days})


def none_of(name: str) -> Handler:
    """Return a handler for a list that is always empty here: items, for example, belong to services."""
    return lambda call: _list(call, name, ())


def images(call: Call) -> Reply:
    """GET /api/v1/{company}/media/resource_images/{id}: no resource has images."""
    existing(call)
    return _list(call, "images", ())


def linked(kind: str, column: str) -> Handler:
    """Return a handler for a service or person that a resource names in `column`."""

    def handler(call: Call) -> Reply:
        number = int(call.params["id"])
        if not any(number in (row[column] or ()) for row in call.company.db.find(RESOURCE)):
            raise refusals.not_found()
        values = {"id": number, "name": f"{kind.capitalize()} {number}", "type": kind, "deleted": False}
        return _document(call, {**values, "disabled": False, "company_id": call.options.company_id})

    return handler


def _list(call: Call, name: str, rows: Sequence[Any]) -> Reply:
    shown, links = page_of(call, name, rows)
    return json_reply(_OK, {"total_entries": len(rows), "_embedded": {name: shown}, "_links": links})


def _document(call: Call, values: dict[str, Any]) -> Reply:
    query = f"?{call.query_string}" if call.query_string else ""
    return json_reply(_OK, {**values, "_links": {"self": {"href": f"{call.base_url}{call.path}{query}"}}})
