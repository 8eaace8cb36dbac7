"""The cache of what files were read as: it changes nothing but the time, and trusts nothing that others can write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler import folders
from reconciler.errors import InvalidInput
from reconciler.manifests import cache, cache_files, load, read
from reconciler.manifests.find import find
from reconciler.manifests.validate import validate as validate_documents
from reconciler.operations.project import Declared, check, declare, open_project, validate
from reconciler.registry import kinds

REPOSITORY = Path(__file__).parents[3]
CORPUS = sorted((REPOSITORY / "tests/corpus/manifests").iterdir())
EXAMPLES = sorted(path.parent for path in REPOSITORY.glob("examples/*/reconciler.yaml"))

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: studio}
spec:
  manifests: [m]
  connections:
    main:
      provider: bookingbug-sessions
      base_url: http://127.0.0.1:9
      auth: {username: {env: U}, password: {env: P}}
    admin:
      provider: bookingbug-admin
      base_url: http://127.0.0.1:9
      company_id: 1
      auth: {app_id: {env: A}, app_key: {env: B}, auth_token: {env: C}}
"""
YOGA = """\
apiVersion: reconciler/v1
kind: Session
metadata: {name: yoga, labels: {season: spring}}
spec: {name: Yoga, type: course, group: Body, start_date: 2027-03-01, time: "18:00", price: 35.50, spaces: 12}
"""
COURT = "apiVersion: reconciler/v1\nkind: Resource\nmetadata: {name: court}\nspec: {name: Court}\n"
BLOCK = """\
apiVersion: reconciler/v1
kind: Block
metadata: {name: floor}
spec: {resource: court, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder for the cache, in which even one document is worth keeping."""
    kept = tmp_path / "kept"
    monkeypatch.setenv(folders.CACHE, str(kept))
    monkeypatch.setattr(cache, "WORTH", 1)
    return kept


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "m").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(PROJECT)
    for name, text in {"yoga": YOGA, "court": COURT, "block": BLOCK}.items():
        (root / "m" / f"{name}.yaml").write_text(text)
    return root


def packs(folder: Path) -> list[Path]:
    """The files that hold documents, not those that say that all were valid."""
    found = sorted((folder / "read-manifests").glob("*.json")) if folder.exists() else []
    return [path for path in found if not path.name.startswith("valid-")]


def seen(root: Path, paths=()) -> str:
    """Everything that a reader can see of a check: values with their types, places, excerpts and what is masked."""
    declared = check(open_project(root), paths)
    validation = validate(open_project(root), paths)
    assert type(declared.desired) is dict
    for name in ("problems", "unread", "files", "documents"):
        assert repr(getattr(validation, name)) == repr(getattr(declared, name))
    return everything(declared)


def everything(declared: Declared) -> str:
    problems = [
        (str(each), each.code, each.severity, each.hint, each.where and shown(each.where))
        for each in (*declared.problems, *declared.unread)
    ]
    objects = [
        (repr(item), [(path, shown(item.positions.locate(path))) for path in paths_of(item.fields, ("spec",))])
        for item in declared.desired.values()
    ]
    return repr((problems, objects, sorted(declared.removed.items(), key=str), declared.files, declared.documents))


def shown(where) -> tuple:
    return str(where), where.quote, where.end_column, where.exact, where.text and where.text.secrets(where.line)


def paths_of(value, path):
    yield path
    for step, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from paths_of(item, (*path, step))


def without_cache(root: Path, monkeypatch, paths=()) -> str:
    with monkeypatch.context() as patch:
        patch.setenv(folders.CACHE, "off")
        return seen(root, paths)


