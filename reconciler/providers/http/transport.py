"""What lies under the HTTP door: sockets, TLS, proxies, and the wall that keeps a plan from writing."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler.errors import ReconcilerError
from reconciler.settings import Connection

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer, decoded; no documented answer comes near it."""

KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: less than servers usually do, so that a write seldom meets a closed one."""


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (httpx.PoolTimeout, "no connection was free within {timeout}"),
    (httpx.ConnectTimeout, "{lost}timed out after {timeout}"),
    (httpx.TimeoutException, "timed out after {timeout}"),
    (httpx.ProxyError, "{lost}the proxy refuses"),
    (httpx.RemoteProtocolError, "the connection was closed before the answer was complete, or it is not HTTP"),
    (httpx.NetworkError, "the connection broke"),
    (httpx.DecodingError, "the answer's compression is broken"),
)
"""What each kind of failure is called; the first that fits counts."""


class WriteRefusedHere(RuntimeError):
    """A read-only door was asked to write: a mistake in this program; nothing was sent."""


class AnswerTooLarge(Exception):
    """An answer went on beyond MAX_ANSWER."""

    def __init__(self, status: int) -> None:
        super().__init__(f"an answer of more than {MAX_ANSWER // 1024 // 1024} MB")
        self.status = status


class ReadOnly(httpx.BaseTransport):
    """A transport that lets only GET through, and POST to exactly the login's path."""

    def __init__(self, inner: httpx.BaseTransport, login_path: str | None) -> None:
        self._inner = inner
        self._login = None if login_path is None else login_path.encode("ascii")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or raise WriteRefusedHere."""
        login = request.method == "POST" and self._login is not None and request.url.raw_path == self._login
        if request.method != "GET" and not login:
            raise WriteRefusedHere(f"{request.method} {request.url.path} on a read-only connection; it was not sent")
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close what lies under it."""
        self._inner.close()


class Lanes(httpx.BaseTransport):
    """As many one-connection transports as there are requests at once, the last used first.

    One pool of n connections would look through all n for every request: at 50 connections that
    alone makes a run more than twice as long. The door bounds how many requests there are at once.
    """

    def __init__(self, lane: Callable[[], httpx.BaseTransport]) -> None:
        self._lane = lane
        self._idle: list[httpx.BaseTransport] = []  # append and pop of a list are atomic
        self._all: list[httpx.BaseTransport] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on a lane of its own, which is free again when its answer is closed."""
        lane = self._take()
        try:
            response = lane.handle_request(request)
        except BaseException:
            self._idle.append(lane)
            raise
        if not isinstance(response.stream, httpx.SyncByteStream):  # pragma: no cover - a sync lane's always is
            raise TypeError(type(response.stream).__name__)
        response.stream = _LaneStream(response.stream, lambda: self._idle.append(lane))
        return response

    def close(self) -> None:
        """Close every lane's connection."""
        for lane in self._all:
            lane.close()

    def _take(self) -> httpx.BaseTransport:
        try:
            return self._idle.pop()
        except IndexError:
            lane = self._lane()
            self._all.append(lane)
            return lane


class _LaneStream(httpx.SyncByteStream):
    """An answer's bytes; gives its lane back when it is closed, once."""

    def __init__(self, stream: httpx.SyncByteStream, done: Callable[[], None]) -> None:
        self._stream = stream
        self._done: Callable[[], None] | None = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            done, self._done = self._done, None
            if done is not None:
                done()


def open_transport(connection: Connection) -> httpx.BaseTransport:
    """Return the network as the connection's settings want it; ReconcilerError for a bad `ca_file`."""
    tls, proxy = _tls(connection), _proxy(connection.base_url)
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE)
    return Lanes(lambda: httpx.HTTPTransport(verify=tls, limits=limits, proxy=proxy, trust_env=False))


def _tls(connection: Connection) -> ssl.SSLContext:
    if urlsplit(connection.base_url).scheme != "https":
        # Redirects are not followed, so no TLS can come up; loading authorities would cost 20 ms and more.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if connection.ca_file is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=connection.ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "it is not a PEM file"
        raise ReconcilerError(f"{connection.where}: ca_file {connection.ca_file} cannot be used: {reason}") from None


def _proxy(base_url: str) -> str | None:
    """Return the proxy the environment names for this host; never one for this very machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if _loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def read_body(response: httpx.Response, deadline: float) -> bytes:
    """Read an answer to its end, within its time and size; a slow drip must not hold a run for ever."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise AnswerTooLarge(response.status_code)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer did not end in time")
        chunks.append(chunk)
    return b"".join(chunks)


def failure_words(error: Exception, connection: Connection) -> tuple[str, bool]:
    """Return what went wrong, in words, and whether another attempt would be in vain."""
    parts = urlsplit(connection.base_url)
    lost = f"cannot connect to {parts.scheme}://{parts.netloc.rpartition('@')[2]}: "
    if isinstance(error, AnswerTooLarge):
        return str(error), True
    if isinstance(error, httpx.ConnectError):
        words, hopeless = _connect_words(error)
        return (words if words.startswith("TLS") else lost + words), hopeless
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            said = words.format(lost=lost, timeout=f"{connection.timeout:g} s")
            return said, isinstance(error, httpx.DecodingError)
    return f"the request failed ({type(error).__name__})", True


def _connect_words(error: BaseException) -> tuple[str, bool]:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: certificate not accepted: {cause.verify_message}", True
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or 'handshake failed').lower().replace('_', ' ')}", True
        if isinstance(cause, socket.gaierror):
            return "its host name is not known", False
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower(), False
        cause = cause.__cause__ or cause.__context__
    return "no connection", False
