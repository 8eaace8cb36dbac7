"""The paths of the booking/session API and of the item queries (seed 004, checkfront API notes §1.1, §2)."""

from __future__ import annotations

from reconciler.sandbox.api import Api, Call, Handler, Refusal, Reply
from reconciler.sandbox.checkfront import envelope, items, sessions
from reconciler.sandbox.checkfront.access import authenticated, check

_ROOT = "/api/3.0"


def _unknown(call: Call, status: int) -> Reply:
    """Answer an unknown path or method. Checking the credentials first is a guess."""
    try:
        check(call)
    except Refusal as refusal:
        return refusal.reply
    title = "Not found" if status == envelope.NOT_FOUND else "Method not allowed"
    return envelope.refusal(call, envelope.INVALID, title, status=status).reply


def _short(handler: Handler) -> Handler:
    """Serve /session, as in the documents of 2014, unless `short_paths` is `no`."""

    def guard(call: Call) -> Reply:
        if call.options.short_paths == "no":
            raise Refusal(_unknown(call, envelope.NOT_FOUND))
        return handler(call)

    return guard


_SESSION: tuple[tuple[str, Handler], ...] = (
    ("/session", sessions.serve),
    ("/session/clear", sessions.clear),
    ("/session/end", sessions.end),
)
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    *((method, f"/booking{path}", handler) for path, handler in _SESSION for method in ("GET", "POST")),
    *((method, path, _short(handler)) for path, handler in _SESSION for method in ("GET", "POST")),
    ("GET", "/item", items.listing),
    ("GET", "/item/{id:int}", items.read),
)

API = Api(
    name="checkfront",
    prefix=f"{_ROOT}/",
    routes=tuple(
        (method, f"{_ROOT}{path}{slash}", authenticated(handler))
        for method, path, handler in _ROUTES
        # The official client sends a trailing slash (notes §3).
        for slash in ("", "/")
    ),
    unknown=_unknown,
)
"""The booking/session API."""
