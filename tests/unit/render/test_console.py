"""What a file or a pipe gets without rich is what rich writes there."""

import io

import msgspec
import pytest
import render_samples as samples
from rich.console import Console

from reconciler.cli import consoles
from reconciler.model.change import FieldChange
from reconciler.render import text
from reconciler.render.console import Plain, say
from reconciler.render.text import Look


def compared(_field, _before, _after):
    return ("\x1b[31m-:: old\x1b[0m", "plain", "\x1b[1m\x1b[32m+new\x1b[0m \x1b]0;title\x07")


def long_text():
    change = msgspec.structs.replace(
        samples.rich_plan().effective[0],
        fields=(FieldChange(path="description", before="old " * 50, after="new " * 50, origin="manifest"),),
    )
    return msgspec.structs.replace(samples.quiet_plan(), changes=(change,))


WRITTEN = {
    "a plan": lambda console: text.plan(console, samples.rich_plan()),
    "a report": lambda console: text.report(console, samples.rich_report(), samples.rich_plan()),
    "a comparison by a program": lambda console: text.plan(console, long_text(), Look(differ=compared)),
    "a long and hostile line": lambda console: say(console, "::warning::x ", ("é\n\x1b[31m" * 99, "red"), "", " →"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_it_is_the_same_text(write, encoding):
    found = []
    for console in (lambda file: Plain(file=file), lambda file: Console(file=file, width=1 << 30)):
        file = io.TextIOWrapper(io.BytesIO(), encoding, newline="\n")
        write(console(file))
        file.flush()
        found.append(file.buffer.getvalue())
    assert found[0] == found[1]
    assert b"\x1b" not in found[0]


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_rich_writes_where_a_variable_says_that_a_pipe_shows_colors(monkeypatch, capsys, name):
    assert isinstance(consoles.people(), Plain)
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    say(consoles.people(), ("red", "red"))
    assert capsys.readouterr().err == "\x1b[38;5;160mred\x1b[0m\n"
