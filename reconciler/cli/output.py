"""Where output goes: data to stdout or a file, messages to stderr.

The renderers are imported where something is shown, so that `--help` loads neither rich nor jinja2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from reconciler import files, redaction
from reconciler.cli.streams import write_unmasked
from reconciler.errors import ReconcilerError
from reconciler.render.safe import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from reconciler import Declared
    from reconciler.cli.forms import Forms
    from reconciler.model.objects import Problem
    from reconciler.model.plan import Plan
    from reconciler.model.report import Drift, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The values of `--format` and `--output`."""

    form: str
    file: Path | None

    @property
    def is_text(self) -> bool:
        """Whether it is text on stdout, for people."""
        return self.form == "text" and self.file is None


def _console(stream: IO[str]) -> Console:
    from rich.console import Console

    # Without a color system there is no bold or dim either: NO_COLOR asks for plain text.
    if os.environ.get("NO_COLOR"):
        return Console(file=stream, color_system=None, highlight=False, soft_wrap=True, emoji=False, markup=False)
    return Console(file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False)


def people() -> Console:
    """Return the console for messages: stderr."""
    return _console(sys.stderr)


def say(words: str) -> None:
    """Print one line for people on stderr, safe for all names of other systems in it."""
    click.echo(harmless(words), err=True)


def say_problems(problems: Iterable[Problem]) -> None:
    """Print problems for people on stderr."""
    from reconciler.render.text import problems as render

    render(people(), problems)


def say_plan(plan: Plan, *, verbose: bool) -> None:
    """Print a plan for people on stderr."""
    from reconciler.render.text import plan as render

    render(people(), plan, verbose)


def write(body: str, output: Path | None) -> None:
    """Write a finished document to stdout, or to a file that only its owner can read."""
    if output is None:
        write_unmasked(body)
    else:
        write_private(output, body)


def write_private(path: Path, body: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    with _in_words(path):
        files.write_whole(path, body.encode("utf-8"), private=True)


def check_writable(path: Path) -> None:
    """Raise ReconcilerError now if a later `write_private` would fail: before a long read, not after it."""
    with _in_words(path):
        files.check_writable(path)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "choose a file in an existing, writable folder"
        raise ReconcilerError(f"cannot write {path}: {error.strerror}", hint=hint) from None


def show_plan(plan: Plan, output: Output, *, verbose: bool = False) -> None:
    """Show a plan in the chosen format."""
    from reconciler.cli.forms import plan_forms

    show_in(plan_forms(plan, verbose=verbose), output)


def save_plan(plan: Plan, file: Path) -> None:
    """Save a plan's document, for `apply PLANFILE`."""
    from reconciler.cli.forms import plan_forms

    write_private(file, plan_forms(plan).json())


def show_report(report: Report, plan: Plan, output: Output) -> None:
    """Show how an apply ended in the chosen format."""
    from reconciler.cli.forms import report_forms

    show_in(report_forms(report, plan), output)


def show_drift(drift: Drift, output: Output, *, verbose: bool = False) -> None:
    """Show what changed outside in the chosen format."""
    from reconciler.cli.forms import drift_forms

    show_in(drift_forms(drift, verbose=verbose), output)


def show_saved(document: str, output: Output, *, verbose: bool) -> None:
    """Show a saved document in the chosen format."""
    from reconciler.cli.forms import saved_forms

    show_in(saved_forms(document, verbose=verbose), output)


def show_validation(declared: Declared, output: Output, *, quiet: bool) -> None:
    """Show what is wrong with the manifests."""
    from reconciler.cli.forms import validation_json, validation_text

    show(
        output,
        text=lambda console: validation_text(console, declared, quiet=quiet),
        json=lambda: validation_json(declared),
    )


def json_text(document: Mapping[str, object]) -> str:
    """Return a document as JSON text."""
    from reconciler.documents.codec import dumps

    return dumps(document)


def versioned_json(members: Mapping[str, object]) -> str:
    """Return a JSON document with its format version and these members."""
    from reconciler.documents.codec import FORMAT_VERSION

    return json_text({"format_version": FORMAT_VERSION, **members})


def show_in(forms: Forms, output: Output) -> None:
    """Show a value in the chosen one of its formats."""
    pages = {"markdown": forms.markdown, "html": forms.html}
    if output.form in pages:
        write(redaction.redacted(pages[output.form]()), output.file)
    else:
        show(output, text=forms.text, json=forms.json)


def show(output: Output, *, text: Callable[[Console], None], json: Callable[[], str]) -> None:
    """Show a value that has two formats: JSON, and text for people."""
    if output.form == "json":
        write(json(), output.file)
    elif output.file is None:
        text(_console(sys.stdout))
    else:
        buffer = StringIO()
        text(_console(buffer))
        write_private(output.file, redaction.redacted(buffer.getvalue()))
