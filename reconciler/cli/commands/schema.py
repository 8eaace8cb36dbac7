"""schema: the JSON Schemas, for editors and programs."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli import completion, options
from reconciler.cli.output import is_stdout, json_text, write
from reconciler.errors import UsageError


@click.command(
    epilog=options.examples(
        "schema --output .schemas/manifest.schema.json", "schema Session --output session.schema.json", "schema --list"
    )
)
@click.argument("kind", required=False, shell_complete=completion.schemas)
@click.option("--list", "listed", is_flag=True, help="Print the names that KIND can have, instead of a schema.")
@click.option(
    "--output", type=options.DESTINATION, metavar="FILE", help="Write to this file; - is stdout. Default: stdout."
)
def schema(kind: str | None, listed: bool, output: Path | None) -> None:
    """Print the JSON Schema of a whole manifest, for editors: of one KIND, or without KIND of every kind.

    The schema is one file without references to others. It allows templates. KIND can also be Project, for the project
    file, or a document that a command writes as JSON: plan, report, drift, validation, why, render.
    """
    from reconciler.operations import explain, schemas

    if listed and kind is not None:
        raise UsageError("--list cannot be used with a KIND", hint="use one of the two")
    text = "".join(f"{name}\n" for name in explain.schema_names()) if listed else json_text(schemas.schema(kind))
    write(text, None if output is None or is_stdout(output) else output)
