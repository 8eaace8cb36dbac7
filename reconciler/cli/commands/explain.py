"""explain: what a manifest or the project file may say, for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import options
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from reconciler.manifests.describe import Field

_WIDTH = 100


@click.command(epilog=options.examples("explain Session", "explain Session.slots.time", "explain Project.policy"))
@click.argument("what", metavar="KIND[.FIELD]")
@options.formatted("text", "json")
def explain(what: str, form: str, output: Path | None) -> None:
    """Say what a KIND is and what its fields mean; with FIELD (Session.slots.time) one field in full.

    KIND is Session, Resource, Block, BookingSession, Removed or Project. A FIELD of spec may be named without `spec`.
    """
    from dataclasses import asdict  # noqa: PLC0415 - late, for a quick --help

    from reconciler.cli.output import show  # noqa: PLC0415 - late, for a quick --help
    from reconciler.documents.codec import dumps  # noqa: PLC0415 - late, for a quick --help
    from reconciler.manifests.describe import describe  # noqa: PLC0415 - late, for a quick --help

    kind, *path = what.split(".")
    name, schema = _schema_of(kind)
    described = describe(name, schema, tuple(path))
    document = {"format_version": "1.0", **asdict(described)}
    show(form, output, {"json": lambda: dumps(document)}, lambda console: _write(console, described))


def _schema_of(kind: str) -> tuple[str, str]:
    """Return how a kind is written and the name of its schema; UsageError where there is none."""
    from reconciler.model.nearest import nearest  # noqa: PLC0415 - late, for a quick --help
    from reconciler.registry import kinds  # noqa: PLC0415 - late, for a quick --help

    known = {**{name: item.schema for name, item in kinds().items()}, "Removed": "removed", "Project": "project"}
    folded = {name.lower(): name for name in known}
    name = folded.get(kind.lower().replace("_", "").replace("-", ""))
    if name is None:
        near = nearest(kind, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"there is no kind {kind!r}", hint=hint)
    return name, known[name]


def _write(console: Console, field: Field) -> None:
    for line in (*_head(field), *_fields(field), *_rules(field), *_more(field)):
        console.print(line)


def _more(field: Field) -> Iterator[str]:
    """Say where to read on: a kind itself is described by its spec."""
    if "." not in field.path:
        yield ""
        yield f"Beside spec there are apiVersion, kind and metadata: reconciler explain {field.path}.metadata"
        yield f"One field in full: reconciler explain {field.fields[0].path}"


def _head(field: Field) -> Iterator[str]:
    needed = ", required" if field.required and "." in field.path else ""
    yield f"{field.path}  {_accepts(field)}{needed}"
    yield ""
    yield from _wrapped(field.description, "  ")
    if field.examples and not field.fields:
        yield ""
        yield "EXAMPLES"
        yield from (f"  {_example(field, example)}" for example in field.examples)


def _fields(field: Field) -> Iterator[str]:
    if not field.fields:
        return
    yield ""
    yield {"": "FIELDS", "[]": "FIELDS OF EACH ITEM", ".NAME": "FIELDS UNDER EACH NAME"}[field.holds]
    width = max(len(_short(item)) for item in field.fields)
    for item in field.fields:
        needed = " (required)" if item.required else ""
        yield from _wrapped(f"{_accepts(item)}{needed}", " " * (width + 4), first=f"  {_short(item):<{width}}  ")
        yield from _wrapped(item.description, " " * (width + 4))


def _rules(field: Field) -> Iterator[str]:
    if not field.rules:
        return
    yield ""
    yield "RULES BETWEEN FIELDS, IN THE WORDS OF THEIR ERRORS"
    for rule in field.rules:
        yield from _wrapped(rule, "    ", first="  - ")


def _short(field: Field) -> str:
    return field.path.rpartition(".")[2]


def _accepts(field: Field) -> str:
    return " | ".join(field.accepts)


def _example(field: Field, example: Any) -> str:
    """Return an example as YAML on one line, which takes JSON as it is."""
    return f"{_short(field)}: {example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)}"


def _wrapped(text: str, indent: str, *, first: str | None = None) -> list[str]:
    start = indent if first is None else first
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
