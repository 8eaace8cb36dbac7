"""Where output goes: data to stdout or a file, people's words and progress to stderr."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from reconciler import redaction
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from rich.console import Console

    from reconciler.documents.load import SavedPlan, SavedReport
    from reconciler.model.plan import Plan
    from reconciler.model.report import Drift, Outcome, Report


class _Guarded:
    """A text stream that masks known secrets in what is written to it.

    It has no `buffer`: click would write past it where the stream's encoding is ASCII.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("expected str")  # which is how click tells a text stream
        self.stream.write(redaction.redacted(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Mask every known secret on both streams for the time of one command line."""
    with (
        redaction.run(),
        redirect_stdout(cast("IO[str]", _Guarded(sys.stdout))),
        redirect_stderr(cast("IO[str]", _Guarded(sys.stderr))),
    ):
        yield


def _console(stream: IO[str]) -> Console:
    from rich.console import Console  # noqa: PLC0415 - 40 ms, for a quick --help

    # No colour system means no bold or dim either: what NO_COLOR asks for in the end is plain text.
    system: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=stream, color_system=system, highlight=False, soft_wrap=True, emoji=False, markup=False)


def people() -> Console:
    """Return the console for words to people: stderr."""
    return _console(sys.stderr)


def data() -> Console:
    """Return the console for data in text form: stdout."""
    return _console(sys.stdout)


def write(body: str, output: Path | None) -> None:
    """Write a finished document to stdout or to a file that only its owner can read.

    As it is: secrets were masked while it was made, and to mask them once more could break its syntax.
    """
    if output is None:
        stream = sys.stdout.stream if isinstance(sys.stdout, _Guarded) else sys.stdout
        stream.write(body)
        stream.flush()
    else:
        write_private(output, body)


def write_private(path: Path, body: str) -> None:
    """Write a file with mode 0600, whole or not at all; ReconcilerError where it cannot be."""
    with _partial(path) as partial:
        partial.write_text(body, encoding="utf-8")
        partial.replace(path)


def check_writable(path: Path) -> None:
    """Raise ReconcilerError now where a later `write_private` would fail: a long read should not be in vain."""
    with _partial(path) as partial:
        partial.unlink()
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """Make an empty file of mode 0600 beside the one that is to be written; what fails is told in words."""
    try:
        if not path.name:
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield partial
    except OSError as error:
        hint = "name a file in a folder that exists and can be written"
        raise ReconcilerError(f"cannot write {path}: {error.strerror}", hint=hint) from None


def show(form: str, output: Path | None, forms: dict[str, Callable[[], str]], text: Callable[[Console], None]) -> None:
    """Show a value in the asked form: a document from `forms`, or text for people."""
    if form != "text":
        body = forms[form]()
        write(body if form == "json" else redaction.redacted(body), output)
    elif output is None:
        text(data())
    else:
        buffer = StringIO()
        text(_console(buffer))
        write_private(output, redaction.redacted(buffer.getvalue()))


def show_plan(plan: Plan, form: str, output: Path | None, *, verbose: bool = False) -> None:
    """Show a plan in the requested form."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import html, markdown, text  # noqa: PLC0415 - late, for a quick --help

    forms: dict[str, Callable[[], str]] = {
        "json": lambda: codec.dumps(codec.plan_document(plan)),
        "markdown": lambda: markdown.plan(plan),
        "html": lambda: html.plan(plan, codec.plan_digest(plan)),
    }
    show(form, output, forms, lambda console: text.plan(console, plan, verbose=verbose))


def show_report(report: Report, plan: Plan, form: str, output: Path | None) -> None:
    """Show how an apply went in the requested form."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import html, markdown, text  # noqa: PLC0415 - late, for a quick --help

    forms: dict[str, Callable[[], str]] = {
        "json": lambda: codec.dumps(codec.report_document(report, plan)),
        "markdown": lambda: markdown.report(report, plan),
        "html": lambda: html.report(report, plan),
    }
    show(form, output, forms, lambda console: text.report(console, report, plan))


def show_drift(drift: Drift, form: str, output: Path | None, *, verbose: bool = False) -> None:
    """Show what changed outside in the requested form."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import html, markdown, text  # noqa: PLC0415 - late, for a quick --help

    forms: dict[str, Callable[[], str]] = {
        "json": lambda: codec.dumps(codec.drift_document(drift)),
        "markdown": lambda: markdown.drift(drift),
        "html": lambda: html.drift(drift),
    }
    show(form, output, forms, lambda console: text.drift(console, drift, verbose=verbose))


def show_saved(saved: SavedPlan | SavedReport | Drift, form: str, output: Path | None, *, verbose: bool) -> None:
    """Show a document that was read back, as the command that created it showed it."""
    from reconciler.documents.load import SavedPlan, SavedReport  # noqa: PLC0415 - late, for a quick --help

    if isinstance(saved, SavedPlan):
        show_plan(saved.plan, form, output, verbose=verbose)
    elif isinstance(saved, SavedReport):
        show_report(saved.report, saved.plan, form, output)
    else:
        show_drift(saved, form, output, verbose=verbose)


@contextmanager
def progress(words: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[Outcome | None], None]]:
    """Show a progress bar on stderr while a long step runs, on a terminal only; yields how to advance it."""
    console = people()
    if quiet or not console.is_terminal:
        yield _no_advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}")]
    if total is not None:
        columns += [BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(words, total=total)
        yield lambda _outcome: bar.advance(task)


def _no_advance(_: Outcome | None) -> None:
    return None
