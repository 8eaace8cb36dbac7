"""A hook that is called before each attempt of a writing call: the journal's entry must outlast the call.

Time passes between an intent and its call: the rate limit, reads that the call needs first, and pauses between
attempts. An attempt that was not announced must not be sent.
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
    """Announce that a writing call is sent now and may take so many seconds."""
    notice = _NOTICE.get()
    if notice is not None:
        notice(seconds)
