"""A program of the user's choice that compares long texts, such as descriptions: RECONCILER_EXTERNAL_DIFF."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.render.text import Differ

DIFF = "RECONCILER_EXTERNAL_DIFF"
_SECONDS = 10
_LINES = 200
"""Lines of one comparison that are shown."""
_DIFFERENT = 1
"""The exit code of a program that found differences; a higher one is a failure."""


def external_differ(environ: Mapping[str, str]) -> Differ | None:
    """Return what compares two texts; None where the user chose no program; UsageError where it must not run."""
    stated = environ.get(DIFF, "")
    try:
        command = shlex.split(stated)
    except ValueError:
        raise UsageError(f"{DIFF} has a quote that is not closed", hint="write a program and its options") from None
    if not command:
        return None
    from reconciler.trust import COMMANDS, Bounds  # noqa: PLC0415 - 40 ms, for a quick --help and completion

    if not Bounds.of(environ).allows_command(command[0]):
        raise UsageError(f"{DIFF}: {COMMANDS} does not allow the program {command[0]}", hint=f"unset {DIFF}")
    return lambda field, before, after: _compared(command, field, before, after)


def _compared(command: list[str], field: str, before: str, after: str) -> tuple[str, ...]:
    """Return what the program says of two texts, which it gets as files that only this user can read."""
    name = "".join(char if char.isalnum() else "_" for char in field)[:40]
    with TemporaryDirectory(prefix="reconciler-diff-") as folder:  # mode 0700
        files = []
        for side, text in (("before", before), ("after", after)):
            place = Path(folder) / side
            place.mkdir()
            file = place / f"{name}.txt"
            file.touch(0o600)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
            files.append(str(file))
        try:
            done = subprocess.run(  # noqa: S603 - the user's own program, without a shell
                [*command, *files], capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return (f"({command[0]} took more than {_SECONDS} s)",)
        except OSError as error:
            return (f"({command[0]} cannot be run: {error.strerror})",)
    if done.returncode > _DIFFERENT or done.returncode < 0:
        return (f"({command[0]} failed with exit code {done.returncode})",)
    lines = done.stdout.decode("utf-8", "replace").replace(folder + os.sep, "").splitlines()
    return tuple(lines[:_LINES]) + ((f"({len(lines) - _LINES} more lines)",) if len(lines) > _LINES else ())
