"""Until when a remote system may still be at a call: nothing is looked for while it may be."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reconciler.model.canonical import utc
from reconciler.model.objects import Intent
from reconciler.providers.notice import Notice

PENDING_MARGIN = 3.0
"""Seconds beyond a connection's timeout after which a server has surely ended a call that nobody waits for.

Instants are kept to the second, and an attempt may start PROMPT later, so that two of them are lost at worst.
"""

PROMPT = 1.0
"""Seconds after which an attempt is too late for what its intent says, so that the intent is prolonged first."""


class Prolonged(Protocol):
    """The part of the state that keeps an intent open for longer."""

    def prolong(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError: it must not be sent."""
        ...


def pending_until(timeout: float) -> str:
    """Return until when the remote system may still be at a call that is sent now and never heard of again."""
    return utc(datetime.now(UTC) + timedelta(seconds=timeout + PENDING_MARGIN))


def prolonging(store: Prolonged, number: int) -> Notice:
    """Return what keeps an intent open long enough where an attempt of its call starts later than it was recorded.

    The connection's pace, reads before the call and pauses between attempts lie between the two, or a machine
    that was asleep, which only one of its clocks tells.
    """
    recorded = time.monotonic(), time.time()

    def prolong(seconds: float) -> None:
        nonlocal recorded
        now = time.monotonic(), time.time()
        if max(now[0] - recorded[0], now[1] - recorded[1]) > PROMPT:
            recorded = now
            store.prolong(number, pending_until(seconds))

    return prolong


def left_to_wait(intent: Intent) -> float:
    """Return the seconds for which a remote system may still be at an intent's call; negative where it surely is not.

    Never longer than it was recorded for: the clock of the machine that recorded it may be ahead of this one's.
    """
    if not intent.pending_until:
        return -1.0
    ends = datetime.fromisoformat(intent.pending_until)
    recorded = (ends - datetime.fromisoformat(intent.started_at)).total_seconds()
    return min((ends - datetime.now(UTC)).total_seconds(), recorded)
