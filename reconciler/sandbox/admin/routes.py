"""The paths of the admin JSON API (seed 002; bookingbug API notes §3)."""

from __future__ import annotations

from reconciler.sandbox.admin import access, bookings, refusals, related, resources, slots
from reconciler.sandbox.admin.access import check_app, for_admin, for_public
from reconciler.sandbox.api import Api, Call, Handler, Refusal, Reply, json_reply

_ADMIN = "/api/v1/admin/{company:int}"
_PUBLIC = "/api/v1/{company:int}"


def _unknown(call: Call, status: int) -> Reply:
    """Answer an unknown path or method. The App-Id is checked first (notes §3.8)."""
    try:
        check_app(call)
    except Refusal as refusal:
        return refusal.reply
    return json_reply(status, {"error": "Not Found" if status == refusals.NOT_FOUND else "405 Not Allowed"})


def _singular(handler: Handler) -> Handler:
    """Serve /resource, as in the curl samples of seed 002, unless `singular_paths` is `no`."""

    def guard(call: Call) -> Reply:
        if call.options.singular_paths == "no":
            raise Refusal(_unknown(call, refusals.NOT_FOUND))
        return handler(call)

    return guard


_ADMIN_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/resources", resources.list_admin),
    ("POST", "/resources", resources.create),
    ("GET", "/resources/new", related.new_resource),
    ("GET", "/resources/{id:int}/edit", related.edit_resource),
    ("GET", "/resources/{id:int}", resources.read_admin),
    ("PUT", "/resources/{id:int}", resources.update),
    ("DELETE", "/resources/{id:int}", resources.delete),
    ("PUT", "/resources/{id:int}/block", slots.block),
    ("GET", "/resource", _singular(resources.list_admin)),
    ("GET", "/resource/{id:int}", _singular(resources.read_admin)),
    ("PUT", "/resource/{id:int}/block", _singular(slots.block)),
    ("GET", "/addresses", resources.list_addresses),
    ("GET", "/addresses/{id:int}", resources.read_address),
    ("GET", "/slots", slots.listing),
    ("POST", "/slots", slots.create),
    ("GET", "/slots/{id:int}", slots.read),
    ("PUT", "/slots/{id:int}", slots.update),
    ("DELETE", "/slots/{id:int}", slots.delete),
    ("GET", "/bookings", bookings.listing),
    ("GET", "/bookings/{id:int}", bookings.read),
    ("DELETE", "/bookings/{id:int}", bookings.delete),
    # Seed 002 writes this link with a slash.
    ("GET", "/booking_details/", bookings.details),
    ("GET", "/booking_details", bookings.details),
    ("GET", "/company", related.admin_company),
    ("GET", "/administrators/{id:int}", access.administrator),
    ("GET", "/schedules/{id:int}", related.schedule),
    ("GET", "/items", related.none_of("items")),
    ("GET", "/services/{id:int}", related.linked("service", "service_ids")),
    ("GET", "/people/{id:int}", related.linked("person", "person_ids")),
)
_PUBLIC_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/resources", resources.list_public),
    ("GET", "/resources/{id:int}", resources.read_public),
    ("GET", "/addresses/{id:int}", resources.read_address),
    ("GET", "/items", related.none_of("items")),
    ("GET", "/media/resource_images/{id:int}", related.images),
)
_LOGINS = ("/api/v1/login", "/api/v1/login/admin", "/api/v1/login/admin/{company:int}")

API = Api(
    name="admin",
    prefix="/api/v1/",
    routes=(
        *(("POST", path, access.login) for path in _LOGINS),
        *(("GET", path, access.check_login) for path in _LOGINS),
        ("PUT", "/api/v1/login/admin", access.switch),
        ("DELETE", "/api/v1/login", access.logout),
        ("GET", "/api/v1/company/{company:int}", for_public(related.public_company)),
        *((method, _ADMIN + path, for_admin(handler)) for method, path, handler in _ADMIN_ROUTES),
        *((method, _PUBLIC + path, for_public(handler)) for method, path, handler in _PUBLIC_ROUTES),
    ),
    unknown=_unknown,
)
"""The admin JSON API with its public part."""
