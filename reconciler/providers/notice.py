"""Reporting when a writing call really starts, so that its intent is extended before it could expire.

Between an intent and the first byte of its call there are waits for the connection's pace, reads that the call needs
first, pauses before retries, a new connection and its handshakes, and all the time for which the process or the machine
is stopped. An attempt that could not be reported must not be sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Notice = Callable[[float], None]
"""Called before each attempt with the seconds that it may take. If it raises ReconcilerError, nothing is sent.

Called twice where the network is real: before a connection is opened, and again before the first byte.
"""

_NOTICE: ContextVar[Notice | None] = ContextVar("notice", default=None)


def asleep() -> float:
    """Return for how many seconds this machine was suspended, from any fixed moment on; 0 where no clock shows it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # Linux: the only clock that goes on while the machine sleeps
    return 0.0 if boot is None else time.clock_gettime(boot) - time.monotonic()


@contextmanager
def noticed(notice: Notice) -> Iterator[None]:
    """Call `notice` before each attempt of every writing call that this thread sends in the block."""
    token = _NOTICE.set(notice)
    try:
        yield
    finally:
        _NOTICE.reset(token)


def starting(seconds: float) -> None:
    """Report that a writing call is sent now and may take `seconds`."""
    notice = _NOTICE.get()
    if notice is not None:
        notice(seconds)