def in_every_state(root: Path, folder: Path, monkeypatch) -> None:
    """Compare a cold, a warm, a damaged and a read-only cache with none."""
    expected = without_cache(root, monkeypatch)
    assert [seen(root), seen(root)] == [expected, expected]
    for pack in packs(folder):
        pack.write_bytes(pack.read_bytes()[:-5] + b"xxxxx")
    assert seen(root) == expected
    for pack in packs(folder):
        pack.chmod(0o400)
        pack.parent.chmod(0o500)
    assert [seen(root), seen(root)] == [expected, expected]
    if (folder / "read-manifests").exists():
        (folder / "read-manifests").chmod(0o700)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_the_same_in_every_state(path, tmp_path, folder, monkeypatch):
    root = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(path), str(root)], check=True)
    in_every_state(root, folder, monkeypatch)
    assert packs(folder)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_hostile_file_is_the_same_in_every_state(path, project, folder, monkeypatch):
    (project / "m" / path.name).write_bytes(path.read_bytes())
    in_every_state(project, folder, monkeypatch)


MISTAKES = {
    "type": ("spaces: 12", "spaces: many"),
    "unknown field": ("price", "prise"),
    "warning": (", spaces: 12", ""),
    "unknown kind": ("kind: Session", "kind: Sesion"),
    "dates": ("start_date: 2027-03-01", "start_date: 2027-03-01, end_date: 2027-02-01"),
    "no date": ("2027-03-01", "2027-02-30"),
    "annotation": ("labels: {season: spring}", "annotations: {adopt_id: '1'}"),
    "twice": ("kind: Session", "kind: Session\nkind: Session"),
    "anchor": ("group: Body", "group: &body Body"),
    "template": ("group: Body", 'group: "{{ values.none }}"'),
    "escape": ("group: Body", 'group: "\\x07"'),
    "syntax": ("spec: {", "spec: {{"),
    "moved": ("name: yoga,", "name: yoga, moved_from: yoga,"),
    "removed": (
        YOGA,
        "apiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: x}\nspec: {forget: [Session/yoga]}\n",
    ),
    "secret": ("group: Body", "group: Body, auth: {password: hunter2hunter2}"),
    "empty": (YOGA, "# nothing\n"),
    "json": (YOGA, json.dumps({"apiVersion": "reconciler/v1", "kind": "Session", "metadata": {"name": 7}}, indent=1)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_the_same_way_in_every_state(mistake, project, folder, monkeypatch):
    (project / "m/yoga.yaml").write_text(YOGA.replace(*MISTAKES[mistake]))
    in_every_state(project, folder, monkeypatch)


FRAGMENTS = [
    "&a ",
    "*a",
    "!!str ",
    "- ",
    "? ",
    ": ",
    "{",
    "}",
    "---\n",
    "'",
    '"',
    "\\",
    "\n",
    "  ",
    "<<: ",
    "~",
    "1.50",
]
FRAGMENTS += ["1e5", "-0", "#", "|\n", "\t", "\ufeff", "\x85", "\u2028", "{{ x }}", "on", "null", "2.0", "kind: A\n"]


@given(st.lists(st.tuples(st.integers(0, len(YOGA)), st.integers(0, 3), st.sampled_from(FRAGMENTS)), max_size=4))
def test_a_plain_file_is_read_as_with_all_its_places(edits):
    text = YOGA
    for start, length, fragment in edits:
        text = text[:start] + fragment + text[start + length :]
    quick, whole = load.load_text(text, "f.yaml"), load._read_whole(text, "f.yaml")
    assert [str(each) for each in quick.problems] == [str(each) for each in whole.problems]
    assert [repr(each.data) for each in quick.documents] == [repr(each.data) for each in whole.documents]
    for one, other in zip(quick.documents, whole.documents, strict=True):
        for path in paths_of(one.data, ()):
            assert shown(one.positions.locate(path)) == shown(other.positions.locate(path))
            assert one.positions.has(path)


def test_what_has_not_changed_is_not_parsed_again(project, folder, monkeypatch):
    expected = [seen(project), check(open_project(project)).desired][0]
    opened = open_project(project)
    with monkeypatch.context() as patch:
        patch.setattr(load, "_events", lambda _: pytest.fail("parsed"))
        declared = check(opened)
    assert expected == seen(project)
    assert len(declared.desired) == 3
    price = next(item for address, item in declared.desired.items() if address.name == "yoga").fields["price"]
    assert price == "35.50"


def test_the_rules_across_manifests_run_every_time(project, folder):
    seen(project)
    (project / "m/again.yaml").write_text(YOGA)
    assert "is declared twice" in seen(project)
    (project / "m/again.yaml").unlink()
    (project / "m/court.yaml").unlink()
    assert "names Resource/court, which is not declared" in seen(project)
    (project / "reconciler.yaml").write_text(PROJECT.partition("    admin:")[0])
    assert "no connection of the project has provider bookingbug-admin" in seen(project)


def test_a_template_is_rendered_with_the_values_of_each_run(project, folder):
    (project / "m/yoga.yaml").write_text(YOGA.replace("spaces: 12", 'spaces: "{{ values.spaces }}"'))
    (project / "values.yaml").write_text("spaces: 12\n")
    (project / "reconciler.yaml").write_text(
        PROJECT.replace("manifests: [m]", "manifests: [m]\n  values: [values.yaml]")
    )
    assert "spaces': 12" in seen(project)
    (project / "values.yaml").write_text("spaces: many\n")
    assert "expected a whole number" in seen(project)


def known_valid(root: Path, environment: str | None = None) -> bool:
    """Whether all is said to be valid because it was before."""
    return type(validate(open_project(root, environment))) is not Declared


def test_what_was_valid_together_is_known_to_be(project, folder, monkeypatch):
    expected = without_cache(project, monkeypatch)
    assert not known_valid(project)
    assert known_valid(project)
    assert seen(project) == expected
    found = validate(open_project(project))
    assert (found.files, found.documents, found.problems, found.errors) == (3, 3, (), ())


def test_only_what_asks_for_no_object_is_known_to_be_valid(project, folder):
    validate(open_project(project))
    assert known_valid(project)
    for ask in (check, declare):
        declared = ask(open_project(project))
        assert type(declared.desired) is dict
        assert declared == ask(open_project(project))


VALUES = "a: {b: [1e1, 7.50], c: -0.0}\nd: true\ne: 12\n"
CHANGES = {
    "content": lambda root: (root / "m/court.yaml").write_text(COURT + "# note\n"),
    "a new file": lambda root: (root / "m/pool.yaml").write_text(COURT.replace("court", "pool")),
    "another name": lambda root: (root / "m/yoga.yaml").rename(root / "m/stretching.yaml"),
    "a missing file": lambda root: (root / "m/yoga.yaml").unlink(),
    "an empty file": lambda root: (root / "m/more.yaml").write_text(""),
    "the name of the project": lambda root: in_project(root, "name: studio", "name: other"),
    "a connection": lambda root: in_project(root, "    admin:", "    second:"),
    "an address": lambda root: in_project(root, "company_id: 1", "company_id: 2"),
    "values": lambda root: (root / "v.yaml").write_text(VALUES + "f: 1\n"),
    **{
        f"{old} as {new}": lambda root, old=old, new=new: (root / "v.yaml").write_text(VALUES.replace(old, new))
        for old, new in (("1e1", "10.0"), ("7.50", "7.5"), ("-0.0", "-0"), ("true", '"true"'), ("12", '"12"'))
    },
    "a number of a connection": lambda root: in_project(root, "company_id: 1", "company_id: 2"),
    "the folder": lambda root: in_project(root, "manifests: [m]", "manifests: [m/*]"),
}


def in_project(root: Path, old: str, new: str) -> None:
    file = root / "reconciler.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize("change", sorted(set(CHANGES) - {"the folder"}))
def test_another_state_of_the_project_is_not_known_to_be_valid(change, project, folder, monkeypatch):
    in_project(project, "manifests: [m]", "manifests: [m]\n  values: [v.yaml]")
    (project / "v.yaml").write_text(VALUES)
    (project / "m/court.yaml").write_text(COURT.replace("Court}", '"{{ values.a }} {{ values.d }} {{ values.e }}"}'))
    assert not known_valid(project)
    assert known_valid(project)
    CHANGES[change](project)
    assert not known_valid(project)
    assert seen(project) == without_cache(project, monkeypatch)


def test_another_spelling_of_a_value_of_an_environment_is_judged_again(project, folder):
    in_project(project, "manifests: [m]", "manifests: [m]\n  environments: {prod: {values: [v.yaml]}}")
    for text, known in (("a: 1e1", False), ("a: 1e1 # ten", True), ("a: 10.0", False)):
        (project / "v.yaml").write_text(text)
        assert known_valid(project, environment="prod") == known


def test_the_same_files_by_another_path_are_known_to_be_valid(project, folder):
    assert not known_valid(project)
    CHANGES["the folder"](project)
    assert known_valid(project)


def test_an_environment_is_judged_by_itself(project, folder):
    in_project(project, "manifests: [m]", "manifests: [m]\n  environments: {prod: {}}")
    assert not known_valid(project)
    assert known_valid(project)
    assert not known_valid(project, "prod")


@pytest.mark.parametrize("mistake", ["type", "warning", "removed", "empty"])
def test_what_is_not_valid_is_judged_again(mistake, project, folder):
    (project / "m/yoga.yaml").write_text(YOGA.replace(*MISTAKES[mistake]))
    assert not known_valid(project)
    assert not known_valid(project)


def test_a_forged_verdict_lets_nothing_into_a_plan(project, folder, monkeypatch):
    (project / "m/yoga.yaml").write_text(YOGA.replace("kind: Session", "kind: Resource"))
    monkeypatch.setattr(cache.Cache, "valid", lambda *_: 3)
    assert known_valid(project)
    assert check(open_project(project)).errors
    with pytest.raises(InvalidInput, match="the manifests have problems"):
        declare(open_project(project))


def test_the_schema_of_another_package_judges_every_time(project, folder):
    foreign = {**kinds(), "Session": replace(kinds()["Session"], schema="tool_hire:tool")}
    files = read._Files(None, None, cache.Cache.of(project / "reconciler.yaml", [str(project)]))
    documents, _, _ = files.load(find(["m"], root=project).found)
    manifests, _ = validate_documents(documents, kinds())
    files.keep(manifests, foreign)
    (pack,) = packs(folder)
    kept = json.loads(pack.read_bytes().partition(b"\n")[2]).values()
    assert {entry[2]["kind"]: entry[1] for (entry,) in kept} == {"Session": False, "Resource": True, "Block": True}


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"{}", b"[]\n[]", b'{"reconciler": "x", "digest": "y"}\n{}', b"\x80\x04."]
)
def test_a_foreign_file_is_ignored_and_written_again(content, project, folder):
    expected = seen(project)
    (pack,) = packs(folder)
    good = pack.read_bytes()
    pack.write_bytes(content)
    assert seen(project) == expected
    assert pack.read_bytes() == good


