"""Options that several commands share. Each family of options reaches its command as one typed value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

import reconciler
from reconciler.cli import completion, destinations
from reconciler.cli.gathering import all_of, gathered
from reconciler.cli.number_range import NumberRange
from reconciler.cli.output import say, say_problems
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler import ProjectSession
    from reconciler.cli.trace import Trace
    from reconciler.settings import Project

FORMATS = ("text", "json", "markdown", "html")


def examples(*lines: str) -> str:
    """Return what `--help` shows below the options: whole commands, to copy."""
    return "\n".join(("\b", "Examples:", *(f"  reconciler {line}" for line in lines)))


class Common(Struct, frozen=True, kw_only=True):
    """The options of every command on a project."""

    project: Path | None
    environment: str | None
    trusted_config: str | None
    verbose: bool
    quiet: bool
    trust_hosts: tuple[str, ...] = ()
    allow_paths: tuple[Path, ...] = ()
    trace: Trace | None = None

    def open(self) -> Project:
        """Read the project file. What declares shows its warnings with those of the manifests."""
        return reconciler.open_project(
            self.project, self.environment, trusted_config=self.trusted_config, allow_paths=self.allow_paths
        )

    def root(self) -> Path:
        """Return the folder of the project, which the places of problems are relative to; where there is none, ours."""
        from reconciler.manifests.project import find_project  # noqa: PLC0415 - `--help` reads no YAML

        try:
            return find_project(self.project).parent
        except InvalidInput:
            return Path.cwd()

    def open_warned(self) -> Project:
        """Read the project file, and show its warnings on stderr."""
        project = self.open()
        if not self.quiet:
            say_problems(project.warnings)
        return project

    def session(self, project: Project, parallelism: int | None = None, timeout: float | None = None) -> ProjectSession:
        """Return a session of the project that reports on stderr what happens to the state."""
        session = reconciler.ProjectSession(
            project, parallelism=parallelism, timeout=timeout, trust_hosts=self.trust_hosts, notice=self.say
        )
        if self.trace is not None:
            session.traffic.listeners.append(self.trace.add)
        return session

    def say(self, words: str) -> None:
        """Print a message on stderr, unless --quiet is set."""
        if not self.quiet:
            say(words)


class Applying(Struct, frozen=True, kw_only=True):
    """How apply and destroy run."""

    parallelism: int | None
    timeout: float | None
    lock_timeout: float
    wait: float
    verify: bool
    yes: bool
    wait_for_window: bool


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
_ENVIRONMENT = click.option(
    "--env",
    "environment",
    metavar="NAME",
    shell_complete=completion.environments,
    help="Environment of the project file.",
)
_TRUSTED = click.option(
    "--trusted-config",
    metavar="FILE",
    shell_complete=completion.files,
    help="Take connections, state and policy from this project file (also: RECONCILER_TRUSTED_CONFIG).",
)
_ALLOWED = click.option(
    "--allow-path",
    "allow_paths",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="PATH",
    help="Let the project file name manifests and values in PATH, outside its repository (repeatable; also: "
    "RECONCILER_ALLOW_PATH).",
)
no_color = click.option(
    "--no-color", is_flag=True, expose_value=False, callback=_no_color, help="Print no colors (also: NO_COLOR)."
)
_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Show more, and log every request to stderr.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Only print errors.")


def _common(
    *,
    project: Path | None,
    environment: str | None,
    trusted_config: str | None,
    allow_paths: tuple[Path, ...],
    verbose: bool,
    quiet: bool,
    trust_hosts: tuple[str, ...] = (),
    trace: Trace | None = None,
) -> Common:
    from reconciler.cli.log import start_log  # noqa: PLC0415 - 5 ms of logging, for a quick --help

    start_log(verbose=verbose, quiet=quiet)
    return Common(
        project=project,
        environment=environment,
        trusted_config=trusted_config,
        allow_paths=allow_paths,
        verbose=verbose,
        quiet=quiet,
        trust_hosts=trust_hosts,
        trace=trace,
    )


common = gathered("common", _common, _PROJECT, _ENVIRONMENT, _TRUSTED, _ALLOWED, no_color, _VERBOSE, _QUIET)
"""The options of every command on a project, as `common`."""


def _traced(ctx: click.Context, _param: click.Parameter, file: Path | None) -> Trace | None:
    if file is None or ctx.resilient_parsing:
        return None
    from reconciler.cli.trace import traced  # noqa: PLC0415 - 5 ms, for a quick --help and completion

    return traced(ctx, file)


connecting = gathered(
    "common",
    _common,
    _PROJECT,
    _ENVIRONMENT,
    _TRUSTED,
    _ALLOWED,
    click.option(
        "--trust-host",
        "trust_hosts",
        multiple=True,
        metavar="HOST",
        help="Send credentials to this HOST or HOST:PORT although the state does not know it (repeatable).",
    ),
    click.option(
        "--trace",
        type=destinations.DESTINATION,
        metavar="FILE",
        envvar="RECONCILER_TRACE",
        callback=_traced,
        help="Write all calls with their times to this HAR file, which the developer tools of a browser open "
        "(also: RECONCILER_TRACE). Credentials and mail addresses are masked.",
    ),
    no_color,
    _VERBOSE,
    _QUIET,
)
"""The options of every command that connects to remote systems, as `common`."""

plain = all_of(
    click.option("-v", "--verbose", is_flag=True, help="Show more."),
    no_color,
    _QUIET,
)
"""The options of a command that only shows a file."""


selecting = gathered(
    "selection",
    lambda **values: reconciler.Selection(**values),  # noqa: PLW0108 - loaded on first use
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=completion.addresses,
        help="Limit to this object or glob (repeatable).",
    ),
    click.option(
        "--exclude",
        "excludes",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=completion.addresses,
        help="Leave out this object or glob (repeatable).",
    ),
)
"""The choice of objects, as `selection`."""

changed_since = click.option(
    "--changed-since",
    metavar="REF",
    help="Limit to objects that the files declare differently from the Git commit where this branch left REF, and to "
    "what depends on them.",
)


DESTINATION, check_distinct, formatted = destinations.DESTINATION, destinations.check_distinct, destinations.formatted

parallel = click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Number of objects processed concurrently; also caps requests per connection.",
)
locking = click.option(
    "--lock-timeout",
    type=NumberRange(0, 86400),
    default=0.0,
    metavar="SECONDS",
    help="Wait up to SECONDS for the state lock. Default: do not wait.",
)
waiting = click.option(
    "--wait",
    type=NumberRange(0, 86400),
    is_flag=False,
    flag_value=86400.0,
    default=0.0,
    metavar="[SECONDS]",
    help="Wait for calls of earlier runs that may still be in progress, at most SECONDS. Default: do not wait.",
)
limiting = click.option(
    "--timeout",
    type=NumberRange(0, 604800, min_open=True),
    metavar="SECONDS",
    help="Start no call after SECONDS; those in flight are finished and recorded. Default: no limit.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Show what would change without changing it.")

applying = gathered(
    "applying",
    Applying,
    parallel,
    limiting,
    locking,
    waiting,
    click.option(
        "--verify", is_flag=True, help="Plan the whole project again after apply; exit 3 unless that plan is empty."
    ),
    click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
    click.option(
        "--wait-for-window",
        is_flag=True,
        help="Wait until policy.windows lets the run write, at most --timeout. Default: exit 4 outside of them.",
    ),
)
"""How apply and destroy run, as `applying`."""
