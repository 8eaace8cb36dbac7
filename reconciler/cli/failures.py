"""The messages for an error that ends a command, and for a defect."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import click

from reconciler.cli.consoles import people
from reconciler.cli.exits import Exit, exit_of
from reconciler.errors import ReconcilerError
from reconciler.model.codes import number, tag
from reconciler.registry import package_of
from reconciler.render import markdown
from reconciler.render.console import say
from reconciler.render.problems import IN_FILES, MOST
from reconciler.render.problems import problems as write_problems
from reconciler.render.safe import visible


def explain(error: Exception) -> Exit:
    """Print what ended the command, and return its exit code."""
    if isinstance(error, ReconcilerError):
        _explain(error)
    elif isinstance(error, OSError) and error.strerror:
        _explain_machine(error)
    else:
        _explain_defect(error)
    return exit_of(error)


def _explain(error: ReconcilerError) -> None:
    console = people()
    if error.problems:
        most = MOST if offline(error) else len(error.problems)
        write_problems(console, error.problems, most=most, all_by="`reconciler validate -v` lists all")
    reasons = [f"  {reason}" for reason in error.reasons]
    hints = [f"  = help: {hint}" for hint in (error.hint, _without_folder()) if hint]
    for line in (f"error[{tag(error.code)}]: {error.message}", *reasons, *hints):
        say(console, line)


def _without_folder() -> str | None:
    """Say what to do where there is no current folder, which is what most errors then come from."""
    try:
        Path.cwd()
    except OSError:
        return "the current folder was deleted or moved; change to another folder"
    return None


def offline(error: ReconcilerError) -> bool:
    """Whether `validate` finds each problem of an error too: by the themes of their codes."""
    numbers = [number(problem.code) or "" for problem in error.problems if problem.code != "credential"]
    return len(numbers) == len(error.problems) and all(each.startswith(IN_FILES) for each in numbers)


def failed_page(title: str, error: Exception, form: str, limit: int) -> str:
    """Return the page of an error that ended a command, as Markdown or HTML: what `explain` prints."""
    if isinstance(error, ReconcilerError):
        words, problems = error.message, error.problems
        hints = [*error.reasons, *([f"hint: {error.hint}"] if error.hint else [])]
    else:
        words = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        problems, hints = (), ["The log of the command says more."]
    if form == "html":
        from reconciler.render import html  # noqa: PLC0415 - 20 ms of templates, only for a page

        return html.failure(title, words, problems, hints)
    return markdown.failure(title, words, problems, hints, limit)


def _explain_machine(error: OSError) -> None:
    """Say what the machine refused (a full disk, too many open files): nothing that a report could change."""
    if os.environ.get("RECONCILER_DEBUG"):
        click.echo("".join(traceback.format_exception(error)), err=True)
    hint = _without_folder()
    place = f"{os.fsdecode(error.filename)}: " if error.filename is not None and hint is None else ""
    console = people()
    for line in (f"error[{tag('machine')}]: {place}{error.strerror}", *([f"  = help: {hint}"] if hint else [])):
        say(console, line)


def _explain_defect(error: Exception) -> None:
    if os.environ.get("RECONCILER_DEBUG"):
        click.echo("".join(traceback.format_exception(error)), err=True)
    place, owner = _origin(error)
    click.echo(
        f"error[{tag('internal-error')}]: internal error ({type(error).__name__}: {visible(str(error))}) at {place}\n"
        f"  = help: this is a defect of {owner}; please report it with the output of RECONCILER_DEBUG=1",
        err=True,
    )


def _origin(error: Exception) -> tuple[str, str]:
    """Return the place of a defect and whose it is: that of a package with kinds or providers, or of reconciler."""
    frames = [*traceback.walk_tb(error.__traceback__)][::-1]
    places = [f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in frames]
    for place, (frame, _) in zip(places, frames, strict=True):
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] == "reconciler":
            break
        package = package_of(module)
        if package is not None:
            return place, visible(package)
    return places[0], "reconciler"