def test_any_damage_is_noticed(project, folder):
    expected = seen(project)
    (pack,) = packs(folder)
    good = pack.read_bytes()
    for place in range(0, len(good), 97):
        pack.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert seen(project) == expected
        assert pack.read_bytes() == good


def test_another_version_of_the_program_reads_everything_again(project, folder, monkeypatch):
    seen(project)
    (pack,) = packs(folder)
    before = pack.read_bytes()
    monkeypatch.setattr(cache, "__version__", "999")
    cache._program.cache_clear()
    try:
        seen(project)
    finally:
        cache._program.cache_clear()
    assert pack.read_bytes().partition(b"\n")[0] != before.partition(b"\n")[0]


def test_every_module_that_judges_a_manifest_belongs_to_the_version(monkeypatch):
    asked = []
    monkeypatch.setattr(cache, "digest_of", lambda content: asked.append(content.decode()) or "")
    cache._program.__wrapped__()
    for part in (
        *("manifests/read.py", "operations/project.py", "providers/checkfront/provider.py", "reconciler/settings.py"),
        *("session.schema.json", "pyyaml-", "jsonschema_rs-", "tzdata-", "jinja2-", "markupsafe-"),
    ):
        assert part in asked[0].lower()


def test_what_is_kept_is_what_the_manifests_contain(project, folder, monkeypatch):
    monkeypatch.setenv("U", "user-of-the-system")
    monkeypatch.setenv("P", "password-of-the-system")
    seen(project)
    (pack,) = packs(folder)
    kept = json.loads(pack.read_bytes().partition(b"\n")[2])
    texts = {cache.digest_of(path.read_bytes()): path.read_bytes() for path in (project / "m").iterdir()}
    assert kept.keys() == texts.keys()
    for digest, entries in kept.items():
        read_now = [each.data for each in load.load_bytes(texts[digest], "f.yaml").documents]
        assert [entry[2] for entry in entries] == read_now
    assert b"-of-the-system" not in pack.read_bytes()


