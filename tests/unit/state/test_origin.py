"""A state that came with a checkout is refused: it is a claim of whoever wrote the commit."""

from __future__ import annotations

import os
import shutil
from contextlib import closing

import pytest
from repository import git

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state.origin import is_tracked
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={})

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def a_store(file, root):
    return closing(Store(f"sqlite:///{file}", project="acme", root=root))


def made(file):
    with a_store(file, None) as store:
        store.save(SAVED)
    return file


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def refused(file, root, words):
    before = file.read_bytes() if file.is_file() else None
    for use in (lambda store: store.records(), lambda store: store.save(SAVED)):
        with pytest.raises(ReconcilerError, match=words) as caught, a_store(file, root) as store:
            use(store)
        assert caught.value.hint
    assert before is None or file.read_bytes() == before
    return caught.value


FORMATS = {
    "version 2": (["init"], ["update-index", "--index-version", "2"]),
    "version 3": (["init"], ["update-index", "--index-version", "3"]),
    "version 4": (["init"], ["update-index", "--index-version", "4"]),
    "SHA-256": (["init", "--object-format=sha256"], ["status"]),
    "SHA-256, version 4": (["init", "--object-format=sha256"], ["update-index", "--index-version", "4"]),
    "split": (["init"], ["update-index", "--split-index"]),
}


@needs_git
@pytest.mark.parametrize("shape", FORMATS)
def test_what_git_tracks_is_known_from_each_form_of_its_index(root, shape):
    first, last = FORMATS[shape]
    git(root, *first)
    names = ["a", ".reconciler/state.db", ".reconciler/state", "deep/er/" + "x" * 200, "Zoë.db", "b c"]
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
        git(root, "add", "-f", *(["-N"] if number == 2 else []), name)
    (root / "deep" / "state.db").write_text("not added")
    git(root, *last)
    git(root, "ls-files", "-z")
    assert [name for name in names if not is_tracked(root / name)] == []
    assert not is_tracked(root / "deep" / "state.db")
    assert not is_tracked(root / "state.db")


@needs_git
def test_a_tracked_state_is_refused_also_in_a_worktree_and_below_another_folder(root, tmp_path):
    git(root, "init")
    made(root / "sub" / ".reconciler" / "state.db")
    git(root, "add", "-f", "sub/.reconciler/state.db")
    error = refused(root / "sub" / ".reconciler" / "state.db", root / "sub", "is tracked by Git")
    assert "git rm --cached" in error.hint
    git(root, "commit", "-m", "x")
    git(root, "worktree", "add", str(tmp_path / "other"))
    refused(tmp_path / "other" / "sub" / ".reconciler" / "state.db", tmp_path / "other" / "sub", "is tracked by Git")


@needs_git
@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_what_sqlite_would_read_beside_the_state_must_not_be_tracked_either(root, suffix):
    git(root, "init")
    file = made(root / ".reconciler" / "state.db")
    beside = file.with_name(file.name + suffix)
    beside.write_bytes(b"forged")
    git(root, "add", "-f", str(beside))
    refused(file, root, f"state.db{suffix} is tracked by Git")


@needs_git
def test_a_state_that_git_ignores_is_used(root):
    git(root, "init")
    file = made(root / ".reconciler" / "state.db")
    (root / "state.db").write_text("of another folder")
    git(root, "add", "-A")
    with a_store(file, root) as store:
        assert list(store.records()) == [YOGA]


@needs_git
def test_the_settings_of_a_repository_start_no_program(root, tmp_path):
    """Git itself would run what they name, before anybody has looked at them."""
    git(root, "init")
    file = made(root / ".reconciler" / "state.db")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    with (root / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {program}\n\thooksPath = {tmp_path}\n")
    with a_store(file, root) as store:
        assert list(store.records()) == [YOGA]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"DIRC",
        b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"x" * 99,
        b"DIRC\0\0\0\4\0\0\0\1" + b"\xff" * 99,
        b"state.db" * 99,
    ],
)
def test_an_index_that_is_none_does_not_stop_anything(root, content):
    (root / ".git").mkdir()
    (root / ".git" / "index").write_bytes(content)
    file = made(root / "state.db")
    with a_store(file, root) as store:
        assert list(store.records()) == [YOGA]


@pytest.mark.parametrize("link", ["state.db", "folder", "missing"])
def test_a_link_out_of_the_project_is_refused(root, tmp_path, link):
    outside = made(tmp_path / "elsewhere" / "state.db")
    file = root / ".reconciler" / "state.db"
    if link == "folder":
        file.parent.symlink_to(outside.parent)
    else:
        file.parent.mkdir()
        file.symlink_to(outside if link == "state.db" else tmp_path / "elsewhere" / "new.db")
    error = refused(file, root, "leads out of the project through a symbolic link")
    assert f"sqlite:///{os.path.realpath(file)}" in error.hint
    assert not (tmp_path / "elsewhere" / "new.db").exists()


def test_a_link_in_the_rest_of_the_repository_is_refused_too(root, tmp_path):
    outside = made(tmp_path / "elsewhere" / "state.db")
    (root / ".git").mkdir()
    (root / "project").mkdir()
    (root / "shared").symlink_to(outside.parent)
    refused(root / "project" / ".." / "shared" / "state.db", root / "project", "leads out of the project")


def test_a_path_out_of_the_project_that_is_spelled_so_is_the_users_choice(root, tmp_path):
    outside = made(tmp_path / "elsewhere" / "state.db")
    (tmp_path / "link").symlink_to(outside.parent)
    (tmp_path / "same").symlink_to(root)
    for file in (outside, root / ".." / "elsewhere" / "state.db", tmp_path / "link" / "state.db"):
        with a_store(file, root) as store:
            assert list(store.records()) == [YOGA]
    mine = made(root / "state.db")
    with a_store(tmp_path / "same" / "state.db", tmp_path / "same") as store:  # the project's folder is a link
        assert list(store.records()) == [YOGA]
    (root / "inside.db").symlink_to(mine)
    with a_store(root / "inside.db", root) as store:
        assert list(store.records()) == [YOGA]


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_link_beside_the_state_is_refused(root, tmp_path, suffix):
    file = made(root / "state.db")
    (root / f"state.db{suffix}").symlink_to(tmp_path / "elsewhere")
    refused(file, root, "is a symbolic link")


def test_backups_are_not_written_through_a_link(root, tmp_path):
    file = made(root / ".reconciler" / "state.db")
    (tmp_path / "elsewhere").mkdir()
    (file.parent / "backups").symlink_to(tmp_path / "elsewhere")
    with (
        a_store(file, root) as store,
        pytest.raises(ReconcilerError, match="leads out of the project") as caught,
    ):
        store.backup("rm")
    assert "backups" in caught.value.hint
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_pipe_or_device_in_place_of_the_state_is_refused(root):
    os.mkfifo(root / "state.db")
    with pytest.raises(ReconcilerError, match="is not a regular file"), a_store(root / "state.db", root) as store:
        store.records()
