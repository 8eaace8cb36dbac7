"""Sockets with a deadline for the whole call.

A timeout of the HTTP library restarts with every byte that arrives: a server that sends one byte a second would block a
run for ever. Here each wait is limited to the time that is left for the call. (Inside TLS to a proxy over TLS, the
remaining time may count once for each record.)

The kernel goes on sending what a closed connection or a dead process has left: a call could arrive minutes after its
run. Every connection is therefore set to discard that (SO_LINGER), and to give up by the call's deadline
(TCP_USER_TIMEOUT, where the system has it) even if the process cannot close it because it is stopped.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from reconciler.providers.notice import asleep

CONNECT_TIMEOUT = 10.0
"""Maximum seconds to wait for a connection, if the timeout of the call is not shorter."""

DEADLINE = "deadline"
"""The key of a request's extensions that holds the deadline of its call (monotonic time)."""

FIRST_BYTE = "first_byte"
"""The key of a request's extensions that holds what is called before its first byte is sent.

By then the connection is open, also through a proxy. If it raises, nothing of the request is sent.
"""

_PIECE = 16 * 1024

_DISCARD = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0))
"""Closing a connection, or the end of its process, drops what was not sent or not received."""

_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""None where the system has no such option (macOS, Windows)."""


class NotSentInTime(httpx.ConnectTimeout):
    """The deadline of a call passed before its first byte was sent: it was certainly not applied."""


class ProxySilent(httpx.ConnectTimeout):
    """A proxy did not open the connection before the deadline of the call."""


class Clock:
    """The deadline of the current call on one connection, and whether any byte of its request was sent."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.sent = False
        self._first_byte: Callable[[], None] | None = None
        self._asleep = 0.0

    def start(self, request: httpx.Request) -> None:
        """Start a call."""
        self.deadline, self.sent = request.extensions.get(DEADLINE), False
        self._first_byte, self._asleep = request.extensions.get(FIRST_BYTE), asleep()

    def left(self, timeout: float | None, error: type[Exception]) -> float | None:
        """Return the seconds that one step may take; raises `error` after the deadline."""
        if self.deadline is None:
            return timeout
        left = self.deadline - time.monotonic() - max(0.0, asleep() - self._asleep)
        if left <= 0:
            raise error("the deadline of the call has passed")
        return left if timeout is None else min(left, timeout)

    def before(self, buffer: bytes, sock: socket.socket) -> None:
        """Check whether the first bytes of a request may still be sent. A proxy's CONNECT is not part of it."""
        if self.sent or not buffer or buffer.startswith(b"CONNECT "):
            return
        if self._first_byte is not None:
            self._first_byte()
        left = self.left(None, NotSentInTime)
        if left is not None and _USER_TIMEOUT is not None:
            sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(left * 1000)))
        self.sent = True


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, clock: Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._clock.before(buffer, self._inner.get_extra_info("socket"))
        for start in range(0, len(buffer), _PIECE):
            left = self._clock.left(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        found = self._inner.get_extra_info(info)
        return found or _decrypted(self._inner) if info == "is_readable" else found


def _decrypted(stream: httpcore.NetworkStream) -> bool:
    """Whether bytes have arrived that the socket does not show any more, because TLS holds them."""
    tls = stream.get_extra_info("ssl_object")
    if not isinstance(tls, ssl.SSLObject):
        return tls is not None and tls.pending() > 0
    try:  # inside TLS to a proxy, where whole records may wait in memory
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        pass  # its end
    return True


class Network(httpcore.NetworkBackend):
    """Opens sockets whose waits a clock limits."""

    def __init__(self, clock: Clock) -> None:
        self._inner, self._clock = httpcore.SyncBackend(), clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that takes it."""
        ends = None if timeout is None else time.monotonic() + timeout
        addresses = _addresses(host, port, self._clock.left(timeout, httpcore.ConnectTimeout))
        for number, address in enumerate(addresses, start=1):
            left = None if ends is None else max(ends - time.monotonic(), 0.001) / (len(addresses) - number + 1)
            left = self._clock.left(left, httpcore.ConnectTimeout)
            options = (*(socket_options or ()), _DISCARD)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Stream(stream, self._clock)
        raise httpcore.ConnectError("its host name has no address")


def _addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """Look up a host name. The system call has no timeout, so it runs in a thread that can be abandoned."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
        except UnicodeError:  # a label that is empty or longer than 63 letters
            found.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
        except OSError as error:
            found.put(error)

    threading.Thread(target=look, name="reconciler-dns", daemon=True).start()
    try:
        result = found.get(timeout=timeout)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the host name was not resolved in time") from None
    try:
        if isinstance(result, OSError):
            raise result
    except OSError as error:  # raised here, so that it stays the context: the pool drops the cause
        raise httpcore.ConnectError(str(error)) from error
    return result
