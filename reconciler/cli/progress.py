"""Progress on stderr while a long step runs: what moves on a terminal, and a line now and then anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.consoles import terminal
from reconciler.cli.output import say
from reconciler.cli.streams import animates
from reconciler.model.words import count

if TYPE_CHECKING:
    from rich.text import Text

    from reconciler.cli.board import Board
    from reconciler.model.traffic import Traffic

EVERY = 10.0
"""Seconds between two lines in the log of a CI system, or in a file."""

_SOON = 2.0
"""Seconds before which nothing is said about the rate and the time left."""


class _Step:
    """How far a step is, since it began."""

    def __init__(self, words: str, traffic: Traffic, board: Board | None) -> None:
        self._words, self._traffic, self.board = words, traffic, board
        self._began = time.monotonic()
        self._calls, self._objects, self._expected = traffic.calls, traffic.objects, traffic.expected

    def line(self) -> str:
        """Return `Applying 120/400 objects · 35 calls/s · 8 s left · waiting for admin (rate limit), 4 s`."""
        traffic, seconds = self._traffic, time.monotonic() - self._began
        done, total, facts = traffic.objects - self._objects, traffic.expected - self._expected, []
        if self.board is not None:
            done, total, facts = self.board.done, self.board.total, self.board.facts()
        calls = traffic.calls - self._calls
        if seconds >= _SOON and calls:
            facts.append(f"{count(round(calls / seconds), 'call')}/s" if calls >= seconds else count(calls, "call"))
            if 0 < done < total:
                facts.append(_left(seconds * (total - done) / done))
        awaited = traffic.awaited()
        if awaited:
            facts.append(f"waiting for {awaited}")
        counted = f" {done}/{total} objects" if total else ""
        return " · ".join((self._words + counted, *facts))


def _left(seconds: float) -> str:
    return f"{seconds:.0f} s left" if seconds < 100 else f"{seconds / 60:.0f} min left"  # noqa: PLR2004 - as a person would say it


@contextmanager
def progress(words: str, traffic: Traffic, *, quiet: bool, board: Board | None = None) -> Iterator[Callable[[], None]]:
    """Show how far a step is; yields what ends that earlier. A `board` also shows its objects, on a terminal."""
    step = _Step(words, traffic, board)
    if quiet:
        yield lambda: None
    elif animates(sys.stderr):
        with _moving(step) as end:
            yield end
    else:
        ended = threading.Event()
        thread = threading.Thread(target=_now_and_then, args=(step, ended), name="progress", daemon=True)
        thread.start()
        try:
            yield ended.set
        finally:
            ended.set()
            thread.join()


def _now_and_then(step: _Step, ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        say(f"{step.line()}.")


@contextmanager
def _moving(step: _Step) -> Iterator[Callable[[], None]]:
    from rich.live import Live  # noqa: PLC0415 - only for a terminal
    from rich.spinner import Spinner  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    from reconciler.render.console import safe  # noqa: PLC0415 - as above
    from reconciler.render.wrapping import fitted, wrapped  # noqa: PLC0415 - as above

    console = terminal(sys.stderr)
    spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")

    def shown() -> Text:
        head = (f"{spinner.render(console.get_time())} ", step.line())
        lines = list(wrapped(Text.assemble(*safe(console, head)), console.width - 1))
        rows = () if step.board is None else step.board.rows(console.height - 1 - len(lines))
        return Text("\n").join((*lines, *(fitted(console, *row) for row in rows)))

    live = Live(
        get_renderable=shown,
        console=console,
        transient=True,
        refresh_per_second=8,
        redirect_stdout=False,  # data goes where it is sent
    )
    with live:
        console.show_cursor(True)  # a second Ctrl-C ends the process at once, and would leave it hidden
        yield live.stop
