"""Symbolic links of a pull request: none makes a runner read, or quote, a file outside of the project."""

from __future__ import annotations

import pytest
from desk import Desk

from reconciler.manifests import find as finding

SECRET = "the-runners-own-words"
HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec:\n"
RESOURCE = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: court}\nspec: {name: Court}\n"


class Nowhere:
    url = "http://127.0.0.1:9"


@pytest.fixture
def desk(tmp_path):
    """A project, and beside it a folder of the machine that is not its own."""
    outside = tmp_path / "machine"
    outside.mkdir()
    (outside / "token.yaml").write_text(f"{SECRET}: [\n{SECRET}\n", encoding="utf-8")
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / ".git").mkdir()
    desk = Desk(folder, Nowhere())
    desk.manifest("court.yaml", RESOURCE)
    return desk


def settings(desk, manifests, more=""):
    desk.project(
        f"{HEAD}  manifests: {manifests}\n{more}  connections:\n    admin:\n      provider: bookingbug-admin\n"
        "      company_id: 1\n      base_url: https://h.example\n"
        "      auth: {app_id: {env: I}, auth_token: {env: T}}\n"
    )


def refused(desk, *names):
    for line in (["validate"], ["validate", "--format", "json"], ["plan"], ["plan", "--format", "json"]):
        done = desk.run(*line, code=1)
        for name in names:
            assert f"{name} is a symbolic link to a place outside the project" in done.out + done.err.replace('"', "")
        assert SECRET not in done.out + done.err
        quoted = (desk.folder / "reconciler.yaml").read_text(encoding="utf-8")
        assert "token.yaml" in quoted or "token.yaml" not in done.out + done.err, "a name behind the link"


LINKS = {"file": "manifests/x.yaml", "folder": "manifests/x", "deep": "manifests/a/x.yaml"}
PATTERNS = ['["manifests"]', '["."]', '["manifests/*.yaml"]', '["**/*.yaml"]', '["manifests/**"]', '["manifests/x*"]']

NOT_NAMED = {"folder": ['["manifests/*.yaml"]'], "deep": ['["manifests/*.yaml"]', '["manifests/x*"]']}


@pytest.mark.parametrize("manifests", PATTERNS)
@pytest.mark.parametrize("what", LINKS)
def test_a_link_that_leads_out_is_not_read(desk, what, manifests):
    link = desk.folder / LINKS[what]
    link.parent.mkdir(exist_ok=True)
    outside = desk.folder.parent / "machine"
    link.symlink_to(outside if what == "folder" else outside / "token.yaml")
    settings(desk, manifests)
    if manifests in NOT_NAMED.get(what, ()):
        assert "symbolic link" not in desk.run("validate").out
    else:
        refused(desk, LINKS[what])


@pytest.mark.parametrize("manifests", ["[manifests]", '["manifests/*.yaml"]', "[manifests/token.yaml]"])
def test_a_folder_that_became_a_link_is_refused(desk, manifests):
    (desk.folder / "manifests/court.yaml").unlink()
    (desk.folder / "manifests").rmdir()
    (desk.folder / "manifests").symlink_to(desk.folder.parent / "machine")
    settings(desk, manifests)
    refused(desk, "manifests")


def test_a_values_file_that_is_a_link_to_elsewhere_is_refused(desk):
    (desk.folder / "v.yaml").symlink_to(desk.folder.parent / "machine/token.yaml")
    settings(desk, "[manifests]", "  values: [v.yaml]\n")
    done = desk.run("validate", code=1)
    assert "v.yaml" in done.err
    assert "to a place outside the project" in done.err
    assert SECRET not in done.err


@pytest.mark.parametrize(
    "manifests", ["[../shared]", '["../shared/*.yaml"]', "[../shared/r.yaml]", '["../sh*/**/*.yaml"]']
)
def test_what_the_project_file_names_outside_is_read(desk, manifests):
    shared = desk.folder.parent / "shared"
    (shared / "own").mkdir(parents=True)
    (shared / "own/file.yaml").write_text(RESOURCE, encoding="utf-8")
    (shared / "r.yaml").symlink_to("own/file.yaml")
    (shared / "v.yaml").symlink_to("own/values")
    (shared / "own/values").write_text("a: 1\n", encoding="utf-8")
    if "r.yaml" not in manifests:
        (shared / "v.yaml").unlink()
    settings(desk, manifests, "  values: [../shared/own/values]\n")
    assert "1 object" in desk.run("validate", code=0).out


def test_a_folder_that_is_named_outside_may_not_lead_further(desk):
    shared = desk.folder.parent / "shared"
    shared.mkdir()
    (shared / "x.yaml").symlink_to(desk.folder.parent / "machine/token.yaml")
    settings(desk, "[../shared]")
    refused(desk, "../shared/x.yaml")


def test_links_inside_of_the_project_are_followed(desk):
    (desk.folder / "parts").mkdir()
    (desk.folder / "manifests/court.yaml").rename(desk.folder / "parts/court.txt")
    (desk.folder / "manifests/court.yaml").symlink_to("../parts/court.txt")
    for manifests in PATTERNS[:-1]:
        settings(desk, manifests)
        text = (desk.folder / "reconciler.yaml").read_text(encoding="utf-8")
        if manifests in {'["."]', '["**/*.yaml"]'}:
            continue  # these name the project file as well
        desk.project(text)
        assert "1 object" in desk.run("validate", code=0).out


@pytest.mark.parametrize("manifests", ["[manifests/s0]", '["manifests/s0/**/*.yaml"]', f'["manifests/s0{"/*" * 30}"]'])
def test_links_that_multiply_are_followed_once(desk, manifests, monkeypatch):
    monkeypatch.setattr(finding, "MAX_VISITED", 500)
    # Each folder is linked from the one before it, twice: 2 ** 30 ways through.
    for level in range(30):
        step = desk.folder / f"manifests/s{level}"
        step.mkdir()
        for name in "ab":
            (step / name).symlink_to(desk.folder / f"manifests/s{level + 1}")
    (desk.folder / "manifests/court.yaml").rename(desk.folder / "parts")
    (desk.folder / "manifests/s30").mkdir()
    (desk.folder / "parts").rename(desk.folder / "manifests/s30/court.yaml")
    settings(desk, manifests)
    assert "1 object in 1 file; 0 errors, 0 warnings" in desk.run("validate", code=0).out


@pytest.mark.parametrize("manifests", ["[manifests]", '["manifests/*.yaml"]', '["**/*"]'])
def test_too_many_files_are_reported(desk, manifests, monkeypatch):
    monkeypatch.setattr(finding, "MAX_VISITED", 20)
    for number in range(30):
        desk.manifest(f"{number}.txt", "")
    settings(desk, manifests)
    assert "contains more than 20 files and folders" in desk.run("validate", code=1).out
