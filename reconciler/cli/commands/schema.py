"""schema: the JSON Schemas, as files for editors and programs."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import examples
from reconciler.cli.output import write
from reconciler.errors import UsageError


@click.command(epilog=examples("schema Session --output session.schema.json"))
@click.argument("kind", required=False)
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")
def schema(kind: str | None, output: Path | None) -> None:
    """Print the JSON Schema of a KIND (Session, Resource, Block, Project…), or the names there are."""
    from reconciler.documents.codec import dumps  # noqa: PLC0415 - late, for a quick --help
    from reconciler.manifests.words import nearest  # noqa: PLC0415 - late, for a quick --help
    from reconciler.schema import load_schema, schema_names  # noqa: PLC0415 - late, for a quick --help

    names = {name.replace("_", ""): name for name in schema_names()}
    if kind is None:
        write("".join(f"{name}\n" for name in schema_names()), output)
        return
    name = names.get(kind.lower().replace("-", "").replace("_", ""))
    if name is None:
        near = nearest(kind, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(schema_names())}"
        raise UsageError(f"there is no schema {kind!r}", hint=hint)
    write(dumps(load_schema(name)), output)
