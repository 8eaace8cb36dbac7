"""Rate limiting of one connection: its limits, the pauses that a server asks for, and slowing down after a 429.

No maintained library fits: aiolimiter is for asyncio, pyrate-limiter keeps a fixed rate. Neither slows down when a
server returns 429.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reconciler.errors import NotStarted, OutOfTime
from reconciler.model.limit import TimeLimit
from reconciler.model.traffic import Traffic
from reconciler.providers.http.breaker import Breaker, Sort

LONGEST_PAUSE = 60.0
"""Maximum seconds to wait when a server asks for a pause."""

FASTEST = 20.0
"""Requests per second at which a slowed pace without a set limit becomes unlimited again."""

SLOWEST = 0.1
"""Minimum requests per second, however often the server refuses."""

_GAIN, _GROWTH = 0.05, 0.05
"""What each good answer adds to a slowed pace: requests per second, and a share of the pace."""

LAST_WAIT = 2.0
"""Seconds that a request may still wait for its turn after the run was asked to stop."""

_NOTHING = 1e-6


class Pace:
    """Starts at most `per_second` requests a second, over all threads; None is no limit.

    A 429 halves the pace; good answers raise it step by step. `clock` and `sleep` are for tests.
    """

    def __init__(
        self,
        per_second: float | None,
        *,
        name: str = "",
        traffic: Traffic | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._words = f"{name} (rate limit)"
        self._traffic = traffic or Traffic()
        self._limit = per_second
        self._rate = per_second
        self._clock, self._sleep = clock, sleep
        self._next = self._held = 0.0
        self._slowed: float | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def wait(self, stop: threading.Event | None = None, limit: TimeLimit | None = None) -> None:
        """Sleep until the next request may start. One thread sleeps, the others queue behind it.

        NotStarted: `stop` is set and the request would wait for longer than LAST_WAIT, or until the `limit` is over.
        """
        if self._rate is None and not (self._next or self._held):  # nearly always; and without a lock
            return
        with self._turn:
            while (pause := self._due()) > _NOTHING:
                if limit is not None and limit.left() < pause:
                    raise OutOfTime(f"not sent, because {limit.words}")
                with self._traffic.waiting(self._words, pause):
                    if stop is None or pause <= LAST_WAIT:
                        self._sleep(pause)
                    elif stop.wait(pause):
                        raise NotStarted("not sent, because the run was interrupted while it waited for its turn")

    def _due(self) -> float:
        """Return the seconds left to wait. Called after each sleep, because the server may have asked for a pause."""
        with self._lock:
            now = self._clock()
            start = max(self._next, self._held)
            if start - now > _NOTHING:
                return start - now
            if self._rate is not None:
                self._next = now + 1 / self._rate
            return 0.0

    def hold(self, seconds: float) -> None:
        """Start no request of any thread for a while, because the server asked for a pause."""
        with self._lock:
            self._held = max(self._held, self._clock() + min(seconds, LONGEST_PAUSE))

    def refused(self, began: float) -> None:
        """Halve the pace after a 429 to a request that began at `began`.

        A 429 to a request that began before the pace was last halved is ignored.
        """
        with self._lock:
            if self._slowed is not None and began <= self._slowed:
                return
            self._slowed = self._clock()
            ceiling = FASTEST if self._limit is None else self._limit
            rate = ceiling if self._rate is None else self._rate
            self._rate = max(rate / 2, min(SLOWEST, ceiling))

    def answered(self) -> None:
        """Raise a slowed pace a little after a good answer."""
        if self._rate == self._limit:  # nearly always; and without the lock
            return
        with self._lock:
            if self._rate is not None:
                rate = self._rate * (1 + _GROWTH) + _GAIN
                ceiling = FASTEST if self._limit is None else self._limit
                self._rate = rate if rate < ceiling else self._limit


class Limiter:
    """The limits of one connection, shared by all its HTTP clients.

    After `stop` is set, a request that would have to wait is not sent. Once the `limit` of the run is over, none is,
    except the reads of what was written before, where the run is `finishing`.
    """

    def __init__(
        self,
        max_concurrency: int,
        per_second: float | None,
        *,
        name: str = "",
        limit: TimeLimit | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self.traffic = traffic or Traffic()
        self.pace = Pace(per_second, name=name, traffic=self.traffic)
        self._name = name
        self.breaker = Breaker(name)
        self.limit = limit or TimeLimit()
        self.finishing = False
        self.stop = threading.Event()
        self._slots = threading.BoundedSemaphore(max_concurrency)

    @contextmanager
    def turn(self, call: object, sort: Sort) -> Iterator[None]:
        """Wait until a request may start, and count it until the block ends; RemoteError if it may not start."""
        with self._slots:
            self._check(call, sort)
            self.pace.wait(self.stop, None if self.finishing and sort == "read" else self.limit)
            self._check(call, sort)
            yield

    def _check(self, call: object, sort: Sort) -> None:
        if self.limit.over and not (self.finishing and sort != "write"):
            raise OutOfTime(f"not sent, because {self.limit.words}")
        self.breaker.check(call, sort)

    def pause(self, seconds: float) -> None:
        """Sleep between two attempts of a request, until `stop` or the end of the run at the latest."""
        pause = min(seconds, self.limit.left())
        with self.traffic.waiting(f"{self._name} (retry)", pause):
            self.stop.wait(pause)


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
    except (TypeError, ValueError, OverflowError, IndexError):  # errors of the parser for invalid text
        return None
