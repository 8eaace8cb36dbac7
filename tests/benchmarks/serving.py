"""HTTP for the servers of the benchmarks: as little work as possible, over connections that stay open."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Answers = Callable[[str, str, bytes], bytes]
"""Takes method, path and body, and returns a whole answer."""


class Connection(asyncio.Protocol):
    """One connection: calls in, answers out after the latency."""

    def __init__(self, answer: Answers, latency: Callable[[str], float]) -> None:
        self._answer, self._latency = answer, latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole call that has come."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            method, path, _ = self._buffer.split(b" ", 2)
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            answer, latency = self._answer(method.decode(), path.decode(), body), self._latency(path.decode())
            if latency:
                asyncio.get_running_loop().call_later(latency, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve(
    answer: Answers,
    latency: Callable[[str], float] = lambda _: 0.0,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Tell the URL to `ready`, print it, and serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer, latency), "127.0.0.1", 0, backlog=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    ready(url)
    print(url, flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
