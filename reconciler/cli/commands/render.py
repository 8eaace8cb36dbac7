"""render: the final documents of the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.options import Common
from reconciler.cli.output import Output, say_problems, show

if TYPE_CHECKING:
    from reconciler import Selection


@click.command(
    epilog=options.examples(
        "render",
        "render --env prod --target 'Session/*'",
        "render --output rendered.yaml --output rendered.json",
    )
)
@options.common
@options.selecting
@options.formatted("yaml", "json", private=False)
def render(common: Common, selection: Selection, output: Output) -> None:
    """Print the final manifests, with the values of their templates. Offline, without credentials.

    There is one document for each object, in address order: a whole manifest in the form that `export` writes, after a
    comment with its file and line. The same manifests give the same bytes, so that commits or environments can be
    compared. As the manifests of a project, the output gives the same plan. Known secrets are masked.

    If a manifest has an error, all errors are printed, and no document (exit code 1).
    """
    from reconciler.documents.codec import rendered_pieces
    from reconciler.manifests.final import yaml_text
    from reconciler.operations.render import render as rendered

    found = rendered(common.open_warned(), selection)
    if not common.quiet:
        say_problems(found.unread)
    if not found.documents:
        common.say("The manifests declare no objects.")
    show(
        output,
        text=lambda _: None,
        yaml=lambda: map(yaml_text, found.documents),
        json=lambda: rendered_pieces(found),
    )
