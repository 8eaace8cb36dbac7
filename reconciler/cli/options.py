"""Options that several commands share, and the values they are gathered in."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("text", "json", "markdown", "html")


def examples(*lines: str) -> str:
    """Return what `--help` shows below the options: whole commands, to copy."""
    return "\n".join(("\b", "Examples:", *(f"  reconciler {line}" for line in lines)))


def plain(command: Command) -> Command:
    """Add what a command takes that only shows a file."""
    quiet = click.option("-q", "--quiet", is_flag=True, expose_value=False, help="No words on stderr but errors.")
    return _colorless(click.option("-v", "--verbose", is_flag=True, help="Show more.")(quiet(command)))


def _colorless(command: Command) -> Command:
    return click.option(
        "--no-color", is_flag=True, expose_value=False, callback=_no_color, help="Plain output, as with NO_COLOR."
    )(command)


def common(command: Command) -> Command:
    """Add what every command on a project takes."""
    for option in reversed(
        (
            click.option(
                "--project",
                type=click.Path(path_type=Path),
                help="Project file or its folder. Else: reconciler.yaml, here or above.",
            ),
            click.option("--env", "environment", metavar="NAME", help="Environment of the project file."),
            _colorless,
            click.option("-v", "--verbose", is_flag=True, help="Show more, and log every request to stderr."),
            click.option("-q", "--quiet", is_flag=True, help="No progress and no words on stderr but errors."),
        )
    ):
        command = option(command)
    return command


def selecting(command: Command) -> Command:
    """Add the choice of objects."""
    for option in reversed(
        (
            click.option(
                "--target", "targets", multiple=True, metavar="ADDRESS", help="Only this object, or what a glob names."
            ),
            click.option(
                "--exclude", "excludes", multiple=True, metavar="ADDRESS", help="Not this object, or what a glob names."
            ),
        )
    ):
        command = option(command)
    return command


def formatted(*formats: str) -> Callable[[Command], Command]:
    """Add the choice of output format and file."""

    def add(command: Command) -> Command:
        command = click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")(command)
        choice = click.Choice(formats)
        return click.option("--format", "form", type=choice, default="text", show_default=True, help="Output format.")(
            command
        )

    return add


def guarded(command: Command) -> Command:
    """Add the ways past a guard, each for this run only."""
    for option in reversed(
        (
            click.option(
                "--allow-booked",
                multiple=True,
                metavar="ADDRESS",
                help="Do not refuse what this change does to bookings: each of its risks; globs.",
            ),
            click.option(
                "--allow-shared",
                multiple=True,
                metavar="ADDRESS",
                help="Do not refuse to write to this object though another project manages it; globs.",
            ),
            click.option(
                "--max-deletes",
                type=click.IntRange(0),
                metavar="N",
                help="Refuse above N deletions, whatever policy.max_deletes says.",
            ),
            click.option(
                "--max-change-percent",
                type=click.FloatRange(0, 100),
                metavar="N",
                help="Refuse above N % of managed objects changed, whatever the policy says.",
            ),
            click.option("--allow-empty", is_flag=True, help="Do not refuse when no manifest declares anything."),
        )
    ):
        command = option(command)
    return command


def parallel(command: Command) -> Command:
    """Add how many objects are worked on side by side."""
    return click.option(
        "--parallelism",
        type=click.IntRange(1, 64),
        metavar="N",
        help="At most so many objects, and calls per connection, at a time.",
    )(command)


def verifying(command: Command) -> Command:
    """Add a look at everything once more."""
    return click.option(
        "--verify", is_flag=True, help="Plan the whole project anew afterwards; exit 3 unless that plan is empty."
    )(command)


def locking(command: Command) -> Command:
    """Add how long to wait for another writing run to end."""
    return click.option(
        "--lock-timeout",
        type=click.FloatRange(0, 86400),
        default=0.0,
        metavar="SECONDS",
        help="Wait so long for another run that writes to end, before giving up.",
    )(command)


def dry(command: Command) -> Command:
    """Add the choice to be told only."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")(command)


def _no_color(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Take the option as NO_COLOR, which also reaches what is said after the command has ended."""
    if value:
        ctx.color = False
        os.environ["NO_COLOR"] = "1"


class _OneLine(logging.Formatter):
    """Log lines as harmless as every other output: one line each, no control character, no secret."""

    def format(self, record: logging.LogRecord) -> str:
        from reconciler.render.safe import harmless  # noqa: PLC0415 - late, for a quick --help

        return harmless(super().format(record))


def log_requests(verbose: bool) -> None:
    """Send the log to stderr: requests with `-v`, otherwise warnings, and nothing with `-q`."""
    context = click.get_current_context(silent=True)
    quiet = context is not None and context.params.get("quiet")
    logger = logging.getLogger("reconciler")
    logger.handlers.clear()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.CRITICAL if quiet else logging.WARNING)
    logger.propagate = False


def notice(quiet: bool) -> Callable[[str], None]:
    """Return what tells a person on stderr what became of the state: nothing with `-q`."""
    return (lambda _: None) if quiet else say


def say(words: str) -> None:
    """Tell a person something on stderr: one line, harmless whatever names of other systems are in it."""
    from reconciler.render.safe import harmless  # noqa: PLC0415 - late, for a quick --help

    click.echo(harmless(words), err=True)
