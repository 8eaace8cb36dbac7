"""What could not be read is never taken for removed: not a file, not a folder, not a link."""

from __future__ import annotations

import json
import os
import shutil
from html import unescape

import pytest
from desk import PROJECT

from reconciler.manifests import walk


@pytest.fixture
def managed(desk):
    """Three resources, two of them declared in folders below the named one."""
    for name in ("court", "pool/swim", "pool/dive"):
        (desk.folder / "manifests" / name).parent.mkdir(exist_ok=True, parents=True)
        text = {"apiVersion": "reconciler/v1", "kind": "Resource", "metadata": {"name": name[-4:].strip("/")}}
        path = desk.folder / f"manifests/{name}.yaml"
        path.write_text(json.dumps({**text, "spec": {"name": name}}), encoding="utf-8")
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    return desk


def renamed(managed, old, new):
    (managed.folder / "manifests" / old).rename(managed.folder / "manifests" / new)


@pytest.mark.parametrize(
    "name", ["pool/swim.txt", "pool/swim.yaml.orig", "pool/swim.yml~", "pool/.swim.yaml", "pool/SWIM", ".swim.json"]
)
def test_a_manifest_under_another_name_is_named_by_validate_and_beside_its_deletion(managed, name):
    assert "not read" not in managed.run("plan", code=0).out
    renamed(managed, "pool/swim.yaml", name)
    said = f"1 file in manifests was not read: manifests/{name}"
    assert f"reconciler.yaml:5:15: warning: {said}" in managed.run("validate", code=0).out
    assert said in str(managed.run("validate", "--format", "json", code=0).json["problems"])
    for form in ("text", "markdown", "html", "json"):
        assert said in unescape(managed.run("plan", "--format", form, code=0).out).replace("\\", "")
    (change,) = [item for item in managed.run("plan", "--format", "json").json["changes"] if item["action"] == "delete"]
    assert change["reason"] == f"removed from the manifests; {said}"
    renamed(managed, name, "pool/swim.YAML")
    assert "No changes" in managed.run("plan", "--detailed-exitcode", code=0).out


def test_an_emptied_manifest_is_named_beside_its_deletion(managed):
    (managed.folder / "manifests/pool/swim.yaml").write_text("# swim\n", encoding="utf-8")
    said = "1 file contains no object: manifests/pool/swim.yaml"
    assert said in managed.run("validate", code=0).out
    assert f"removed from the manifests; {said}" in managed.run("plan", "--format", "json", code=0).out


def test_a_folder_that_became_a_link_keeps_its_objects(managed):
    shutil.move(managed.folder / "manifests/pool", managed.folder / "elsewhere")
    link = managed.folder / "manifests/pool"
    link.symlink_to("../elsewhere")
    assert "No changes" in managed.run("plan", "--detailed-exitcode", code=0).out
    shutil.move(managed.folder / "elsewhere", managed.folder / "gone")
    for line in ("validate", "plan", "apply --yes"):
        assert "manifests/pool cannot be read" in str(managed.run(*line.split(), code=1))
    link.unlink()
    link.symlink_to(managed.folder.parent)
    for line in ("validate", "plan", "apply --yes"):
        assert "manifests/pool is a symbolic link to a place outside" in str(managed.run(*line.split(), code=1))
    assert managed.calls() == []


@pytest.mark.parametrize("manifests", ["[manifests]", "[manifests/court.yaml, manifests/pool]", '["manifests/**"]'])
def test_a_folder_that_cannot_be_listed_stops_every_plan(managed, monkeypatch, manifests):
    managed.project(PROJECT.format(url=managed.box.url).replace("[manifests]", manifests))
    listing = os.scandir

    def refusing(path):
        if str(path).endswith("pool"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(walk.os, "scandir", refusing)
    for line in ("validate", "plan", "apply --yes"):
        assert "manifests/pool cannot be read: Permission denied" in str(managed.run(*line.split(), code=1))
    assert managed.calls() == []


def test_an_unfetched_submodule_stops_every_plan(managed):
    shutil.rmtree(managed.folder / "manifests/pool")
    (managed.folder / "manifests/pool").mkdir()
    (managed.folder / ".gitmodules").write_text('[submodule "p"]\n  path = manifests/pool\n', encoding="utf-8")
    for line in ("validate", "plan", "apply --yes"):
        assert "manifests/pool is a Git submodule that was not fetched" in str(managed.run(*line.split(), code=1))
    (managed.folder / ".gitmodules").unlink()
    assert "was not read: manifests/pool/" in managed.run("plan", code=0).out
    managed.project(PROJECT.format(url=managed.box.url).replace("[manifests]", "[manifests, manifests/pool]"))
    assert "manifests/pool is an empty folder" in managed.run("plan", code=1).err
    assert managed.calls() == []


def test_a_file_whose_ending_a_pattern_does_not_match_is_named_beside_its_deletion(desk):
    desk.declare("Resource", "court", {"name": "Court"})
    desk.declare("Resource", "pool", {"name": "Pool"})
    desk.project(PROJECT.format(url=desk.box.url).replace("[manifests]", '["manifests/*.json"]'))
    desk.run("apply", "--yes", code=0)
    folder = desk.folder / "manifests"
    (folder / "resource-pool.json").rename(folder / "resource-pool.yaml")
    said = "manifests/*.json was not read: manifests/resource-pool.yaml"
    assert said in desk.run("validate", code=0).out
    assert f"removed from the manifests; 1 file in {said}" in desk.run("plan", code=0).out


CONFLICT = "<<<<<<< HEAD\nA\n||||||| base\nB\n=======\nC\n>>>>>>> main\n"


@pytest.mark.parametrize("name", ["court.yaml", "pool/swim.json"])
def test_a_merge_conflict_is_named(managed, name):
    path = managed.folder / "manifests" / name
    path.write_text('{\n  "a": 1,\n' + CONFLICT + "}\n", encoding="utf-8")
    done = managed.run("validate", code=1)
    assert f"manifests/{name}:3:1: the file contains the marks of a Git merge conflict" in done.out
    assert "valid YAML" not in done.out
    path.unlink()
    project = managed.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8") + CONFLICT, encoding="utf-8")
    assert "the marks of a Git merge conflict" in managed.run("plan", code=1).err


def test_a_project_below_the_manifests_is_named(managed):
    project = managed.folder / "reconciler.yaml"
    shutil.copy(project, managed.folder / "manifests/pool/reconciler.yaml")
    done = managed.run("validate", code=1)
    assert "manifests/pool/reconciler.yaml:2:7: this is a project file among the manifests" in done.out
    project.unlink()
    project.symlink_to("nowhere.yaml")
    # The folder's own project cannot be read; the one of a folder above must not take its place.
    shutil.copy(managed.folder / "manifests/pool/reconciler.yaml", managed.folder.parent / "reconciler.yaml")
    assert "reconciler.yaml cannot be read: No such file or directory" in managed.run("plan", code=1).err


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to("nowhere"), "is a symbolic link that leads nowhere"),
        (lambda path: path.symlink_to("v.yaml"), "cannot be read: Too many levels of symbolic links"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda _: None, "does not exist"),
    ],
)
def test_a_values_file_that_cannot_be_read_is_named(managed, make, why):
    make(managed.folder / "v.yaml")
    managed.project(PROJECT.format(url=managed.box.url) + "  values: [v.yaml]\n")
    assert f'values file "v.yaml" {why}' in managed.run("plan", code=1).err
