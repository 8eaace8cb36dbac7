"""`scaffold`: a manifest with every field, valid as it is and with each of its fields."""

from __future__ import annotations

import re

import pytest

from reconciler.manifests.load import load_text
from reconciler.operations.explain import manifest_kinds
from reconciler.operations.schemas import editor_files
from reconciler.schema import acceptance, load_schema

APART = {
    "Session": {"slots": "repeat: custom"},  # its example of `repeat` is weekly
    "Block": {"resource": "resource_id"},
    "Resource": {"address_id": "address"},
}
"""Fields that need another value beside them, or exclude another field."""


def uncommented(text, field):
    """Return a manifest with one more field of its spec, as an editor uncomments its lines."""
    spec = text.index("\nspec:\n")
    block = re.search(rf"^  #{field}:.*\n(?:  #  .*\n)*", text[spec:], flags=re.MULTILINE)
    assert block is not None, field
    return (
        text[: spec + block.start()]
        + block[0].replace("  #", "  ", 1).replace("\n  #", "\n  ")
        + text[spec + block.end() :]
    )


def spec_of(text):
    loaded = load_text(text, "scaffold")
    assert not loaded.problems
    return loaded.documents[0].data["spec"]


@pytest.mark.parametrize("kind", manifest_kinds())
def test_it_is_valid_formatted_and_has_every_field(desk, kind):
    (desk.folder / "reconciler.yaml").unlink()  # it has no connection for some kinds
    file = desk.folder / "manifests" / "new.yaml"
    desk.run("scaffold", kind.lower(), "first", "--output", "manifests/new.yaml", code=0)
    text = file.read_text(encoding="utf-8")
    assert text == desk.run("scaffold", kind, "first", code=0).out
    assert "Valid: 1 object in 1 file; 0 errors, 0 warnings." in desk.run("validate", "manifests/new.yaml", code=0).out
    assert desk.run("fmt", "--check", "manifests/new.yaml", code=0)
    accepts = acceptance(manifest_kinds()[kind])
    stated, together = spec_of(text), text
    for field in load_schema(manifest_kinds()[kind])["properties"]:
        if field in stated:
            continue
        assert accepts(spec_of(uncommented(text, field))) or field in APART.get(kind, {}), field
        if field not in APART.get(kind, {}):
            together = uncommented(together, field)
    assert accepts(spec_of(together))
    for apart, other in APART.get(kind, {}).items():
        spec = spec_of(uncommented(text, apart))
        spec = {**spec, "repeat": "custom"} if ": " in other else {name: spec[name] for name in spec if name != other}
        assert accepts(spec)


def test_a_file_names_its_schema_and_is_not_overwritten(desk):
    desk.run("scaffold", "Resource", "--output", "manifests/plain.yaml", code=0)
    assert (desk.folder / "manifests" / "plain.yaml").read_text(encoding="utf-8").startswith("# Resource: ")
    for path, text in editor_files().items():
        (desk.folder / path).parent.mkdir(exist_ok=True)
        (desk.folder / path).write_text(text, encoding="utf-8")
    said = desk.run("scaffold", "Resource", "room", "--output", "manifests/room.yaml", code=0).err
    assert said == "Wrote manifests/room.yaml\n"
    text = (desk.folder / "manifests" / "room.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../.schemas/manifest.schema.json\n# Resource: ")
    assert "already exists" in desk.run("scaffold", "Block", "--output", "manifests/room.yaml", code=1).err
    assert (desk.folder / "manifests" / "room.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Sesion"], "did you mean Session?"),
        (["Project"], "to start a project: `reconciler init`"),
        (["Session", "Spring Yoga"], "expected at most 63 lowercase letters"),
    ],
)
def test_a_wrong_kind_or_name_is_wrong_usage(desk, arguments, words):
    assert words in desk.run("scaffold", *arguments, code=64).err
    if "reconciler init" in words:
        desk.run("init", "new", code=0)
