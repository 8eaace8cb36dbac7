"""What is answered without click is what click answers; UPDATE_GOLDEN=1 writes the files of the answers again."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from every_command import every_command

from reconciler.cli import quick
from reconciler.cli.main import cli
from reconciler.cli.quick import FLAGS, WIDTHS, heading

GROUPS = [(), *sorted({words[:1] for words, _ in every_command() if words[1:]})]
COMMANDS = [*GROUPS, *(words for words, _ in every_command())]

HELP = """
import contextlib, io, json, os, sys
from reconciler.cli.main import run
for *arguments, os.environ["COLUMNS"] in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert run(arguments) == 0
    print(json.dumps(said.getvalue()))
"""
ROWS = """
import click, json, sys
from reconciler.cli.completion import addresses, values
from reconciler.cli.main import cli

def completes_addresses(parameter):
    return parameter._custom_shell_complete in {addresses, values}

def kind(option):
    if completes_addresses(option):
        assert option.multiple
        return "addresses"
    if option.count or option._flag_needs_value or option.nargs != 1:
        return "either"
    return "flag" if option.is_flag else "values" if option.multiple else "value"

for words in json.load(sys.stdin):
    command, context = cli, click.Context(cli, info_name="reconciler", **cli.context_settings)
    for word in words:
        command = command.get_command(context, word)
        context = click.Context(command, info_name=word, parent=context, **command.context_settings)
    rows = [(item.value, "command", item.help) for item in command.shell_complete(context, "")]
    options = [each for each in command.get_params(context) if isinstance(each, click.Option) and not each.hidden]
    rows += [(" ".join([*each.opts, *each.secondary_opts]), kind(each), each.help) for each in options]
    for each in command.params:
        if isinstance(each, click.Argument):
            name = "address" if completes_addresses(each) else "argument"
            rows.append(("", name if each.nargs == 1 else {"address": "addresses"}.get(name, "arguments"), ""))
    print(json.dumps(rows))
"""
COMPLETION = """
import json, os, sys
from reconciler.cli.main import cli
from reconciler.cli.shells import SHELLS, VARIABLE
for asked in json.load(sys.stdin):
    os.environ.update(asked)
    print(json.dumps(SHELLS[asked[VARIABLE].removesuffix("_complete")](cli, {}, "reconciler", VARIABLE).complete()))
