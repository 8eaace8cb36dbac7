"""scaffold: a manifest to start from, with every field."""

from __future__ import annotations

from pathlib import Path

import click

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.output import is_stdout, say, write
from reconciler.errors import OutputFailed


@click.command(
    epilog=options.examples(
        "scaffold Session", "scaffold Session spring-yoga --output manifests/spring-yoga.yaml", "scaffold Block closed"
    )
)
@click.argument("kind", shell_complete=completion.kinds)
@click.argument("name", required=False)
@click.option(
    "--output",
    type=options.DESTINATION,
    metavar="FILE",
    help="Write to this file, which must not exist; - is stdout. Default: stdout.",
)
def scaffold(kind: str, name: str | None, output: Path | None) -> None:
    """Print a manifest of a KIND with every field, to edit: required fields are set, the others are comments.

    NAME is its metadata.name. Each field has a comment that says what it is. The manifest is valid as it is.
    """
    from reconciler.operations.scaffold import scaffolded
    from reconciler.operations.schemas import modeline

    text = scaffolded(kind, name)
    file = None if output is None or is_stdout(output) else output
    if file is None:
        write(text, None)
        return
    if file.is_file():
        raise OutputFailed(f"{file} already exists; nothing was written", hint="choose another file for --output")
    project = reconciler.nearest_project()
    write((modeline(file, project.parent) if project is not None else "") + text, file)
    say(f"Wrote {file}")
