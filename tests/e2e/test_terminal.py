"""Every command's text at every width: wrapped, readable on light and dark, in what the encoding can carry."""

from __future__ import annotations

import io
import re

import pytest
from desk import run_in
from every_command import every_command
from rich.cells import cell_len
from rich.color import EIGHT_BIT_PALETTE

from reconciler.render.wrapping import SHADES

ANSI = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
LINES = [
    *([*words, "--help"] for words, _ in every_command()),
    *(line.split() for line in ("--help", "state --help", "ci --help", "plan --nonsense", "nonsense", "plan extra")),
    *(line.split() for line in ("validate", "plan", "plan -v", "plan --compact", "plan --out p.plan", "show p.plan")),
    *(line.split() for line in ("apply --yes", "apply --yes -v", "plan", "drift", "drift -v", "drift --compact")),
    *(line.split() for line in ("state list", "state show Session/yoga", "state show Session/no", "state rm Block/*")),
    *(line.split() for line in ("adopt --all", "adopt Session/no", "export --out exported", "state unlock 0")),
    *(line.split() for line in ("explain Session", "explain Session.slots.time", "explain Project", "schema Nope")),
    *(line.split() for line in ("why Session/yoga", "why Block/no", "fmt --check", "explain RC0101", "validate -v")),
    *(line.split() for line in ("init --connection bookingbug-sessions new", "apply p.plan --yes", "destroy --yes")),
]
"""In this order: what one writes, the next one shows."""


class Screen(io.StringIO):
    """A terminal, as far as a command can see one."""

    encoding = "utf-8"

    def isatty(self):
        return True


class Latin(Screen):
    encoding = "ascii"


@pytest.fixture
def project(desk):
    desk.session(description="Bring a mat, a towel and a bottle of water. " * 4, name="Yoga — for beginners…")
    desk.session("pilates", name="Pilates", slots=None, repeat="weekly", start_date="2027-03-01", time="9:30", price=9)
    desk.declare("Resource", "court-1", {"name": "Court 1"}, protect=True)
    day = {"resource": "court-1", "timezone": "Europe/London", "start": "2027-05-03T07:00", "end": "2027-05-03T22:00"}
    desk.declare("Block", "may-bank-holiday-closure-of-court-1", day)
    return desk


def shown(desk, arguments, stream=Screen, **env):
    """Run a command whose two streams are one terminal; return what it shows."""
    unset = {name: value for name, value in desk.env.items() if name not in {"NO_COLOR", "CI", "TERM", "PAGER"}}
    done = run_in(
        desk.folder, {**unset, "TERM": "xterm-256color", "RECONCILER_PAGER": "", **env}, *arguments, screen=stream()
    )
    assert "Traceback" not in done.out
    return done.out


def too_long(line, width):
    """Whether a line is wider than the screen for another reason than one long word, which is to be copied."""
    return cell_len(line) > width and cell_len(line.split()[-1]) <= width * 3 // 5


@pytest.mark.parametrize("width", [60, *(pytest.param(width, marks=pytest.mark.slow) for width in (80, 200))])
def test_no_line_of_any_command_is_wider_than_the_screen(project, width):
    for arguments in LINES:
        text = shown(project, arguments, COLUMNS=str(width))
        assert {match[2] for match in ANSI.finditer(text)} <= {"m"}, arguments
        lines = ANSI.sub("", text).split("  Examples:")[0].splitlines()
        assert lines, arguments
        assert [line for line in lines if too_long(line, width)] == [], arguments
        assert [line for line in lines if line != line.rstrip()] == [], arguments


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "unknown"}])
def test_without_colors_there_is_no_escape_at_all(project, env):
    for arguments in (["plan"], ["validate"], ["drift"], ["adopt", "Session/no"], ["plan", "--no-color"]):
        assert "\x1b" not in shown(project, arguments, **env), arguments


def test_signs_have_stand_ins_where_the_encoding_lacks_them(project):
    text = "".join(
        shown(project, line, stream=Latin) for line in (["plan", "-v"], ["explain", "Session"], ["nonsense"])
    )
    assert [line for line in text.splitlines() if not line.isascii()] == []
    assert "Yoga \\u2014 for beginners..." in text
    assert " -> 200 (" in text


def test_the_log_of_a_ci_system_gets_lines_as_they_come(project):
    lines = shown(project, ["plan"], CI="true", COLUMNS="60").splitlines()
    assert max(map(len, lines)) > 150
    assert shown(project, ["plan"], CI="false", COLUMNS="60").splitlines() != lines


@pytest.mark.parametrize("shade", SHADES)
def test_colors_can_be_read_on_light_and_on_dark(shade):
    parts = [part / 255 for part in EIGHT_BIT_PALETTE[SHADES[shade]]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
    assert min(1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05) > 3.8
