"""A manifest to start from, with every field: the required ones set, the others as comments with an example."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Any

from reconciler.manifests.describe import Node, whole
from reconciler.manifests.yaml_text import entry
from reconciler.schema import acceptance

_WIDTH = 100
_MOST = 2
"""How many optional fields are set at most, where the required ones alone are not valid."""


def scaffold(kind: str, schema: str, name: str, references: Collection[str] = ()) -> str:
    """Return the text. `references` are fields that name other objects, which may not exist."""
    top = whole(schema)
    spec = top.child("spec")
    example = _example(spec, references) if spec is not None else {}
    values = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": example}
    title = f"{kind}: {spec.schema['description'] if spec is not None else ''}"
    how = "The required fields are set. To set another one, remove the # in front of it."
    lines = [*_prose(title, 0), *_prose(how, 0), *_mapping(top, values, 0, silent=frozenset(values))]
    return "".join(f"{line}\n" for line in lines)


def _example(spec: Node, references: Collection[str]) -> dict[str, Any]:
    """Return the fewest fields that are valid together, with their examples."""
    fields: Mapping[str, Any] = spec.schema["properties"]
    values = {name: Node.at(spec.file, field).schema.get("examples", [None])[0] for name, field in fields.items()}
    required = {name: values[name] for name in spec.schema.get("required", ())}
    # A field that names another object comes last: it may not exist.
    optional = sorted((name for name in fields if name not in required), key=lambda name: name in references)
    accepts = acceptance(spec.file)
    for number in range(_MOST + 1):
        for chosen in combinations(optional, number):
            found = {name: values[name] for name in fields if name in required or name in chosen}
            if accepts(found):
                return found
    return required


def _mapping(node: Node, values: Mapping[str, Any], depth: int, silent: Collection[str] = ()) -> Iterator[str]:
    """Yield the lines of a mapping: of each field what it is, unless it is `silent`, and its value or an example."""
    for name, part in node.schema["properties"].items():
        field = Node.at(node.file, part)
        if name not in silent:
            required = "Required. " if name in node.schema.get("required", ()) else ""
            yield from _prose(f"{required}{field.schema.get('description', '')}", depth)
        if name in values:
            yield from _field(name, field, values[name], depth)
        else:
            margin = "  " * depth
            for line in _field(name, field, field.schema.get("examples", [None])[0], depth):
                yield f"{margin}#{line.removeprefix(margin)}"
    for name in values.keys() - node.schema["properties"].keys():  # a name of the user's choice
        yield from entry(name, values[name], depth)


def _field(name: str, field: Node, value: Any, depth: int) -> Iterator[str]:
    """Yield the lines of one field with its value."""
    holds, inner = field.members() or ("", None)
    if inner is not None and not holds and isinstance(value, dict):
        yield f"{'  ' * depth}{name}:"
        yield from _mapping(inner, value, depth + 1)
    elif inner is not None and holds == "[]" and value and isinstance(value[0], dict):
        yield f"{'  ' * depth}{name}:"
        yield from _item(list(_mapping(inner, value[0], depth + 2)), depth + 1)
    else:
        yield from entry(name, value, depth)


def _item(lines: list[str], depth: int) -> Iterator[str]:
    """Yield the lines of a mapping as an item of a list; the comments above its first value stand above the dash."""
    first = next((at for at, line in enumerate(lines) if not line.lstrip().startswith("#")), 0)
    margin = "  " * depth
    yield from (line.removeprefix("  ") for line in lines[:first])
    yield f"{margin}- {lines[first].removeprefix(margin + '  ')}"
    yield from lines[first + 1 :]


def _prose(text: str, depth: int) -> list[str]:
    margin = f"{'  ' * depth}# "
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
