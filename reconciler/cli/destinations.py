"""`--format` and `--output`: where the output of a command goes, and in which formats."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import wraps
from pathlib import Path

import click

from reconciler.cli.gathering import Command, Decorator, gathered
from reconciler.cli.output import PAGE, Output, Sink, check_writable, is_stdout, is_summary, show_failure
from reconciler.errors import OutputFailed, UsageError

FORMATS_OF_ENDINGS = {".txt": "text", ".json": "json", ".md": "markdown", ".html": "html"}
MANIFESTS_OF_ENDINGS = {".yaml": "yaml", ".yml": "yaml"}
FINDINGS_OF_ENDINGS = {".sarif": "sarif", ".xml": "junit"}
"""Formats of a command that only reports problems."""


class _Destination(click.Path):
    """A file to write, or `-` for stdout."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, allow_dash=True)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if os.fspath(value).endswith(os.sep):  # which a Path drops
            raise OutputFailed(f"cannot write {value}: it is a folder", hint="add the name of a file")
        return super().convert(value, param, ctx)


DESTINATION = _Destination()


def sinks(form: str | None, paths: Sequence[Path], formats: Sequence[str]) -> tuple[Sink, ...]:
    """Return where an output goes and in which format; UsageError where the options do not say that clearly.

    `--format` is the format of a single output. Of several, it is that of those whose ending says none. The first of
    the formats is the default.
    """
    made = tuple(
        Sink(
            form=_form(form, path, formats, single=len(paths) == 1),
            file=None if is_stdout(path) else path,
            is_summary="markdown" in formats and is_summary(path),
        )
        for path in paths
    )
    check_distinct([sink.file for sink in made])
    return made or (Sink(form=form or formats[0]),)


def check_distinct(files: Iterable[Path | None]) -> None:
    """Raise UsageError where two outputs go to one file, or both to stdout; a device takes any number."""
    seen: set[str | None] = set()
    for file in files:
        place = None if file is None else os.path.realpath(file)
        if place in seen and (file is None or file.is_file() or not file.exists()):
            raise UsageError(f"two outputs go to {file or 'stdout'}", hint="give each output its own file")
        seen.add(place)


def _form(form: str | None, path: Path, formats: Sequence[str], *, single: bool) -> str:
    if "markdown" in formats and is_summary(path):
        return "markdown"
    ending = path.suffix.lower()
    others = FINDINGS_OF_ENDINGS | MANIFESTS_OF_ENDINGS
    endings = FORMATS_OF_ENDINGS | {item: name for item, name in others.items() if name in formats}
    found = endings.get(ending)
    if form is not None and (single or found is None):
        return form
    if form is None and str(path) in formats:
        hint = f"for the format: --format {path}; for a file of that name, give it an ending: --output {path}.txt"
        raise UsageError(f"--output {path} names a file, not a format", hint=hint)
    expected = ", ".join(item for item, name in endings.items() if name in formats)
    if found is not None and found not in formats:
        raise UsageError(f"--output {path}: {found} is not a format of this command", hint=f"expected {expected}")
    if found is None and ending and not single:
        hint = f"expected {expected}, or --format for the others"
        raise UsageError(f"--output {path}: the ending {ending} does not tell the format", hint=hint)
    return found or formats[0]


_SUMMARY = "The file of GITHUB_STEP_SUMMARY is appended to, as Markdown. "
_COMPACT = click.option("--compact", is_flag=True, help="Show one line for each object in text.")
_NO_PAGER = click.option(
    "--no-pager",
    is_flag=True,
    help="Do not show long text on a terminal in RECONCILER_PAGER, PAGER or less.",
)


def formatted(*formats: str, private: bool = True, compact: bool = False, paged: bool = False) -> Decorator:
    """Add the choice of output formats and files, as `output`. `private`: new files are only for their owner.

    `compact`: text can show one line for each object. `paged`: long text on a terminal goes through a pager.
    """
    compares = compact

    def make(
        *,
        form: str | None,
        outputs: tuple[Path, ...],
        compact: bool = False,
        no_pager: bool = not paged,
        max_bytes: int = PAGE,
    ) -> Output:
        made = sinks(form, outputs, formats)
        if compares and any(sink.form == "text" for sink in made):
            from reconciler.cli.differ import external_differ  # noqa: PLC0415 - 7 ms, for a quick --help

            external_differ(os.environ)  # before a long read: it may not be allowed
        for sink in made:
            if sink.file is not None:
                check_writable(sink.file)
        return Output(
            sinks=made,
            private=private,
            stated=form is not None or bool(outputs),
            compact=compact,
            paged=not no_pager,
            max_bytes=max_bytes,
        )

    options = gathered(
        "output",
        make,
        click.option(
            "--format",
            "form",
            type=click.Choice(formats),
            help=f"Output format. Default: {formats[0]}, or as --output ends.",
        ),
        click.option(
            "--output",
            "outputs",
            type=DESTINATION,
            multiple=True,
            metavar="FILE",
            help="Write to this file, in the format of its ending; - is stdout (repeatable). "
            f"{_SUMMARY if 'markdown' in formats else ''}Default: stdout.",
        ),
        *([_COMPACT] if compact else []),
        *([_NO_PAGER] if paged else []),
        *([_max_bytes] if "markdown" in formats else []),
    )
    return lambda command: options(_failing_visibly(command)) if "markdown" in formats else options(command)


_max_bytes = click.option(
    "--max-bytes",
    type=click.IntRange(4096),
    default=PAGE,
    metavar="N",
    help="Keep a Markdown page within N bytes: details are left out first, deletions and risks never. "
    f"Default: {PAGE}, the limit of a comment on GitHub.",
)


def _failing_visibly(command: Command) -> Command:
    """Return a command that writes a Markdown page about its failure, where it was to write one and has not."""

    @wraps(command)
    def call(*, output: Output, **values: object) -> int | None:
        try:
            return command(output=output, **values)
        except Exception as error:
            name = click.get_current_context().info_name or "command"
            show_failure(f"{name.capitalize()} failed", error, output)
            raise

    return call
