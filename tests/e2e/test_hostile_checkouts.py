"""Files that a checkout brings along and that a command must neither run, believe nor change."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

READING = (("plan",), ("drift",), ("state", "list"), ("export", "--out", "exported"))
WRITING = (("apply", "--yes"), ("destroy", "--yes"), ("adopt", "--all"), ("state", "rm", "Session/yoga"))

NAMES = ("yaml", "click", "rich", "jinja2", "sqlite3", "httpx", "jsonschema_rs", "attr", "json", "uuid", "decimal")


@pytest.mark.parametrize("how", [["-m", "reconciler"], ["-mreconciler"]])
def test_no_module_of_the_current_folder_is_imported(desk, how):
    desk.session()
    for number, name in enumerate(NAMES):
        module = f"import os\nos.write(2, b'IMPORTED {name}')\nraise SystemExit(99)\n"
        if number % 2:
            (desk.folder / f"{name}.py").write_text(module)
        else:
            (desk.folder / name).mkdir()
            (desk.folder / name / "__init__.py").write_text(module)
    for command in (["validate"], ["plan"]):
        done = subprocess.run(
            [sys.executable, *how, *command],
            cwd=desk.folder, env=desk.env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "IMPORTED" not in done.stderr, done
        assert done.returncode == 0, done


def test_no_program_of_the_current_folder_is_a_credential_command(desk):
    program = desk.folder / "get-secret"
    program.write_text("#!/bin/sh\ntouch ran\necho secret-from-the-checkout\n")
    program.chmod(0o755)
    text = (desk.folder / "reconciler.yaml").read_text().replace("{env: BB_USERNAME}", "{command: [get-secret]}")
    desk.project(text)
    desk.session()
    for path in (".", "", f".:{os.environ['PATH']}", f"{os.environ['PATH']}:", "bin/..:./"):
        done = desk.run("plan", code=1, PATH=path, CI="")
        assert "No such file" in done.err
        assert not (desk.folder / "ran").exists()
    desk.run("plan", code=None, PATH=f"{desk.folder}:{os.environ['PATH']}", CI="")
    assert (desk.folder / "ran").exists()


def unchanged_and_refused(desk, file, words, commands=(*READING, *WRITING)):
    before = file.read_bytes()
    for command in commands:
        desk.box.clear_log()
        done = desk.run(*command, code=1)
        assert words in done.err, (command, done)
        assert desk.box.log() == [], command
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} <= {file.name, ".gitignore", "backups"}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_state_that_is_tracked_by_git_is_refused_before_anything_is_read(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    for arguments in (["init"], ["add", "-f", ".reconciler/state.db"]):
        subprocess.run(["git", *arguments], cwd=desk.folder, check=True, capture_output=True)
    unchanged_and_refused(desk, desk.folder / ".reconciler" / "state.db", "is tracked by Git")
    subprocess.run(["git", "rm", "--cached", "-q", "-f", ".reconciler/state.db"], cwd=desk.folder, check=True)
    desk.settled()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", [b"bookmarks", b"b\xff\xffkmarks"], ids=["text", "bytes"])
def test_a_database_of_another_program_is_neither_read_nor_changed(desk, mode, number, name):
    folder = desk.folder / ".reconciler"
    folder.mkdir()
    file = folder / "state.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        if number:
            connection.execute("CREATE TABLE reconciler_objects (url TEXT)")
        connection.commit()
    file.write_bytes(file.read_bytes().replace(b"bookmarks", name))
    desk.session()
    unchanged_and_refused(desk, file, "is a database of another program")
