"""Options that several commands share. Each family of options reaches its command as one typed value."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli.output import Output, check_writable, say
from reconciler.render.safe import harmless

if TYPE_CHECKING:
    from reconciler import ProjectSession
    from reconciler.settings import Project

Command = Callable[..., int | None]
Decorator = Callable[[Command], Command]

FORMATS = ("text", "json", "markdown", "html")


def examples(*lines: str) -> str:
    """Return what `--help` shows below the options: whole commands, to copy."""
    return "\n".join(("\b", "Examples:", *(f"  reconciler {line}" for line in lines)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options of every command on a project."""

    project: Path | None
    environment: str | None
    verbose: bool
    quiet: bool

    def open(self) -> Project:
        """Read the project file."""
        return reconciler.open_project(self.project, self.environment)

    def session(self, project: Project, parallelism: int | None = None) -> ProjectSession:
        """Return a session of the project that reports on stderr what happens to the state."""
        return reconciler.ProjectSession(project, parallelism=parallelism, notice=self.say)

    def say(self, words: str) -> None:
        """Print a message on stderr, unless --quiet is set."""
        if not self.quiet:
            say(words)

    def flags(self) -> list[str]:
        """Return the options that select the same project and environment for another command."""
        where = ["--project", str(self.project)] if self.project is not None else []
        return [*where, "--env", self.environment] if self.environment is not None else where


@dataclass(frozen=True, slots=True, kw_only=True)
class Applying:
    """How apply and destroy run."""

    parallelism: int | None
    lock_timeout: float
    verify: bool
    yes: bool


def _all(*options: Decorator) -> Decorator:
    """Return the options as one decorator; help lists them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(name: str, make: Callable[..., object], *options: Decorator) -> Decorator:
    """Return options whose values a command takes as one typed argument."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**values: object) -> int | None:
            made = make(**{key: values.pop(key) for key in keys})
            return command(**values, **{name: made})

        earlier = len(_declared(call))
        decorated = _all(*options)(call)
        keys = [parameter.name for parameter in _declared(decorated)[earlier:] if parameter.expose_value]
        return decorated

    return decorate


def _declared(command: Command) -> list[click.Parameter]:
    parameters: list[click.Parameter] = getattr(command, "__click_params__", [])
    return parameters


def _no_color(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Treat the option as NO_COLOR, which also reaches what is printed after the command has ended."""
    if value:
        ctx.color = False
        os.environ["NO_COLOR"] = "1"


_PROJECT = click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="Project file or its folder. Default: reconciler.yaml here or in a parent folder.",
)
_ENVIRONMENT = click.option("--env", "environment", metavar="NAME", help="Environment of the project file.")
no_color = click.option(
    "--no-color", is_flag=True, expose_value=False, callback=_no_color, help="Print no colors (also: NO_COLOR)."
)
_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Show more, and log every request to stderr.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Only print errors.")


def _common(*, project: Path | None, environment: str | None, verbose: bool, quiet: bool) -> Common:
    _log(verbose=verbose, quiet=quiet)
    return Common(project=project, environment=environment, verbose=verbose, quiet=quiet)


common = gathered("common", _common, _PROJECT, _ENVIRONMENT, no_color, _VERBOSE, _QUIET)
"""The options of every command on a project, as `common`."""

plain = _all(
    click.option("-v", "--verbose", is_flag=True, help="Show more."),
    no_color,
    click.option("-q", "--quiet", is_flag=True, expose_value=False, help="Only print errors."),
)
"""The options of a command that only shows a file."""


selecting = gathered(
    "selection",
    lambda **values: reconciler.Selection(**values),  # noqa: PLW0108 - loaded on first use
    click.option(
        "--target", "targets", multiple=True, metavar="ADDRESS", help="Limit to this object or glob (repeatable)."
    ),
    click.option(
        "--exclude", "excludes", multiple=True, metavar="ADDRESS", help="Leave out this object or glob (repeatable)."
    ),
)
"""The choice of objects, as `selection`."""


def _output(*, form: str, output: Path | None) -> Output:
    if output is not None:
        check_writable(output)
    return Output(form=form, file=output)


def formatted(*formats: str) -> Decorator:
    """Add the choice of output format and file, as `output`."""
    return gathered(
        "output",
        _output,
        click.option(
            "--format", "form", type=click.Choice(formats), default="text", show_default=True, help="Output format."
        ),
        click.option("--output", type=click.Path(path_type=Path), help="Write to this file. Default: stdout."),
    )


allow_shared = click.option(
    "--allow-shared",
    multiple=True,
    metavar="ADDRESS",
    help="Allow this object although another project or environment manages it (repeatable, globs).",
)

overriding = gathered(
    "overrides",
    lambda **values: reconciler.Overrides(**values),  # noqa: PLW0108 - loaded on first use
    click.option(
        "--allow-booked",
        multiple=True,
        metavar="ADDRESS",
        help="Allow this object's change despite booked places (repeatable, globs).",
    ),
    allow_shared,
    click.option(
        "--max-deletes",
        type=click.IntRange(0),
        metavar="N",
        help="Refuse to delete more than N objects (overrides policy.max_deletes).",
    ),
    click.option(
        "--max-change-percent",
        type=click.FloatRange(0, 100),
        metavar="N",
        help="Refuse to change more than N % of the managed objects (overrides policy.max_change_percent).",
    ),
    click.option("--allow-empty", is_flag=True, help="Allow a run although the manifests declare no objects."),
)
"""One option for each field of `Overrides`, as `overrides`."""

parallel = click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Number of objects processed concurrently; also caps requests per connection.",
)
locking = click.option(
    "--lock-timeout",
    type=click.FloatRange(0, 86400),
    default=0.0,
    metavar="SECONDS",
    help="Wait up to SECONDS for the state lock. Default: do not wait.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Show what would change without changing it.")

applying = gathered(
    "applying",
    Applying,
    parallel,
    locking,
    click.option(
        "--verify", is_flag=True, help="Plan the whole project again after apply; exit 3 unless that plan is empty."
    ),
    click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
)
"""How apply and destroy run, as `applying`."""


class _OneLine(logging.Formatter):
    """Log lines as safe as every other output: one line each, no control character, no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record))


def _log(*, verbose: bool, quiet: bool) -> None:
    """Send the log to stderr: requests with `-v`, otherwise warnings, and nothing with `-q`."""
    logger = logging.getLogger("reconciler")
    logger.handlers.clear()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.CRITICAL if quiet else logging.WARNING)
    logger.propagate = False
