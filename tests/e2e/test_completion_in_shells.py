"""The real shells, with somebody who types and presses Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect", reason="a terminal of this platform is needed")
pytestmark = pytest.mark.slow

HOSTILE = ("q$(touch x).yaml", "w;touch x.yaml", "e`touch x`.yaml", "r b.yaml")
PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [.]
  connections: {sessions: {provider: bookingbug-sessions}, "s$(touch x)": {}}
  environments: {prod: {}, "p$(touch x)": {}}
"""
MANIFESTS = """
kind: Session
metadata: {name: spring-yoga, labels: {room: "$(touch x)"}}
---
kind: Session
metadata: {name: "t$(touch x)"}
---
kind: Resource
metadata: {name: pool}
"""
START = {
    "bash": (["--norc", "--noprofile", "-i"], "bind 'set enable-bracketed-paste off'"),
    "zsh": (["-f", "-i"], "unsetopt prompt_cr prompt_sp beep"),
    "fish": (["--no-config", "-i"], "function fish_prompt; echo '@> '; end"),
}
SETTINGS = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/completions/reconciler.fish"}
SHOW = {  # Ctrl-X p prints the line
    "bash": """bind -x '"\\C-xp": printf "<%s>\\n" "$READLINE_LINE"'""",
    "zsh": "show() { zle -I; print -r -- \"<$BUFFER>\"; }; zle -N show; bindkey '^Xp' show",
    "fish": "bind \\cxp 'printf \"<%s>\\n\" (commandline | string collect)'",
}


class Terminal:
    """A shell at a terminal, with completion: installed by the command, or by a line of the shell."""

    def __init__(self, shell: str, home: Path, folder: Path, load: str | None = None) -> None:
        env = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        if load is None:
            install = [sys.executable, "-m", "reconciler", "--install-completion", shell]
            subprocess.run(install, cwd=folder, env=env, capture_output=True, check=True)
            load = f". {home / SETTINGS[shell]}"
        arguments, setup = START[shell]
        self._process = pexpect.spawn(
            shutil.which(shell),
            arguments,
            cwd=str(folder),
            env=env,
            encoding="utf-8",
            dimensions=(50, 160),
            timeout=60,
        )
        for line in (f"PS1='@> '; {setup}" if shell != "fish" else setup, SHOW[shell], load):
            self._process.sendline(line)
        self._process.sendline("echo rea''dy")
        self._process.expect("ready\r")
        self._process.expect("@> ")

    def completed(self, typed: str) -> str:
        """Type, press Tab, and return the line."""
        self._process.send(f"{typed}\t\x18p")
        self._process.expect(r"<([^>\n]*)>\r?\n")
        line = self._process.match[1]
        self._process.send("\x15\r")
        self._process.expect("@> ")
        return line

    def close(self) -> None:
        self._process.close(force=True)


def _need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: .ci/shells install")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "reconciler.yaml").write_text(PROJECT)
    (folder / "manifests.yaml").write_text(MANIFESTS)
    (folder / "out").mkdir()
    for name in HOSTILE:
        (folder / name).touch()
    yield folder
    assert not (folder / "x").exists(), "a name was executed"


@pytest.fixture(scope="module", params=START)
def terminal(request, tmp_path_factory, folder):
    _need(request.param)
    made = Terminal(request.param, tmp_path_factory.mktemp("home"), folder)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("vali", "validate "),
        ("plan --targ", "plan --target "),
        ("plan --target Session/", "plan --target Session/spring-yoga "),
        ("plan --target=Res", "plan --target=Resource/pool "),
        ("plan --target 'Ses", "plan --target 'Session/spring-yoga' "),
        ("plan --env ", "plan --env prod "),
        ("plan --env=", "plan --env=prod "),
        ("export --connection s", "export --connection sessions "),
        ("explain Session.sl", "explain Session.slots "),
        ("state rm R", "state rm Resource/pool "),
        ("plan --project rec", "plan --project reconciler.yaml "),
        ("plan --project=rec", "plan --project=reconciler.yaml "),
        ("export --out o", "export --out out/"),
        ("apply q", "apply q\\$\\(touch\\ x\\).yaml "),
        ("apply w", "apply w\\;touch\\ x.yaml "),
        ("validate e", ("validate e\\`touch\\ x\\`.yaml ", "validate e`touch\\ x`.yaml ")),  # in fish, ` is a letter
        ("plan --target Session/t", "plan --target Session/t"),
    ],
)
def test_tab_completes_the_line_and_executes_nothing(terminal, typed, completed):
    expected = (completed,) if isinstance(completed, str) else completed
    assert terminal.completed(f"reconciler {typed}") in {f"reconciler {each}" for each in expected}


def test_zsh_loads_the_script_from_where_a_package_puts_it(tmp_path, folder):
    _need("zsh")
    script = Path(__file__).parents[2] / "reconciler/cli/completions/reconciler.zsh"
    shutil.copy(script, tmp_path / "_reconciler")
    made = Terminal("zsh", tmp_path, folder, f"fpath+=({tmp_path}); autoload -Uz compinit; compinit -u")
    for _ in range(2):  # the first time defines it
        assert made.completed("reconciler plan --env=") == "reconciler plan --env=prod "
    made.close()
