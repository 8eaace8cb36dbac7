"""schema: the JSON Schemas, as files for editors and programs."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.output import is_stdout, json_text, write


@click.command(epilog=options.examples("schema Session --output session.schema.json"))
@click.argument("kind", required=False)
@click.option(
    "--output", type=options.DESTINATION, metavar="FILE", help="Write to this file; - is stdout. Default: stdout."
)
def schema(kind: str | None, output: Path | None) -> None:
    """Print the JSON Schema of a KIND (Session, Resource, Block, Project…), or the names of all schemas."""
    from reconciler.operations import explain

    file = None if output is None or is_stdout(output) else output
    if kind is None:
        write("".join(f"{name}\n" for name in explain.schemas()), file)
    else:
        write(json_text(explain.schema(kind)), file)
