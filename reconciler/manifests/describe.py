"""The fields of a manifest or the project file, described by the schemas that check them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.model.nearest import nearest
from reconciler.schema import load_schema, referenced, whole_sentence

Schema = Mapping[str, Any]

_FRAME = "envelope"


class Field(Struct, frozen=True, kw_only=True):
    """One field."""

    path: str
    """`Session.price`."""
    title: str
    description: str
    accepts: tuple[str, ...]
    """Each value that it accepts, or what is expected."""
    required: bool = False
    examples: tuple[Any, ...] = ()
    rules: tuple[str, ...] = ()
    """The rules between the fields inside it, each one sentence."""
    holds: str = ""
    """How it holds the mapping with `fields`: empty if it is one, `[]` for a list, `.NAME` for names by the user."""
    fields: tuple[Field, ...] = ()
    """The fields inside it."""


class Node(Struct, frozen=True):
    """A place in a schema."""

    file: str
    """The name of the schema that local references point into."""
    schema: Schema

    @classmethod
    def at(cls, file: str, schema: Schema) -> Node:
        """Follow a reference. Keywords next to it take precedence."""
        ref = schema.get("$ref")
        if ref is None:
            return cls(file, schema)
        name = referenced(file, ref)
        target = cls.at(name.partition("#")[0], load_schema(name))
        return cls(target.file, {**target.schema, **{key: value for key, value in schema.items() if key != "$ref"}})

    def members(self) -> tuple[str, Node] | None:
        """Return how it holds a mapping, and that mapping; None if it holds a plain value."""
        if "properties" in self.schema:
            return "", self
        for suffix, key in (("[]", "items"), (".NAME", "additionalProperties")):
            inner = self.schema.get(key)
            if isinstance(inner, Mapping):
                node = Node.at(self.file, inner)
                if "properties" in node.schema:
                    return suffix, node
        return None

    def child(self, name: str) -> Node | None:
        """Return a field of the mapping that it holds."""
        held = self.members()
        if held is None:
            return None
        _, node = held
        schema = node.schema["properties"].get(name)
        return None if schema is None else Node.at(node.file, schema)


def accepted(schema: Schema) -> tuple[str, ...]:
    """Return what a field accepts: each word with its number, or what an error message would expect."""
    if "const" in schema:
        return (str(schema["const"]),)
    words = [item for item in schema.get("enum", ()) if isinstance(item, str)]
    numbers = [item for item in schema.get("enum", ()) if not isinstance(item, str)]
    if words:
        pairs = zip(words, numbers, strict=True) if numbers else ((word, None) for word in words)
        return tuple(word if number is None else f"{word} or {number}" for word, number in pairs)
    names = schema.get("propertyNames", {}).get("errorMessage")
    expected = schema.get("errorMessage", "any value")
    return (f"{expected}; names: {names}" if names else expected,)


def refusals(rule: Any) -> Iterator[str]:
    """Yield the messages of the rules between fields."""
    if isinstance(rule, Mapping):
        if whole_sentence(rule):
            yield rule["errorMessage"]
        for part in rule.values():
            yield from refusals(part)
    elif isinstance(rule, list):
        for part in rule:
            yield from refusals(part)


def describe(root: str, schema: str, path: tuple[str, ...] = ()) -> Field:
    """Describe a field of a kind. `root` is the name of the kind, `schema` the name of its schema.

    `path` may begin inside `spec`: `("price",)` is `("spec", "price")`. Without a path the spec is described.
    UsageError names the known fields if there is no such field.
    """
    top = whole(schema)
    if not path or path[0] not in top.schema["properties"]:
        path = ("spec", *path)
    node, required = top, False
    for depth, name in enumerate(path):
        held = node.members()
        below = node.child(name)
        if below is None or held is None:
            raise _unknown(root, path[:depth], name, held[1].schema["properties"] if held else {})
        required = name in held[1].schema.get("required", ())
        node = below
    return _field(".".join([root, *(path[1:] if path[0] == "spec" else path)]), node, required=required)


def is_required(schema: str, path: Iterable[str | int]) -> bool:
    """Return whether the field at a path, in which numbers are places in lists, must be stated."""
    node, required = Node.at(schema, load_schema(schema)), False
    for name in (step for step in path if isinstance(step, str)):
        held, below = node.members(), node.child(name)
        if held is None or below is None:
            return False
        required, node = name in held[1].schema.get("required", ()), below
    return required


def whole(name: str) -> Node:
    """Return the schema of a whole document: for a kind, the frame of every kind with the spec of this one."""
    spec = load_schema(name)
    if "apiVersion" in spec.get("properties", {}):
        return Node(name, spec)
    frame = load_schema(_FRAME)
    words = {"title": spec["title"], "errorMessage": "a mapping with the fields below"}
    held = {**frame["properties"], "spec": {"$ref": f"urn:reconciler:schema:{name}", **words}}
    return Node(_FRAME, {**frame, "properties": held, "title": spec["title"]})


def _field(path: str, node: Node, *, required: bool, deep: bool = True) -> Field:
    schema, held = node.schema, node.members()
    holds, inner = held if held is not None else ("", None)
    fields: tuple[Field, ...] = ()
    if deep and inner is not None:
        needed = inner.schema.get("required", ())
        fields = tuple(
            _field(f"{path}.{name}", Node.at(inner.file, each), required=name in needed, deep=False)
            for name, each in inner.schema["properties"].items()
        )
    outer = {"properties", "errorMessage", "$defs"}
    between = {key: part for key, part in (inner or node).schema.items() if key not in outer}
    return Field(
        path=path,
        title=schema.get("title", ""),
        description=schema.get("description", ""),
        accepts=accepted(schema),
        required=required,
        examples=tuple(schema.get("examples", ())),
        rules=tuple(dict.fromkeys(refusals(between))) if deep else (),
        holds=holds,
        fields=fields,
    )


def _unknown(root: str, path: tuple[str, ...], name: str, known: Mapping[str, Any]) -> UsageError:
    where = ".".join([root, *path])
    if not known:
        return UsageError(f"{where} has no field {name!r}; it has no fields")
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"known fields: {', '.join(known)}"
    return UsageError(f"{where} has no field {name!r}", hint=hint)
