"""The messages for an error that ends a command, and for a defect."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import click

from reconciler.cli.exits import Exit, exit_of
from reconciler.cli.output import people
from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan
from reconciler.render import text
from reconciler.render.safe import harmless, visible


def explain(error: Exception) -> Exit:
    """Print what ended the command, and return its exit code."""
    if isinstance(error, ReconcilerError):
        _explain(error)
    elif isinstance(error, BrokenPipeError):
        # The reader (head, a pager) has ended, which is no error. Keep the interpreter from flushing into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        _explain_defect(error)
    return exit_of(error)


def _explain(error: ReconcilerError) -> None:
    console = people()
    if isinstance(error, (InvalidInput, Refused)) and error.problems:
        text.problems(console, error.problems)
    reasons = [f"  {reason}" for reason in error.reasons] if isinstance(error, StalePlan) else []
    hint = [f"  hint: {error.hint}"] if error.hint else []
    for line in (f"error: {error.message}", *reasons, *hint):
        console.print(harmless(line))


def _explain_defect(error: Exception) -> None:
    if os.environ.get("RECONCILER_DEBUG"):
        click.echo("".join(traceback.format_exception(error)), err=True)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    click.echo(
        f"error: internal error ({type(error).__name__}: {visible(str(error))}) at {place}\n"
        "  hint: this is a defect of reconciler; please report it with the output of RECONCILER_DEBUG=1",
        err=True,
    )
