"""demo: the whole loop on an embedded sandbox in a temporary folder, with nothing to set up.

What happens is in `demo_story`; here is the stage: a copy of the leisure-centre example, a sandbox it
points to, and the real command line run inside of this process, so that its output is what users see.
"""

from __future__ import annotations

import difflib
import io
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.cli.demo_story import Edit
    from reconciler.sandbox import Sandbox

EXAMPLE = "leisure-centre"
EXAMPLE_URL = "http://127.0.0.1:8700"
"""Where the example expects the sandbox: its default port."""

_EXIT_INTERRUPTED = 130
_EXIT_MEANINGS = {2: "there are changes", 4: "refused before the first write"}
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
    from reconciler.cli import demo_story  # noqa: PLC0415 - late, for a quick --help

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
                demo_story.play(Stage(sandbox, color=color, show_all=show_all), kept=keep is not None)
        finally:
            _point(project, sandbox.url, EXAMPLE_URL)


class Stage:
    """What the story needs: to speak, to run commands and to edit manifests, all in the project's folder."""

    def __init__(self, sandbox: Sandbox, *, color: bool, show_all: bool) -> None:
        self.sandbox = sandbox
        self._color = color
        self._show_all = show_all
        self._step = 0
        self._heading = ""

    def step(self, heading: str, *words: str) -> None:
        """Begin a numbered step, with a few plain words about it."""
        self._step += 1
        self._heading = heading
        self._print()
        self._print(click.style(f"{self._step}. {heading}", bold=True, fg="cyan"))
        self.say(*words)

    def say(self, *words: str) -> None:
        """Write lines of plain words."""
        for line in words:
            self._print(line)

    def run(self, *arguments: str, expect: int = 0, first: int | None = None, last: int = 0) -> str:
        """Run one command as a user would, show its output and return it; the exit code must be `expect`.

        `first` and `last` are how many lines to show of a long output; without `first`, all of them.
        """
        self._print()
        self._print(click.style(f"  $ {shlex.join(('reconciler', *arguments))}", bold=True))
        code, output = _run(arguments, terminal=self._color)
        lines = output.rstrip("\n").split("\n")
        ended_well = code == expect
        for line in lines if self._show_all or not ended_well else _folded(lines, first, last):
            self._print(f"  {line}" if line else "")
        if code == _EXIT_INTERRUPTED:
            raise KeyboardInterrupt
        if not ended_well:
            command = shlex.join(("reconciler", *arguments))
            message = f"step {self._step} ({self._heading}): `{command}` ended with exit code {code}, not {expect}"
            raise ReconcilerError(message, hint="this is a defect of reconciler or of its demo; please report it")
        if code:
            self._print(click.style(f"  (exit code {code}: {_EXIT_MEANINGS[code]})", dim=True))
        return output

    def edit(self, edits: Sequence[Edit]) -> None:
        """Edit manifests and show the difference as a pull request would."""
        shown = ""
        for edit in edits:
            file = Path(edit.file)
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            file.write_text(edit.carried_out(text), encoding="utf-8")
            if edit.file != shown:
                self._print()
                self._print(click.style(f"  {edit.file}", bold=True))
            shown = edit.file
            for line in difflib.unified_diff(edit.before.splitlines(), edit.after.splitlines(), n=0, lineterm=""):
                if not line.startswith(("@@", "--- ", "+++ ")):
                    self._print(click.style(f"  {line[0]} {line[1:]}", fg="red" if line[0] == "-" else "green"))

    def _print(self, text: str = "") -> None:
        from reconciler.render.safe import fitting  # noqa: PLC0415 - late, for a quick --help

        click.echo(fitting(text, sys.stdout.encoding or "utf-8"), color=self._color)


def _folded(lines: Sequence[str], first: int | None, last: int) -> Iterator[str]:
    """Return the beginning and end of a long output, with an honest word about what is left out."""
    hidden = 0 if first is None else len(lines) - first - last
    if first is None or hidden <= 1:
        yield from lines
        return
    yield from lines[:first]
    yield f"… ({hidden} lines folded here; --show-all prints them)"
    yield from lines[len(lines) - last :]


def _run(arguments: Sequence[str], *, terminal: bool) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it wrote, both streams in order."""
    from reconciler.cli.main import run  # noqa: PLC0415 - main imports this module late, too

    written: list[str] = []
    # Only stdout may look like a terminal: a progress bar on stderr has no place in a recorded output.
    with redirect_stdout(_Recorder(written, terminal=terminal)), redirect_stderr(_Recorder(written, terminal=False)):
        code = run(arguments)
    return code, "".join(written)


class _Recorder(io.StringIO):
    """A stream that appends to a list which it shares with another one, so that their order is kept."""

    def __init__(self, written: list[str], *, terminal: bool) -> None:
        super().__init__()
        self._written = written
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain StringIO has none
        """The encoding of the stream that is written to in the end."""
        return (sys.__stdout__.encoding if sys.__stdout__ else None) or "utf-8"

    def isatty(self) -> bool:
        """Say whether colours are welcome."""
        return self._terminal

    def write(self, text: str) -> int:
        """Append to the shared list; bytes are refused, which is how click tells a text stream."""
        if not isinstance(text, str):
            raise TypeError("expected str")
        self._written.append(text)
        return len(text)


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
    beside = Path(__file__).resolve().parents[2] / "examples" / EXAMPLE
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
