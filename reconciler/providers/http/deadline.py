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
import select
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import cast

import httpx

from reconciler.providers.http.nested import Nested
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

_AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Nothing waits for more to send."""

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


class Stream:
    """A connection whose waits a clock limits."""

    def __init__(self, sock: socket.socket | Nested, clock: Clock) -> None:
        self._sock, self._clock = sock, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has arrived, at least one byte; nothing at the end of the connection."""
        left = self._clock.left(timeout, httpx.ReadTimeout)
        try:
            self._sock.settimeout(left)
            return self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes."""
        self._clock.before(buffer, self._sock.outer if isinstance(self._sock, Nested) else self._sock)
        for start in range(0, len(buffer), _PIECE):
            piece, left = buffer[start : start + _PIECE], self._clock.left(timeout, httpx.WriteTimeout)
            try:
                self._sock.settimeout(left)
                while piece:
                    piece = piece[self._sock.send(piece) :]
            except TimeoutError as error:
                raise httpx.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpx.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None = None) -> Stream:
        """Return the same connection inside of TLS."""
        left = self._clock.left(timeout, httpx.ConnectTimeout)
        try:
            self._sock.settimeout(left)
            if isinstance(self._sock, ssl.SSLSocket):
                return Stream(Nested(self._sock, context, host), self._clock)
            sock = cast("socket.socket", self._sock)  # no third TLS
            return Stream(context.wrap_socket(sock, server_hostname=host), self._clock)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error

    def is_readable(self) -> bool:
        """Whether a read would not wait: bytes have arrived, or the end of the connection."""
        if self._sock.fileno() < 0 or _arrived(self._sock):
            return True
        return isinstance(self._sock, ssl.SSLSocket | Nested) and self._sock.pending() > 0  # what TLS holds


def _arrived(sock: socket.socket | Nested) -> bool:
    if sys.platform == "win32":
        return bool(select.select([sock], [], [], 0)[0])
    arrived = select.poll()  # which takes files of any number
    arrived.register(sock, select.POLLIN)
    return bool(arrived.poll(0))


class Network:
    """Opens sockets whose waits a clock limits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def connect_tcp(self, host: str, port: int, timeout: float | None = None) -> Stream:
        """Connect to the first address of a host that takes it."""
        ends = None if timeout is None else time.monotonic() + timeout
        addresses = _addresses(host, port, self._clock.left(timeout, httpx.ConnectTimeout))
        for number, address in enumerate(addresses, start=1):
            left = None if ends is None else max(ends - time.monotonic(), 0.001) / (len(addresses) - number + 1)
            left = self._clock.left(left, httpx.ConnectTimeout)
            try:
                return Stream(_connected(address, port, left), self._clock)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpx.ConnectError("its host name has no address")


def _connected(address: str, port: int, timeout: float | None) -> socket.socket:
    try:
        sock = socket.create_connection((address, port), timeout)
        for option in (_DISCARD, _AT_ONCE):
            sock.setsockopt(*option)
    except TimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    return sock


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
        raise httpx.ConnectTimeout("the host name was not resolved in time") from None
    try:
        if isinstance(result, OSError):
            raise result
    except OSError as error:  # raised here, so that it is the context as well
        raise httpx.ConnectError(str(error)) from error
    return result
