"""One connection at a time: how it is opened, kept and given up, and what its failures are called.

The pool of the HTTP library costs more than the rest of a call: it is made for many connections, hosts and protocols.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Iterator
from functools import cached_property

import h11
import httpcore
import httpx

from reconciler.providers.http.deadline import Clock, Network, ProxySilent
from reconciler.providers.http.wire import Headers, Message, Wire

PHASES = "phases"
"""The key of a request's extensions that holds a dict that takes the moment when each phase of the call ended."""

_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    h11.ProtocolError,
)
"""What the libraries below raise; httpx has a class of the same name for each."""

_Origin = tuple[str, bytes, int | None]
_PORTS = {"http": 80, "https": 443}


class Lane(httpx.BaseTransport):
    """A transport with one connection, whose waits end at the `DEADLINE` of the request.

    A connection is kept for `keep_alive` seconds. `done` is called when the answer to a request is closed.
    """

    def __init__(
        self, tls: ssl.SSLContext, proxy: httpx.Proxy | None, keep_alive: float, done: Callable[[Lane], object]
    ) -> None:
        self._tls, self._proxy, self._keep_alive, self._done = tls, proxy, keep_alive, done
        self._clock = Clock()
        self._network = Network(self._clock)
        self._wire: Wire | None = None
        self._origin: _Origin | None = None
        """Where the wire leads."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Neither sending nor reading the answer waits beyond the deadline."""
        self._clock.start(request)
        try:
            message = self._message(request)
            wire = self._ready(message, request.url)
            head = wire.ask(message)
        except BaseException as error:
            self.close()
            self._done(self)
            if isinstance(error, _FAILURES):
                raise self.mapped(error) from error
            raise
        return httpx.Response(head.status, headers=head.headers, stream=_Body(self, wire, message))

    def close(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def release(self, wire: Wire) -> None:
        """End a call: keep its connection for the next one if nothing is left of this one."""
        if wire.at_rest():
            wire.expires = time.monotonic() + self._keep_alive
        else:
            self.close()
        self._done(self)

    def mapped(self, error: Exception) -> Exception:
        """Return the error of httpx. Before the first byte of the request was sent, a proxy is its reason."""
        kind = type(error).__name__
        if not self._clock.sent and kind in {"ReadTimeout", "WriteTimeout"}:
            return ProxySilent(str(error))
        if not self._clock.sent and kind in {"ReadError", "WriteError", "RemoteProtocolError"}:
            return httpx.ProxyError(str(error))
        found: Exception = getattr(httpx, kind)(str(error))
        return found

    def _ready(self, message: Message, url: httpx.URL) -> Wire:
        """Return the open connection, or a new one if there is none that can be used."""
        origin = (url.scheme, url.raw_host, url.port)
        if self._wire is not None and not (self._origin == origin and self._wire.usable()):
            self.close()
        if self._wire is None:
            self._wire, self._origin = Wire(self._opened(message, origin)), origin
        return self._wire

    def _opened(self, message: Message, origin: _Origin) -> httpcore.NetworkStream:
        scheme, host, port = origin
        if scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"Request URL has an unsupported protocol '{scheme}://'.")
        if self._proxy is None:
            return self._connected(message, origin, self._tls)
        url = self._proxy.url
        stream = self._connected(message, (url.scheme, url.raw_host, url.port), self._proxy_tls)
        if scheme == "http":
            return stream
        try:
            self._tunnel(stream, message, b"%b:%d" % (_bracketed(host), port or _PORTS[scheme]))
        except BaseException:
            stream.close()
            raise
        return _over_tls(message, stream, host, self._tls)

    def _connected(self, message: Message, origin: _Origin, tls: ssl.SSLContext | None) -> httpcore.NetworkStream:
        scheme, host, port = origin
        timeout = message.timeouts.get("connect")
        stream = self._network.connect_tcp(host.decode("ascii"), port or _PORTS[scheme], timeout)
        message.note("connect")
        return stream if tls is None or scheme == "http" else _over_tls(message, stream, host, tls)

    def _tunnel(self, stream: httpcore.NetworkStream, message: Message, target: bytes) -> None:
        headers = _merged([(b"Host", target), (b"Accept", b"*/*")], self._proxy_headers)
        answer = Wire(stream).ask(Message(b"CONNECT", target, headers, b"", message.timeouts, message.phases))
        if answer.status // 100 != 2:  # noqa: PLR2004 - HTTP's class of success
            raise httpcore.ProxyError(f"{answer.status} {answer.reason.decode('ascii', 'ignore')}")

    def _message(self, request: httpx.Request) -> Message:
        url, target, headers = request.url, request.url.raw_path, request.headers.raw
        if self._proxy is not None and url.scheme == "http":
            target = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)
            headers = _merged(self._proxy_headers, headers)
        timeouts, phases = request.extensions.get("timeout", {}), request.extensions.get(PHASES)
        return Message(request.method.encode("ascii"), target, headers, request.read(), timeouts, phases)

    @cached_property
    def _proxy_tls(self) -> ssl.SSLContext | None:
        if self._proxy is None or self._proxy.url.scheme == "http":
            return None
        return self._proxy.ssl_context or httpcore.default_ssl_context()

    @cached_property
    def _proxy_headers(self) -> Headers:
        if self._proxy is None or self._proxy.raw_auth is None:
            return [] if self._proxy is None else self._proxy.headers.raw
        credentials = base64.b64encode(b":".join(self._proxy.raw_auth))
        return [(b"Proxy-Authorization", b"Basic " + credentials), *self._proxy.headers.raw]


class _Body(httpx.SyncByteStream):
    """The body of an answer; closing it ends the call."""

    def __init__(self, lane: Lane, wire: Wire, message: Message) -> None:
        self._lane, self._wire, self._message = lane, wire, message
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._wire.body(self._message)
        except _FAILURES as error:
            raise self._lane.mapped(error) from error

    def close(self) -> None:
        if self._open:
            self._open = False
            self._lane.release(self._wire)


def _over_tls(
    message: Message, stream: httpcore.NetworkStream, host: bytes, tls: ssl.SSLContext
) -> httpcore.NetworkStream:
    message.note("connect")
    tls.set_alpn_protocols(["http/1.1"])
    try:
        secured = stream.start_tls(tls, host.decode("ascii"), message.timeouts.get("connect"))
    except BaseException:
        stream.close()
        raise
    message.note("ssl")
    return secured


def _merged(first: Headers, second: Headers) -> Headers:
    """Return both lists; of headers in both, those of the second."""
    named = {name.lower() for name, _ in second}
    return [*((name, value) for name, value in first if name.lower() not in named), *second]


def _bracketed(host: bytes) -> bytes:
    return b"[%b]" % host if b":" in host else host
