"""Paths to files, and the whole way from paths to manifests."""

from __future__ import annotations

import io
import os
import socket
import subprocess
from pathlib import Path

import pytest
from manifest_fakes import KINDS, manifest_text

from reconciler.manifests import find as finding
from reconciler.manifests import walk
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
    found, problems, _ = find(paths, root=folder)
    assert [each.shown for each in found] == names
    assert not problems


@pytest.mark.parametrize("path", ["nope", "nope.yaml", "m/*.zzz", "a\0b"])
def test_what_matches_nothing_is_a_problem(folder, path):
    found, problems, _ = find([path], root=folder)
    assert not found
    assert len(problems) == 1


def test_a_file_elsewhere_is_named_in_full(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "x.yaml"
    other.touch()
    assert find([str(other)], root=folder)[0][0].shown == str(other)


def summaries(problems):
    return [str(problem) for problem in problems]


@pytest.mark.parametrize("paths", [["m"], ["m/*"], ["m/**"], ["m/**/*"], ["."]])
@pytest.mark.parametrize("name", ["gone.yaml", "gone", "a/gone", "gone.txt"])
def test_a_link_that_leads_nowhere_is_reported(folder, name, paths):
    (folder / "m" / name).symlink_to("nowhere")
    checked = read_manifests(paths, root=folder, kinds=KINDS)
    assert summaries(checked.problems) == [f"m/{name} cannot be read: No such file or directory"]
    assert "leads nowhere" in checked.problems[0].hint


@pytest.mark.parametrize("path", ["m/gone/*.yaml", "m/*/x.yaml", "m/gone"])
def test_a_link_to_nowhere_on_the_way_is_reported(folder, path):
    (folder / "m/gone").symlink_to("nowhere")
    assert "m/gone cannot be read: No such file or directory" in summaries(
        find([path, "m/b.yaml"], root=folder).problems
    )


def test_a_link_to_itself_is_reported(folder):
    (folder / "m/self").symlink_to("self")
    assert summaries(find(["m"], root=folder).problems) == ["m/self cannot be read: Too many levels of symbolic links"]


@pytest.mark.parametrize("target", ["../../parts", "../../parts/."])
@pytest.mark.parametrize("paths", [["m"], ["m/**/*.yaml"], ["m/a/*/*.yaml"], ["m/*/*/deep/../*.yaml"]])
def test_a_linked_folder_is_followed(folder, paths, target):
    (folder / "parts/deep").mkdir(parents=True)
    (folder / "parts/swim.yaml").touch()
    (folder / "m/a/pool").symlink_to(target)
    found, problems, _ = find(paths, root=folder, project_root=folder)
    assert "m/a/pool/swim.yaml" in {os.path.relpath(each.file, folder).replace("deep/../", "") for each in found}
    assert not problems


def test_a_file_that_links_lead_to_has_its_own_name(folder):
    (folder / "m/1").symlink_to("a")
    found, problems, _ = find(["m"], root=folder, project_root=folder)
    assert [each.shown for each in found] == ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json"]
    assert not problems


@pytest.fixture
def deep(folder):
    """A file in folders that are nested deeply. They are removed again, because `shutil.rmtree` cannot."""
    os.chdir(folder / "empty")
    for _ in range(1200):
        os.mkdir("x")  # noqa: PTH102 - the whole path would be too long
        os.chdir("x")
    Path("deep.yaml").touch()
    os.chdir(folder)
    yield folder
    subprocess.run(["rm", "-r", folder / "empty"], check=True)


def test_folders_nested_deeply_are_read_or_refused(deep):
    found, problems, _ = find(["empty"], root=deep)
    assert (len(found), problems) == (1, [])
    assert summaries(find(["empty/**/*.yaml"], root=deep).problems) == [
        "empty/**/*.yaml matches folders that are nested too deeply"
    ]


def test_linked_folders_that_form_a_circle_are_read_once(folder):
    (folder / "m/a/up").symlink_to("..")
    (folder / "m/a/here").symlink_to(".")
    (folder / "other/back").mkdir(parents=True)
    (folder / "other/x.yaml").touch()
    (folder / "other/back/m").symlink_to("../../m")
    (folder / "m/o1").symlink_to("../other")
    (folder / "m/o2").symlink_to("../other")
    for paths in (["m"], ["m/**/*"], ["m/*", "m/*/*"]):
        found, problems, _ = find(paths, root=folder, project_root=folder)
        assert [each.shown for each in found] == ["m/a/deep.yml", "m/a/z.yaml", "m/b.yaml", "m/c.json", "m/o1/x.yaml"]
        assert not problems


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
@pytest.mark.parametrize("paths", [["m"], ["m/**"], ["m/*/*.y*ml"], ["m/a"], ["m/a/*"], ["m/b.yaml", "m/a"]])
def test_a_folder_that_cannot_be_listed_is_reported(folder, monkeypatch, paths, error):
    listing = walk.os.scandir

    def refusing(path):
        if str(path).endswith("m/a"):
            raise error
        return listing(path)

    monkeypatch.setattr(walk.os, "scandir", refusing)
    assert summaries(find(paths, root=folder).problems) == [f"m/a cannot be read: {error.strerror}"]


@pytest.mark.parametrize("paths", [["m"], ["m/**/*.yaml"], ["m/*/z.yaml"], ["m/a/z.yaml"]])
def test_what_cannot_be_inspected_is_reported(folder, monkeypatch, paths):
    (folder / "m/a").rename(folder / "real")
    (folder / "m/a").symlink_to("../real")
    inspect = walk.os.stat

    def refusing(path, *more, **options):
        if "m/a" in str(path):
            raise PermissionError(13, "Permission denied")
        return inspect(path, *more, **options)

    monkeypatch.setattr(walk.os, "stat", refusing)
    named = "m/a/z.yaml" if paths == ["m/a/z.yaml"] else "m/a"
    assert f"{named} cannot be read: Permission denied" in summaries(find(paths, root=folder).problems)


def test_a_path_that_the_system_refuses_is_reported(folder):
    long = "m/" + "x" * 300
    assert summaries(find([long], root=folder).problems) == [f"{long} cannot be read: File name too long"]
    (missing,) = find(["~nobody-of-this-name/m"], root=folder).problems
    assert missing.summary == "~nobody-of-this-name/m does not exist"
    assert missing.hint.startswith("create it or correct the path, which is relative to ")


def test_endings_in_capital_letters_are_read(folder):
    for name in ("swim.YAML", "gym.Yml", "dive.JSON"):
        (folder / "m/a" / name).touch()
    for paths in (["m/a"], ["m/a/*"], ["m/a/*.yaml", "m/a/*.YML", "m/a/*.json"], ["m/**/*.?*[LN]"]):
        shown = {each.shown for each in find(paths, root=folder).found}
        assert {"m/a/swim.YAML", "m/a/gym.Yml", "m/a/dive.JSON"} <= shown


LEFT_OUT = [
    "swim.txt",
    "swim.yaml.bak",
    "swim.yaml~",
    ".swim.yaml",
    "swim",
    "swim.yaml.disabled",
    ".old/swim.yaml",
    "new/",
]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_beside_the_manifests_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for file in ("m/b.yaml", "m/README.md", "m/.gitkeep", "m/.git/config.yaml", f"m/{name}"):
        path = tmp_path / file
        (path if file.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.touch()
    for paths in (["m"], ["m/**"], ["m/*"]):
        if name == "new/" and paths != ["m"]:
            continue
        found, problems, unread = find(paths, root=tmp_path)
        assert [each.shown for each in found] == ["m/b.yaml"]
        assert not problems
        noun = "file or folder" if "/" in name else "file"
        shown = name.partition("/")[0] + "/" * ("/" in name)
        assert summaries(unread) == [f"1 {noun} in {paths[0]} was not read: m/{shown}"]


@pytest.mark.parametrize("name", ["b2.yml", "b2.json", "b2.txt", "b2.yaml.bak", "a/z2.YML"])
def test_what_only_its_ending_keeps_from_a_pattern_is_named(folder, name):
    (folder / "m" / name).touch()
    for paths in (["m/*.yaml", "m/a/*.yaml"], ["m/**/*.yaml"], ["m/b*.yaml", "m/a/z*.yaml"]):
        unread = summaries(find(paths, root=folder).unread)
        assert any(f"m/{name}" in words for words in unread)
        if name.lower().endswith((".yml", ".json")):
            assert f"m/{name}" not in str(summaries(find([*paths, f"m/{name}"], root=folder).unread))
    for paths in (["m/c*.yaml", "m/b.yaml"], ["m/b.yaml"]):
        assert f"m/{name}" not in str(summaries(find([*paths, "m/c*.json"], root=folder).unread))


def test_what_is_beside_the_project_file_is_not_named(folder):
    for name in ("Makefile", "LICENSE", "data.csv"):
        (folder / name).touch()
    assert len(summaries(find(["."], root=folder, project_root=folder).unread)) == 1
    (folder / "pool.yaml.orig").touch()
    assert "m/.hidden.yaml, pool.yaml.orig" in summaries(find(["."], root=folder, project_root=folder).unread)[0]


def test_an_empty_folder_is_a_mistake_beside_others(folder):
    assert summaries(find(["m", "empty"], root=folder).problems) == ["empty is an empty folder; expected manifests"]
    found, problems, unread = find(["empty"], root=folder)  # deleting everything has a guard of its own
    assert (found, problems, summaries(unread)) == ([], [], ["empty contains no manifests"])
    (folder / "empty/.gitkeep").touch()
    _, problems, unread = find(["m/b.yaml", "empty"], root=folder)
    assert (problems, summaries(unread)) == ([], ["empty contains no manifests"])


@pytest.mark.parametrize("paths", [["empty"], ["m", "empty"], ["."], ["**"]])
def test_a_submodule_that_was_not_fetched_is_reported(folder, paths):
    (folder / ".gitmodules").write_text('[submodule "shared"]\n\tpath = empty\n\turl = ../shared.git\n', "utf-8")
    problems = find(paths, root=folder, project_root=folder).problems
    assert summaries(problems) == ["empty is a Git submodule that was not fetched; expected its files"]
    assert "git submodule update --init" in problems[0].hint
    (folder / ".gitmodules").rename(folder.parent / ".gitmodules")
    (folder.parent / ".gitmodules").write_text(f"[submodule]\npath={folder.name}/empty\n", "utf-8")
    assert summaries(find(paths, root=folder, project_root=folder).problems) == summaries(problems)


@pytest.mark.parametrize("name", ["pipe.yaml", "socket.yml", "device.json"])
def test_what_is_no_file_is_reported_without_waiting(tmp_path, name):
    path = tmp_path / name
    if name == "pipe.yaml":
        os.mkfifo(path)
    elif name == "device.json":
        path.symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        if name == "socket.yml":
            server.bind(str(path))
        checked = read_manifests(["."], root=tmp_path, kinds=KINDS)
    assert len(checked.problems) == 1
    assert name in str(checked.problems[0])


def test_another_project_among_the_manifests_is_named(folder):
    project = "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: x}\nspec: {}\n"
    (folder / "m/a/z.yaml").write_text(project, encoding="utf-8")
    (folder / "own.yaml").write_text(project, encoding="utf-8")
    checked = read_manifests(["."], root=folder, kinds=KINDS, project_root=folder, project_file=folder / "own.yaml")
    assert summaries(checked.problems) == [
        "m/a/z.yaml:2:7: this is a project file among the manifests of another project; expected only manifests"
    ]
    (folder / "m/a/z.yaml").unlink()
    checked = read_manifests(
        ["own.yaml"], root=folder, kinds=KINDS, project_root=folder, project_file=folder / "own.yaml"
    )
    assert (checked.files, checked.documents, checked.problems) == (1, 0, ())


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
        '<stdin>:4:68: Session/x: spec.name: values.nam is not defined; did you mean "values.name"?'
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
        found, problems, _ = find(paths, root=root, project_root=folder / "empty" / "..")
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


def test_files_without_an_object_are_named(folder):
    (folder / "m/b.yaml").write_text("# nothing yet\n---\n", encoding="utf-8")
    (folder / "m/c.json").write_text(RESOURCE, encoding="utf-8")
    (folder / "m/a/z.yaml").write_text("a: [", encoding="utf-8")
    unread = read_manifests(["m"], root=folder, kinds=KINDS).unread
    assert summaries(unread)[1:] == ["2 files contain no object: m/a/deep.yml, m/b.yaml"]


def test_all_paths_together_visit_a_limited_number_of_files(folder, monkeypatch):
    monkeypatch.setattr(finding, "MAX_VISITED", 40)
    assert not find(["m"] * 1_000, root=folder)[1]
    problems = find([f"{'./' * number}m" for number in range(30)], root=folder)[1]
    assert "contains more than 40 files and folders, together with the paths before it" in problems[0].summary


def test_a_similar_name_is_only_suggested_in_the_project(folder, tmp_path):
    outside = tmp_path.parent / "secrets"
    outside.mkdir()
    (outside / "b.yaml").touch()
    (folder / "m" / "link").symlink_to(outside)
    for path, meant in [("m/bb.yaml", "did you mean m/b.yaml?"), ("m/link/bb.yaml", None), ("m/other.txt", None)]:
        (problem,) = find([path], root=folder, project_root=folder).problems
        assert (problem.hint == meant) if meant else "did you mean" not in problem.hint
