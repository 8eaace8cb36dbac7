"""Where text for people is written: a terminal, or a stream without one."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Literal

from reconciler.cli.streams import on_screen
from reconciler.render.console import ENDLESS, Console, Plain

if TYPE_CHECKING:
    from rich.console import Console as Terminal

_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""The variables by which rich takes a stream for a terminal that is none."""


def console_on(stream: IO[str]) -> Console:
    """Return where text is written to a stream."""
    named = any(name in os.environ for name in _TERMINAL)
    return terminal(stream) if named or stream.isatty() else Plain(file=stream)


def people() -> Console:
    """Return the console for messages: stderr."""
    return console_on(sys.stderr)


def terminal(stream: IO[str], like: Terminal | None = None) -> Terminal:
    """Return the terminal of a stream; `like`: as if it were that one."""
    from rich.console import Console as Terminal  # noqa: PLC0415 - 20 ms that only a terminal needs

    # Without a color system there is no bold or dim either: NO_COLOR asks for plain text.
    colors: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Terminal(
        file=stream,
        color_system=colors,
        highlight=False,
        soft_wrap=True,
        emoji=False,
        markup=False,
        force_terminal=(like or Terminal(file=stream)).is_terminal,  # or else it asks the environment for each line
        width=like.width if like is not None else None if on_screen(stream) else ENDLESS,
    )
