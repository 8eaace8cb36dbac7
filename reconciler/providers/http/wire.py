"""Calls over one open connection, one after another: HTTP/1.1.

h11 writes and reads it. Only what leaves nothing to interpret is done here, because h11 takes a third of the time of a
small call: a request of plain headers, whose body has its length as one of them, and an answer of plain headers and one
length, with no byte more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

import h11
import httpcore
from msgspec import Struct

Headers = list[tuple[bytes, bytes]]

_READ = 64 * 1024
_LONGEST_HEAD = 100 * 1024
"""Bytes of a status line with its headers, of a chunk's size or of the trailers, at most."""

_NAME = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++"
_PLAIN_REQUEST = re.compile(
    rb"(?:GET|POST|PUT|DELETE) [!-~]++ HTTP/1\.1\r\nHost: [!-~]++\r\n"
    rb"(?:(?!(?i:host|connection: (?!keep-alive\r)|content-length|expect|transfer-encoding|upgrade))"
    + _NAME
    + rb": (?:[!-~]++(?:[\t ]++[!-~]++)*+)?+\r\n)*+\r\n"
)
_PLAIN_ANSWER = re.compile(
    rb"HTTP/1\.1 (2[0-9][0-35-9]|[45][0-9][0-9]) [\t -~]*+\r\n((?:" + _NAME + rb":[\t -~]*+\r\n)++)\r\n"
)
"""What every program reads alike: no 1xx, 204 or 3xx, which have special rules, and no folded header."""

_LENGTH = re.compile(rb"[0-9]{1,9}")
_NO_ANSWER = "Server disconnected without sending a response."


class Message(Struct):
    """A request: what is sent, and how long each step may take."""

    method: bytes
    target: bytes
    headers: Headers
    content: bytes
    timeouts: Mapping[str, float | None]
    """Seconds, by step: connect, write, read."""
    phases: dict[str, float] | None
    """Takes the moment when each phase ended."""

    def note(self, phase: str) -> None:
        """Note that a phase has ended."""
        if self.phases is not None:
            self.phases[phase] = time.monotonic()


class Head(Struct):
    """The beginning of an answer."""

    status: int
    headers: Headers
    reason: bytes = b""


class Wire:
    """An open connection."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.expires = 0.0
        """When it is too old to be used again."""
        self._http: h11.Connection | None = None
        """Reads the current answer, if it is not plain."""
        self._read_on = b""
        """The body of a plain answer, as far as it came with the head."""
        self._length = self._left = 0
        """The length of the body of a plain answer, and how much of it has not arrived yet."""
        self._sent = self._over = False
        """Whether the current request was written, and whether its answer was read, each to its end."""

    def usable(self) -> bool:
        """Whether it can take another request: unrequested bytes or its end make it unusable."""
        return time.monotonic() <= self.expires and not self._stream.get_extra_info("is_readable")

    def ask(self, message: Message) -> Head:
        """Send a request and return the head of its answer."""
        self._http, self._sent, self._over = None, False, False
        try:
            self._stream.write(self._written(message), message.timeouts.get("write"))
            self._sent = True
            message.note("send")
        except httpcore.WriteError:
            pass  # a server may answer before it has read everything, and close
        try:
            return self._head(message)
        finally:
            message.note("wait")

    def body(self, message: Message) -> Iterator[bytes]:
        """Yield the body of the answer as it arrives."""
        if self._http is not None:
            while type(event := self._event(self._http, message)) is h11.Data:
                yield bytes(event.data)
            return
        surplus = False
        yield self._read_on
        while self._left:
            data = self._read(message)
            if not data:
                got = f"received {self._length - self._left} bytes, expected {self._length}"
                raise httpcore.RemoteProtocolError(
                    f"peer closed connection without sending complete message body ({got})"
                )
            surplus, data = len(data) > self._left, data[: self._left]
            self._left -= len(data)
            yield data
        self._over = not surplus

    def at_rest(self) -> bool:
        """Whether a call is over and left no bytes, which would look like the answer to the next message."""
        if self._http is None:
            return self._sent and self._over
        over = self._http.our_state is self._http.their_state is h11.DONE
        return self._sent and over and not self._http.trailing_data[0]

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def _written(self, message: Message) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in message.headers]
        head = b"".join((b"%b %b HTTP/1.1\r\n" % (message.method, message.target), *lines, b"\r\n"))
        split = head.count(b"\n") != len(lines) + 2  # a value that holds the end of a line would be two headers
        length = b"\r\nContent-Length: %d\r\n" % len(message.content)
        alone = head.replace(length, b"\r\n", 1) if message.content else head
        framed = len(alone) < len(head) or not message.content
        if framed and not split and _PLAIN_REQUEST.fullmatch(alone) is not None:  # which holds no other length
            return head + message.content
        self._http, written = _through_h11(message)
        return written

    def _head(self, message: Message) -> Head:
        data = self._read(message)
        if not data:
            raise httpcore.RemoteProtocolError(_NO_ANSWER)
        if self._http is None:
            found = self._plain(data)
            if found is not None:
                return found
            self._http, _ = _through_h11(message)
        self._http.receive_data(data)
        while not isinstance(event := self._event(self._http, message), h11.Response):
            pass  # a 1xx, which announces the answer
        return Head(event.status_code, event.headers.raw_items(), event.reason)

    def _plain(self, data: bytes) -> Head | None:
        """Return the head of an answer that is plain."""
        head = _PLAIN_ANSWER.match(data)
        if head is None:
            return None
        lines = (line.partition(b":") for line in head[2].splitlines())
        headers = [(name, value.strip(b" \t")) for name, _, value in lines]
        length = None
        for name, value in headers:
            match name.lower():
                case b"content-length" if length is None and _LENGTH.fullmatch(value) is not None:
                    length = int(value)
                case b"content-length" | b"transfer-encoding":
                    return None
                case b"connection" if value.lower() != b"keep-alive":
                    return None
        came = len(data) - head.end()
        if length is None or came > length:
            return None
        self._read_on, self._length, self._left = data[head.end() :], length, length - came
        return Head(int(head[1]), headers)

    def _read(self, message: Message) -> bytes:
        """Read what has arrived. A smaller limit would leave a part of a TLS record, which no socket shows."""
        return self._stream.read(_READ, message.timeouts.get("read"))

    def _event(self, http: h11.Connection, message: Message) -> object:
        while (event := http.next_event()) is h11.NEED_DATA:
            data = self._read(message)
            if not data and http.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError(_NO_ANSWER)
            http.receive_data(data)
        return event


def _through_h11(message: Message) -> tuple[h11.Connection, bytes]:
    """Return a connection that has sent a request, and what it sent."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
    written = http.send(h11.Request(method=message.method, target=message.target, headers=message.headers)) or b""
    if message.content:
        written += http.send(h11.Data(data=message.content)) or b""
    http.send(h11.EndOfMessage())
    return http, written
