"""How fast one connection may ask: a steady pace, and the pauses a server asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 60.0
"""Seconds: a server that asks for a longer pause is asked again after this one all the same."""


class Pace:
    """Lets requests start at most `per_second` times a second, over all threads; None is no limit."""

    def __init__(self, per_second: float | None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until the next request may start."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            # A pause that a server asked for must not be shortened by a pace without an interval.
            self._next = start + self._interval if self._interval else self._next
        if start > now:
            time.sleep(start - now)

    def hold(self, seconds: float) -> None:
        """Let no request of any thread start for a while: the server said it has had enough."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + min(seconds, LONGEST_PAUSE))


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds `Retry-After` asks for (a number or an HTTP date), at most LONGEST_PAUSE."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:  # an HTTP date is always in GMT; one written "-0000" parses as naive
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE)
