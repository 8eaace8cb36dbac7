"""init: a project to start from."""

from __future__ import annotations

import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from reconciler.cli import completion, options
from reconciler.cli.exits import Exit
from reconciler.cli.output import say, say_problems
from reconciler.errors import Interrupted, ReconcilerError, UsageError
from reconciler.model.words import count

if TYPE_CHECKING:
    from reconciler.operations.init import Found
    from reconciler.render.project_files import NewProject

_DEFAULT = "bookingbug-sessions"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST = 63
_NAMED = 12
"""Files that are named one by one."""


@click.command(
    epilog=options.examples(
        "init timetable",
        "init --ci github --connection bookingbug-sessions=https://uk.bookingbug.com",
        "init --from-live --connection bookingbug-admin=https://acme.bookingbug.com --company 37004",
    )
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", metavar="NAME", help="Name of the project. Default: the name of the folder.")
@click.option(
    "--connection",
    "connections",
    multiple=True,
    metavar="PROVIDER[=URL]",
    shell_complete=completion.systems,
    help="A booking system: bookingbug-sessions, bookingbug-admin or checkfront, with its address (repeatable). "
    "Default: asks on a terminal, else bookingbug-sessions.",
)
@click.option("--company", type=click.IntRange(1, 999999999), metavar="ID", help="Company of bookingbug-admin.")
@click.option(
    "--ci",
    type=click.Choice(("github", "gitlab", "none")),
    help="Forge whose pipelines to write. Default: that of the Git remote.",
)
@click.option(
    "--source",
    metavar="REPOSITORY@COMMIT",
    help="Repository of reconciler (OWNER/NAME or its URL) and commit that the pipelines use. Default: those that this "
    "program was installed from.",
)
@click.option("--from-live", is_flag=True, help="Write the live objects as manifests; needs the credentials.")
@click.option("--keep", is_flag=True, help="Leave files that exist as they are, and write the others.")
@options.no_color
@click.option("-q", "--quiet", is_flag=True, help="Only print errors.")
def init(
    folder: Path,
    name: str | None,
    connections: tuple[str, ...],
    company: int | None,
    ci: str | None,
    source: str | None,
    from_live: bool,
    keep: bool,
    quiet: bool,
) -> int:
    """Write a project to start from: project file, manifests, pipelines, editor settings and a README.

    The project is valid at once, and `plan --env sandbox` works on `reconciler sandbox`. Nothing is sent to a booking
    system; --from-live only reads. No file is overwritten: if one exists with other content, nothing is written. Exit
    code 1 with --from-live: some objects could not be read; all others are written.
    """
    from reconciler.operations import init as operation

    if name is not None and not (_NAME.fullmatch(name) and len(name) <= _LONGEST):
        raise UsageError(f"--name {name!r}: expected at most {_LONGEST} lowercase letters, digits and hyphens")
    found = operation.look_around(folder)
    project = _project(found, name=name, ci=ci, connections=connections or _asked(), company=company, live=from_live)
    origin = operation.Source.parse(source) if source is not None else operation.own_source()
    files = operation.files_of(project, origin, found.host)
    complete = True
    if from_live:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as place:
            manifests, made = operation.exported(Path(place), files)
        complete = made.complete
        say_problems(problem for problem in made.problems if not quiet or problem.severity == "error")
        if not manifests:
            message = "nothing could be exported; nothing was written"
            raise ReconcilerError(message, hint="without --from-live the project starts with an example")
        files |= manifests
    written = operation.write_all(folder, files, keep=keep)
    if not quiet:
        _report(folder, project, written)
    if complete:
        return Exit.DONE
    say("Some live objects could not be read, so they have no manifest. Fix the errors, and export them too.")
    return Exit.ERROR


def _project(
    found: Found, *, name: str | None, ci: str | None, connections: tuple[str, ...], company: int | None, live: bool
) -> NewProject:
    from reconciler.operations.init import systems
    from reconciler.render.project_files import NewProject

    project = NewProject(
        name=name or found.name,
        systems=systems(connections, company),
        ci=ci or found.forge,
        today=datetime.now(UTC).date(),
        branch=found.branch,
        live=live,
    )
    return project if project.ci == "none" else replace(project, state=found.state)


def _asked() -> tuple[str, ...]:
    """Ask which booking system the project is for, on a terminal only."""
    if not sys.stdin.isatty():
        return (_DEFAULT,)
    from reconciler.render.project_files import KITS

    try:
        known = {kit.provider: kit for kit in KITS}
        provider = click.prompt("Booking system", type=click.Choice(list(known)), default=_DEFAULT, err=True)
        url = click.prompt("Its address", default=known[provider].url, err=True)
    except click.Abort:
        raise Interrupted("interrupted; nothing was written") from None
    return (f"{provider}={url}",)


def _report(folder: Path, project: NewProject, written: tuple[str, ...]) -> None:
    named = [path for path in written if not path.startswith((".schemas/", ".vscode/"))]
    for path in named[:_NAMED]:
        say(f"Wrote {folder / path}")
    more = len(written) - len(named[:_NAMED])
    if more:
        say(f"Wrote {count(more, 'more file')}")
    where = "" if folder == Path() else f" in {folder}"
    say(f"Project {project.name}: {count(len(written), 'file')} written{where}. README.md says how to go on.")
    go = [] if folder == Path() else [f"cd {folder}"]
    if project.live:
        say("  " + "; ".join([*go, "reconciler adopt --all   # manage what was exported, without changing it"]))
    else:
        for line in (*go, "reconciler validate", "reconciler sandbox   # in another terminal; paste its exports here"):
            say(f"  {line}")
        say("  reconciler plan --env sandbox")
