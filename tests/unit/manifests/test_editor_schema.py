"""The schemas for editors: one file each, current, documented, and as strict as reconciler but for templates."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reconciler.documents.codec import dumps
from reconciler.operations.explain import manifest_kinds
from reconciler.operations.schemas import schema
from reconciler.schema import load_schema

ROOT = Path(__file__).resolve().parents[3]
FILES = {"manifest": None, "project": "Project"}
MAPS = {"properties", "definitions", "patternProperties", "dependencies"}
DATA = {"const", "enum", "examples", "required", "defaultSnippets"}
DRAFT_07 = set(Draft7Validator.META_SCHEMA["properties"]) | {"writeOnly"}
OF_EDITORS = {"defaultSnippets", "markdownDescription", "errorMessage", "patternErrorMessage"}


def parts(value, path=""):
    """Yield every schema inside a schema with its place."""
    if isinstance(value, dict):
        yield path, value
    for key, part in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if key in MAPS and isinstance(part, dict):
            for name, each in part.items():
                yield from parts(each, f"{path}/{key}/{name}")
        elif key not in DATA:
            yield from parts(part, f"{path}/{key}")


@pytest.mark.parametrize(("name", "kind"), FILES.items(), ids=FILES)
def test_the_file_in_the_repository_is_what_the_command_prints(name, kind):
    file = ROOT / "schemas" / "editor" / f"{name}.schema.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(dumps(schema(kind)), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == dumps(schema(kind)), "UPDATE_GOLDEN=1 writes it again"


@pytest.mark.parametrize("kind", [None, "Project", *manifest_kinds()])
def test_it_is_one_draft_07_file_whose_references_stay_inside(kind):
    whole = schema(kind)
    Draft7Validator.check_schema(whole)
    used = set()
    for path, part in parts(whole):
        assert set(part) <= DRAFT_07 | OF_EDITORS, path
        if "$ref" in part:
            assert list(part) == ["$ref"], path
            assert part["$ref"].startswith("#/definitions/"), path
            used.add(part["$ref"].removeprefix("#/definitions/"))
    assert used == set(whole.get("definitions", {}))


@pytest.mark.parametrize("kind", FILES.values(), ids=FILES)
def test_every_field_is_documented_and_every_mapping_is_closed(kind):
    for path, part in parts(schema(kind)):
        for name, field in part.get("properties", {}).items():
            if field is not False and not re.search(r"/(if|then|else|dependencies)\b", path) and "$ref" not in field:
                assert {"title", "description"} <= field.keys(), f"{path}/{name}"
                if "`" in field["description"]:
                    assert field["markdownDescription"] == field["description"]
        if "object" in part.get("type", "") and "properties" in part and not path.endswith("/spec"):
            assert "additionalProperties" in part, path


def followed(part):
    """Return a shipped schema in place of a reference to one."""
    return load_schema(part["$ref"].rpartition(":")[2]) if "$ref" in part else part


def leaves(spec, path=()):
    """Yield the place and schema of every value that a schema describes."""
    for name, part in spec.get("properties", {}).items():
        field = followed(part)
        yield (*path, name), field
        yield from leaves(field, (*path, name))
        yield from leaves(followed(field.get("items", {})), (*path, name, 0))


def placed(path, value):
    for key in reversed(path):
        value = [value] if key == 0 else {key: value}
    return value


@pytest.mark.parametrize("kind", manifest_kinds())
def test_a_template_is_accepted_where_a_wrong_value_is_not(kind):
    check = Draft7Validator(schema(kind))
    for path, field in leaves(load_schema(manifest_kinds()[kind])):
        frame = {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": "x"}}

        def wrong(value, path=path, frame=frame):
            errors = check.iter_errors({**frame, "spec": placed(path, value)})
            return [error for error in errors if list(error.absolute_path) == ["spec", *path]]

        assert wrong("{{ values.x }}") == [], path
        assert wrong(None), path
        # A text without a pattern can be any text, and a time zone is known to reconciler only.
        if field.get("type") != "string" or "pattern" in field:
            assert wrong("no such value!"), path
        for sample in field.get("examples", ()):
            assert wrong(sample) == [] or "dependencies" in str(wrong(sample)[0].absolute_schema_path), path


@pytest.mark.parametrize("kind", FILES.values(), ids=FILES)
def test_check_jsonschema_accepts_the_examples(kind, tmp_path):
    """check-jsonschema reads one document a file."""
    found = []
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        if "provider-plugin" in path.parts:  # its kind is not installed
            continue
        for text in re.split(r"^---\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            if "\nkind: " in f"\n{text}" and ("kind: Project" in text) is (kind == "Project"):
                found.append(tmp_path / f"{len(found)}.yaml")
                found[-1].write_text(text, encoding="utf-8")
    assert len(found) > 5
    (tmp_path / "schema.json").write_text(dumps(schema(kind)), encoding="utf-8")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(found[0].read_text(encoding="utf-8").replace("metadata", "metadatum"), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(tmp_path / "schema.json")]
    for files, code in ((found, 0), ([wrong], 1)):
        done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr


def test_a_third_partys_kind_is_one_of_all(monkeypatch, tmp_path):
    file = tmp_path / "court.schema.json"
    spec = {"title": "Court", "description": "A court.", "type": "object", "required": ["size"]}
    file.write_text(
        json.dumps({**spec, "properties": {"size": {"$ref": "#/$defs/size"}}, "$defs": {"size": {"type": "integer"}}})
    )
    known = {**manifest_kinds(), "Court": str(file)}
    monkeypatch.setattr("reconciler.operations.schemas.manifest_kinds", lambda: known)
    check = Draft7Validator(schema(None))
    court = {"apiVersion": "reconciler/v1", "kind": "Court", "metadata": {"name": "x"}}
    assert check.is_valid({**court, "spec": {"size": 1}})
    assert check.is_valid({**court, "spec": {"size": "{{ values.size }}"}})
    assert not check.is_valid({**court, "spec": {"size": "big"}})
