"""demo: the whole loop on an embedded sandbox in a temporary folder, with nothing to set up.

What happens is in `demo_story`, and `demo_stage` runs the real command line inside of this process, so that its
output is what users see; here are a copy of the leisure-centre example and the sandbox it points to.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.sandbox import Sandbox

EXAMPLE = "leisure-centre"
EXAMPLE_URL = "http://127.0.0.1:8700"
"""Where the example expects the sandbox: its default port."""

_CREDENTIALS = {
    "BB_USERNAME": "username",
    "BB_PASSWORD": "password",
    "BB_APP_ID": "app_id",
    "BB_APP_KEY": "app_key",
    "BB_TOKEN": "auth_token",
    "CF_KEY": "checkfront_key",
    "CF_SECRET": "checkfront_secret",
}
_TERMINAL_WISHES = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR")


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Play in this new folder and keep it.")
@click.option("--show-all", is_flag=True, help="Print every output whole, however long.")
@click.option("--no-color", is_flag=True, help="Plain output.")
def demo(keep: Path | None, show_all: bool, no_color: bool) -> None:
    """Play the whole loop on an embedded sandbox in a temporary folder: no set-up, no network."""
    from reconciler.cli.demo import stage, story  # noqa: PLC0415 - late, for a quick --help

    if keep is not None and keep.exists() and not (keep.is_dir() and not any(keep.iterdir())):
        raise UsageError(f"{keep} exists and is not an empty folder", hint="name a new folder")
    color = not (no_color or os.environ.get("NO_COLOR")) and sys.stdout.isatty()
    with _sandbox() as sandbox, ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-demo-")))
        project = folder.absolute() / ("" if keep else EXAMPLE)
        _copy(_example(), project)
        _point(project, EXAMPLE_URL, sandbox.url)
        try:
            with chdir(project), _environment(sandbox, color=color):
                story.play(stage.Stage(sandbox, color=color, show_all=show_all), kept=keep is not None)
        finally:
            _point(project, sandbox.url, EXAMPLE_URL)


@contextmanager
def _sandbox() -> Iterator[Sandbox]:
    try:
        from reconciler.sandbox import Options, Sandbox  # noqa: PLC0415 - Starlette, only here
    except ImportError as error:
        message = f"the demo runs on the sandbox, which needs {error.name}; it is not installed"
        raise ReconcilerError(message, hint="in the checkout: pip install '.[sandbox]'") from None
    # The documented answer of a session has no price; with all fields the demo can show drift on one.
    with Sandbox(Options(show_fields="all")) as sandbox:
        yield sandbox


@contextmanager
def _environment(sandbox: Sandbox, *, color: bool) -> Iterator[None]:
    """Set the example's credentials for the demo only; what the user had comes back afterwards."""
    wanted = {variable: str(getattr(sandbox.options, name)) for variable, name in _CREDENTIALS.items()}
    wanted |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    wanted |= {} if color else {"NO_COLOR": "1"}
    names = {*wanted, *_TERMINAL_WISHES}
    before = {name: os.environ[name] for name in names if name in os.environ}
    try:
        for name in _TERMINAL_WISHES:
            os.environ.pop(name, None)
        os.environ.update(wanted)
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


def _example() -> Traversable:
    """Return the example: package data of an installed wheel, else beside the package."""
    inside = resources.files("reconciler") / "_data" / "examples" / EXAMPLE
    if inside.is_dir():
        return inside
    beside = Path(__file__).resolve().parents[3] / "examples" / EXAMPLE
    if not beside.is_dir():
        raise ReconcilerError(f"the example {EXAMPLE} is not there", hint="install reconciler anew")
    return beside


def _copy(source: Traversable, target: Path) -> None:
    """Copy a folder without what an earlier run left in it; package data need not be plain files."""
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
