"""Who wants to know when a writing call really starts: the journal, whose entry must outlast the call.

Between an intent and its call lie the connection's pace, reads that the call needs first, and, where an attempt
is repeated, pauses. An attempt that nobody has been told of must not be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Notice = Callable[[float], None]
"""Called before each attempt with the seconds that it may take; ReconcilerError keeps it from being sent."""

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
    """Say that a writing call is sent now and may take so long."""
    notice = _NOTICE.get()
    if notice is not None:
        notice(seconds)
