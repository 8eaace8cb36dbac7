"""show: a saved document for people, without a project, credentials or a state."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.document import read_document
from reconciler.cli.output import show_document
from reconciler.errors import ReconcilerError


@click.command(epilog=options.examples("show pr.plan", "show pr.plan --format html --output plan.html"))
@click.argument("file", type=click.Path(path_type=Path))
@options.plain
@options.formatted(*options.FORMATS)
def show(file: Path, form: str, output: Path | None, verbose: bool) -> None:
    """Show a document that plan, apply or drift wrote (FILE, or - for stdin), as that command showed it.

    Needs neither a project nor credentials nor the state, and reads nothing but the document.
    """
    from reconciler.documents.load import load_document, plan_digest  # noqa: PLC0415 - late, for a quick --help

    kind, document = load_document(read_document(file))
    if kind == "plan" and document["digest"] != plan_digest(document):
        message = "the plan was edited after it was made: its digest is not that of its content"
        raise ReconcilerError(message, hint="make a new plan; apply refuses this one, too")
    show_document(kind, document, form, output, verbose=verbose)
