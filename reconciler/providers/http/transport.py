"""What lies under the HTTP client: sockets, TLS, proxies, and the wall that keeps a plan from writing."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import redaction
from reconciler.errors import ReconcilerError
from reconciler.providers.http.body import AnswerTooLarge
from reconciler.providers.http.deadline import CONNECT_TIMEOUT, Lane
from reconciler.settings import Connection

KEEP_ALIVE = 4.0
"""Seconds an idle connection is kept: less than servers usually do, so that a write seldom meets a closed one."""


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (httpx.PoolTimeout, "no connection was free within {timeout}"),
    (httpx.ConnectTimeout, "{lost}timed out after {connect}"),
    (httpx.TimeoutException, "timed out after {timeout}"),
    (httpx.ProxyError, "{lost}the proxy refuses"),
    (httpx.RemoteProtocolError, "the connection was closed before the answer was complete, or it is not HTTP"),
    (httpx.NetworkError, "the connection broke"),
    (httpx.DecodingError, "the answer's compression cannot be undone"),
)
"""What each kind of failure is called; the first that fits counts."""


class WriteRefusedHere(RuntimeError):
    """A read-only client was asked to write: a mistake in this program; nothing was sent."""


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
    alone makes a run more than twice as long. The HTTP client bounds how many requests there are at once.
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
    """Return the network as the connection's settings want it; ReconcilerError for a bad `ca_file` or proxy."""
    tls, proxy = _tls(connection), _proxy(connection.base_url)
    return Lanes(lambda: Lane(tls, proxy, KEEP_ALIVE))


def _tls(connection: Connection) -> ssl.SSLContext:
    if urlsplit(connection.base_url).scheme != "https":
        # Redirects are not followed, so no TLS can come up; loading authorities would cost 20 ms and more.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    named = f"{connection.where}: ca_file {connection.ca_file}"
    if connection.ca_file is None:
        named = f"{connection.where}: the authorities of SSL_CERT_FILE or SSL_CERT_DIR in the environment"
    try:
        if connection.ca_file is None:
            context = httpx.create_ssl_context()
        else:
            context = ssl.create_default_context(cafile=connection.ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else "it is not a PEM file"
        raise ReconcilerError(
            f"{named} cannot be used: {reason}", hint="expected a readable file of PEM certificates"
        ) from None
    # Said here, so that no setting of the system's OpenSSL allows what is older.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _proxy(base_url: str) -> httpx.Proxy | None:
    """Return the proxy the environment names for this host; never one for this very machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if _loopback(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):  # with its port, which no_proxy may name
        return None
    proxies = getproxies()
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    found = proxies.get(name)
    if not found:
        return None
    try:
        proxy = httpx.Proxy(found if "://" in found else f"http://{found}")
    except (ValueError, TypeError, httpx.InvalidURL):
        proxy = None
    if proxy is None or proxy.url.scheme not in {"http", "https"} or not proxy.url.host:
        # The variable's value is not repeated: it may hold a password.
        raise ReconcilerError(
            f"the proxy in the environment variable {name}_proxy cannot be used",
            hint="expected http://HOST:PORT or https://HOST:PORT, or a no_proxy that names the host",
        )
    if proxy.raw_auth is not None:
        redaction.hide(proxy.raw_auth[1].decode("utf-8", "replace"))
    return proxy


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
            connect = min(connection.timeout, CONNECT_TIMEOUT)
            said = words.format(lost=lost, timeout=f"{connection.timeout:g} s", connect=f"{connect:g} s")
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
