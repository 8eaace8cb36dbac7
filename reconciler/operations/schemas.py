"""The JSON Schemas for editors and programs, and the line of a file that names its schema."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.documents.codec import dumps
from reconciler.errors import UsageError
from reconciler.manifests.editor_schema import manifest_schema, project_schema
from reconciler.model.nearest import meant, nearest
from reconciler.operations.explain import DOCUMENTS, PROJECT, manifest_kinds, meant_name, schema_names
from reconciler.registry import project_file_schema
from reconciler.schema import load_schema

FOLDER = ".schemas"
"""Where a project keeps the schemas for editors, so that they are found offline."""

MANIFEST = f"{FOLDER}/manifest.schema.json"
_PROJECT = f"{FOLDER}/project.schema.json"
SETTINGS = ".vscode/settings.json"
MODELINE = "# yaml-language-server: $schema={}\n"
"""The comment that names the schema of a file; the YAML language server reads it in front of a document."""


def schema(name: str | None) -> Mapping[str, object]:
    """Return one self-contained schema: of a kind, of a document, or of the manifests of all kinds."""
    if name is None:
        return manifest_schema(manifest_kinds())
    found = meant_name(name, schema_names())
    if found is None:
        hint = meant(nearest(name, schema_names()), f"there are {', '.join(schema_names())}")
        raise UsageError(f"there is no schema {name!r}", hint=hint)
    if found in DOCUMENTS:
        return load_schema(found)
    if found == PROJECT:
        return project_schema(project_file_schema())
    return manifest_schema({found: manifest_kinds()[found]})


def editor_files() -> dict[str, str]:
    """Return the files of a project that tell editors about its schemas, by their paths."""
    shown = {f"./{MANIFEST}": ["manifests/**/*.yaml", "manifests/**/*.yml"], f"./{_PROJECT}": ["reconciler.yaml"]}
    return {
        MANIFEST: dumps(schema(None)),
        _PROJECT: dumps(schema(PROJECT)),
        SETTINGS: dumps({"yaml.schemas": shown}),
    }


def modeline(file: Path, root: Path) -> str:
    """Return the first line of a manifest, which names its schema for editors; empty if the project has no schema.

    It also holds for a file that does not exist yet.
    """
    schema_file = Path(os.path.realpath(root)) / MANIFEST
    if not schema_file.is_file():
        return ""
    return MODELINE.format(os.path.relpath(schema_file, os.path.realpath(file.parent)))
