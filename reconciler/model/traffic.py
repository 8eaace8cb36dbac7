"""What the HTTP calls of a run do: counts and waits for who shows progress, each call for who records it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from msgspec import Struct

Item = TypeVar("Item")
Result = TypeVar("Result")


class Call(Struct, frozen=True, kw_only=True):
    """One attempt to send a request, and how it ended. The credentials of its connection are masked in all texts."""

    connection: str
    attempt: int
    """1 for the first, more for retries."""
    began: float
    """When it was asked for, in seconds of the epoch."""
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str | None
    """None where there is none, or where it is not for others: that of a login."""
    status: int | None
    """None where there was no answer."""
    response_headers: Mapping[str, str]
    response_body: str | None
    response_size: int
    error: str
    """Why there was no answer."""
    timings: Mapping[str, float]
    """Seconds by phase, as far as known: blocked, connect, ssl, send, wait, receive."""


class Traffic:
    """The calls of one run, over all its connections; safe to use from several threads."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Call], None]] = []
        """What receives each call when it has ended."""
        self.calls = 0
        """Calls that have ended."""
        self.objects = 0
        """Objects that were read."""
        self.expected = 0
        """Objects that are to be read, as far as known."""
        self._waits: dict[object, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def ended(self) -> None:
        """Count a call."""
        with self._lock:
            self.calls += 1

    def counting(self, function: Callable[[Item], Result], number: int) -> Callable[[Item], Result]:
        """Return a function that reads one object, which counts; it will be called `number` times."""
        with self._lock:
            self.expected += number

        def counted(item: Item) -> Result:
            try:
                return function(item)
            finally:
                with self._lock:
                    self.objects += 1

        return counted

    @contextmanager
    def waiting(self, words: str, seconds: float) -> Iterator[None]:
        """Note what a thread waits for while the block runs."""
        ticket = object()
        self._waits[ticket] = (words, time.monotonic() + seconds)
        try:
            yield
        finally:
            del self._waits[ticket]

    def awaited(self) -> str:
        """Return what is waited for longest, such as `admin (rate limit), 4 s`; empty where nothing is."""
        longest = max(list(self._waits.values()), key=lambda wait: wait[1], default=None)
        if longest is None:
            return ""
        left = longest[1] - time.monotonic()
        return f"{longest[0]}, {left:.0f} s" if left >= 1 else longest[0]
