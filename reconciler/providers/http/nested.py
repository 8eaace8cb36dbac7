"""TLS inside of TLS: to a server behind a proxy over TLS. The sockets of Python do only one of them."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

_RECORD = 16 * 1024
"""Bytes of a record of TLS, at most."""

Result = TypeVar("Result")


class Nested:
    """A socket over TLS in which a second TLS runs. Each wait for the outer one may take the whole timeout."""

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self.outer = outer
        self.settimeout, self.fileno, self.close = outer.settimeout, outer.fileno, outer.close
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inner = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        self._done(self._inner.do_handshake)

    def recv(self, size: int) -> bytes:
        """Return what has arrived."""
        return self._done(lambda: self._inner.read(size))

    def send(self, data: bytes) -> int:
        """Send some bytes, and return how many."""
        return self._done(lambda: self._inner.write(data))

    def pending(self) -> int:
        """Return whether there are bytes that the socket does not show any more. One of them may be lost."""
        try:
            self._inner.read(1)  # whole records may wait in memory
        except ssl.SSLWantReadError:
            return self.outer.pending()
        except ssl.SSLError:
            pass  # its end
        return 1

    def _done(self, step: Callable[[], Result]) -> Result:
        """Do a step, and carry between both what it sends and waits for."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self.outer.sendall(self._leaving.read())
            else:
                self.outer.sendall(self._leaving.read())
                return result
            data = self.outer.recv(_RECORD)
            if data:
                self._arrived.write(data)
            else:
                self._arrived.write_eof()
