"""A project file from a pull request names files of the machine: none is read or shown unless the user allows it."""

from __future__ import annotations

import os
import shlex

import pytest
from desk import Desk

SECRET = "ghp-the-runners-own-token"
HEAD = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: acme}\nspec:\n"
CONNECTION = (
    "  connections:\n    admin:\n      provider: bookingbug-admin\n      company_id: 1\n"
    "      base_url: https://h.example\n      auth: {app_id: {env: I}, auth_token: {env: T}}\n"
)
RESOURCE = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: court}\nspec: {name: Court}\n"
LEAK = RESOURCE.replace("Court}", '"{{ values.token }}", count: "{{ values.token }}"}')


class Nowhere:
    url = "http://127.0.0.1:9"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A repository with a project in a folder of it, and beside it a home folder with a token."""
    home = tmp_path / "home"
    (home / ".config/tool").mkdir(parents=True)
    for file in (home / ".config/tool/hosts.yml", home / "token.yaml"):
        file.write_text(f"token: {SECRET}\n", encoding="utf-8")
    (home / "token.txt").write_text(f"{SECRET}\n", encoding="utf-8")
    (home / "secret-name.txt").write_text("", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("RECONCILER_ALLOW_PATH", raising=False)
    folder = tmp_path / "repository/town/acme"
    folder.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (tmp_path / "repository/.git/config").write_text(f"token: {SECRET}\n", encoding="utf-8")
    desk = Desk(folder, Nowhere())
    desk.manifest("court.yaml", LEAK)
    return desk


def settings(desk, manifests="[manifests]", values="", more=""):
    desk.project(f"{HEAD}  manifests: {manifests}\n" + (f"  values: {values}\n" if values else "") + more + CONNECTION)


def refused(desk, *more):
    said = ""
    for line in (["validate"], ["validate", "--format", "json"], ["plan"], ["apply", "--yes"], ["drift"]):
        done = desk.run(*line, *more, code=1)
        said += done.out + done.err
        assert SECRET not in done.out + done.err
        assert "secret-name" not in done.out + done.err
    return said


PLACES = [
    "~/token.yaml",
    "~/.config/tool/hosts.yml",
    "{home}/token.yaml",
    "../../../home/token.yaml",
    "manifests/../../../../home/token.yaml",
    "../../.git/config",
    "/proc/self/environ",
    "{home}/nothing.yaml",
]


@pytest.mark.parametrize("place", PLACES)
def test_values_outside_are_refused(desk, place):
    settings(desk, values=f'["{place.format(home=os.environ["HOME"])}"]')
    said = refused(desk)
    assert "is outside the repository; expected a path inside it" in said
    assert "reconciler.yaml:6:" in said
    assert "--allow-path" in said


@pytest.mark.parametrize("place", [*PLACES, "~", "{home}/*.yaml", "~/**/*.y*ml", "{home}/token.txt", "../../../ho*/*"])
def test_manifests_outside_are_refused(desk, place):
    settings(desk, f'["{place.format(home=os.environ["HOME"])}"]')
    assert "is outside the repository; expected a path inside it" in refused(desk)


@pytest.mark.parametrize(
    "place", ["manifests/*/../../../../../home/*.yaml", "manifests/**/../../../../../home/*", "manifests/out/*"]
)
def test_a_pattern_does_not_list_what_is_outside(desk, place):
    (desk.folder / "manifests/a").mkdir()
    desk.manifest("a/b.yaml", RESOURCE)
    (desk.folder / "manifests/out").symlink_to(os.environ["HOME"])
    settings(desk, f'["{place}"]')
    assert "outside" in refused(desk)


@pytest.mark.parametrize("place", ["out", "manifests/*/out/*", "manifests/*/out/token.yaml", "out/*", "out/token.yaml"])
def test_a_link_to_a_folder_outside_is_not_listed(desk, place):
    (desk.folder / "manifests/a").mkdir()
    desk.manifest("a/b.yaml", RESOURCE)
    for link in ("out", "manifests/a/out"):
        (desk.folder / link).symlink_to(os.environ["HOME"])
    settings(desk, f'["{place}"]')
    assert "is a symbolic link to a place outside the project" in refused(desk)


def test_an_environment_has_no_further_reach(desk):
    settings(desk, more='  environments: {prod: {values: ["~/token.yaml"]}}\n')
    assert "outside the repository" in refused(desk, "--env", "prod")


def test_without_a_repository_the_project_is_the_bound(desk, tmp_path):
    (tmp_path / "repository/.git/config").unlink()
    (tmp_path / "repository/.git").rmdir()
    (tmp_path / "repository/town/v.yaml").write_text("token: x\n", encoding="utf-8")
    settings(desk, values="[../v.yaml]")
    assert '"../v.yaml" is outside the project; expected' in refused(desk)


def test_a_home_folder_under_git_is_not_the_repository(desk, tmp_path):
    desk.env["HOME"] = str(tmp_path / "repository")
    (tmp_path / "repository/token.yaml").write_text(f"token: {SECRET}\n", encoding="utf-8")
    settings(desk, values='["~/token.yaml"]')
    assert "is outside the project" in refused(desk)


def test_other_folders_of_the_repository_are_read(desk, tmp_path):
    shared = tmp_path / "repository/shared"
    shared.mkdir()
    (shared / "v.yaml").write_text("token: Court\n", encoding="utf-8")
    (shared / "more.yaml").write_text(RESOURCE.replace("court", "hall"), encoding="utf-8")
    desk.manifest("court.yaml", LEAK.replace(', count: "{{ values.token }}"', ""))
    settings(desk, '[manifests, "../../shared/m*.yaml"]', "[../../shared/v.yaml]")
    assert "2 objects" in desk.run("validate", code=0).out


def test_the_named_option_allows_what_is_outside(desk):
    settings(desk, values='["~/token.yaml"]')
    hint = next(line for line in desk.run("validate", code=1).err.splitlines() if "--allow-path" in line)
    option = shlex.split(hint.partition("anyway: ")[2])
    assert "count" in desk.run("validate", *option, code=1).out
    assert SECRET in desk.run("validate", *option, code=1).out
    desk.env["RECONCILER_ALLOW_PATH"] = os.pathsep.join(["/nowhere", option[1]])
    assert SECRET in desk.run("validate", code=1).out
    settings(desk, '[manifests, "~/secret-name.txt"]')
    assert "outside the repository" in desk.run("validate", code=1).out


def test_a_path_that_a_person_types_is_read(desk, tmp_path):
    settings(desk)
    desk.manifest("court.yaml", RESOURCE)
    (tmp_path / "draft.yaml").write_text(RESOURCE.replace("court", "hall"), encoding="utf-8")
    assert "1 object" in desk.run("validate", str(tmp_path / "draft.yaml"), code=0).out


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f'"{SECRET}"',
        f"- {SECRET}\n",
        f"- !{SECRET} x\n",
        f"- *{SECRET}\n",
        f"- &{SECRET} x\n",
        f"&{SECRET} [*{SECRET}]\n",
        f"- {{{SECRET}: 1, {SECRET}: 2}}\n",
        f"- {{1: {SECRET}, [{SECRET}]: 2}}\n",
        f'["{SECRET}", "\\u0000{SECRET}"]',
        f'- "{{{{ {SECRET.replace("-", "_")} }}}}"\n',
        f'"{{{{ values.{SECRET} }}}}"',
        f"{SECRET}: [\n",
        f"{SECRET}\n{SECRET}: x\n",
        f"'{SECRET}",
        f"%{SECRET}\n---\n",
        f'["{SECRET}\n',
    ],
)
@pytest.mark.parametrize("place", ["manifests: [f.yaml]", "manifests: [manifests]\n  values: [f.yaml]"])
def test_the_text_of_what_is_no_mapping_is_never_shown(desk, content, place):
    (desk.folder / "f.yaml").write_text(content, encoding="utf-8")
    desk.project(f"{HEAD}  {place}\n{CONNECTION}")
    for line in (["validate"], ["validate", "--format", "json"], ["validate", "f.yaml"]):
        done = desk.run(*line, code=1)
        assert SECRET not in done.out + done.err
        assert SECRET.replace("-", "_") not in done.out + done.err
