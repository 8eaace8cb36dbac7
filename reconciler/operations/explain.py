"""What a manifest or the project file may contain: a kind or a field described, and its JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.errors import UsageError
from reconciler.manifests.describe import Field, describe
from reconciler.model.nearest import meant, nearest
from reconciler.registry import kinds
from reconciler.schema import load_schema, schema_names

_SUFFIX = ".schema.json"
_URN = re.compile(r'"urn:reconciler:schema:(\w+)')
_SHARED = ("project", "envelope", "slot", "held_item")


def explain(what: str) -> Field:
    """Describe a kind, or one of its fields (`Session.slots.time`); UsageError where there is none."""
    kind, *path = what.split(".")
    known = {**{name: item.schema for name, item in kinds().items()}, "Removed": "removed", "Project": "project"}
    name = _found(kind, {name.lower(): name for name in known})
    if name is None:
        hint = meant(nearest(kind, known), f"there are {', '.join(known)}")
        raise UsageError(f"there is no kind {kind!r}", hint=hint)
    return describe(name, known[name], tuple(path))


def schemas() -> tuple[str, ...]:
    """Return the names of all schemas."""
    return schema_names()


def schema(kind: str) -> Mapping[str, object]:
    """Return the JSON Schema of a kind; UsageError where there is none."""
    names = {name.replace("_", ""): name for name in schema_names()}
    name = _found(kind, names)
    if name is None:
        hint = meant(nearest(kind, names), f"there are {', '.join(schema_names())}")
        raise UsageError(f"there is no schema {kind!r}", hint=hint)
    return load_schema(name)


def editor_schemas() -> dict[str, Mapping[str, object]]:
    """Return the schemas that an editor needs, as files of one folder: `project`, and `manifest` for every kind."""
    names = {name: item.schema for name, item in kinds().items()} | {"Removed": "removed"}
    files: dict[str, Mapping[str, object]] = {
        name: _in_folder(load_schema(name)) for name in schema_names() if name in {*_SHARED, *names.values()}
    }
    files["manifest"] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Manifest",
        "allOf": [
            {"$ref": f"envelope{_SUFFIX}"},
            {"properties": {"kind": {"enum": list(names)}}},
            *(
                {
                    "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                    "then": {"properties": {"spec": {"$ref": f"{name}{_SUFFIX}"}}},
                }
                for kind, name in names.items()
            ),
        ],
    }
    return files


def _in_folder(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that refers to others as files beside it; without its id, which would be their base."""
    text = json.dumps({key: value for key, value in schema.items() if key != "$id"})
    found: dict[str, Any] = json.loads(_URN.sub(lambda match: f'"{match[1]}{_SUFFIX}', text))
    return found


def _found(text: str, names: Mapping[str, str]) -> str | None:
    return names.get(text.lower().replace("_", "").replace("-", ""))
