"""Paths to files, and the whole way from paths to manifests."""

from __future__ import annotations

import io

import pytest
from manifest_fakes import KINDS, manifest_text

from reconciler.manifests.find import find
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


def test_a_link_to_nowhere_is_told(folder):
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
    assert checked.errors == checked.problems


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
