"""Closing connections under a request, which ASGI itself has no word for.

The protocol class puts its transport into the state that uvicorn copies into every scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_KEY = "sandbox.transport"


class ClosableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the connection within the application's reach."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection for the requests that arrive on it."""
        self.app_state = {**self.app_state, _KEY: transport}
        super().connection_made(transport)


async def close_connection(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    *,
    flush: bool = False,
) -> None:
    """Close the request's connection; with `flush` what was sent so far arrives first.

    Returns once uvicorn has noticed, so that it neither answers in the application's place nor complains.
    """
    transport: asyncio.Transport = scope["state"][_KEY]
    if flush:
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
