"""Addresses that completion takes from the cache: the words of click, until anything that they come from changes."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.cli import quick
from reconciler.cli.main import cli
from reconciler.cli.shells import SHELLS, VARIABLE
from reconciler.folders import CACHE
from reconciler.manifests import known_names, outline
from reconciler.model.objects import Address, Record
from reconciler.state import names
from reconciler.state.store import Store

PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [manifests, "late/*/*.yaml", "later/one.yaml", "glob-*/in/*.yaml"]
  environments: {prod: {}}
"""
YOGA = "kind: Session\nmetadata: {name: yoga}\n"
TARGET = "plan --target "


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A folder for the cache, in which everything counts as old enough to be kept."""
    monkeypatch.setenv(CACHE, str(tmp_path / "kept"))
    monkeypatch.setattr(known_names, "_SETTLED", -(10**15))
    return tmp_path / "kept" / "read-manifests"


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "manifests/inner").mkdir(parents=True)
    (root / "glob-a").mkdir()
    (root / "reconciler.yaml").write_text(PROJECT)
    (root / "manifests/a.yaml").write_text(f"{YOGA}---\nkind: Resource\nmetadata: {{name: pool}}\n")
    (root / "manifests/link.yaml").symlink_to("inner/x.yml")
    (root / "manifests/inner/x.yml").write_text("kind: Block\nmetadata: {name: x}\n")
    (root / ".reconciler").mkdir()
    _record(root, "old")
    monkeypatch.chdir(root)
    return root


def _record(root, name, environment=""):
    record = Record(address=Address("Session", name), connection="c", target="t", remote_id=name, fields={})
    url = f"sqlite:///{root}/.reconciler/state.db"
    with closing(Store(url, project="acme", environment=environment)) as store:
        store.save(record)


def _ask(monkeypatch, line, shell):
    words = ["reconciler", *line.split(" ")]
    monkeypatch.setenv(VARIABLE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", (" " if shell == "fish" else "\n").join(words))
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))


@pytest.fixture
def quickly(monkeypatch, capfd):
    """Return what is answered without click; None where it is left to click."""

    def ask(line=TARGET, shell="bash"):
        _ask(monkeypatch, line, shell)
        done = quick.words_offered(os.environ)
        said = capfd.readouterr()
        assert (bool(said.out), said.err) == (done, "")
        return said.out or None

    return ask


@pytest.fixture
def by_click(monkeypatch):
    def ask(line=TARGET, shell="bash", **environ):
        _ask(monkeypatch, line, shell)
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return f"{SHELLS[shell](cli, {}, 'reconciler', VARIABLE).complete()}\n"

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "line",
    [
        TARGET,
        "plan --target Sess",
        "plan --target Session/o",
        "plan --target Nothing",
        "apply -v --exclude Session/yoga --allow-booked R",
        "state show ",
        "state rm Resource/pool S",
        "state mv Session/yoga ",
        "adopt S",
        "export Bl",
        "why S",
        "drift --accept ",
        "plan --env prod --target ",
        "plan --env missing --env prod --target ",
        "plan --project . --target ",
        "plan --project reconciler.yaml --target R",
        "plan --project manifests/.. --env prod --target ",
    ],
)
def test_every_shell_gets_the_words_of_click(project, quickly, by_click, line, shell):
    _record(project, "older", "prod")
    assert quickly(line, shell) is None
    expected = by_click(line, shell, **{CACHE: "off"})
    assert quickly(line, shell) is None
    assert by_click(line, shell) == by_click(line, shell) == quickly(line, shell) == expected


@pytest.mark.parametrize(
    "line",
    [
        "plan --target=S",
        "plan --target = S",
        "plan --target --",
        "why Session/yoga.",
        "adopt Session/yoga ",
        "state show Session/yoga ",
        "state mv a b ",
        "plan --project --env --target ",
        "plan --project missing --target ",
        "plan --project 'x' --target ",
        "plan S",
    ],
)
def test_any_other_line_is_left_to_click(project, quickly, by_click, line):
    by_click()
    assert quickly()
    assert quickly(line) in (None, by_click(line))


def _write(name, text="kind: Session\nmetadata: {name: new}\n"):
    def change(root):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return change


def _replace(root):
    (root / "manifests/link.yaml").unlink()
    (root / "manifests/link.yaml").symlink_to("a.yaml")


def _same_size_and_time(root):
    file = root / "manifests/a.yaml"
    before = file.stat()
    file.write_text(file.read_text().replace("yoga", "boxe"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "a new file": _write("manifests/new.yaml"),
    "a new file in a folder": _write("manifests/inner/new.yaml"),
    "a new folder": _write("manifests/more/new.json", '{"kind": "Session", "metadata": {"name": "new"}}'),
    "an edit": _write("manifests/a.yaml"),
    "an edit of the same size and time": _same_size_and_time,
    "an edit behind a link": _write("manifests/inner/x.yml"),
    "another link": _replace,
    "a file is removed": lambda root: (root / "manifests/a.yaml").unlink(),
    "a folder is removed": lambda root: shutil.rmtree(root / "manifests/inner"),
    "a file is renamed": lambda root: (root / "manifests/a.yaml").rename(root / "manifests/a.txt"),
    "a pattern's folder": _write("late/a/new.yaml"),
    "a path that was missing": _write("later/one.yaml"),
    "a step behind a pattern": _write("glob-a/in/new.yaml"),
    "another project file": _write("reconciler.yaml", PROJECT.replace("manifests, ", "")),
    "the state": lambda root: _record(root, "new"),
    "no state": lambda root: shutil.rmtree(root / ".reconciler"),
    "another state": _write(".reconciler/state.db", "no database"),
    "the log of the state": lambda root: (root / ".reconciler/state.db-wal").write_bytes(b"x"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_noticed(project, quickly, by_click, change):
    by_click()
    assert quickly()
    change(project)
    assert quickly() is None
    expected = by_click(**{CACHE: "off"})
    assert by_click() == expected
    assert quickly() in (None, expected)


def test_a_nearer_project_file_is_noticed(project, quickly, by_click, monkeypatch):
    monkeypatch.chdir(project / "manifests")
    expected = by_click()
    assert quickly() == expected
    _write("manifests/reconciler.yaml", PROJECT)(project)
    assert quickly() is None
    assert by_click() != expected


def test_a_change_since_a_moment_ago_is_not_trusted(project, quickly, by_click, monkeypatch):
    monkeypatch.setattr(known_names, "_SETTLED", 3600 * 10**9)
    by_click()
    assert quickly() is None


def test_what_is_removed_while_it_is_read_is_not_kept(project, quickly, by_click, monkeypatch):
    real = outline.Outline.addresses

    def addresses(self, known):
        found = real(self, known)
        (project / "manifests/a.yaml").unlink()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(outline.Outline, "addresses", addresses)
        by_click()
    assert quickly() is None


def test_what_took_too_long_is_read_the_next_time_and_the_rest_is_not_read_again(
    project, quickly, by_click, monkeypatch
):
    _write("manifests/b.yaml")(project)
    times = iter([0.0, 0.0, 9.0, 9.0, 9.0])
    with monkeypatch.context() as patch:
        patch.setattr(outline.time, "monotonic", lambda: next(times))
        first = by_click()
    assert quickly() is None
    read, real = [], outline._text
    monkeypatch.setattr(outline, "_text", lambda file: read.append(Path(file).name) or real(file))
    expected = by_click()
    assert set(first.split()) < set(expected.split())
    assert "a.yaml" not in read
    assert "b.yaml" in read
    assert quickly() == expected


def test_a_state_that_cannot_be_read_now_is_asked_again(project, quickly, by_click, monkeypatch):
    def locked(*_):
        raise sqlite3.OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(names, "recorded", locked)
        assert "Session/yoga" in by_click()
        assert quickly() is None
    assert "Session/old" in by_click()
    assert "Session/old" in quickly()


@pytest.mark.parametrize(
    "url", ["postgresql://user@host/name", "git+https://git.example/state.git", "sqlite:///../x.db"]
)
def test_a_state_elsewhere_is_not_asked(project, quickly, by_click, url):
    _write("reconciler.yaml", f"{PROJECT}  state: {url}\n")(project)
    expected = by_click(**{CACHE: "off"})
    assert by_click() == quickly() == expected
    assert "old" not in expected


@pytest.mark.parametrize(
    "environ",
    [{CACHE: "off"}, {CACHE: "", "CI": "true"}, {CACHE: "own"}, {CACHE: "../own", "repository": "yes"}],
    ids=str,
)
def test_nothing_is_kept_where_there_is_no_cache_or_it_is_in_the_checkout(
    project, quickly, by_click, environ, tmp_path, monkeypatch
):
    if environ.pop("repository", ""):
        (tmp_path / ".git").mkdir()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    before = sorted(tmp_path.rglob("*"))
    by_click()
    assert quickly() is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_cache_in_the_checkout_is_not_read(project, quickly, by_click, cache, monkeypatch):
    by_click()
    assert quickly()
    shutil.move(cache.parent, project / "own")
    monkeypatch.setenv(CACHE, str(project / "own"))
    assert quickly() is None


@pytest.mark.parametrize("which", ["folder", "file"])
def test_what_others_can_use_is_not_read(project, quickly, by_click, cache, which):
    by_click()
    (file,) = cache.iterdir()
    assert (cache.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    (cache if which == "folder" else file).chmod(0o755)
    assert quickly() is None


def test_a_damaged_file_is_not_read_and_written_again(project, quickly, by_click, cache):
    expected = by_click()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    for content in (*damaged, whole + b"x", whole * 2):
        file.write_bytes(content)
        assert quickly() is None
    assert by_click() == quickly() == expected
    assert file.read_bytes() == whole


@pytest.mark.parametrize("name", [b"$(touch x)", b"a\nb", b"\x1b[2J", b"\xff", "ü".encode(), b"Session/yoga\0"])
def test_no_forged_name_is_offered_that_a_shell_could_act_on(project, quickly, by_click, cache, name):
    expected = by_click()
    (file,) = cache.iterdir()
    content = file.read_bytes()[8:].replace(b"Session/yoga", name)
    file.write_bytes(known_names._checksum(content) + content)
    assert quickly() is None
    assert by_click() == expected


def test_a_file_that_is_too_large_is_neither_written_nor_read(project, quickly, by_click, cache, monkeypatch):
    by_click()
    (file,) = cache.iterdir()
    monkeypatch.setattr(known_names, "_LARGEST", file.stat().st_size - 9)
    assert quickly() is None
    file.unlink()
    by_click()
    assert not [*cache.iterdir()]


def test_nothing_is_written_in_the_checkout(project, quickly, by_click):
    before = sorted(project.rglob("*"))
    by_click()
    assert quickly()
    assert sorted(project.rglob("*")) == before


def test_projects_and_environments_are_kept_apart(project, quickly, by_click, cache):
    lines = (TARGET, "plan --env prod --target ")
    expected = [by_click(line) for line in lines]
    assert expected[0] != expected[1]
    assert [quickly(line) for line in lines] == expected
    assert len([*cache.iterdir()]) == 2


def test_no_library_is_imported_for_it(project, by_click):
    expected = by_click()
    code = "import sys; before = set(sys.modules); from reconciler.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*set(sys.modules) - before, file=sys.stderr)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == expected
    assert {name for name in done.stderr.split() if not name.startswith("reconciler")} <= {"__future__", "zlib"}
