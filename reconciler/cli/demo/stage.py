"""Helpers of the demo's steps: printing, running commands in this process, and editing manifests."""

from __future__ import annotations

import difflib
import io
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from reconciler.cli.exits import Exit
from reconciler.errors import ReconcilerError
from reconciler.render.safe import fitting
from reconciler.render.wrapping import SHADES

if TYPE_CHECKING:
    from reconciler.sandbox import Sandbox

_WIDEST = 100
"""Columns of a paragraph at most."""

_MEANINGS = {Exit.CHANGES: "there are changes", Exit.REFUSED: "refused before the first write"}


class Edit(Struct, frozen=True, kw_only=True):
    """One edit of a manifest: the first `before` that follows `at` becomes `after`."""

    file: str
    at: str = ""
    before: str = ""
    after: str

    def applied_to(self, text: str) -> str:
        """Return the text with the edit; ReconcilerError where the example no longer fits it."""
        head, found, tail = text.partition(self.at) if self.at else ("", "", text)
        if (self.at and not found) or self.before not in tail:
            raise ReconcilerError(f"the demo does not match the example: {self.file}, {self.at or self.before}")
        return head + found + tail.replace(self.before, self.after, 1)


class Stage:
    """Prints, runs commands and edits manifests, in the project's folder."""

    def __init__(self, sandbox: Sandbox, *, color: bool, show_all: bool, width: int | None = None) -> None:
        self.sandbox = sandbox
        self._color = color
        self._show_all = show_all
        self._width = width
        self._step = 0
        self._heading = ""

    def step(self, heading: str, *words: str) -> None:
        """Start a numbered step, with a few words about it."""
        self._step += 1
        self._heading = heading
        self._print()
        self._print(click.style(f"{self._step}. {heading}", bold=True, fg=SHADES["cyan"]))
        self.say(*words)

    def say(self, *words: str) -> None:
        """Print lines of text; on a screen those that are not indented flow as a paragraph."""
        for flows, lines in groupby(words, lambda line: bool(line) and not line.startswith(" ")):
            for line in wrap(" ".join(lines), min(self._width, _WIDEST)) if flows and self._width else lines:
                self._print(line)

    def run(self, *arguments: str, expect: int = 0, first: int | None = None, last: int = 0) -> str:
        """Run one command as a user would, show its output and return it; the exit code must be `expect`.

        `first` and `last` are how many lines of a long output to show; without `first`, all of them.
        """
        self._print()
        self._print(click.style(f"  $ {shlex.join(('reconciler', *arguments))}", bold=True))
        code, output = recorded(arguments, terminal=self._color or self._width is not None)
        lines = output.rstrip("\n").split("\n")
        ended_well = code == expect
        for line in lines if self._show_all or not ended_well else _folded(lines, first, last):
            self._print(f"  {line}" if line else "")
        if code == Exit.INTERRUPTED:
            raise KeyboardInterrupt
        if not ended_well:
            command = shlex.join(("reconciler", *arguments))
            message = f"step {self._step} ({self._heading}): `{command}` ended with exit code {code}, not {expect}"
            raise ReconcilerError(message, hint="this is a defect of reconciler or of its demo; please report it")
        if code:
            self._print(click.style(f"  (exit code {code}: {_MEANINGS[Exit(code)]})", fg=SHADES["dim"]))
        return output

    def edit(self, edits: Sequence[Edit]) -> None:
        """Edit manifests and show the difference as a pull request would."""
        shown = ""
        for edit in edits:
            file = Path(edit.file)
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            file.write_text(edit.applied_to(text), encoding="utf-8")
            if edit.file != shown:
                self._print()
                self._print(click.style(f"  {edit.file}", bold=True))
            shown = edit.file
            for line in difflib.unified_diff(edit.before.splitlines(), edit.after.splitlines(), n=0, lineterm=""):
                if not line.startswith(("@@", "--- ", "+++ ")):
                    self._print(click.style(f"  {line[0]} {line[1:]}", fg=SHADES["red" if line[0] == "-" else "green"]))

    def _print(self, text: str = "") -> None:
        click.echo(fitting(text, sys.stdout.encoding or "utf-8"), color=self._color)


def _folded(lines: Sequence[str], first: int | None, last: int) -> Iterator[str]:
    """Return the beginning and end of a long output, with the number of lines left out."""
    hidden = 0 if first is None else len(lines) - first - last
    if first is None or hidden <= 1:
        yield from lines
        return
    yield from lines[:first]
    yield f"… ({hidden} lines folded here; --show-all prints them)"
    yield from lines[len(lines) - last :]


def recorded(arguments: Sequence[str], *, terminal: bool) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it wrote, both streams in order."""
    from reconciler.cli.main import run  # noqa: PLC0415 - main imports the demo's modules

    written: list[str] = []
    with (
        redirect_stdout(_Recorder(written, terminal=terminal)),
        redirect_stderr(_Recorder(written, terminal=terminal)),
    ):
        code = run(arguments)
    return code, "".join(written)


class _Recorder(io.StringIO):
    """A stream that appends to a list shared with another stream, so that the order of both is kept."""

    def __init__(self, written: list[str], *, terminal: bool) -> None:
        super().__init__()
        self._written = written
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain StringIO has none
        """The encoding of the real stdout."""
        return (sys.__stdout__.encoding if sys.__stdout__ else None) or "utf-8"

    def isatty(self) -> bool:
        """Whether commands may use colors."""
        return self._terminal

    def write(self, text: str) -> int:
        """Append to the shared list; bytes are refused, which is how click recognizes a text stream."""
        if not isinstance(text, str):
            raise TypeError("expected str")
        self._written.append(text)
        return len(text)
