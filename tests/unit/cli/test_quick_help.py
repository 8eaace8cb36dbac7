"""Help that is printed without click is the help that click prints; UPDATE_GOLDEN=1 writes it again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from every_command import every_command

from reconciler.cli import quick_help
from reconciler.cli.main import cli
from reconciler.cli.quick_help import FILE, FLAGS, WIDTHS, heading

COMMANDS = [(), *((name,) for name in cli.list_commands(None)), *(words for words, _ in every_command() if words[1:])]


ASK = """
import contextlib, io, json, os, sys
from reconciler.cli.main import run
for *arguments, os.environ["COLUMNS"] in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert run(arguments) == 0
    print(json.dumps(said.getvalue()))
"""


def by_click(*lines):
    """Return what click prints for each command line and number of columns, in a process of its own.

    A command keeps the names of its help option from its first use, which in this process may be that of another test.
    """
    asked = json.dumps([[*arguments, str(columns)] for arguments, columns in lines])
    done = subprocess.run(
        [sys.executable, "-c", ASK], input=asked, capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def quickly(monkeypatch, capfd):
    """Return what is printed without click; None if that is left to it."""

    def ask(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = quick_help.printed(arguments)
        said = capfd.readouterr()
        assert not said.err
        assert done or not said.out
        return said.out if done else None

    return ask


def test_the_golden_texts_are_those_of_click():
    asked = [(words, columns) for words in COMMANDS for columns in WIDTHS]
    texts = by_click(*(((*words, "--help"), columns) for words, columns in asked))
    made = b"".join(heading(*line) + text.encode() for line, text in zip(asked, texts, strict=True))
    if os.environ.get("UPDATE_GOLDEN"):
        Path(FILE).write_bytes(made)
    assert Path(FILE).read_bytes() == made, "UPDATE_GOLDEN=1 writes it again"


@pytest.mark.parametrize("columns", [80, 100, 101, 132, 5000])
@pytest.mark.parametrize("words", [(), ("plan",), ("state",), ("state", "list")], ids=" ".join)
def test_help_is_printed_without_click_at_the_usual_widths(quickly, words, columns):
    lines = [((*words, flag), columns) for flag in FLAGS]
    assert [quickly(*arguments, columns=columns) for arguments, _ in lines] == by_click(*lines)


@pytest.mark.parametrize("columns", [0, -1, 1, 40, 79, 81, 99, "", "080 ", "wide", "٨٠"])
def test_any_other_width_is_left_to_click(quickly, columns):
    quick = quickly("plan", "--help", columns=columns)
    assert quick in (None, *by_click((("plan", "--help"), columns)))


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["plan"],
        ["--version"],
        ["plan", "--help", "-v"],
        ["plan", "-v", "--help"],
        ["nonsense", "--help"],
        ["state list", "--help"],
        ["plan 80\nUsage:", "--help"],
        ["\x0creconciler", "--help"],
        ["plan", "plan", "--help"],
        ["", "--help"],
        ["--help", "plan"],
        ["--", "--help"],
        ["\udcff", "--help"],
        ["ci", "reviewed", "--help"],  # has a character whose bytes depend on the encoding of stdout
    ],
    ids=" ".join,
)
def test_any_other_command_line_is_left_to_click(quickly, line):
    assert quickly(*line) is None


def test_it_is_left_to_click_where_the_texts_are_missing_or_stdout_is_closed(quickly, monkeypatch):
    monkeypatch.setattr(quick_help, "FILE", "no-such-file")
    assert quickly("--help") is None
    monkeypatch.undo()
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError))
    assert quickly("--help") is None


@pytest.mark.parametrize("line", [["--version"], ["--help"], ["plan", "-h"], ["state", "rm", "--help"]], ids=" ".join)
def test_no_library_is_imported_for_it(line):
    code = (
        "import sys; before = set(sys.modules); sys.argv[0] = 'reconciler'\n"
        "from reconciler.__main__ import main; main()\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    bare = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-c", code, *line], env=bare, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith(("reconciler ", "Usage: reconciler "))
    assert {name for name in done.stderr.split() if not name.startswith("reconciler")} <= {"__future__"}


def test_every_command_has_a_text():
    assert all(isinstance(command, click.Command) for _, command in every_command())
    text = Path(FILE).read_bytes()
    assert all(heading(words, columns) in text for words in COMMANDS for columns in WIDTHS)
