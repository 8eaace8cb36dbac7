"""What a shell offers: commands, options and the names of a project; and where the scripts are installed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import click
import pytest

from reconciler.cli.install_completion import script
from reconciler.cli.main import cli, run
from reconciler.cli.shells import SHELLS, VARIABLE
from reconciler.model.objects import Address, Record
from reconciler.render.project_files import KITS
from reconciler.state.store import Store

PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [manifests]
  connections: {sessions: {provider: bookingbug-sessions}, shop: {provider: checkfront}}
  environments: {prod: {}, "$(touch x)": {}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text(
        "kind: Session\nmetadata: {name: yoga}\n---\nkind: Resource\nmetadata: {name: pool}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _offered(monkeypatch, words, shell="bash"):
    """Return the answer to a shell in which these words were typed; bash splits them at `=` too."""
    typed = words.replace("=", " = ") if shell == "bash" else words
    split = typed.split(" ")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", split[-1] if shell == "fish" else str(len([*filter(None, split[:-1])])))
    return SHELLS[shell](cli, {}, "reconciler", VARIABLE).complete().splitlines()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("dem", ["demo"]),
        ("plan --targ", ["--target"]),
        ("plan --target ", ["Resource/pool", "Session/yoga"]),
        ("apply --exclude Ses", ["Session/yoga"]),
        ("apply --target Session/yoga --allow-booked R", ["Resource/pool"]),
        ("destroy --allow-unknown=R", ["Resource/pool"]),
        ("plan --env ", ["prod"]),
        ("plan --env=", ["prod"]),
        ("plan --env=prod --compare ", ["prod"]),
        ("plan --format ", ["text", "json", "markdown", "html"]),
        ("apply --allow-missing s", ["sessions", "shop"]),
        ("export --connection sh", ["shop"]),
        ("export --kind Bl", ["Block"]),
        ("init --connection ", sorted(kit.provider for kit in KITS)),
        ("init --connection checkfront --connection bookingbug-s", ["bookingbug-sessions"]),
        ("adopt S", ["Session/yoga"]),
        ("drift --accept S", ["Session/yoga"]),
        ("state rm Resource/pool S", ["Session/yoga"]),
        ("state mv S", ["Session/yoga"]),
        ("explain Res", ["Resource"]),
        ("explain Session.sl", ["Session.slots"]),
        ("explain Session.slots.t", ["Session.slots.time"]),
        ("explain Session.metad", ["Session.metadata"]),
        ("explain Nothing.", []),
        ("explain RC0301", ["RC0301"]),
        ("explain unknown-ref", ["unknown-reference"]),
        ("why S", ["Session/yoga"]),
        ("why Session/yoga.slots.t", ["Session/yoga.slots.time"]),
        ("schema sess", []),
        ("schema Sess", ["Session"]),
        ("plan --project missing --target ", []),
        ("--install-completion z", ["zsh"]),
    ],
)
def test_values_are_completed_from_the_project(project, monkeypatch, words, offered):
    assert _offered(monkeypatch, f"reconciler {words}") == [f"plain,{each}" for each in offered]


def test_options_that_name_files_leave_them_alone(project, monkeypatch):
    before = sorted(project.rglob("*"))
    files = "--trace a.har --decisions b.json --out c.plan --output d.md"
    assert _offered(monkeypatch, f"reconciler plan {files} --target S") == ["plain,Session/yoga"]
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("words", ["apply ", "validate m", "plan --out ", "plan --trusted-config ", "plan --project="])
def test_files_are_left_to_the_shell(project, monkeypatch, words):
    (offered,) = _offered(monkeypatch, f"reconciler {words}")
    assert offered.startswith("file,")


def test_fish_gets_whole_words_and_zsh_the_meaning_of_commands(project, monkeypatch):
    assert _offered(monkeypatch, "reconciler plan --env=", "fish") == ["plain,--env=prod"]
    assert _offered(monkeypatch, "reconciler plan --env '", "fish") == ["plain,prod"]
    assert _offered(monkeypatch, "reconciler schem", "zsh") == ["plain", "schema", "Print a JSON Schema."]
    assert _offered(monkeypatch, "reconciler plan --env=", "zsh") == ["plain", "prod", "_"]


def test_every_option_and_argument_with_names_as_values_completes_them():
    names = {"ADDRESS", "CONNECTION", "KIND", "[ADDRESS]...", "ADDRESS...", "ADDRESS[.FIELD]", "[KIND[.FIELD]|CODE]"}
    silent = [
        f"{path} {parameter.name}"
        for path, command in _commands(cli, click.Context(cli))
        for parameter in command.params
        if (parameter.metavar in names or parameter.name in {"address", "environment", "kind"})
        and parameter._custom_shell_complete is None
    ]
    assert silent == []


def _commands(group, ctx):
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        yield name, command
        if isinstance(command, click.Group):
            yield from _commands(command, ctx)


@pytest.fixture
def state(project):
    file = project / ".reconciler" / "state.db"
    file.parent.mkdir()
    address = Address("Session", "old")
    with closing(Store(f"sqlite:///{file}", project="acme")) as store:
        store.save(Record(address=address, connection="sessions", target="t", remote_id="1", fields={}))
    return file


def test_what_only_the_state_records_is_offered_too(project, state, monkeypatch):
    before = sorted(project.rglob("*"))
    assert _offered(monkeypatch, "reconciler state rm Session/") == ["plain,Session/old", "plain,Session/yoga"]
    assert _offered(monkeypatch, "reconciler plan --env prod --target Session/") == ["plain,Session/yoga"]
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"no database"),
        lambda file: _hostile(file, "CREATE TABLE reconciler_objects (project, environment, kind, name)"),
        lambda file: _hostile(
            file,
            "CREATE VIEW reconciler_objects AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT 'acme' AS project, 'x' AS environment, i AS kind, i AS name FROM n",
        ),
    ],
    ids=["damaged", "commands as names", "a view that never ends"],
)
def test_a_hostile_state_offers_and_does_nothing(project, state, monkeypatch, damage):
    damage(state)
    assert _offered(monkeypatch, "reconciler state rm Session/") == ["plain,Session/yoga"]


def _hostile(file, table):
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(table)
        if "TABLE" in table:
            connection.execute("INSERT INTO reconciler_objects VALUES ('acme', '', 'Session', '$(touch x)')")
        connection.commit()


@pytest.mark.parametrize("question", ["bash_complete", "bash_nonsense", "nonsense", ""])
def test_an_answer_is_never_an_error(tmp_path, question):
    (tmp_path / "reconciler.yaml").write_text("{")
    words = {"COMP_WORDS": "reconciler plan --decisions missing --target ", "COMP_CWORD": "5"}
    command = [sys.executable, "-m", "reconciler"]
    env = {**os.environ, **words, VARIABLE: question}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.strip() == b""


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "BASH_COMPLETION_USER_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _files(home):
    return {str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("shell", "place", "settings"),
    [
        ("bash", ".local/share/bash-completion/completions/reconciler", ".bashrc"),
        ("zsh", ".local/share/reconciler/completion.zsh", ".zshrc"),
        ("fish", ".config/fish/completions/reconciler.fish", None),
    ],
)
def test_installing_writes_one_file_and_at_most_one_line_once(home, capsys, shell, place, settings):
    own = "alias a=b" if settings else ""
    if settings:
        (home / settings).write_text(own)
    assert run(["--install-completion", shell]) == 0
    said = capsys.readouterr().err
    files = _files(home)
    assert set(files) == {place, *filter(None, [settings])}
    assert f"Wrote {home / place}\n" in said
    assert files[place].startswith(script(shell))
    if settings:
        assert f"run: . {home / settings}" in said
        first, line, end = files[settings].split("\n")
        assert (first, end) == (own, "")
        assert str(home / place) in line
    assert run(["--install-completion", shell]) == 0
    assert _files(home) == files
    assert said.count("Wrote") == capsys.readouterr().err.count("Already up to date")


def test_the_places_that_the_user_chose_are_respected(home, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "my data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative, which does not count")
    monkeypatch.setenv("ZDOTDIR", str(home / "my zsh"))
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "bashrc").write_text("one\ntwo\n")
    (home / ".bashrc").symlink_to("dotfiles/bashrc")
    for shell in SHELLS:
        run(["--install-completion", shell])
    assert (home / "my zsh/.zshrc").read_text().startswith(f"if [ -r '{home}/my data/reconciler/completion.zsh' ]")
    assert f"run: . '{home}/my zsh/.zshrc'\n" in capsys.readouterr().err
    assert (home / "my data/bash-completion/completions/reconciler").exists()
    assert (home / ".config/fish/completions/reconciler.fish").exists()
    assert (home / ".bashrc").is_symlink()
    monkeypatch.delenv("XDG_DATA_HOME")
    run(["--install-completion", "bash"])
    before, after, line, _ = (home / "dotfiles/bashrc").read_text().split("\n")
    assert (before, after) == ("one", "two")
    assert "my data" not in line


def test_a_file_of_somebody_else_is_kept(home, capsys):
    file = home / ".config/fish/completions/reconciler.fish"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    assert run(["--install-completion", "fish"]) == 1
    assert "already exists with different content" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(home, capsys):
    (home / ".config").write_text("a file")
    assert run(["--install-completion", "fish"]) == 1
    assert str(home / ".config") in capsys.readouterr().err


def test_the_shell_is_that_of_the_user(home, capsys, monkeypatch):
    monkeypatch.setattr("os.getppid", lambda: 0)
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert run(["--show-completion"]) == 0
    assert capsys.readouterr().out == script("fish")
    monkeypatch.setenv("SHELL", "/bin/csh")
    assert run(["--show-completion"]) == 64
    assert "--install-completion bash|zsh|fish" in capsys.readouterr().err