def test_the_cache_is_private(project, folder):
    seen(project)
    (pack,) = packs(folder)
    assert pack.stat().st_mode & 0o777 == 0o600
    assert pack.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o707, 0o777])
def test_a_folder_that_others_can_use_is_not_used(mode, project, folder, monkeypatch):
    (folder / "read-manifests").mkdir(parents=True)
    (folder / "read-manifests").chmod(mode)
    assert seen(project) == without_cache(project, monkeypatch)
    assert not packs(folder)


def test_a_file_that_others_can_write_is_not_read(project, folder):
    seen(project)
    (pack,) = packs(folder)
    pack.chmod(0o666)
    seen(project)
    assert pack.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_another_user_is_not_used(what, project, folder):
    seen(project)
    (pack,) = packs(folder)
    forged = pack.read_bytes()
    os.chown(pack if what == "file" else pack.parent, 12345, 12345)
    seen(project)
    assert (pack.stat().st_uid == os.geteuid()) is True
    assert pack.read_bytes() == forged


def test_a_link_in_place_of_the_file_is_replaced_and_not_followed(project, folder, tmp_path):
    seen(project)
    (pack,) = packs(folder)
    elsewhere = tmp_path / "elsewhere.json"
    pack.rename(elsewhere)
    before = elsewhere.read_bytes()
    pack.symlink_to(elsewhere)
    seen(project)
    assert not pack.is_symlink()
    assert elsewhere.read_bytes() == before


