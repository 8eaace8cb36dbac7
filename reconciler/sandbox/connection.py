"""Close connections during a request. ASGI has no message for this.

The protocol class stores its transport in the state that uvicorn copies into every scope.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_KEY = "sandbox.transport"


class ClosableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol. It makes the connection available to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Store the connection for the requests that arrive on it."""
        self.app_state = {**self.app_state, _KEY: transport}
        super().connection_made(transport)


async def close_connection(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    *,
    flush: bool = False,
) -> None:
    """Close the connection of a request. With `flush`, data that was already sent arrives first.

    Returns after uvicorn has noticed. Otherwise uvicorn would send its own answer or log an error.
    """
    transport: asyncio.Transport = scope["state"][_KEY]
    if flush:
        transport.close()
    else:
        transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
