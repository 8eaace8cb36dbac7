"""The paths of the admin JSON API (seed 002; bookingbug API notes §3)."""

from __future__ import annotations

from reconciler.sandbox.admin import bookings, refusals, resources, slots
from reconciler.sandbox.admin.access import check_app, for_admin, for_public, login, logout
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
)
_PUBLIC_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/resources", resources.list_public),
    ("GET", "/resources/{id:int}", resources.read_public),
    ("GET", "/addresses/{id:int}", resources.read_address),
)

API = Api(
    prefix="/api/v1/",
    routes=(
        ("POST", "/api/v1/login", login),
        ("DELETE", "/api/v1/login", logout),
        ("POST", "/api/v1/login/admin", login),
        ("POST", "/api/v1/login/admin/{company:int}", login),
        *((method, _ADMIN + path, for_admin(handler)) for method, path, handler in _ADMIN_ROUTES),
        *((method, _PUBLIC + path, for_public(handler)) for method, path, handler in _PUBLIC_ROUTES),
    ),
    unknown=_unknown,
)
"""The admin JSON API with its public part."""
