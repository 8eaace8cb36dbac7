"""Problems of plan and apply on the lines of a pull request, and the summary of a job."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from workflow_commands import parsed

from reconciler.sandbox import Fault

MIB = 1024 * 1024


def notes(done):
    return [parsed(line) for line in done.err.splitlines() if line.startswith("::")]


@pytest.fixture
def applied(desk):
    subprocess.run(["git", "init", "-q", str(desk.folder)], check=True)
    desk.session()
    desk.run("apply", "--yes", code=0)
    return desk


def test_a_guard_is_an_error_at_the_manifest_in_plan_and_apply(desk):
    desk.session(spaces=12)
    desk.run("apply", "--yes", code=0)
    live = desk.box.sessions()[0]
    desk.box.edit_session(live["id"], spaces=30)
    desk.box.book(live["slots"][1]["id"], places=20, reserved=2)
    desk.session(spaces=15)
    for command, code in ((["plan"], 0), (["apply", "--yes"], 4)):
        ((kind, place, words),) = notes(desk.run(*command, "--annotate", "github", code=code))
        assert (kind, place["file"], place["line"]) == ("error", "manifests/session-yoga.json", "1")
        assert place["title"] == "RC0514 guard-booked-spaces-cut: Session/yoga"
        assert "\nhint: " in words


def test_a_problem_of_a_manifest_is_at_its_column_and_stdout_stays_a_document(applied):
    applied.session(price="x", nmae="y")
    done = applied.run("plan", "--format", "json", "--annotate", "github", code=1)
    assert done.json["problems"]
    found = [(kind, place["line"], place["col"]) for kind, place, _ in notes(done)]
    assert [kind for kind, *_ in found] == ["error", "error"]
    assert all(int(line) > 1 and int(column) > 1 for _, line, column in found)
    assert notes(applied.run("plan", code=1)) == []


def test_an_error_without_a_place_is_an_annotation_too(applied):
    done = applied.run("apply", "missing.plan", "--annotate", "github", code=1)
    assert notes(done)[0][2].startswith("cannot read missing.plan")


def test_a_refusal_of_the_server_is_at_the_manifest(applied):
    applied.session(price=40)
    applied.box.fault(Fault(kind="status_before", status=422, match_method="PUT", times=None))
    done = applied.run("apply", "--yes", "--annotate", "github", code=3)
    ((kind, place, words),) = notes(done)
    assert (kind, place["file"], place["line"], place["col"]) == ("error", "manifests/session-yoga.json", "1", "1")
    assert place["title"] == "RC0617 apply-failed: Session/yoga"
    assert words.startswith("failed: ")


def test_a_field_that_the_server_refuses_is_marked_in_the_manifest(desk):
    spec = "{name: Court, address_id: 987654, count: 2}"
    desk.manifest("court.yaml", f"apiVersion: reconciler/v1\nkind: Resource\nmetadata: {{name: court}}\nspec: {spec}\n")
    done = desk.run("apply", "--yes", code=3)
    host = desk.box.url.removeprefix("http://")
    assert f"failed: POST {host}/api/v1/admin/37004/resources: 400: address_id is invalid" in done.out
    expected = f"""\
manifests/court.yaml:4:33: Resource/court: the server refuses address_id: address_id is invalid [RC0621]
4 | spec: {spec}
  |                                 ^^^^^^
  = help: correct the value, then apply again
"""
    assert expected in done.out
    report = json.loads(desk.run("apply", "--yes", "--format", "json", code=3).out)
    (problem,) = report["problems"]
    assert (problem["code"], problem["source"]["column"], problem["range"]["end"]["column"]) == (
        "field-refused",
        33,
        39,
    )
    assert report["outcomes"][0]["source"] == {"file": "manifests/court.yaml", "line": 4}
    done = desk.run("apply", "--yes", "--annotate", "github", code=3)
    assert ("4", "33") in {(place.get("line"), place.get("col")) for _, place, _ in notes(done)}


def test_the_job_summary_is_appended_to_as_markdown(applied):
    summary = applied.folder / "step_summary_1"
    summary.write_text("# Before\n", encoding="utf-8")
    env = {"GITHUB_STEP_SUMMARY": str(summary)}
    applied.session(price=40)
    applied.run("plan", "--output", str(summary), "--output", "-", code=0, **env)
    applied.run("apply", "--yes", "--output", str(summary), code=0, **env)
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# Before\n")
    assert len(re.findall("(?m)^## ", text)) == 2


def test_a_job_summary_that_is_full_is_left_as_it_is_and_the_command_says_so(applied):
    summary = applied.folder / "step_summary_1"
    summary.write_text("x" * (MIB - 100), encoding="utf-8")
    done = applied.run("drift", "--output", str(summary), code=0, GITHUB_STEP_SUMMARY=str(summary))
    assert summary.stat().st_size == MIB - 100
    assert "The job summary is full" in done.err
