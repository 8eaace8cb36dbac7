"""How git is run: nothing that a checkout or a variable decides, no questions, no secrets in messages."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.errors import ReconcilerError
from reconciler.redaction import run
from reconciler.state import holder
from reconciler.state.git import command
from reconciler.state.git.command import Git


@pytest.fixture
def fake_git(tmp_path, monkeypatch):
    """Return what puts a program in place of git, which writes what it is given to a file."""

    def made(script):
        path = tmp_path / "bin" / "git"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent))

    return made


@pytest.fixture
def git():
    made = Git("file")
    yield made
    made.close()


def test_a_missing_git_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ReconcilerError, match="git was not found") as caught:
        Git("https")
    assert "install git" in caught.value.hint


def test_variables_that_steer_git_are_dropped_and_those_of_credentials_are_kept(monkeypatch, fake_git):
    for name in ("GIT_DIR", "GIT_EXEC_PATH", "GIT_TRACE", "GIT_TRACE_CURL", "GIT_EXTERNAL_DIFF", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "bad")
    for name in ("GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_SSL_CAINFO"):
        monkeypatch.setenv(name, "good")
    fake_git("print(*(f'{name}={value}' for name, value in os.environ.items() if name.startswith(('GIT_', 'LC_'))))")
    made = Git("https")
    seen = dict(item.split("=", 1) for item in made.run("version").out.decode().split())
    made.close()
    assert "bad" not in seen.values()
    assert sum(value == "good" for value in seen.values()) == 5
    assert (seen["GIT_TERMINAL_PROMPT"], seen["LC_ALL"]) == ("0", "C")


def test_no_hook_and_no_other_protocol_than_the_one_of_the_remote(git, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-push"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    (tmp_path / "config").write_text(f"[core]\nhooksPath = {hooks}\n[protocol]\nallow = always\n", encoding="utf-8")
    git._environment["GIT_CONFIG_GLOBAL"] = str(tmp_path / "config")
    for url in ("ext::touch% ran", "git://127.0.0.1:1/x", "http://127.0.0.1:1/x"):
        answer = git.run("ls-remote", "--", url)
        assert answer.code
        assert "not allowed" in answer.words
    git.run("fast-import", given=b"commit refs/new/1\ncommitter a <a@b> 1 +0000\ndata 1\nx\n")
    assert git.run("rev-parse", "refs/new/1").code == 0
    assert not (tmp_path / "ran").exists()


def test_a_git_that_hangs_is_ended_with_what_it_started(fake_git, tmp_path):
    fake_git(
        "if 'ls-remote' in sys.argv:\n"
        "    pid = os.fork()\n"
        f"    open({str(tmp_path)!r} + f'/{{os.getpid()}}', 'w').close()\n"
        "    time.sleep(60)\n"
    )
    made, began = Git("https"), time.monotonic()
    answer = made.run("ls-remote", limit=4.0)
    made.close()
    assert answer.late
    assert "no answer within 4 s" in answer.words
    assert time.monotonic() - began < 30
    started = [path for path in tmp_path.iterdir() if path.name.isdecimal()]
    assert started
    assert {holder._started(int(path.name)) for path in started} == {""}


def test_what_git_says_has_no_credentials_and_no_control_characters(fake_git, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "AUTHORIZATION: basic c2VjcmV0LXRva2Vu")
    fake_git(
        "sys.stderr.write('hint: x\\nfatal: \\x1b[31mhttps://ann:hunter2@host/x\\u202e c2VjcmV0LXRva2Vu\\n')\n"
        "sys.stderr.write('y' * 900)\n"
        "sys.exit('init' not in sys.argv)"
    )
    with run():
        made = Git("https")
        words = made.run("push").words
        made.close()
    assert words.startswith("[31mhttps://***@host/x ********; yyy")
    assert len(words) <= command._LONGEST


NO_ACCESS = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists.\n"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            f"fatal: '/x' does not appear to be a git repository\n{NO_ACCESS}",
            "'/x' does not appear to be a git repository",
        ),
        (
            f"ssh: connect to host h port 22: Connection refused\r\n{NO_ACCESS}",
            "ssh: connect to host h port 22: Connection refused",
        ),
        (NO_ACCESS, "Could not read from remote repository"),
        (
            "remote: error: GH006: it is protected.\nremote: \nremote: By a rule.\nerror: failed to push some refs",
            "GH006: it is protected; By a rule",
        ),
        ("", ""),
    ],
)
def test_what_git_says_is_one_sentence_with_its_reason(said, words):
    assert command._plain(said.encode()) == words


def test_its_folder_is_private_and_is_removed(git):
    folder = git._scratch.path
    assert folder.stat().st_mode & 0o077 == 0
    git.close()
    assert not folder.exists()


KILLED = "import os; from reconciler.state.git.scratch import Scratch; print(Scratch().path, flush=True); os.abort()"


def test_the_folder_of_a_killed_run_is_removed_by_the_next_one_and_that_of_a_living_one_is_not(git):
    killed = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60, check=False)
    left = Path(killed.stdout.strip())
    assert killed.returncode < 0
    assert left.is_dir()
    Git("file").close()
    assert not left.exists()
    assert git.run("rev-parse", "--git-dir").code == 0
