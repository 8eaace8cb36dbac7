"""show: a saved document for people, without a project, credentials or a state."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.document import read_document
from reconciler.cli.output import Output, show_saved


@click.command(epilog=options.examples("show pr.plan", "show pr.plan --format html --output plan.html"))
@click.argument("file", type=click.Path(path_type=Path))
@options.plain
@options.formatted(*options.FORMATS, compact=True, paged=True)
def show(file: Path, output: Output, verbose: bool, quiet: bool) -> None:
    """Show a document that plan, apply or drift wrote (FILE, or - for stdin).

    The output is the same as that of the command. No project, credentials or state are needed.
    """
    show_saved(partial(read_document, file), output, verbose=verbose, quiet=quiet)
