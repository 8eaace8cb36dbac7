"""Ends the calls to a system that does not respond: a run must not wait for one timeout after another for hours.

Reads, writes and logins are counted apart: a system whose writes hang may still answer reads. A read of what was
written must be possible, so that no write starts either where reads get no answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from reconciler.errors import RemoteError

Sort = Literal["read", "write", "login"]

ROUNDS = 4
"""Timeouts in a row after which a system does not respond: as many as a read has attempts.

Those of calls at the same time count once: a short outage hits all of them.
"""

CALLS = 3
"""Different calls that these timeouts are of, at least: one object that never responds is no reason to leave others."""

PATIENCE = 300.0
"""Seconds of nothing but refusals for now (429, or 503 with Retry-After) after which the rest is not sent either."""

AGAIN = 60.0
"""Seconds after which one call tries again; its answer lets the others through."""


class _Row(Struct):
    """What happened since the last answer."""

    rounds: int = 0
    counted: float = 0.0
    """When the last counted timeout was."""
    calls: list[object] = []
    """Some of the calls that timed out."""
    refused: float | None = None
    """When the first refusal for now was."""
    why: str | None = None
    """Why nothing is sent; None where calls are."""
    again: float = 0.0
    """When one call may try again."""
    probe: object = None
    """That call."""


class Breaker:
    """Counts the calls of one connection that got no answer, over all threads. A call is any object that is its own."""

    def __init__(self, name: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._rows: dict[Sort, _Row] = {}
        """Only of what did not work last: nearly always none, which is seen without the lock."""
        self._lock = threading.Lock()

    def check(self, call: object, sort: Sort) -> None:
        """Raise RemoteError where a call must not be sent, because the system does not respond."""
        if not self._rows:
            return
        with self._lock:
            for row in map(self._rows.get, ("read", "write") if sort == "write" else (sort,)):
                if row is None or row.why is None or row.probe is call:
                    continue
                if self._clock() < row.again:
                    raise RemoteError(f"not sent, because connection `{self._name}` {row.why}")
                row.probe, row.again = call, self._clock() + AGAIN

    def answered(self, sort: Sort) -> None:
        """Note an answer: the system works."""
        if sort in self._rows:
            with self._lock:
                self._rows.pop(sort, None)

    def timed_out(self, call: object, sort: Sort, began: float) -> None:
        """Note a call that began then and got no answer in time."""
        with self._lock:
            row = self._rows.setdefault(sort, _Row())
            if began >= row.counted:
                row.rounds, row.counted = row.rounds + 1, self._clock()
            if len(row.calls) < CALLS and not any(item is call for item in row.calls):
                row.calls.append(call)
            if row.rounds >= ROUNDS and len(row.calls) >= CALLS:
                self._open(row, f"did not respond {row.rounds} times in a row; check it, or its timeout")

    def postponed(self, sort: Sort) -> None:
        """Note that the system refuses calls for now."""
        with self._lock:
            row = self._rows.setdefault(sort, _Row())
            row.refused = self._clock() if row.refused is None else row.refused
            if self._clock() - row.refused >= PATIENCE:
                self._open(row, f"has refused every call for {PATIENCE:.0f} s; try again later")

    def _open(self, row: _Row, why: str) -> None:
        if row.why is None:
            row.again = self._clock() + AGAIN
        row.why = why
