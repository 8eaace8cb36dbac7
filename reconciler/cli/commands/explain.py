"""explain: what a manifest or the project file may contain, and what a code means, for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from reconciler.cli import completion, options
from reconciler.cli.output import Output, show, versioned_json

if TYPE_CHECKING:
    from reconciler.manifests.describe import Field
    from reconciler.model.codes import Code
    from reconciler.render.console import Console

_WIDTH = 100
_NARROWEST = 20


@click.command(
    epilog=options.examples("explain Session", "explain Session.slots.time", "explain Project.policy", "explain RC0301")
)
@click.argument("what", metavar="[KIND[.FIELD]|CODE]", required=False, shell_complete=completion.fields)
@options.formatted("text", "json", private=False)
def explain(what: str | None, output: Output) -> None:
    """Explain a KIND and its fields; with FIELD (Session.slots.time) one field in full; or the CODE of a problem.

    KIND is Session, Resource, Block, BookingSession, Removed or Project. A FIELD of spec may be named without `spec`.
    CODE is a number (RC0301) or a name (unknown-reference). Without an argument all of them are listed.
    """
    from reconciler.model.codes import Code, codes
    from reconciler.operations.explain import explain as describe
    from reconciler.operations.explain import explained

    if what is None:
        shown: dict[str, object] = {"kinds": explained(), "codes": [_listed(item) for item in codes()]}
        show(output, text=lambda console: _say(console, _all(console.width)), json=lambda: versioned_json(shown))
        return
    described = describe(what)
    show(
        output,
        text=lambda console: _say(
            console,
            _code(described, console.width) if isinstance(described, Code) else _kind(described, console.width),
        ),
        json=lambda: versioned_json(to_builtins(described)),
    )


def _say(console: Console, lines: Iterator[str]) -> None:
    from reconciler.render.console import say

    for line in lines:
        say(console, line)


def _kind(field: Field, room: int) -> Iterator[str]:
    width = min(_WIDTH, room)
    yield from (*_head(field, width), *_fields(field, width), *_rules(field, width), *_more(field))


def _listed(code: Code) -> dict[str, str]:
    return {"number": code.number, "code": code.code, "rule": code.rule}


def _all(room: int) -> Iterator[str]:
    """Name each kind and each code, with its rule."""
    from reconciler.model.codes import codes
    from reconciler.operations.explain import explained

    yield "KINDS"
    yield from (f"  {name}" for name in explained())
    yield ""
    yield "CODES"
    width = max(len(item.code) for item in codes())
    for item in codes():
        first = f"  {item.number}  {item.code:<{width}}  "
        narrow = room < len(first) + _NARROWEST
        yield from _wrapped(item.rule, " " * (10 if narrow else len(first)), min(_WIDTH, room), first=first)


def _code(code: Code, room: int) -> Iterator[str]:
    """Say what a code means, what to do, and show an example."""
    width = min(_WIDTH, room)
    yield f"{code.number}  {code.code}"
    for heading, text in (("", code.rule), ("", code.about), ("FIX", code.fix)):
        yield ""
        yield from ([heading] if heading else ())
        yield from _wrapped(text, "  ", width)
    for heading, example in (("WRONG", code.wrong), ("RIGHT", code.right)):
        if example:
            yield ""
            yield heading if example.startswith("$") else f"{heading}  {code.file}"
            yield from (f"  {line}" for line in example.splitlines())
    if code.unproven:
        yield ""
        yield from _wrapped(f"There is no example: {code.unproven}.", "  ", width)


def _more(field: Field) -> Iterator[str]:
    """Name what to read next: of a kind itself, only its spec is described."""
    if "." not in field.path:
        yield ""
        yield f"A manifest also has apiVersion, kind and metadata: `reconciler explain {field.path}.metadata`"
        yield f"To explain one field in full: `reconciler explain {field.fields[0].path}`"


def _head(field: Field, width: int) -> Iterator[str]:
    needed = ", required" if field.required and "." in field.path else ""
    yield f"{field.path}  {_accepts(field)}{needed}"
    yield ""
    yield from _wrapped(field.description, "  ", width)
    if field.examples and not field.fields:
        yield ""
        yield "EXAMPLES"
        yield from (f"  {_example(field, example)}" for example in field.examples)


def _fields(field: Field, width: int) -> Iterator[str]:
    if not field.fields:
        return
    yield ""
    yield {"": "FIELDS", "[]": "FIELDS OF EACH ITEM", ".NAME": "FIELDS UNDER EACH NAME"}[field.holds]
    longest = max(len(_short(item)) for item in field.fields)
    indent = " " * (longest + 4)
    for item in field.fields:
        needed = " (required)" if item.required else ""
        yield from _wrapped(f"{_accepts(item)}{needed}", indent, width, first=f"  {_short(item):<{longest}}  ")
        yield from _wrapped(item.description, indent, width)


def _rules(field: Field, width: int) -> Iterator[str]:
    if not field.rules:
        return
    yield ""
    yield "RULES BETWEEN FIELDS (THEIR ERROR MESSAGES)"
    for rule in field.rules:
        yield from _wrapped(rule, "    ", width, first="  - ")


def _short(field: Field) -> str:
    return field.path.rpartition(".")[2]


def _accepts(field: Field) -> str:
    return " | ".join(field.accepts)


def _example(field: Field, example: object) -> str:
    """Return an example as YAML on one line: JSON is valid YAML."""
    return f"{_short(field)}: {example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)}"


def _wrapped(text: str, indent: str, width: int, *, first: str | None = None) -> list[str]:
    start = indent if first is None else first
    return textwrap.wrap(
        text, width, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
