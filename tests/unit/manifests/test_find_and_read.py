"""Paths to files, and the whole way from paths to manifests."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from manifest_fakes import KINDS, manifest_text

from reconciler.manifests.find import find, project_name
from reconciler.manifests.read import read_manifests


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("m/b.yaml", "m/a/deep.yml", "m/c.json", "m/notes.md", "m/.hidden.yaml", "m/.git/x.yaml", "m/a/z.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["m"], ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json"]),
        (["."], ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json"]),
        (["m/b.yaml", "m/../m/b.yaml", "m/b.yaml"], ["m/b.yaml"]),
        (["m/*.yaml"], ["m/b.yaml"]),
        (["m/**/*.y*ml"], ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml"]),
        (["m/*"], ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json"]),
        (["m/notes.md"], ["m/notes.md"]),
        (["empty"], []),
        (["-"], ["<stdin>"]),
    ],
)
def test_find(folder, paths, names):
    found, problems = find(paths, root=folder)
    assert [each.shown for each in found] == names
    assert not problems


@pytest.mark.parametrize("path", ["nope", "nope.yaml", "m/*.zzz", "a\0b"])
def test_what_matches_nothing_is_a_problem(folder, path):
    found, problems = find([path], root=folder)
    assert not found
    assert len(problems) == 1


def test_a_file_elsewhere_is_named_in_full(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "x.yaml"
    other.touch()
    assert find([str(other)], root=folder)[0][0].shown == str(other)


def test_a_broken_link_is_reported(folder):
    (folder / "m" / "gone.yaml").symlink_to("nowhere.yaml")
    checked = read_manifests(["m"], root=folder, kinds=KINDS)
    assert [str(problem) for problem in checked.problems] == ["m/gone.yaml cannot be read: No such file or directory"]


def test_ten_mistakes_are_ten_errors_in_order(folder):
    wrong = "{group: Yoga, pirce: 1, name: 1, duration: x, price: 1.234, repeat: weeky, time: 25:00, spaces: -1}"
    (folder / "m/a/z.yaml").write_text("a: [", encoding="utf-8")
    (folder / "m/b.yaml").write_text(
        manifest_text("Session", "x", wrong) + "---\n" + manifest_text("Sesion", "y", "{}") + "---\nb: 1\nb: 2\n",
        encoding="utf-8",
    )
    checked = read_manifests(["m"], root=folder, kinds=KINDS)
    assert len(checked.problems) == 11
    assert all(problem.where and problem.where.line and problem.where.column for problem in checked.problems)
    places = [(problem.where.path, problem.where.line, problem.where.column) for problem in checked.problems]
    assert places == sorted(places)
    assert (checked.files, checked.documents) == (4, 3)
    assert {problem.severity for problem in checked.problems} == {"error"}


def test_templates_and_stdin(folder):
    text = manifest_text(
        "Session", "x", '{group: "{{ project }}", price: "{{ values.price }}", name: "{{ values.nam }}"}'
    )
    checked = read_manifests(
        ["-"],
        root=folder,
        kinds=KINDS,
        values={"price": 12.5, "name": 1},
        project="acme",
        stdin=io.BytesIO(text.encode()),
    )
    assert [str(problem) for problem in checked.problems] == [
        '<stdin>:4:67: Session/x: spec.name: values.nam is not defined; did you mean "values.name"?'
    ]
    good = text.replace("values.nam ", "values.name ~ values.price ")
    checked = read_manifests(
        ["-"],
        root=folder,
        kinds=KINDS,
        values={"price": 12.5, "name": 1},
        project="acme",
        stdin=io.BytesIO(good.encode()),
    )
    assert not checked.problems
    assert checked.manifests[0].spec == {"group": "acme", "price": 12.5, "name": "112.5"}


def test_no_stdin_is_a_problem(folder):
    assert len(read_manifests(["-"], root=folder, kinds=KINDS).problems) == 1


@pytest.mark.parametrize("here", [".", "m", "..", "empty"])
def test_names_in_a_project_do_not_depend_on_the_current_folder(folder, monkeypatch, here):
    monkeypatch.chdir(folder / here)
    names = ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json"]
    for paths, root in ((["m"], folder), ([str(folder / "m")], Path.cwd()), (["m"], folder / "m" / "..")):
        found, problems = find(paths, root=root, project_root=folder / "empty" / "..")
        assert [each.shown for each in found] == names
        assert not problems


def test_names_outside_of_a_project(folder):
    project = folder / "empty"
    assert [each.shown for each in find(["../m/a"], root=project, project_root=project)[0]] == [
        "../m/a/deep.yml",
        "../m/a/z.yaml",
    ]
    beyond = str(folder / "m/b.yaml")
    assert [each.shown for each in find([beyond], root=project, project_root=project)[0]] == [beyond]
    assert [each.shown for each in find(["m/b.yaml"], root=folder, project_root=project)[0]] == [beyond]


def test_a_project_reached_by_a_link_names_its_files_alike(folder):
    (folder / "link").symlink_to(folder / "m")
    assert project_name(folder / "link/b.yaml", folder / "m") == "b.yaml"
    assert project_name(folder / "m/b.yaml", folder / "link") == "b.yaml"


RESOURCE = manifest_text("Resource", "court", "{name: Court}")
BLOCK = manifest_text("Block", "b", "{resource: court, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}")
DUPLICATE = manifest_text("Resource", "court", "{name: Other}")


def read_beside(folder, *paths, **more):
    return read_manifests(paths, root=folder, project_root=folder, beside=("m",), kinds=KINDS, **more)


def test_the_other_manifests_of_the_project_are_known_and_not_reported(folder):
    (folder / "m/b.yaml").write_text(RESOURCE + "---\n" + manifest_text("Sesion", "y", "{}") + "---\na: [", "utf-8")
    (folder / "m/a/z.yaml").write_text(manifest_text("Session", "t", '{group: "{{ nothing }}"}'), encoding="utf-8")
    (folder / "m/a/gone.yaml").symlink_to(folder / "nowhere")
    (folder / "m/c.json").write_text(BLOCK, encoding="utf-8")
    checked = read_beside(folder, "m/c.json")
    assert not checked.problems
    assert [str(manifest.address) for manifest in checked.manifests] == ["Block/b"]
    assert [str(manifest.address) for manifest in checked.beside] == ["Resource/court", "Session/t"]
    assert (checked.files, checked.documents) == (1, 1)
    assert "names Resource/court, which is not declared" in str(
        read_manifests(["m/c.json"], root=folder, kinds=KINDS).problems[0]
    )


def test_a_reference_to_nothing_is_reported_beside_other_problems(folder):
    (folder / "m/b.yaml").write_text(RESOURCE, encoding="utf-8")
    (folder / "m/c.json").write_text(BLOCK.replace("resource: court", "resource: curt"), encoding="utf-8")
    assert [str(problem) for problem in read_beside(folder, "m/c.json").problems] == [
        'm/c.json:4:18: Block/b: resource names Resource/curt, which is not declared; did you mean "court"?'
    ]


@pytest.mark.parametrize(("path", "other"), [("m/b.yaml", "m/c.json"), ("m/c.json", "m/b.yaml")])
def test_an_address_is_taken_by_another_file_of_the_project(folder, path, other):
    (folder / "m/b.yaml").write_text(RESOURCE, encoding="utf-8")
    (folder / "m/c.json").write_text(DUPLICATE, encoding="utf-8")
    checked = read_beside(folder, path)
    assert [str(problem) for problem in checked.problems] == [
        f"{path}:3:18: Resource/court: is declared twice; the first is at {other}:3:18"
    ]


def test_a_file_named_by_both_is_read_once(folder):
    (folder / "m/b.yaml").write_text(RESOURCE, encoding="utf-8")
    checked = read_beside(folder, "m", "./m/b.yaml")
    assert not checked.problems
    assert (checked.files, checked.documents, len(checked.manifests), checked.beside) == (4, 1, 1, ())


def test_what_is_not_of_the_project_stands_for_what_has_its_address(folder):
    """An editor pipes its copy of a manifest; a draft lies outside of the manifests' folder."""
    (folder / "m/b.yaml").write_text(RESOURCE, encoding="utf-8")
    (folder / "draft.yaml").write_text(DUPLICATE, encoding="utf-8")
    assert not read_beside(folder, "draft.yaml").problems
    assert not read_beside(folder, "-", stdin=io.BytesIO(DUPLICATE.encode())).problems
    both = read_beside(folder, "draft.yaml", "-", stdin=io.BytesIO(DUPLICATE.encode()))
    assert [problem.code for problem in both.problems] == ["duplicate-address"]
