"""A state that this user may only read: reading commands work at once, and writing ones say at once what is wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from desk import Desk
from other_user import open_folder

pytestmark = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user"
)

READING = [["validate"], ["plan"], ["drift"], ["state", "list"], ["state", "show", "Session/yoga"], ["export"]]
WRITING = [["apply", "--yes"], ["adopt", "--all"], ["state", "rm", "Session/yoga"], ["destroy", "--yes"]]
WARM_UP = [["apply", "--yes"], ["adopt", "--all"], ["state", "rm", "Session/yoga", "--dry-run"], *READING]

SCRIPT = """
import json, os, sys, time
from reconciler.cli.main import run
warm_up, lines = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for line in warm_up:  # what is imported is not readable for the other user
    assert run(line) == 0, line
for mode, path in json.loads(sys.argv[3]):
    os.chmod(path, mode)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for line in lines:
    began = time.monotonic()
    code = run(line)
    print("ENDED", int(code), time.monotonic() - began < 25)  # a lock would be waited for for 30 s
"""

MODES = {
    "file": [(0o777, ".reconciler"), (0o444, ".reconciler/state.db")],
    "folder": [(0o666, ".reconciler/state.db"), (0o555, ".reconciler")],
    "both": [(0o444, ".reconciler/state.db"), (0o555, ".reconciler")],
}


@pytest.fixture
def desk(box):
    with open_folder() as folder:
        yield Desk(folder, box)


def as_another_user(desk, lines, modes):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(json.dumps, (WARM_UP, lines, modes))],
        cwd=desk.folder, env=desk.env, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "internal error" not in done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("ENDED")], done.stderr


@pytest.mark.parametrize("part", MODES)
def test_reading_needs_no_permission_to_write_and_writing_says_so(desk, part):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    ended, said = as_another_user(desk, [*READING, *WRITING], MODES[part])
    assert ended == ["ENDED 0 True"] * len(READING) + ["ENDED 1 True"] * len(WRITING), said
    assert said.count("attempt to write a readonly database") == len(WRITING)
    assert [call for call in desk.calls() if call.startswith(("PUT", "POST", "DELETE"))] == []


def test_what_another_program_wrote_last_is_read_too(desk):
    desk.session()
    desk.session("pilates", name="Pilates")
    desk.run("apply", "--yes", code=0)
    state = desk.folder / ".reconciler" / "state.db"
    with closing(sqlite3.connect(state)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("UPDATE reconciler_objects SET remote_id = '987654' WHERE name = 'pilates'")
        other.commit()
        assert state.with_name("state.db-wal").stat().st_size > 0
        modes = [(0o444, str(state.with_name(name))) for name in ("state.db", "state.db-wal", "state.db-shm")]
        script = SCRIPT.replace("for line in warm_up:", "for line in [['state', 'list']]:")
        command = [
            sys.executable,
            "-c",
            script,
            "[]",
            '[["state", "list"]]',
            json.dumps([*modes, (0o555, str(state.parent))]),
        ]
        done = subprocess.run(command, cwd=desk.folder, env=desk.env, capture_output=True, text=True, check=False)
    assert done.stdout.count("987654") == 2, done
    assert "ENDED 0 True" in done.stdout
