"""Where output goes: data to stdout or a file, messages to stderr.

The renderers are imported where something is shown, so that `--help` loads neither rich nor jinja2.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from reconciler import commands, files, redaction
from reconciler.cli.consoles import console_on, people, terminal
from reconciler.cli.streams import on_screen, utf8, write_unmasked
from reconciler.commands import in_environment, using
from reconciler.errors import OutputFailed
from reconciler.render.safe import harmless

if TYPE_CHECKING:
    from reconciler.cli.forms import Forms
    from reconciler.model.objects import Problem
    from reconciler.model.plan import Plan
    from reconciler.model.report import Drift, Report
    from reconciler.operations.project import Validation
    from reconciler.render.console import Console
    from reconciler.settings import Project, Secret


class Sink(Struct, frozen=True, kw_only=True):
    """One place that an output goes to."""

    form: str
    file: Path | None = None
    """None for stdout."""
    is_summary: bool = False
    """Whether it is the summary of a job on GitHub, which other commands of the step write too: it is appended to."""


PAGE = 65_536
"""Bytes of a Markdown page at most by default: GitHub refuses a comment of more characters."""


class Output(Struct, frozen=True, kw_only=True):
    """The values of `--format` and `--output`."""

    sinks: tuple[Sink, ...] = (Sink(form="text"),)
    private: bool = True
    """Whether only the owner can read a new file: it quotes live data."""
    stated: bool = True
    """Whether the user chose a format or file."""
    compact: bool = False
    """Whether text shows one line for each object."""
    paged: bool = False
    """Whether text on a terminal may go through a pager."""
    max_bytes: int = PAGE
    """Bytes of a Markdown page at most."""
    shown: set[Sink] = set()
    """Where a value was shown already."""
    templates: Path | None = None
    """The folder of the project's templates for pages."""

    def of(self, project: Project) -> Output:
        """Return the output with the templates of a project."""
        return replace(self, templates=project.templates)

    @property
    def people(self) -> Output:
        """The part that is text on stdout, for people."""
        return self._only(lambda sink: sink == _PEOPLE)

    @property
    def documents(self) -> Output:
        """All but the text on stdout."""
        return self._only(lambda sink: sink != _PEOPLE)

    @property
    def is_text(self) -> bool:
        """Whether one of them is text on stdout, for people."""
        return _PEOPLE in self.sinks

    @property
    def forms(self) -> frozenset[str]:
        """The formats of all."""
        return frozenset(sink.form for sink in self.sinks)

    @property
    def uses_stdout(self) -> bool:
        """Whether one of them goes to stdout."""
        return any(sink.file is None for sink in self.sinks)

    def _only(self, wanted: Callable[[Sink], bool]) -> Output:
        return replace(self, sinks=tuple(filter(wanted, self.sinks)))


_PEOPLE = Sink(form="text")


def say(words: str) -> None:
    """Print one line for people on stderr, safe for all names of other systems in it."""
    if not on_screen(sys.stderr):
        click.echo(harmless(words), err=True)  # without rich, which takes a while to load
        return
    from reconciler.render.console import say as render

    render(people(), words)


def say_problems(problems: Iterable[Problem]) -> None:
    """Print problems for people on stderr."""
    from reconciler.render.problems import problems as render

    render(people(), problems)


def say_plan(plan: Plan, output: Output, *, verbose: bool) -> None:
    """Print a plan for people on stderr."""
    from reconciler.cli.forms import look
    from reconciler.render.text import plan as render

    render(people(), plan, look(output.compact, verbose=verbose))


def write(body: str | Callable[[], Iterable[str]], file: Path | None, *, private: bool = False) -> None:
    """Write a document, or the pieces that a function returns, to stdout or a file, as UTF-8; OutputFailed if it fails.

    A file is replaced whole or not at all.
    """
    pieces: Callable[[], Iterable[str]] = (lambda: (body,)) if isinstance(body, str) else body
    if file is None:
        write_unmasked(pieces())
        return
    with _in_words(file), suppress(BrokenPipeError):  # the reader of a pipe has ended, which is no error
        files.write_whole(file, lambda: map(utf8, pieces()), private=private)


SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of the job summary."""

_SUMMARY_BYTES = 1024 * 1024
"""GitHub takes this much of a step, and nothing where there is more."""


def is_summary(path: Path) -> bool:
    """Whether a path is the job summary of this step."""
    named = os.environ.get(SUMMARY)
    return bool(named) and os.path.realpath(path) == os.path.realpath(str(named))


def _append(file: Path, body: str) -> None:
    """Append a document to the job summary, unless it would not fit."""
    content = utf8(body)
    with _in_words(file):
        before = file.stat().st_size if file.exists() else 0
        if before + len(content) + 1 > _SUMMARY_BYTES:
            say("The job summary is full (GitHub takes 1 MiB per step): this output is not in it.")
            return
        with file.open("ab") as opened:
            opened.write((b"\n" if before else b"") + content)


def is_stdout(path: Path) -> bool:
    """Whether a path means stdout: `-`, or a name of the open file."""
    return str(path) == "-" or files.open_number(path) == 1


def check_writable(path: Path) -> None:
    """Raise OutputFailed now if a later `write` would fail: before a long read, not after it."""
    with _in_words(path):
        files.check_writable(path)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        hint = "free disk space, or choose another disk" if full else "choose a file in an existing, writable folder"
        raise OutputFailed(f"cannot write {path}: {error.strerror}", hint=hint) from None


def say_report(report: Report, plan: Plan) -> None:
    """Print a report for people on stderr."""
    from reconciler.render.text import report as render

    render(people(), report, plan)


def show_plan(plan: Plan, output: Output, *, verbose: bool = False) -> None:
    """Show a plan in the chosen format."""
    from reconciler.cli.forms import plan_forms

    show_in(plan_forms(plan, compact=output.compact, verbose=verbose), output)


def save_plan(plan: Plan, file: Path | None, key: Secret | None) -> None:
    """Save a plan's document, for `apply PLANFILE`; None for stdout. With a key it is signed."""
    from reconciler.documents.codec import plan_pieces

    write(lambda: plan_pieces(plan, key), file, private=True)


def show_report(report: Report, plan: Plan, output: Output, *, verbose: bool = False) -> None:
    """Show how an apply ended in the chosen format."""
    from reconciler.cli.forms import report_forms

    show_in(report_forms(report, plan, verbose=verbose), output)


def show_drift(drift: Drift, output: Output, *, verbose: bool = False) -> None:
    """Show what changed outside in the chosen format."""
    from reconciler.cli.forms import drift_forms

    show_in(drift_forms(drift, compact=output.compact, verbose=verbose), output)


def show_saved(read: Callable[[], str], output: Output, *, verbose: bool, quiet: bool) -> None:
    """Show the document that `read` returns in the chosen format, and unless `quiet` what its signature is worth."""
    from reconciler.cli.forms import saved_forms

    forms, note = saved_forms(read, compact=output.compact, verbose=verbose)
    if note and not quiet:
        say(note)
    with using(in_environment(forms.environment)):
        show_in(forms, output)


def show_validation(found: Validation, output: Output, root: Path, *, quiet: bool, verbose: bool) -> None:
    """Show what is wrong with the manifests, whose places are relative to `root`."""
    from reconciler.cli.forms import validation_documents, validation_text

    documents = validation_documents(found, root) if output.forms - {"text"} else {}
    show(output, text=lambda console: validation_text(console, found, quiet=quiet, verbose=verbose), **documents)


def json_text(document: Mapping[str, object]) -> str:
    """Return a document as JSON text."""
    from reconciler.documents.codec import dumps

    return dumps(document)


def versioned_json(members: Mapping[str, object]) -> str:
    """Return a JSON document with its format version and these members."""
    from reconciler.documents.codec import FORMAT_VERSION

    return json_text({"format_version": FORMAT_VERSION, **members})


