"""A pager for text that is longer than the terminal, as git has one. Nothing that happens to it ends a command."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from contextlib import suppress

PAGER = "RECONCILER_PAGER"
_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
"""As git sets them: end where all fits on the screen, show colors, leave the text on the screen."""


def pager(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the command of the pager; None where the user wants none: it is empty or `cat`."""
    stated = environ.get(PAGER, environ.get("PAGER", "less"))
    try:
        command = tuple(shlex.split(stated))
    except ValueError:  # a quote that is not closed
        return None
    return command if command and command != ("cat",) else None


def page(command: tuple[str, ...], text: str, encoding: str) -> bool:
    """Show a text in a pager, without a shell, and wait for its end; return whether it could be started."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env={**_DEFAULTS, **os.environ})  # noqa: S603 - the user's own
    except OSError:
        return False
    assert process.stdin is not None  # noqa: S101 - it was asked for
    with suppress(OSError):  # the user left before the end
        process.stdin.write(text.encode(encoding, "backslashreplace"))
    with suppress(OSError):
        process.stdin.close()
    while True:
        try:
            process.wait()
        except KeyboardInterrupt:  # for the pager, which has the same terminal
            continue
        return True
