"""One call that h11 writes and reads, because its request or its answer is not plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11
import httpx

from reconciler.providers.http.wire import NO_ANSWER, Head, Message

_LONGEST_HEAD = 100 * 1024
"""Bytes of a status line with its headers, of a chunk's size or of the trailers, at most."""

Read = Callable[[], bytes]
"""Returns what has arrived; nothing at the end of the connection."""


class Exchange:
    """A request that is sent, and its answer."""

    def __init__(self, message: Message) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        with _named():
            request = h11.Request(method=message.method, target=message.target, headers=message.headers)
            written = self._http.send(request) or b""
            if message.content:
                written += self._http.send(h11.Data(data=message.content)) or b""
            self._http.send(h11.EndOfMessage())
        self.written = written
        """The bytes of the request."""

    def head(self, data: bytes, read: Read) -> Head:
        """Return the head of the answer, of which `data` has arrived."""
        self._http.receive_data(data)
        while not isinstance(event := self._event(read), h11.Response):
            pass  # a 1xx, which announces the answer
        return Head(event.status_code, event.headers.raw_items(), event.reason)

    def body(self, read: Read) -> Iterator[bytes]:
        """Yield the body of the answer as it arrives."""
        while type(event := self._event(read)) is h11.Data:
            yield bytes(event.data)

    def at_rest(self) -> bool:
        """Whether the answer was read to its end, and nothing came after it."""
        over = self._http.our_state is self._http.their_state is h11.DONE
        return over and not self._http.trailing_data[0]

    def _event(self, read: Read) -> object:
        while (event := self._next()) is h11.NEED_DATA:
            data = read()
            if not data and self._http.their_state is h11.SEND_RESPONSE:
                raise httpx.RemoteProtocolError(NO_ANSWER)
            self._http.receive_data(data)
        return event

    def _next(self) -> object:
        with _named():
            return self._http.next_event()


@contextmanager
def _named() -> Iterator[None]:
    """Raise the errors of h11 as those of httpx."""
    try:
        yield
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