@pytest.mark.parametrize("inside", [".", "m", ".cache/deep"])
def test_a_cache_inside_the_checkout_is_refused(inside, project, monkeypatch):
    monkeypatch.setenv(folders.CACHE, str(project / inside))
    seen(project)
    assert not list(project.rglob("*.json"))


def test_a_cache_inside_the_repository_around_the_project_is_refused(project, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv(folders.CACHE, str(tmp_path / "other"))
    seen(project)
    assert not (tmp_path / "other").exists()


def test_a_link_into_the_checkout_is_refused(project, tmp_path, monkeypatch):
    (project / "hidden").mkdir()
    (tmp_path / "link").symlink_to(project / "hidden")
    monkeypatch.setenv(folders.CACHE, str(tmp_path / "link"))
    seen(project)
    assert not list((project / "hidden").iterdir())


def test_untrusted_files_are_neither_kept_nor_taken_from_the_cache(project, folder, monkeypatch):
    opened = open_project(project, untrusted=True)
    check(opened, untrusted=True)
    assert not packs(folder)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"RECONCILER_CACHE": "off"}, None),
        ({"RECONCILER_CACHE": "OFF", "XDG_CACHE_HOME": "/xdg"}, None),
        ({"RECONCILER_CACHE": "/own", "CI": "true"}, "/own"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/reconciler"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.cache/reconciler"),
        ({"HOME": "/home/me"}, "/home/me/.cache/reconciler"),
        ({"HOME": "/home/me", "CI": "1"}, None),
        ({"HOME": "/home/me", "CI": "false"}, "/home/me/.cache/reconciler"),
    ],
)
def test_where_the_cache_is(variables, expected, monkeypatch):
    for name in ("RECONCILER_CACHE", "XDG_CACHE_HOME", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", "linux")
    assert folders._base() == expected


def test_there_is_none_by_a_relative_path_in_a_deleted_folder(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setenv(folders.CACHE, "own")
    assert folders._base() is None


def test_the_folders_of_other_systems(monkeypatch):
    monkeypatch.delenv("RECONCILER_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert folders._base() == "/home/me/Library/Caches/reconciler"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert folders._base() == "/local/reconciler/Cache"
    monkeypatch.delenv("LOCALAPPDATA")
    assert folders._base() is None


OTHERS = {
    f"{1:032x}.json": True,
    f"valid-{2:032x}.json": True,
    f".{3:032x}.json.{4:016x}.partial": True,
    f".valid-{5:032x}.j.{6:016x}.partial": True,
    "names-0123abcd": True,
    ".names-0123abcd.0123456789abcdef.partial": True,
    "names-0123abcd.json": False,
    "names-of-people": False,
    "court.yaml": False,
    "notes.json": False,
    "valid-notes.json": False,
    ".out.json.0123456789abcdef.partial": False,
    f"{7:032X}A.json": False,
    f"{8:032x}.json.bak": False,
}
"""Names of files beside a cache, and whether they are its own."""


def beside(pack: Path, *, days: int = 0) -> None:
    for name in OTHERS:
        other = pack.with_name(name)
        other.write_bytes(b"x" * 1000)
        os.utime(other, (pack.stat().st_mtime - days * 86400,) * 2)


def test_only_own_files_are_removed_where_all_are_too_large(project, folder, monkeypatch):
    seen(project)
    (pack,) = packs(folder)
    beside(pack, days=1)
    monkeypatch.setattr(cache_files, "MOST", 0)
    (project / "m/court.yaml").write_text(COURT + "\n")
    seen(project)
    kept = {path.name for path in pack.parent.iterdir()}
    assert kept - {f"valid-{pack.name}"} == {pack.name} | {name for name, own in OTHERS.items() if not own}


def test_the_oldest_projects_are_removed_where_all_are_too_large(project, folder, monkeypatch):
    seen(project)
    (pack,) = packs(folder)
    names = [f"{number:032x}.json" for number in range(3)]
    for age, name in enumerate(names, 1):
        other = pack.with_name(name)
        other.write_bytes(b"x" * 1000)
        os.utime(other, (pack.stat().st_mtime - age * 3600,) * 2)
    (pack.parent / "large.json").write_bytes(b"x" * 100_000)
    own = sum(path.stat().st_size for path in (pack, pack.with_name(f"valid-{pack.name}")))
    monkeypatch.setattr(cache_files, "MOST", own + 1500)
    (project / "m/court.yaml").write_text(COURT + "\n")
    seen(project)
    kept = {path.name for path in pack.parent.iterdir()}
    assert kept == {pack.name, f"valid-{pack.name}", names[0], "large.json"}


def test_what_a_killed_run_left_is_removed_and_what_a_running_one_writes_is_not(project, folder):
    seen(project)
    (pack,) = packs(folder)
    beside(pack)
    for days, left in ((0, set(OTHERS)), (1, {name for name, own in OTHERS.items() if not own or name[0] != "."})):
        beside(pack, days=days)
        (project / "m/court.yaml").write_text(COURT + "\n" * days + "#")
        seen(project)
        assert {path.name for path in pack.parent.iterdir()} == {pack.name, f"valid-{pack.name}", *left}


def test_what_is_no_longer_used_is_not_kept(project, folder):
    seen(project)
    (pack,) = packs(folder)
    for number in range(5):
        (project / "m/yoga.yaml").write_text(YOGA.replace("12", str(20 + number)))
        seen(project)
        assert len(json.loads(pack.read_bytes().partition(b"\n")[2])) == 3


def test_few_documents_are_not_kept(project, folder, monkeypatch):
    monkeypatch.setattr(cache, "WORTH", 4)
    seen(project)
    assert not packs(folder)


def _in_a_process(root: Path, folder: Path, number: int) -> bool:
    os.environ[folders.CACHE] = str(folder)
    cache.WORTH = 1
    answers = set()
    for _ in range(10):
        (root / f"m/own-{number}.yaml").write_text(COURT.replace("court", f"court-{number}"))
        validate(open_project(root))
        answers.add("court" in everything(check(open_project(root))))
        for pack in packs(folder):
            head, _, body = pack.read_bytes().partition(b"\n")
            assert json.loads(head)["digest"] == cache.digest_of(body)
    return answers == {True}


def test_several_processes_share_a_cache(project, folder):
    with ProcessPoolExecutor(3) as pool:
        assert all(pool.map(_in_a_process, [project] * 3, [folder] * 3, range(3)))
