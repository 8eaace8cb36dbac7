"""Which fields of a manifest a server refuses, from its own words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from reconciler.model.change import Change
from reconciler.model.complaint import Complaint, rejected
from reconciler.model.kind import Kind
from reconciler.model.objects import Problem, Ref
from reconciler.schema import load_schema, referenced

CODE = "field-refused"


def refused_fields(kind: Kind, change: Change, complaints: Collection[Complaint]) -> tuple[Problem, ...]:
    """Return a problem for each field that a refusal names, at the place of its value in the manifest."""
    desired = change.desired
    if desired is None or desired.positions is None or not complaints:
        return ()
    places = _places(kind, desired.fields)
    return tuple(
        Problem(
            code=CODE,
            summary=f"the server refuses {name}: {words}",
            hint="correct the value, then apply again",
            where=desired.positions.locate(("spec", *places[name])),
            address=change.address,
        )
        for name, words in rejected(complaints, places, kind.called)
    )


def _places(kind: Kind, fields: Mapping[str, Any]) -> dict[str, tuple[str | int, ...]]:
    """Return the path of each field of a kind, by name; of the members of a list, where there is only one or none."""
    found: dict[str, tuple[str | int, ...]] = {}
    schema = load_schema(kind.schema)
    for name, inner in schema.get("properties", {}).items():
        found[name] = (name,)
        members = fields.get(name)
        first = (0,) if isinstance(members, list) and len(members) == 1 else ()
        for part in _names(inner.get("items"), kind.schema):
            found.setdefault(part, (name, *first, *((part,) if first else ())))
    named = {item.field: (item.spec_field,) for item in kind.references if isinstance(fields.get(item.field), Ref)}
    return {**found, **{name: (name,) for name in schema.get("properties", {})}, **named}


def _names(schema: Any, file: str) -> Iterable[str]:
    """Return the fields of the members of a list; `file` names the schema that describes the list."""
    if not isinstance(schema, Mapping):
        return ()
    if "$ref" in schema:
        schema = load_schema(referenced(file, schema["$ref"]))
    return tuple(schema.get("properties", ()))
