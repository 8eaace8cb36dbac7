"""demo: a complete example on an embedded sandbox in a temporary folder, without set-up.

`story` holds the steps; `stage` runs the real command line in this process, so that its output is what users see.
This module prepares a copy of the leisure-centre example and the sandbox that it points to.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

import click

from reconciler.cli.commands.sandbox import needing_extra
from reconciler.cli.streams import on_screen
from reconciler.errors import ReconcilerError, UsageError
from reconciler.files import shipped
from reconciler.sandbox import credentials

if TYPE_CHECKING:
    from reconciler.sandbox import Sandbox

EXAMPLE = "leisure-centre"
EXAMPLE_URL = "http://127.0.0.1:8700"
"""Where the example expects the sandbox: on its default port."""

NEXT = (
    ("init timetable", "a project with a first class"),
    ("sandbox", "in another terminal; paste its exports here"),
    ("apply --project timetable --env sandbox", "shows the plan, then asks"),
)
"""What to do after the demo, in the folder in which it ran."""

INDENT = 2
"""Columns by which the outputs of the demo are indented."""

_TERMINAL_SETTINGS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR")


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Use this new folder and keep it. Default: a temporary folder.",
)
@click.option("--show-all", is_flag=True, help="Print every output in full. Default: long outputs are folded.")
@click.option("--no-color", is_flag=True, help="Print no colors (also: NO_COLOR).")
def demo(keep: Path | None, show_all: bool, no_color: bool) -> None:
    """Run a complete example on an embedded sandbox in a temporary folder: no set-up, no network."""
    from reconciler.cli.demo import stage, story  # noqa: PLC0415 - only when the demo runs

    if keep is not None and keep.exists() and not (keep.is_dir() and not any(keep.iterdir())):
        raise UsageError(f"{keep} exists and is not an empty folder", hint="choose a new folder")
    own = invocation()
    color = not (no_color or os.environ.get("NO_COLOR")) and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_screen(sys.stdout) else None
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-demo-")))
        sandbox = stack.enter_context(prepared(folder.absolute() / ("" if keep else EXAMPLE), color=color, width=width))
        story.play(stage.Stage(sandbox, color=color, show_all=show_all, width=width), kept=keep is not None)
    click.echo("\nTo start your first timetable:")
    for words, comment in NEXT:
        line = f"  {f'{own} {words}':<{len(own) + 44}}# {comment}"
        fits = width is None or len(line) <= width
        click.echo(line if fits else f"  # {comment}\n  {own} {words}")


def invocation() -> str:
    """Return how the user calls this program from the current folder: its path where it is not on PATH."""
    program = Path(sys.argv[0]).absolute()
    if is_zipfile(program):  # the single file of a release
        beside: str | None = str(program)
    else:
        beside = shutil.which("reconciler", path=str(Path(sys.executable).parent))
    if beside is None:
        return shlex.join((sys.executable, "-m", "reconciler"))
    found = shutil.which("reconciler")
    if found is not None and Path(found).samefile(beside):
        return "reconciler"
    path = Path(beside)
    if not path.is_relative_to(Path.cwd()):
        return shlex.quote(str(path))
    shown = str(path.relative_to(Path.cwd()))
    return shlex.quote(shown if os.sep in shown else f"./{shown}")


@contextmanager
def prepared(project: Path, *, color: bool, width: int | None = None) -> Iterator[Sandbox]:
    """Copy the example to a new folder, and work in it with a new sandbox inside this block."""
    with needing_extra("the demo"):
        from reconciler.sandbox import Options, Sandbox  # noqa: PLC0415 - only when the demo runs
    # The documented answer for a session has no price; with all fields the demo can show drift of a price.
    with Sandbox(Options(show_fields="all")) as sandbox:
        _copy(_example(), project)
        _point(project, EXAMPLE_URL, sandbox.url)
        try:
            with chdir(project), _environment(sandbox, color=color, width=width):
                yield sandbox
        finally:
            _point(project, sandbox.url, EXAMPLE_URL)


@contextmanager
def _environment(sandbox: Sandbox, *, color: bool, width: int | None) -> Iterator[None]:
    """Set the example's credentials for the demo, and restore the user's environment afterwards."""
    wanted = {**credentials(sandbox.options), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    wanted |= {"RECONCILER_PAGER": "cat"}  # on a terminal a long plan would wait in `less`
    wanted |= {"RECONCILER_TODAY": "2027-03-01"}  # before the example's season, whenever the demo runs
    wanted |= {} if color else {"NO_COLOR": "1"}
    wanted |= {} if width is None else {"COLUMNS": str(width - INDENT)}
    names = {*wanted, *_TERMINAL_SETTINGS}
    before = {name: os.environ[name] for name in names if name in os.environ}
    try:
        for name in _TERMINAL_SETTINGS:
            os.environ.pop(name, None)
        os.environ.update(wanted)
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def _example() -> Traversable:
    """Return the example of the demo."""
    found = shipped("examples", EXAMPLE)
    if not found.is_dir():
        raise ReconcilerError(f"the example {EXAMPLE} is missing", hint="reinstall reconciler")
    return found


def _copy(source: Traversable, target: Path) -> None:
    """Copy a folder, without the state of an earlier run; package data need not be plain files."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir() and entry.name != ".reconciler":
            _copy(entry, target / entry.name)
        elif entry.is_file():
            (target / entry.name).write_bytes(entry.read_bytes())


def _point(project: Path, before: str, after: str) -> None:
    """Replace one base URL by another in the project file."""
    file = project / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
