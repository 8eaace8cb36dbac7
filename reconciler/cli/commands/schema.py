"""schema: the JSON Schemas, as files for editors and programs."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import options
from reconciler.cli.output import json_text, write


@click.command(epilog=options.examples("schema Session --output session.schema.json"))
@click.argument("kind", required=False)
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file. Default: stdout.")
def schema(kind: str | None, output: Path | None) -> None:
    """Print the JSON Schema of a KIND (Session, Resource, Block, Project…), or the names of all schemas."""
    from reconciler.operations import explain

    if kind is None:
        write("".join(f"{name}\n" for name in explain.schemas()), output)
    else:
        write(json_text(explain.schema(kind)), output)
