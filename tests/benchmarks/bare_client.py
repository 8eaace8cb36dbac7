"""The least that a client can do: python bare_client.py URL FILE CONNECTIONS GETs every path in FILE."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Lane(asyncio.Protocol):
    """One connection: the next call is sent as soon as the last answer is whole."""

    def __init__(self, host: str, paths: Iterator[str]) -> None:
        self._host, self._paths = host, paths
        self._buffer = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first call."""
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """Send the next call if the answer is whole."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._buffer, 0, end)
        if len(self._buffer) >= end + 4 + int(length[1] if length else 0):
            if not self._buffer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(bytes(self._buffer[:40]).decode())
            self._buffer.clear()
            self._next()

    def _next(self) -> None:
        path = next(self._paths, None)
        if path is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._transport.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: */*\r\n\r\n".encode())


async def main(url: str, paths: Iterator[str], connections: int) -> None:
    """GET everything."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    lanes = [
        (await loop.create_connection(lambda: Lane(parts.netloc, paths), parts.hostname, parts.port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(lane.done for lane in lanes))


if __name__ == "__main__":
    lines = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
    asyncio.run(main(sys.argv[1], iter(lines), int(sys.argv[3])))
