"""One connection at a time, and the calls over it one after another: HTTP/1.1 as h11 reads and writes it.

The pool of the HTTP library costs more than the rest of a call: it is made for many connections, hosts and protocols.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import h11
import httpcore
import httpx

from reconciler.providers.http.deadline import Clock, Network, ProxySilent

PHASES = "phases"
"""The key of a request's extensions that holds a dict that takes the moment when each phase of the call ended."""

_READ = 64 * 1024
_LONGEST_HEAD = 100 * 1024
"""Bytes of a status line with its headers, of a chunk's size or of the trailers, at most."""

_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    h11.ProtocolError,
)
"""What the libraries below raise; httpx has a class of the same name for each."""

_Origin = tuple[str, bytes, int | None]
_Headers = list[tuple[bytes, bytes]]
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
        self._line: _Line | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Neither sending nor reading the answer waits beyond the deadline."""
        self._clock.start(request)
        try:
            line = self._ready(request)
            head = line.ask(*self._message(request), request)
        except BaseException as error:
            self.close()
            self._done(self)
            if isinstance(error, _FAILURES):
                raise self._mapped(error) from error
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=_Body(self, line, request))

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def release(self, line: _Line) -> None:
        """End a call: keep its connection for the next one if nothing is left of this one."""
        if line.at_rest():
            line.expires = time.monotonic() + self._keep_alive
        else:
            self.close()
        self._done(self)

    def _mapped(self, error: Exception) -> Exception:
        """Return the error of httpx. Before the first byte of the request was sent, a proxy is its reason."""
        kind = type(error).__name__
        if not self._clock.sent and kind in {"ReadTimeout", "WriteTimeout"}:
            return ProxySilent(str(error))
        if not self._clock.sent and kind in {"ReadError", "WriteError", "RemoteProtocolError"}:
            return httpx.ProxyError(str(error))
        found: Exception = getattr(httpx, kind)(str(error))
        return found

    def _ready(self, request: httpx.Request) -> _Line:
        """Return the open connection, or a new one if there is none that can be used."""
        url = request.url
        origin = (url.scheme, url.raw_host, url.port)
        if self._line is not None and not (self._line.origin == origin and self._line.usable()):
            self.close()
        if self._line is None:
            self._line = self._opened(request, origin)
        return self._line

    def _opened(self, request: httpx.Request, origin: _Origin) -> _Line:
        scheme, host, port = origin
        if scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"Request URL has an unsupported protocol '{scheme}://'.")
        if self._proxy is None:
            stream = self._connected(request, origin, self._tls if scheme == "https" else None)
            return _Line(origin, stream)
        url = self._proxy.url
        first = (url.scheme, url.raw_host, url.port)
        stream = self._connected(request, first, self._proxy_tls if url.scheme == "https" else None)
        if scheme == "http":
            return _Line(origin, stream)
        try:
            self._tunnel(_Line(first, stream), request, b"%b:%d" % (_bracketed(host), port or _PORTS[scheme]))
        except BaseException:
            stream.close()
            raise
        return _Line(origin, self._over_tls(request, stream, host, self._tls))

    def _connected(self, request: httpx.Request, origin: _Origin, tls: ssl.SSLContext | None) -> httpcore.NetworkStream:
        scheme, host, port = origin
        timeout = _timeout(request, "connect")
        stream = self._network.connect_tcp(host.decode("ascii"), port or _PORTS[scheme], timeout)
        _note(request, "connect")
        return stream if tls is None else self._over_tls(request, stream, host, tls)

    def _over_tls(
        self, request: httpx.Request, stream: httpcore.NetworkStream, host: bytes, tls: ssl.SSLContext
    ) -> httpcore.NetworkStream:
        _note(request, "connect")
        tls.set_alpn_protocols(["http/1.1"])
        try:
            secured = stream.start_tls(tls, host.decode("ascii"), _timeout(request, "connect"))
        except BaseException:
            stream.close()
            raise
        _note(request, "ssl")
        return secured

    def _tunnel(self, line: _Line, request: httpx.Request, target: bytes) -> None:
        headers = _merged([(b"Host", target), (b"Accept", b"*/*")], self._proxy_headers)
        answer = line.ask(h11.Request(method="CONNECT", target=target, headers=headers), b"", request)
        if answer.status_code // 100 != 2:  # noqa: PLR2004 - HTTP's class of success
            raise httpcore.ProxyError(f"{answer.status_code} {answer.reason.decode('ascii', 'ignore')}")

    def _message(self, request: httpx.Request) -> tuple[h11.Request, bytes]:
        url, target, headers = request.url, request.url.raw_path, request.headers.raw
        if self._proxy is not None and url.scheme == "http":
            target = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)
            headers = _merged(self._proxy_headers, headers)
        return h11.Request(method=request.method, target=target, headers=headers), request.read()

    @cached_property
    def _proxy_tls(self) -> ssl.SSLContext:
        found = self._proxy.ssl_context if self._proxy is not None else None
        return httpcore.default_ssl_context() if found is None else found

    @cached_property
    def _proxy_headers(self) -> _Headers:
        if self._proxy is None or self._proxy.raw_auth is None:
            return [] if self._proxy is None else self._proxy.headers.raw
        credentials = base64.b64encode(b":".join(self._proxy.raw_auth))
        return [(b"Proxy-Authorization", b"Basic " + credentials), *self._proxy.headers.raw]


class _Line:
    """An open connection."""

    def __init__(self, origin: _Origin, stream: httpcore.NetworkStream) -> None:
        self.origin, self._stream = origin, stream
        self.expires = 0.0
        """When it is too old to be used again."""
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._broken = False

    def usable(self) -> bool:
        """Whether it can take another request: unrequested bytes or its end make it unusable."""
        return time.monotonic() <= self.expires and not self._stream.get_extra_info("is_readable")

    def ask(self, head: h11.Request, content: bytes, request: httpx.Request) -> h11.Response:
        """Send a request and return the head of its answer."""
        message = self._http.send(head) or b""
        if content:
            message += self._http.send(h11.Data(data=content)) or b""
        self._http.send(h11.EndOfMessage())
        try:
            self._stream.write(message, _timeout(request, "write"))
            _note(request, "send")
        except httpcore.WriteError:  # a server may answer before it has read everything, and close
            self._broken = True
        try:
            while not isinstance(event := self.event(request), h11.Response):
                pass  # a 1xx, which announces the answer
        finally:
            _note(request, "wait")
        return event

    def event(self, request: httpx.Request) -> object:
        """Return what h11 reads next."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = self._stream.read(_READ, _timeout(request, "read"))
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
            self._http.receive_data(data)
        return event

    def at_rest(self) -> bool:
        """Whether a call is over and left no bytes, which would look like the answer to the next request."""
        http = self._http
        over = http.our_state is http.their_state is h11.DONE
        if not over or http.trailing_data[0] or self._broken:
            return False
        http.start_next_cycle()
        return True

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer; closing it ends the call."""

    def __init__(self, lane: Lane, line: _Line, request: httpx.Request) -> None:
        self._lane, self._line, self._request = lane, line, request
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        try:
            while type(event := self._line.event(self._request)) is h11.Data:
                yield bytes(event.data)
        except _FAILURES as error:
            raise getattr(httpx, type(error).__name__)(str(error)) from error

    def close(self) -> None:
        if self._open:
            self._open = False
            self._lane.release(self._line)


def _timeout(request: httpx.Request, step: str) -> float | None:
    timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
    return timeouts.get(step)


def _note(request: httpx.Request, phase: str) -> None:
    if (phases := request.extensions.get(PHASES)) is not None:
        phases[phase] = time.monotonic()


def _merged(first: _Headers, second: _Headers) -> _Headers:
    """Return both lists; of headers in both, those of the second."""
    named = {name.lower() for name, _ in second}
    return [*((name, value) for name, value in first if name.lower() not in named), *second]


def _bracketed(host: bytes) -> bytes:
    return b"[%b]" % host if b":" in host else host
