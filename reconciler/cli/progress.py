"""Progress on stderr while a long step runs, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.output import people
from reconciler.cli.streams import animates


@contextmanager
def progress(words: str, total: int | None = None, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a progress bar, or a spinner without `total`; yields what advances it by one."""
    console = people()
    if quiet or not animates(sys.stderr):
        yield lambda: None
        return
    from rich.progress import (  # noqa: PLC0415 - only for a terminal
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
    )

    bar = () if total is None else (BarColumn(), MofNCompleteColumn())
    spinner = SpinnerColumn("dots" if console.encoding.startswith("utf") else "line")
    with Progress(spinner, TextColumn("{task.description}"), *bar, console=console, transient=True) as shown:
        task = shown.add_task(words, total=total)
        yield lambda: shown.advance(task)
