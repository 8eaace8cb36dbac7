"""fmt: manifests and the project file in their canonical form."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli import completion, options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import say_problems, write
from reconciler.errors import OutputFailed
from reconciler.files import write_whole
from reconciler.model.words import count, plural

if TYPE_CHECKING:
    from reconciler.operations.format import Formatted


@click.command(epilog=options.examples("fmt", "fmt --check", "fmt --diff manifests/yoga.yaml", "fmt - < yoga.yaml"))
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion.files)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Print what would change, and write nothing; exit with 1 if a file would.")
@options.common
def fmt(paths: tuple[str, ...], check: bool, diff: bool, common: Common) -> int:
    """Write manifests in their canonical form: PATHs (files, folders, globs, - for stdin to stdout).

    Default: the project's manifests and its project file. Keys get the order of `reconciler explain`, with their
    comments. A text gets quotes where some reader of YAML takes it for another type (`No`, `010`), and loses them where
    none does; dates and times stay as they are written. Nothing else changes: comments, layout, anchors, templates,
    blocks of text, line ends. Keys of a document with anchors are not moved. JSON, and documents with another
    apiVersion, are left as they are.

    A file that is not valid YAML is named and left as it is; the others are formatted (exit code 1).
    """
    from reconciler.operations.edits import unified
    from reconciler.operations.format import format_files

    project = None if paths and common.project is None else common.open()
    files, problems = format_files(project, paths, stdin=sys.stdin.buffer)
    changed = [item for item in files if item.changes]
    if diff:
        write("".join(unified(item.shown, item.before, item.after) for item in changed), None)
    for item in files:
        if not (check or diff) and item.file is None and not item.problems:
            write(item.after.decode(), None)
        elif not (check or diff) and item.changes and item.file is not None:
            try:
                write_whole(item.file, item.after)
            except OSError as error:
                raise OutputFailed(f"cannot write {item.shown}: {error.strerror}") from None
    say_problems([*problems, *(problem for item in files for problem in item.problems)])
    broken = [item for item in files if item.problems]
    for line in _summary(files, changed, broken, writes=not (check or diff)):
        common.say(line)
    wrong = problems or broken or (changed and (check or diff))
    return Exit.ERROR if wrong else Exit.DONE


def _summary(
    files: Sequence[Formatted], changed: Sequence[Formatted], broken: Sequence[Formatted], *, writes: bool
) -> list[str]:
    verb = "Formatted" if writes else "Would format"
    left = len(files) - len(changed) - len(broken)
    counts = [
        f"{count(len(changed), 'file')} {'formatted' if writes else 'would be formatted'}" if changed else "",
        f"{count(left, 'file')} {plural(left, 'is', 'are')} formatted already" if left else "",
        f"{count(len(broken), 'file')} could not be formatted" if broken else "",
    ]
    total = "; ".join(filter(None, counts)) or "no file to format"
    return [*(f"{verb} {item.shown}" for item in changed if item.file is not None), f"{total[0].upper()}{total[1:]}."]
