"""show: a saved document for people, without a project, credentials or a state."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.document import read_document
from reconciler.cli.output import show_saved
from reconciler.errors import ReconcilerError


@click.command(epilog=options.examples("show pr.plan", "show pr.plan --format html --output plan.html"))
@click.argument("file", type=click.Path(path_type=Path))
@options.plain
@options.formatted(*options.FORMATS)
def show(file: Path, form: str, output: Path | None, verbose: bool) -> None:
    """Show a document that plan, apply or drift wrote (FILE, or - for stdin), as that command showed it.

    Needs neither a project nor credentials nor the state, and reads nothing but the document.
    """
    from reconciler.documents.load import SavedPlan, load_document  # noqa: PLC0415 - late, for a quick --help

    saved = load_document(read_document(file))
    if isinstance(saved, SavedPlan) and not saved.intact:
        message = "the plan was edited after it was made: its digest is not that of its content"
        raise ReconcilerError(message, hint="make a new plan; apply refuses this one, too")
    show_saved(saved, form, output, verbose=verbose)
