"""Where output goes: data to stdout or a file, people's words and progress to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from reconciler import files, redaction
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from rich.console import Console

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
    """Write a file that only its owner can read, whole or not at all."""
    with _in_words(path):
        files.write_whole(path, body.encode("utf-8"), private=True)


def check_writable(path: Path) -> None:
    """Raise ReconcilerError now if a later `write_private` would fail: a long read should not be in vain."""
    with _in_words(path):
        files.check_writable(path)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "name a file in a folder that exists and is writable"
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
    """Show a plan in the asked form."""
    _present("plan", form, output, plan, verbose=verbose)


def show_report(report: Report, plan: Plan, form: str, output: Path | None) -> None:
    """Show how an apply went in the asked form."""
    _present("report", form, output, report, plan)


def show_drift(drift: Drift, form: str, output: Path | None, *, verbose: bool = False) -> None:
    """Show what changed outside in the asked form."""
    _present("drift", form, output, drift, verbose=verbose)


def show_document(kind: str, document: Mapping[str, Any], form: str, output: Path | None, *, verbose: bool) -> None:
    """Show a document that was read back, as the command showed it that made it."""
    from reconciler.documents import rebuild  # noqa: PLC0415 - late, for a quick --help

    if kind == "plan":
        values: tuple[Any, ...] = (rebuild.plan(document),)
        _present(kind, form, output, *values, document=document, page={"digest": document["digest"]}, verbose=verbose)
    elif kind == "report":
        _present(kind, form, output, *rebuild.report(document), document=document)
    else:
        _present(kind, form, output, rebuild.drift(document), document=document, verbose=verbose)


def _present(
    what: str,
    form: str,
    output: Path | None,
    *values: Any,
    document: Mapping[str, Any] | None = None,
    page: Mapping[str, Any] | None = None,
    **words: bool,
) -> None:
    """Show a plan, report or drift: each renderer has a function of its name; `page` is for HTML, `words` for text.

    `document` is what the values were read from, where they were.
    """
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import html, markdown, text  # noqa: PLC0415 - late, for a quick --help

    forms: dict[str, Callable[[], str]] = {
        "json": lambda: codec.dumps(document or getattr(codec, f"{what}_document")(*values)),
        "markdown": lambda: str(getattr(markdown, what)(*values)),
        "html": lambda: str(getattr(html, what)(*values, **(page or {}))),
    }
    show(form, output, forms, lambda console: getattr(text, what)(console, *values, **words))


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
