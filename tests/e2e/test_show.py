"""`show`: a saved document says what the command said that made it, without a project, credentials or state."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess

import pytest
from desk import COMMAND, run_in

FORMATS = ("text", "json", "markdown", "html")
MOVED = [("2027-03-01", "11:00", 60), ("2027-03-09", "11:00", 60), ("2027-03-15", "9:30", 90)]


def anywhere(folder, *arguments, stdin=None):
    """Run the command in an empty folder, without a variable of the project; piped, in a process of its own."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("BB_", "CF_"))} | {
        "NO_COLOR": "1"
    }
    if stdin is None:
        done = run_in(folder, bare, *arguments)
        return subprocess.CompletedProcess(arguments, done.code, done.out, done.err)
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=bare,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def away(tmp_path_factory):
    return tmp_path_factory.mktemp("away")


def yoga(desk):
    return next(item for item in desk.box.sessions() if item["name"] == "Yoga")


def changing(desk):
    desk.session(spaces=9)
    desk.session("swim", name="Swim", spaces=9, slots=[("2027-05-01", "10:00", 60)])
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.run("apply", "--yes", code=0)
    desk.box.book(yoga(desk)["slots"][1]["id"], places=2)
    desk.session(price=41, slots=MOVED, description="new", spaces=9)
    desk.declare("Resource", "court-2", {"name": "Court 2", "address": {"address1": "x", "postcode": "y"}})
    desk.forget("Session", "swim")


def without_run(text):
    """Return an output without when and where its run took place: each run has its own."""
    return re.sub(r'"run": \{[^}]*\}|Run [0-9a-f]{32} [^<\n]*', "", text)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_show_of_a_plan_prints_what_plan_printed(desk, away, form, verbose):
    changing(desk)
    made = desk.run("plan", "--out", "saved.plan", "--format", form, *verbose, code=0)
    shown = anywhere(away, "show", str(desk.folder / "saved.plan"), "--format", form, *verbose)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, made.out, "")
    assert "Session/yoga" in shown.stdout


def test_show_reads_stdin_and_writes_a_private_file(desk, away):
    changing(desk)
    printed = desk.run("plan", "--format", "json", code=0).out
    shown = anywhere(away, "show", "-", "-q", "--format", "html", "--output", "plan.html", stdin=printed)
    assert (shown.returncode, shown.stdout) == (0, "")
    assert stat.S_IMODE((away / "plan.html").stat().st_mode) == 0o600
    assert (away / "plan.html").read_text(encoding="utf-8") == desk.run("plan", "--format", "html", code=0).out


@pytest.mark.parametrize("form", FORMATS)
def test_show_of_a_report_and_of_drift_prints_what_those_printed(desk, away, form):
    changing(desk)
    done = desk.run("apply", "--yes", "--allow-booked", "*", "--format", "json", code=0)
    shown = anywhere(away, "show", "-", "--format", form, stdin=done.out)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == done.out if form == "json" else "Session/swim" in shown.stdout
    desk.box.edit_session(yoga(desk)["id"], name="Other")
    desk.run("drift", "--output", "drift.json", "--format", "json", code=2)
    document = (desk.folder / "drift.json").read_text(encoding="utf-8")
    printed = desk.run("drift", "--format", form, code=2).out
    shown = anywhere(away, "show", "-", "--format", form, stdin=document).stdout
    assert without_run(shown) == without_run(printed)
    older = {name: json.loads(document)[name] for name in ("format_version", "summary", "coverage", "objects")}
    assert "Session/yoga" in anywhere(away, "show", "-", "--format", form, stdin=json.dumps(older)).stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not JSON"),
        (b"[1]", "must be an object, but is a list"),
        (b'{"format_version": "9.0"}', "has format '9.0'; this version of reconciler reads '1.0'"),
        (b'{"format_version": "1.0"}', "expected the `changes` of a plan"),
        (b'{"format_version": "1.0", "changes": {}}', "has no 'tool_version'"),
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b" " * (256 * 1024 * 1024 + 1), "larger than the limit of 256 MB"),
    ],
)
def test_a_wrong_file_gets_a_clear_error(away, content, words):
    (away / "wrong").write_bytes(content)
    done = anywhere(away, "show", "wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "= help: " in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_file_gets_a_clear_error(away):
    assert "cannot read missing: No such file" in anywhere(away, "show", "missing").stderr
    assert "cannot read .: Is a directory" in anywhere(away, "show", ".").stderr
    assert anywhere(away, "show").returncode == 64


def test_a_plan_that_was_edited_is_not_shown_as_one(desk, away):
    desk.session()
    document = desk.run("plan", "--format", "json", code=0).json
    document["changes"][0]["reason"] = "harmless"
    done = anywhere(away, "show", "-", stdin=json.dumps(document))
    assert (done.returncode, done.stdout) == (1, "")
    assert "was edited after it was made" in done.stderr