def show_in(forms: Forms, output: Output) -> None:
    """Show a value in the chosen ones of its formats."""
    show(
        output,
        text=forms.text,
        json=forms.json,
        markdown=lambda: redaction.redacted(_own_page(forms, "markdown", output) or forms.markdown(output.max_bytes)),
        html=lambda: redaction.redacted_pieces(_own_pages(forms, output) or forms.html()),
    )


def show_failure(title: str, error: Exception, output: Output) -> None:
    """Write why a command failed where its pages were to go and nothing is yet: none may stay an old one."""
    pages = tuple(sink for sink in output.sinks if sink.form in {"markdown", "html"} and sink not in output.shown)
    if not pages:
        return
    from reconciler.cli.failures import failed_page

    def page(form: str) -> str:
        return redaction.redacted(failed_page(title, error, form, output.max_bytes))

    with suppress(OutputFailed):  # the error itself says why the command ends
        shown = replace(output, sinks=pages)
        show(shown, text=lambda _: None, markdown=partial(page, "markdown"), html=partial(page, "html"))


def _own_pages(forms: Forms, output: Output) -> Iterable[str]:
    page = _own_page(forms, "html", output)
    return () if page is None else (page,)


def _own_page(forms: Forms, form: str, output: Output) -> str | None:
    """Return a page by the project's template; None where there is none, or where it is too long for a comment."""
    if output.templates is None:
        return None
    from reconciler.operations.custom_pages import custom_page

    headline = commands.shown(forms.headline)  # the process that renders it does not know the command line
    page = custom_page(output.templates, forms.kind, form, headline, lambda: "".join(forms.json()))
    size = 0 if page is None else len(utf8(page))
    if form != "markdown" or size <= output.max_bytes:
        return page
    say(
        f"The page of templates/{forms.kind}.md.j2 has {size} bytes; --max-bytes allows {output.max_bytes}. "
        "The built-in page is used."
    )
    return None


Document = Callable[[], str | Iterator[str]]
"""Returns a document, or its pieces one after the other."""


def show(output: Output, *, text: Callable[[Console], None], **documents: Document) -> None:
    """Show a value as text for people, or as one of its documents, by format; all places get it before one fails."""
    failures = []
    for sink in output.sinks:
        output.shown.add(sink)
        try:
            _show_at(sink, text, documents, output)
        except OutputFailed as error:
            output.shown.discard(sink)
            failures.append(error)
    if failures:
        raise failures[0]


def _show_at(sink: Sink, text: Callable[[Console], None], documents: Mapping[str, Document], output: Output) -> None:
    if sink.is_summary and sink.file is not None:
        _append(sink.file, "".join(_pieces(documents[sink.form])()))
    elif sink.form != "text":
        write(_pieces(documents[sink.form]), sink.file, private=output.private)
    elif sink.file is None:
        if not (output.paged and sys.stdout.isatty() and _paged(text)):
            text(console_on(sys.stdout))
            sys.stdout.flush()
    else:
        buffer = StringIO()
        text(console_on(buffer))
        write(redaction.redacted(buffer.getvalue()), sink.file, private=output.private)


def _pieces(document: Document) -> Callable[[], Iterable[str]]:
    """Return what returns the pieces of a document, as often as a file needs them. It is made now, and can fail now."""
    made = document()
    if isinstance(made, str):
        return lambda: (made,)
    unused = [made]  # an iterator passes only once: whoever asks again gets another one
    return lambda: unused.pop() if unused else document()


def _paged(text: Callable[[Console], None]) -> bool:
    """Show a text that is longer than the terminal in a pager; return whether that was done."""
    from reconciler.cli.pager import page, pager

    command = pager(os.environ)
    if command is None:
        return False
    buffer = StringIO()
    screen = terminal(sys.stdout)
    console = terminal(buffer, like=screen)
    text(console)
    shown = redaction.redacted(buffer.getvalue())
    return shown.count("\n") >= screen.height and page(command, shown, screen.encoding)
