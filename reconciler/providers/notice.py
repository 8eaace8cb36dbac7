"""Reporting when a writing call really starts, so that its intent is extended before it could expire.

Between an intent and its call there are waits for the connection's pace, reads that the call needs first, and pauses
before retries. An attempt that could not be reported must not be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Notice = Callable[[float], None]
"""Called before each attempt with the seconds that it may take. If it raises ReconcilerError, nothing is sent."""

_NOTICE: ContextVar[Notice | None] = ContextVar("notice", default=None)


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
