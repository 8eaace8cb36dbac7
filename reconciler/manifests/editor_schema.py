"""JSON Schemas for editors: self-contained, draft-07, and with `{{ … }}` allowed in place of every value.

They are made of the shipped schemas, whose references, newer keywords and messages editors do not understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.schema import load_schema, referenced

DRAFT = "http://json-schema.org/draft-07/schema#"

_FRAME = "envelope"
_TEMPLATE = r"\{\{"
_NO_NAME = re.compile(r"\W+")
_DATA = frozenset({"const", "default", "enum", "examples", "required"})
"""Keywords with values, not schemas."""
_BY_NAME = {"properties": "properties", "patternProperties": "patternProperties", "dependentSchemas": "dependencies"}
"""Keywords with a schema for each name, and what draft-07 calls them."""
_OURS = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$ref",
        "errorMessage",
        "format",
        "maxDecimals",
        "wholeSentence",
        "synonyms",
        "enumSynonyms",
        "unit",
    }
)
"""Keywords that editors do not know, or that are written in another way."""

Schema = dict[str, Any]


def manifest_schema(kinds: Mapping[str, str]) -> Schema:
    """Return the schema of a whole manifest of any of some kinds: the name of its spec's schema by kind."""
    writer = _Writer(templates=True)
    whole = writer.part(_FRAME, load_schema(_FRAME)) | {"type": "object"}
    whole.pop("pattern", None)
    specs = {kind: writer.reference(name) for kind, name in kinds.items()}
    if len(specs) == 1:
        ((kind, spec),) = specs.items()
        whole |= {"title": kind, "description": load_schema(kinds[kind])["description"]}
        whole["properties"]["kind"] |= {"const": kind}
        whole["properties"]["spec"] = spec
    else:
        whole["properties"]["kind"] |= {"enum": list(specs)}
        whole["allOf"] = [
            {
                "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
                "then": {"properties": {"spec": spec}},
            }
            for kind, spec in specs.items()
        ]
    for key in ("pattern", "examples", "errorMessage"):  # those of any kind at all
        whole["properties"]["kind"].pop(key, None)
    whole["defaultSnippets"] = [_snippet(kind, load_schema(name)) for kind, name in kinds.items()]
    return writer.document(whole)


def project_schema(name: str) -> Schema:
    """Return the schema of the project file, in which there are no templates; `name` says which providers it knows."""
    writer = _Writer(templates=False)
    return writer.document(writer.part(name, load_schema(name)))


def _snippet(kind: str, spec: Mapping[str, Any]) -> Schema:
    """Return a new manifest that an editor offers in an empty document: with the required fields."""
    values = {}
    for number, name in enumerate(spec.get("required", ()), 2):
        example = next(iter(spec["properties"][name].get("examples", ())), "")
        values[name] = f"${{{number}:{example}}}" if isinstance(example, str) else example
    body = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": "${1:name}"}, "spec": values}
    return {"label": f"new {kind}", "description": spec["description"], "body": body}


class _Writer:
    """One document, and the definitions that its parts refer to."""

    def __init__(self, *, templates: bool) -> None:
        self._templates = templates
        self._definitions: dict[str, Schema] = {}

    def document(self, whole: Schema) -> Schema:
        """Return the whole document."""
        definitions = dict(sorted(self._definitions.items()))
        return {"$schema": DRAFT, **whole, **({"definitions": definitions} if definitions else {})}

    def reference(self, name: str) -> Schema:
        """Return a reference to a shipped schema or a part of one, which becomes a definition."""
        file, _, pointer = name.partition("#/")
        title = "_".join([_NO_NAME.sub("_", Path(file).name.partition(".")[0]), *pointer.split("/")[1:]])
        if title not in self._definitions:
            self._definitions[title] = {}  # a schema may refer to itself
            self._definitions[title] |= self.part(file, load_schema(name))
        return {"$ref": f"#/definitions/{title}"}

    def part(self, file: str, schema: Mapping[str, Any], *, strict: bool = False) -> Schema:
        """Return a part of a file for editors. `strict`: as it is, without templates, for what only decides."""
        made = dict(self._members(file, schema, strict=strict))
        if "$ref" in schema:
            name = referenced(file, schema["$ref"])
            # Editors read no keywords next to a reference.
            made = {**self.part(name.partition("#")[0], load_schema(name)), **made} if made else self.reference(name)
        if "`" in schema.get("description", ""):
            made["markdownDescription"] = schema["description"]
        if strict:
            return made
        return _worded(_open(made) if self._templates else made, schema.get("errorMessage"))

    def _members(self, file: str, schema: Mapping[str, Any], *, strict: bool) -> Iterator[tuple[str, Any]]:
        absent = dict.fromkeys(_excluded(schema), False)
        properties = schema.get("properties", {}) | absent
        for key, value in ({**schema, "properties": properties} if properties else schema).items():
            if key in _OURS or (key == "not" and absent):
                continue
            deciding = strict or key in {"if", "not"}
            if key in _BY_NAME:
                yield _BY_NAME[key], {name: self._any(file, item, strict=deciding) for name, item in value.items()}
            else:
                yield key, value if key in _DATA else self._any(file, value, strict=deciding)

    def _any(self, file: str, value: Any, *, strict: bool) -> Any:
        if isinstance(value, Mapping):
            return self.part(file, value, strict=strict)
        if isinstance(value, list):
            return [self._any(file, item, strict=strict) for item in value]
        return value


def _excluded(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the field that a rule forbids: editors say more about a field that is not allowed than about `not`."""
    wrong = schema.get("not")
    names = wrong.get("required", ()) if isinstance(wrong, Mapping) and len(wrong) == 1 else ()
    return tuple(names) if len(names) == 1 else ()


def _open(schema: Schema) -> Schema:
    """Allow a template in place of a value. A text stays bound to its pattern, so that a wrong value is an error."""
    for word in ("enum", "const"):
        if word in schema:
            values = schema.pop(word)
            schema.pop("examples", None)  # editors list the values, and would put the examples before them
            return {**schema, "anyOf": [{word: values}, {"title": "template", "type": "string", "pattern": _TEMPLATE}]}
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else list(types)
    longest = schema.get("maxLength")
    if "string" not in types:
        return {**schema, "type": [*types, "string"], "pattern": _TEMPLATE}
    if "type" in schema and ("pattern" in schema or longest is not None):
        fits = schema.pop("pattern", "")
        fits = fits if longest is None else rf"^(?![\s\S]{{{schema.pop('maxLength') + 1}}})(?:{fits})"
        return {**schema, "pattern": f"{fits}|{_TEMPLATE}"}
    return schema


def _worded(schema: Schema, expected: str | None) -> Schema:
    """Say what is expected where editors say less: not of lists of values, missing fields and unknown fields."""
    if expected is None or "type" not in schema or not {"pattern", "type"} & schema.keys():
        return schema
    is_mapping = "object" in schema["type"]
    if is_mapping and "pattern" not in schema:
        return schema
    return {**schema, "patternErrorMessage" if is_mapping else "errorMessage": f"expected {expected}"}
