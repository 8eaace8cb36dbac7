"""Reading the body of an answer, and unpacking it, within limits of time and size.

A few bytes may unpack to more than fits into memory, and so may many answers at once. Every piece is counted before
the next one is read.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from reconciler.settings import MEGABYTE

IN_FLIGHT = 64 * MEGABYTE
"""Maximum size in bytes of all answers together that are being read or that are not decoded yet."""

ENCODINGS = "gzip"
"""The accepted compressions: only gzip can be stopped at a size while unpacking."""

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64 * 1024
"""Bytes that are unpacked at once: a limit is passed by no more than that."""


class AnswerTooLarge(Exception):
    """An answer is larger than its limit."""

    def __init__(self, status: int, limit: float) -> None:
        super().__init__(f"a response of more than {limit:g} MB")
        self.status = status


class Budget:
    """The bytes of all answers in memory: a read waits where they are too many, so that threads do not add up.

    The oldest answer that is still being read never waits, so that one always ends.
    """

    def __init__(self, most: int = IN_FLIGHT) -> None:
        self._most = most
        self._held: dict[object, int] = {}
        self._total = 0
        self._reading: dict[object, None] = {}
        self._lock = threading.RLock()  # an answer may be released wherever memory is collected
        self._changed = threading.Condition(self._lock)
        self._waiting = 0

    @contextmanager
    def reading(self, ticket: object) -> Iterator[None]:
        """Count an answer as being read while the block runs; its bytes count until `release`."""
        with self._lock:
            self._reading[ticket] = None
        try:
            yield
        finally:
            with self._lock:
                del self._reading[ticket]
                self._wake()

    def take(self, ticket: object, size: int, deadline: float | None) -> None:
        """Add bytes to an answer that is being read; without a `deadline` at once, else ReadTimeout after it."""
        with self._lock:
            while deadline is not None and self._total + size > self._most and next(iter(self._reading)) is not ticket:
                self._waiting += 1
                try:
                    in_time = self._changed.wait(deadline - time.monotonic())
                finally:
                    self._waiting -= 1
                if not in_time:
                    raise httpx.ReadTimeout("too many large responses at once")
            self._held[ticket] = self._held.get(ticket, 0) + size
            self._total += size

    def release(self, ticket: object) -> None:
        """Forget the bytes of an answer."""
        with self._lock:
            self._total -= self._held.pop(ticket, 0)
            self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._changed.notify_all()


BUDGET = Budget()
"""That of this process."""


class Hold:
    """What an answer holds in the budget: it is released with the answer."""

    __slots__ = ("_budget", "_ticket")

    def __init__(self, budget: Budget, ticket: object) -> None:
        self._budget, self._ticket = budget, ticket

    def __del__(self) -> None:
        self._budget.release(self._ticket)


def read_body(response: httpx.Response, deadline: float, limit: float, *, ticket: object, waits: bool) -> bytes:
    """Read an answer to its end; AnswerTooLarge if it is larger than `limit` (in MB).

    Its bytes count for `ticket` in the budget. The answer to a write never `waits`: its effect is already there.
    """
    chunks: list[bytes] = []
    size = 0
    most = int(limit * MEGABYTE)
    with BUDGET.reading(ticket):
        for chunk in _unpacked(response, most):
            size += len(chunk)
            if size > most:
                raise AnswerTooLarge(response.status_code, limit)
            BUDGET.take(ticket, len(chunk), deadline if waits else None)
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the response did not end in time")
    return b"".join(chunks)


def _unpacked(response: httpx.Response, most: int) -> Iterator[bytes]:
    if not isinstance(response.stream, httpx.SyncByteStream):  # pragma: no cover - a sync client's always is
        raise TypeError(type(response.stream).__name__)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        yield from response.stream
        return
    if encoding not in {"gzip", "x-gzip"}:  # also two of them, one over the other
        raise httpx.DecodingError("an unrequested compression")
    yield from _gunzipped(response.stream, most)


def _gunzipped(packed: httpx.SyncByteStream, most: int) -> Iterator[bytes]:
    """Unpack piece by piece."""
    unpack = zlib.decompressobj(_GZIP)
    seen = 0
    for chunk in packed:
        seen += len(chunk)
        if seen > most:
            raise httpx.DecodingError("more compressed bytes than the limit")
        rest = chunk
        while rest and not unpack.eof:
            try:
                piece = unpack.decompress(rest, _PIECE)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from None
            yield piece
            rest = unpack.unconsumed_tail
    if seen and not unpack.eof:
        raise httpx.DecodingError("it ends too early")
