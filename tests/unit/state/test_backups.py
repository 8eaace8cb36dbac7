"""Copies of the state: private, whole in themselves, and no more of them than are kept."""

import sqlite3
from contextlib import closing

import pytest

from reconciler.state import backups


@pytest.fixture
def state(tmp_path):
    file = tmp_path / "state.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE t (x)")
        made.execute("INSERT INTO t VALUES (1)")
        made.commit()
    return file


def rows(file):
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute("SELECT x FROM t").fetchall()


def test_a_copy_holds_what_was_committed_and_not_what_is_under_way(state, tmp_path):
    with closing(sqlite3.connect(state)) as writer:
        writer.execute("INSERT INTO t VALUES (2)")
        copy = backups.copy_file(state, tmp_path / "backups", "state rm")
    assert rows(copy) == [(1,)]
    assert "state-rm" in copy.name


def test_a_copy_and_its_folder_are_private_and_kept_out_of_git(state, tmp_path):
    copy = backups.copy_file(state, tmp_path / "backups", "mv")
    assert copy.stat().st_mode & 0o077 == 0
    assert copy.parent.stat().st_mode & 0o077 == 0
    assert (copy.parent / ".gitignore").read_text() == "*\n"


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path):
    broken = tmp_path / "state.db"
    broken.write_text("no database " * 500)
    with pytest.raises(sqlite3.Error):
        backups.copy_file(broken, tmp_path / "backups", "rm")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".gitignore"]


def test_only_the_newest_backups_of_one_state_are_kept(state, tmp_path, monkeypatch):
    monkeypatch.setattr(backups, "KEPT", 2)
    folder = tmp_path / "backups"
    backups.make_folder(folder)
    theirs = folder / "other-20270101T000000.000000Z-rm.db"
    theirs.touch()
    made = [backups.copy_file(state, folder, "rm") for _ in range(4)]
    assert sorted(folder.glob("*.db")) == sorted([theirs, *made[-2:]])


def test_a_name_of_a_command_cannot_lead_out_of_the_folder(state, tmp_path):
    copy = backups.copy_file(state, tmp_path / "backups", "../../rm")
    assert copy.parent == tmp_path / "backups"


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "backups").touch()
    with pytest.raises(FileExistsError):
        backups.make_folder(tmp_path / "backups")
