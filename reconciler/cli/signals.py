"""What Ctrl-C and SIGTERM do: end a command and release the lease, or let a run finish its calls in flight."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def orderly() -> Iterator[None]:
    """Make SIGTERM end a command as Ctrl-C does: the command releases what it holds.

    Both work even where a shell started the command in the background, with SIGINT ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can handle signals; a program that runs a command in another has its own handlers
        return
    with _handling(_interrupt):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def stopping(stop: threading.Event, announce: Callable[[], None]) -> Iterator[None]:
    """Set `stop` on the first Ctrl-C or SIGTERM, and `announce` it; a second one ends the process at once."""

    def announced() -> None:
        with suppress(OSError, ValueError):
            announce()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # In a thread: the signal may interrupt a write to the same stream, or its reader may be gone.
        threading.Thread(target=announced, daemon=True).start()

    with _handling(request_stop):
        yield
