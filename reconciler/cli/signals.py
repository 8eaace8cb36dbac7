"""What Ctrl-C and SIGTERM do: end a command in order, leaving no lease behind, or let a run finish its calls."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def orderly() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it holds is given back on the way out.

    Both count also where a shell started the command in the background, and so with SIGINT ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only there can signals be handled; whoever runs a command elsewhere has handlers of its own
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


def _tell() -> None:
    with suppress(OSError, ValueError):
        click.echo("Stopping: calls in flight are finished and recorded. Once more to abort.", err=True)


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop; a second one, of either, ends the process at once."""

    def wish(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # In a thread: this may have come in the middle of a write to the same stream, or its reader may be gone.
        threading.Thread(target=_tell, daemon=True).start()

    with _handling(wish):
        yield
