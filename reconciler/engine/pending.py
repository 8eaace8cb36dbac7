"""Until when a remote system may still be at a call: nothing is looked for while it may be."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from reconciler.model.canonical import utc
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

    The connection's pace, reads before the call and pauses between attempts lie between the two.
    """
    recorded = time.monotonic()

    def prolong(seconds: float) -> None:
        nonlocal recorded
        if time.monotonic() - recorded > PROMPT:
            recorded = time.monotonic()
            store.prolong(number, pending_until(seconds))

    return prolong
