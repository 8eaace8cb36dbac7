"""Tests that do not wait as long as a run against a real system."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from unittest.mock import patch

LONGEST = 1.0
"""Seconds after which an emulator has surely ended a call, unless the test holds it."""


@contextmanager
def short_waits() -> Iterator[None]:
    """Wait at most a second for a lost call, and not at all before a failed request is sent again, inside this block.

    It affects this process only, not a command that is started as another one.
    """
    clock = SimpleNamespace(
        sleep=lambda seconds: time.sleep(min(seconds, LONGEST)), monotonic=time.monotonic, time=time.time
    )
    changes: dict[str, object] = {
        "reconciler.providers.http.client.LONGEST_BACKOFF": 0.0,
        "reconciler.engine.intents.time": clock,
        "reconciler.engine.readback.LOOKS": (0.0, 0.0),
        "reconciler.engine.creating.LOOKS": (0.0, 0.0),
    }
    with ExitStack() as stack:
        for name, value in changes.items():
            stack.enter_context(patch(name, value))
        yield
