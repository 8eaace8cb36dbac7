"""The transport of the HTTP client: sockets, TLS, and the guard that keeps a plan from writing."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import httpx

from reconciler.errors import ReconcilerError
from reconciler.providers.http.body import AnswerTooLarge
from reconciler.providers.http.deadline import CONNECT_TIMEOUT, NotSentInTime, ProxySilent
from reconciler.providers.http.lane import Lane
from reconciler.providers.http.next_steps import causes
from reconciler.providers.http.proxies import proxy_of
from reconciler.settings import Connection

KEEP_ALIVE = 4.0
"""Seconds to keep an idle connection: fewer than servers usually do, so that a write rarely meets a closed one."""


_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (NotSentInTime, "not sent within {timeout}"),
    (ProxySilent, "{lost}the proxy did not open a connection within {timeout}"),
    (httpx.PoolTimeout, "no connection was free within {timeout}"),
    (httpx.ConnectTimeout, "{lost}timed out after {connect}"),
    (httpx.TimeoutException, "timed out after {timeout}"),
    (httpx.ProxyError, "{lost}refused by the proxy"),
    (
        httpx.RemoteProtocolError,
        "the connection was closed before the response was complete, or the response is not HTTP",
    ),
    (httpx.NetworkError, "the connection broke"),
    (httpx.DecodingError, "the response cannot be decompressed"),
)
"""The message for each kind of failure; the first match counts."""


class WriteRefusedHere(RuntimeError):
    """A read-only client was asked to write. This is a defect of the program; nothing was sent."""


class ReadOnly(httpx.BaseTransport):
    """A transport that sends only GET, and POST to exactly the login path."""

    def __init__(self, inner: httpx.BaseTransport, login_path: str | None) -> None:
        self._inner = inner
        self._login = None if login_path is None else login_path.encode("ascii")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, or raise WriteRefusedHere."""
        login = request.method == "POST" and self._login is not None and request.url.raw_path == self._login
        if request.method != "GET" and not login:
            raise WriteRefusedHere(f"{request.method} {request.url.path} on a read-only connection; it was not sent")
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()


class Lanes(httpx.BaseTransport):
    """One transport with one connection for each concurrent request, the last used first.

    One pool of n connections would search all n for every request: at 50 connections that alone more than doubles the
    time of a run. The HTTP client limits the number of concurrent requests.
    """

    def __init__(self, tls: ssl.SSLContext, proxy: httpx.Proxy | None) -> None:
        self._tls, self._proxy = tls, proxy
        self._idle: list[Lane] = []  # append and pop of a list are atomic
        self._all: list[Lane] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on a separate lane, until its answer is closed."""
        return self._take().handle_request(request)

    def close(self) -> None:
        """Close the connection of every lane."""
        for lane in self._all:
            lane.close()

    def _take(self) -> Lane:
        try:
            return self._idle.pop()
        except IndexError:
            lane = Lane(self._tls, self._proxy, KEEP_ALIVE, self._idle.append)
            self._all.append(lane)
            return lane


def open_transport(connection: Connection) -> httpx.BaseTransport:
    """Return the transport for a connection; ReconcilerError for a bad `ca_file` or proxy."""
    return Lanes(_tls(connection), proxy_of(connection.base_url))


def _tls(connection: Connection) -> ssl.SSLContext:
    if urlsplit(connection.base_url).scheme != "https":
        # Redirects are not followed, so TLS is never used; loading the authorities would cost 20 ms or more.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    named = f"{connection.where}: ca_file {connection.ca_file}"
    if connection.ca_file is None:
        named = f"{connection.where}: the certificates of SSL_CERT_FILE or SSL_CERT_DIR in the environment"
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
    # Set here, so that no setting of the system's OpenSSL allows an older version.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def failure_words(error: Exception, connection: Connection) -> tuple[str, bool]:
    """Return the error message, and whether a retry would be useless."""
    parts = urlsplit(connection.base_url)
    lost = f"cannot connect to {parts.scheme}://{parts.netloc.rpartition('@')[2]}: "
    if isinstance(error, AnswerTooLarge):
        return str(error), True
    if isinstance(error, httpx.ConnectError):
        cause = next(causes(error), None)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: certificate not accepted: {cause.verify_message}", True
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or 'handshake failed').lower().replace('_', ' ')}", True
        return lost + _socket_words(cause), False
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            connect = min(connection.timeout, CONNECT_TIMEOUT)
            said = words.format(lost=lost, timeout=f"{connection.timeout:g} s", connect=f"{connect:g} s")
            return said, isinstance(error, httpx.DecodingError)
    return f"the request failed ({type(error).__name__})", True


def _socket_words(cause: OSError | None) -> str:
    if isinstance(cause, socket.gaierror):
        return "its host name could not be resolved"
    return "no connection" if cause is None else str(cause.strerror).lower()