"""


def by_click(script, asked):
    """Return what click answers to each question, in a process of its own.

    A command keeps the names of its help option from its first use, which in this process may be that of another test.
    """
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def quickly(monkeypatch, capfd):
    """Return what a function prints without click; None if it leaves that to click."""

    def ask(answer, asked):
        done = answer(asked)
        said = capfd.readouterr()
        assert not said.err
        assert bool(said.out) == done
        return said.out or None

    return ask


@pytest.fixture
def helped(quickly, monkeypatch):
    """Return the help that is printed without click in a terminal of some width."""

    def ask(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        return quickly(quick.help_printed, arguments)

    return ask


def _golden(name, parts):
    made = b"".join(heading(*words) + text.encode() for words, text in parts)
    file = Path(quick.FOLDER) / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_bytes(made)
    assert file.read_bytes() == made, "UPDATE_GOLDEN=1 writes it again"


def test_the_golden_texts_of_help_are_those_of_click():
    asked = [(*words, columns) for words in COMMANDS for columns in WIDTHS]
    texts = by_click(HELP, [[*words, "--help", str(columns)] for *words, columns in asked])
    _golden("help.txt", zip(asked, texts, strict=True))


def test_the_golden_words_of_completion_are_those_of_click():
    found = by_click(ROWS, COMMANDS)
    texts = ["".join("\t".join(row) + "\n" for row in rows) for rows in found]
    assert all(line.count("\t") == 2 for text in texts for line in text.splitlines())
    _golden("completion.txt", zip(COMMANDS, texts, strict=True))


@pytest.mark.parametrize("columns", [80, 100, 101, 132, 5000])
@pytest.mark.parametrize("words", [(), ("plan",), ("state",), ("state", "list")], ids=" ".join)
def test_help_is_printed_without_click_at_the_usual_widths(helped, words, columns):
    lines = [(*words, flag) for flag in FLAGS]
    expected = by_click(HELP, [[*line, str(columns)] for line in lines])
    assert [helped(*line, columns=columns) for line in lines] == expected


@pytest.mark.parametrize("columns", [0, -1, 1, 40, 79, 81, 99, "", "080 ", "wide", "٨٠"])
def test_help_of_any_other_width_is_left_to_click(helped, columns):
    assert helped("plan", "--help", columns=columns) in (None, *by_click(HELP, [["plan", "--help", str(columns)]]))


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
def test_any_other_command_line_is_left_to_click(helped, line):
    assert helped(*line) is None


def test_it_is_left_to_click_where_the_texts_are_missing_or_stdout_is_closed(helped, quickly, monkeypatch):
    asked = _asked("bash", "pl")
    monkeypatch.setattr(quick, "FOLDER", "no-such-folder")
    assert helped("--help") is quickly(quick.words_offered, asked) is None
    monkeypatch.undo()
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError))
    assert helped("--help") is quickly(quick.words_offered, asked) is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "cp037"])
@pytest.mark.parametrize("line", [["plan", "--help"], ["--version"]], ids=" ".join)
def test_it_is_left_to_click_where_stdout_has_an_encoding_with_other_bytes(line, encoding):
    asked = [sys.executable, "-m", "reconciler", *line]
    said, expected = (
        subprocess.run(
            asked, env={**os.environ, "PYTHONIOENCODING": each}, capture_output=True, timeout=60, check=True
        ).stdout
        for each in (encoding, "utf-8")
    )
    assert said.decode(encoding) == expected.decode()


def test_a_stdout_that_does_not_wait_gets_everything_once():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(reader, "rb") as stream:
        asked = [sys.executable, "-m", "reconciler", "plan", "--help"]
        with subprocess.Popen(asked, stdout=writer, env={**os.environ, "COLUMNS": "80"}) as process:
            os.close(writer)
            time.sleep(1)
            written = stream.read()
    assert process.returncode == 0
    assert written == quick._part("help.txt", "plan", 80)
    assert len(written) > 4096


def _asked(shell, line):
    words = line.split(" ")
    number = words[-1] if shell == "fish" else str(len(words))
    separator = " " if shell == "fish" else "\n"
    return {
        "_RECONCILER_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": separator.join(["reconciler", *words]),
        "COMP_CWORD": number,
    }


def _lines(words):
    """Return what may be typed of a command: nothing, each beginning of its words, and options after each other one."""
    rows = quick._rows(*words)
    prefix = "".join(f"{word} " for word in words)
    beginnings = {name[:length] for names, _, _ in rows for name in names for length in (1, 2, 3, 5)}
    yield from (prefix + typed for typed in sorted({"", "-", "--", *beginnings}))
    if any(not names for names, _, _ in rows):
        yield from (f"{prefix}x --", f"{prefix}x x --")
    for names, kind, _ in rows:
        if names and kind != "command":
            value = "" if kind == "flag" else " x"
            yield from (f"{prefix}{name}{value} --" for name in names)
            yield f"{prefix}{names[-1]} --"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_what_click_offers(quickly, shell):
    asked = [_asked(shell, line) for words in COMMANDS for line in _lines(words)]
    answers = [quickly(quick.words_offered, each) for each in asked]
    expected = by_click(COMPLETION, asked)
    wrong = [
        (each["COMP_WORDS"], answer, offered)
        for each, answer, offered in zip(asked, answers, expected, strict=True)
        if answer not in (None, f"{offered}\n")
    ]
    assert wrong == []
    assert sum(answer is not None for answer in answers) > 0.8 * len(answers)


@pytest.mark.parametrize(
    ("line", "quick_too"),
    [
        ("", True),
        ("pl", True),
        ("state ", True),
        ("plan --", True),
        ("plan --target Session/a --target Session/b --t", True),
        ("plan -v --project ~/x --", True),
        ("plan --verbose -", True),
        ("plan --target ", False),
        ("plan --target --", False),
        ("plan --target=", False),
        ("plan --project 'a b' --", False),
        ("plan --project a\\ b --", False),
        ("plan -vq --", False),
        ("plan --wait 3 --", False),
        ("plan --nonsense --", False),
        ("plan -- --", False),
        ("adopt Session/a --", True),
        ("explain ", False),
        ("nonsense ", False),
        ("nonsense --", False),
        ("plan --project\u00a0a --", False),
        ("plan --project\u3000a --", False),
        ("plan --project\x0ba --", False),
        ("plan --project\x1fa --", False),
        ("--version pl", True),
        ("zzz", False),
        ("_", False),
    ],
)
def test_only_what_is_understood_is_completed_without_click(quickly, line, quick_too):
    asked = [_asked(shell, line) for shell in ("bash", "zsh", "fish")]
    for each, expected in zip(asked, by_click(COMPLETION, asked), strict=True):
        answer = quickly(quick.words_offered, each)
        assert (answer is not None) == quick_too
        assert answer in (None, f"{expected}\n")


@pytest.mark.parametrize(
    "asked",
    [{}, {"_RECONCILER_COMPLETE": "bash_source"}, {**_asked("bash", "pl"), "COMP_CWORD": "x"}],
    ids=["nothing", "a script", "no number"],
)
def test_any_other_question_is_left_to_click(quickly, asked):
    assert quickly(quick.words_offered, asked) is None


BARE = "import sys; before = set(sys.modules); sys.argv[0] = 'reconciler'\n"
NEW = "from reconciler.__main__ import main; main(); print(*sorted(set(sys.modules) - before), file=sys.stderr)"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (["--version"], {}),
        (["--help"], {}),
        (["plan", "-h"], {}),
        (["state", "rm", "--help"], {}),
        ([], _asked("bash", "pl")),
        ([], _asked("zsh", "plan --")),
    ],
)
def test_no_library_is_imported_for_it(line, asked):
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | asked
    done = subprocess.run(
        [sys.executable, "-c", BARE + NEW, *line], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith(("reconciler ", "Usage: reconciler ", "plain"))
    assert {name for name in done.stderr.split() if not name.startswith("reconciler")} <= {"__future__"}


def test_every_command_has_a_text():
    assert {words for words, _ in every_command()} < {*COMMANDS}
    assert {(name,) for name in cli.list_commands(None)} < {*COMMANDS}
