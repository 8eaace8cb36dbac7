"""Long text on a terminal: wrapped, in a pager, one line for each object, compared by a program of the user."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path
from tempfile import gettempdir

import pytest
from desk import COMMAND

WORDS = "Bring a mat, a towel and water. " * 6


def on_terminal(desk, *arguments, rows=20, columns=70, **env):
    """Run the command with stdout on a terminal; return what arrived there and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    unset = {name: value for name, value in desk.env.items() if name not in {"PAGER", "COLUMNS", "LINES", "LESS"}}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=desk.folder,
        env={**unset, "TERM": "xterm", **env},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    said = process.communicate(timeout=60)[1].decode()
    assert "Traceback" not in said, said
    return shown.decode().replace("\r\n", "\n"), process.returncode


def program(desk, name, script):
    path = desk.folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def many(desk):
    """Ten sessions that are to be created."""
    for number in range(10):
        desk.session(f"class-{number}", name=f"Class {number}", spaces=9)
    return desk


def test_a_long_plan_goes_through_the_pager_and_a_short_one_or_no_pager_does_not(many):
    pager = program(many, "pager", "sed 's/^/PAGED /'; echo LESS=$LESS")
    shown, code = on_terminal(many, "plan", RECONCILER_PAGER=pager)
    assert code == 0
    assert shown.startswith("PAGED Project acme")
    assert "LESS=FRX" in shown
    assert "PAGED" not in on_terminal(many, "plan", RECONCILER_PAGER=pager, rows=2000)[0]
    assert "PAGED" not in on_terminal(many, "plan", "--no-pager", RECONCILER_PAGER=pager)[0]
    assert "PAGED" not in on_terminal(many, "plan", RECONCILER_PAGER="", PAGER=pager)[0]
    assert "PAGED" in on_terminal(many, "plan", PAGER=pager)[0]
    assert "PAGED" not in many.run("plan", RECONCILER_PAGER=pager, code=0).out


@pytest.mark.parametrize("script", ["exit 0", "head -1", "exec 0<&-; exit 7", None])
def test_a_pager_that_breaks_or_ends_early_is_harmless(many, script):
    pager = "/nowhere/pager" if script is None else program(many, "pager", script)
    shown, code = on_terminal(many, "plan", "--detailed-exitcode", RECONCILER_PAGER=pager)
    assert code == 2
    if script is None:
        assert "Plan: 10 to create" in shown


def test_text_is_wrapped_on_a_terminal_and_never_in_a_pipe(many):
    many.session("class-0", description=WORDS, name="A class with a long name for all", code=None)
    shown, _ = on_terminal(many, "plan", "--no-pager", "-v", columns=60)
    assert max(len(line) for line in shown.splitlines() if " " in line.strip()) <= 60
    assert any(WORDS.strip() in line for line in many.run("plan", "-v", code=0).out.splitlines())


def test_compact_is_one_line_for_each_object(many):
    lines = many.run("plan", "--compact", code=0).out.splitlines()
    assert sum(line.startswith("+ Session/class-") for line in lines) == 10
    assert len(lines) < 20
    many.run("plan", "--out", "p.plan", code=0)
    assert many.run("show", "p.plan", "--compact", code=0).out.splitlines() == lines


@pytest.fixture
def described(desk):
    desk.session(description=WORDS)
    desk.run("apply", "--yes", code=0)
    desk.session(description=WORDS.replace("towel", "blanket"))
    return desk


def test_a_program_compares_long_texts_without_a_shell_in_private_files(described):
    differ = program(described, "differ", 'stat -c "%a %n" "$1" "$2"; cat "$2"; echo "$3"')
    done = described.run("plan", RECONCILER_EXTERNAL_DIFF=f"{differ} ';echo;'", code=0)
    assert "blanket" in done.out
    assert not list(Path(gettempdir()).glob("reconciler-diff-*"))
    done = described.run("plan", RECONCILER_EXTERNAL_DIFF="diff -u", code=0)
    assert "    +Bring a mat, a blanket and water." in done.out
    assert "--- before/description.txt" in done.out


@pytest.mark.parametrize(
    ("script", "said"), [("exit 2", "failed with exit code 2"), ("kill -9 $$", "failed with exit code -9")]
)
def test_a_program_that_fails_is_named_and_the_plan_goes_on(described, script, said):
    differ = program(described, "differ", script)
    done = described.run("plan", RECONCILER_EXTERNAL_DIFF=differ, code=0)
    assert said in done.out
    assert "Plan: 1 to update" in done.out
    assert "cannot be run" in described.run("plan", RECONCILER_EXTERNAL_DIFF="/nowhere/differ", code=0).out


@pytest.mark.parametrize(
    "env", [{"RECONCILER_ALLOW_COMMANDS": "0"}, {"CI": "true"}, {"RECONCILER_ALLOW_COMMANDS": "x"}]
)
def test_a_program_that_the_environment_does_not_allow_never_runs(described, env):
    differ = program(described, "differ", f"touch {described.folder}/ran")
    described.box.clear_log()
    done = described.run("plan", RECONCILER_EXTERNAL_DIFF=differ, **env, code=64)
    assert "RECONCILER_ALLOW_COMMANDS does not allow" in done.err
    assert not (described.folder / "ran").exists()
    assert described.box.log() == []
    assert described.run("plan", RECONCILER_EXTERNAL_DIFF=differ, RECONCILER_ALLOW_COMMANDS=differ, code=0)


def test_what_a_program_writes_and_a_secret_in_a_text_are_harmless(described):
    secret = described.env["BB_PASSWORD"]
    described.session(description=f"{WORDS}\n::error::evil\n{secret}")
    differ = program(described, "differ", r'''printf '\033]0;evil\007\033[31mred\033[0m\n'; tail -n +1 "$2"''')
    done = described.run("plan", RECONCILER_EXTERNAL_DIFF=differ, code=0)
    assert secret not in done.out
    assert r"    \x1b]0;evil\x07red" in done.out
    assert "\x1b" not in done.out
    assert not [line for line in done.out.splitlines() if line.lstrip().startswith("::")]


def test_a_program_that_is_not_allowed_stops_only_commands_that_would_use_it(described):
    env = {"RECONCILER_EXTERNAL_DIFF": "diff -u", "RECONCILER_ALLOW_COMMANDS": "0"}
    for command in (["validate"], ["state", "list"], ["plan", "--format", "json"]):
        described.run(*command, code=0, **env)
    described.run("drift", code=64, **env)
