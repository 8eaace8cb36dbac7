"""The ASGI application: every emulated API and the control endpoints. The server adds the middleware.

To add an API, write a module with an `API` and add it to `APIS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox import control
from reconciler.sandbox.admin import routes as admin
from reconciler.sandbox.api import Api, Call, Handler, Refusal, Reply
from reconciler.sandbox.checkfront import routes as checkfront
from reconciler.sandbox.company import Company
from reconciler.sandbox.middleware import CAME_AFTER
from reconciler.sandbox.sessions import routes as sessions

APIS: tuple[Api, ...] = (control.API, sessions.API, admin.API, checkfront.API)

_NOT_FOUND = 404
_LARGEST_ID = 2**63 - 1


def build(company: Company) -> Starlette:
    """Make the ASGI application for one company."""
    routes = [
        Route(path, _end_point(company, api, handler), methods=[method])
        for api in APIS
        for method, path, handler in api.routes
    ]
    unknown = _unknown_path(company)
    inner = Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})
    # The real system has no path "/api/sessions.xml/", so it must not redirect.
    inner.router.redirect_slashes = False
    return inner


def _end_point(company: Company, api: Api, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Run a handler as one transaction on the event loop. Handlers take less than a millisecond."""

    async def end_point(request: Request) -> Response:
        call = await _call(company, request)
        if any(isinstance(value, int) and value > _LARGEST_ID for value in call.params.values()):
            raise HTTPException(_NOT_FOUND)
        if request.method == "GET":
            call = replace(call, company=company.lag.for_read(company, api.name))
        else:
            company.lag.before_write(company, api.name)
        try:
            with call.company.db.transaction():
                _refuse_what_waited(company, request)
                reply = handler(call)
        except Refusal as refusal:
            reply = refusal.reply
        return _response(reply)

    return end_point


def _refuse_what_waited(company: Company, request: Request) -> None:
    """Refuse a call that came before the last reset: it must not write to the objects of after it."""
    if request.scope.get(CAME_AFTER, company.resets) != company.resets:
        raise Refusal(Reply(status=503, body=b"the sandbox was reset while this call waited"))


def _unknown_path(company: Company) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer an unknown path or method in the format of the API with the longest matching prefix."""

    async def handler(request: Request, error: Exception) -> Response:
        path = request.url.path
        matching = [api for api in APIS if path.startswith(api.prefix)]
        status = error.status_code if isinstance(error, HTTPException) else _NOT_FOUND
        if not matching:
            return _response(Reply(status=status))
        api = max(matching, key=lambda api: len(api.prefix))
        return _response(api.unknown(await _call(company, request), status))

    return handler


async def _call(company: Company, request: Request) -> Call:
    return Call(
        company=company,
        method=request.method,
        path=request.url.path,
        base_url=str(request.base_url).rstrip("/"),
        params=dict(request.path_params),
        query=dict(request.query_params),
        query_string=request.url.query,
        headers=dict(request.headers),
        body=await request.body(),
    )


def _response(reply: Reply) -> Response:
    headers: dict[str, Any] = dict(reply.headers)
    return Response(reply.body, status_code=reply.status, headers=headers)
