"""How fast one connection may ask: its limits, the pauses a server asks for, and what a refusal teaches.

Ours because nothing else fits: of the kept libraries, aiolimiter is for asyncio and pyrate-limiter keeps a
fixed rate. Neither slows down when a server says that it has had enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reconciler.errors import NotStarted

LONGEST_PAUSE = 60.0
"""Seconds: a server that asks for a longer pause is asked again after this one all the same."""

FASTEST = 20.0
"""Requests a second from which on a pace that a refusal made slow, and that has no limit set, is none again."""

SLOWEST = 0.1
"""Requests a second that refusals never bring the pace below."""

_GAIN, _GROWTH = 0.05, 0.05
"""What each good answer adds to a slowed pace: so many requests a second, and that part of what it is."""

LAST_WAIT = 2.0
"""Seconds that a request may still wait for its turn once the run was asked to stop."""

_NOTHING = 1e-6


class Pace:
    """Lets requests start at most `per_second` times a second, over all threads; None is no limit.

    A refusal (429) halves the pace, good answers bring it back bit by bit. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        per_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._limit = per_second
        self._rate = per_second
        self._clock, self._sleep = clock, sleep
        self._next = self._held = 0.0
        self._slowed: float | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @property
    def rate(self) -> float | None:
        """Requests a second at present; None where there is no limit."""
        return self._rate

    def wait(self, stop: threading.Event | None = None) -> None:
        """Sleep until the next request may start; one thread sleeps, the others queue behind it.

        NotStarted: `stop` is set, and the request would have to wait for longer than LAST_WAIT.
        """
        with self._turn:
            while (pause := self._due()) > _NOTHING:
                if stop is None or pause <= LAST_WAIT:
                    self._sleep(pause)
                elif stop.wait(pause):
                    raise NotStarted("not sent, because the run was interrupted while it waited for its turn")

    def _due(self) -> float:
        """Return how long to wait yet, looked at anew after each sleep: a pause may have been asked for meanwhile."""
        with self._lock:
            now = self._clock()
            start = max(self._next, self._held)
            if start - now > _NOTHING:
                return start - now
            if self._rate is not None:
                self._next = now + 1 / self._rate
            return 0.0

    def hold(self, seconds: float) -> None:
        """Let no request of any thread start for a while: the server said it has had enough."""
        with self._lock:
            self._held = max(self._held, self._clock() + min(seconds, LONGEST_PAUSE))

    def refused(self, began: float) -> None:
        """Halve the pace after a refusal of a request that began at `began`.

        Refusals of requests that were under way when it was last halved say nothing new.
        """
        with self._lock:
            if self._slowed is not None and began <= self._slowed:
                return
            self._slowed = self._clock()
            ceiling = FASTEST if self._limit is None else self._limit
            rate = ceiling if self._rate is None else self._rate
            self._rate = max(rate / 2, min(SLOWEST, ceiling))

    def answered(self) -> None:
        """Bring a slowed pace back a little after a good answer."""
        if self._rate == self._limit:  # nearly always; and without the lock
            return
        with self._lock:
            if self._rate is not None:
                rate = self._rate * (1 + _GROWTH) + _GAIN
                ceiling = FASTEST if self._limit is None else self._limit
                self._rate = rate if rate < ceiling else self._limit


class Limiter:
    """One connection's limits, shared by whatever reads and writes through it.

    Once `stop` is set nobody sleeps any more: what would have to wait is not sent.
    """

    def __init__(self, max_concurrency: int, per_second: float | None) -> None:
        self.pace = Pace(per_second)
        self.stop = threading.Event()
        self._slots = threading.BoundedSemaphore(max_concurrency)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may start, and count it as running until the block ends; NotStarted where it may not."""
        with self._slots:
            self.pace.wait(self.stop)
            yield

    def pause(self, seconds: float) -> None:
        """Sleep between two attempts of a request, but not beyond `stop`."""
        self.stop.wait(seconds)


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds `Retry-After` asks for (a number or an HTTP date), at most LONGEST_PAUSE."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float((text.lstrip("0") or "0")[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # an HTTP date is always in GMT; one written "-0000" parses as naive
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE)
    except (TypeError, ValueError, OverflowError, IndexError):  # what the parser makes of garbage
        return None
