"""What goes wrong at a user's desk: always words and an exit code, never a traceback, never a guess."""

from __future__ import annotations

import pytest
from desk import PROJECT

from reconciler.sandbox import Fault, Sandbox

TEN_MISTAKES = """\
apiVersion: reconciler/v1
kind: Session
metadata: {name: yoga}
spec:
  name: Yoga
  gruop: Body
  price: 12.345
  repeat: weeky
  start_date: 2027-02-30
---
apiVersion: reconciler/v1
kind: Session
metadata: {name: swim}
spec:
  group: Pool
  repeat: custom
  start_date: 2027-03-01
  end_date: 2027-02-01
---
apiVersion: reconciler/v1
kind: Block
metadata: {name: closed}
spec:
  resource: cort-1
  start: 2027-03-28T01:30
  end: 2027-03-28T05:00
  timezone: Europe/London
---
apiVersion: reconciler/v1
kind: Resource
metadata: {name: court-1}
spec: {name: Court 1, count: many}
---
apiVersion: reconciler/v1
kind: Resource
metadata: {name: court-1}
spec: {name: Court 1 again}
---
apiVersion: reconciler/v1
kind: Sesion
metadata: {name: spin}
spec: {group: Gym}
"""

EXPECTED = [
    ("mistakes.yaml:6:3: Session/yoga: ", 'unknown field "gruop"; did you mean "group"?'),
    ("mistakes.yaml:7:10: Session/yoga: ", "12.345"),
    ("mistakes.yaml:8:11: Session/yoga: ", 'did you mean "weekly"?'),
    ("mistakes.yaml:9:15: Session/yoga: ", "2027-02-30"),
    ("mistakes.yaml:15:3: Session/swim: ", "slots is missing; repeat is custom"),
    ("mistakes.yaml:18:13: Session/swim: ", "end_date 2027-02-01 is before start_date 2027-03-01"),
    ("mistakes.yaml:24:13: Block/closed: ", 'did you mean "court-1"?'),
    ("mistakes.yaml:25:10: Block/closed: ", "does not exist in Europe/London"),
    ("mistakes.yaml:32:30: Resource/court-1: ", "whole number"),
    ("mistakes.yaml:36:18: Resource/court-1: ", "declared twice; the first is at manifests/mistakes.yaml:31:18"),
    ("mistakes.yaml:40:7: ", 'did you mean "Session"?'),
]


def test_ten_mistakes_are_ten_errors_with_their_places_and_nothing_is_sent(desk):
    desk.manifest("mistakes.yaml", TEN_MISTAKES)
    for command in (["validate"], ["plan"], ["apply", "--yes"]):
        done = desk.run(*command, code=1)
        words = (done.out + done.err).splitlines()
        for place, sentence in EXPECTED:
            assert any(place in line and sentence in line for line in words), (place, sentence, words)
        places = [line for line in words if line.startswith("manifests/mistakes.yaml:")]
        assert len(places) == len(EXPECTED)
    assert desk.box.log() == []


def test_a_reference_that_names_nothing_says_what_was_meant(desk):
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.declare(
        "Block", "closed", {"resource": "cort-1", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}
    )
    done = desk.run("validate", code=1)
    assert 'did you mean "court-1"?' in done.out


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["drift"], ["destroy", "--yes"]])
def test_a_system_that_is_down_is_an_error(desk, command):
    with Sandbox() as box:
        desk.project(PROJECT.format(url=box.url))
        desk.session()
        desk.run("apply", "--yes", code=0)
        before = desk.run("state", "list", code=0).out
    done = desk.run(*command, code=1)
    assert f"cannot connect to {box.url}: connection refused" in done.err
    assert desk.run("state", "list", code=0).out == before


def test_a_wrong_password_names_the_connection_and_not_the_password(desk):
    desk.session()
    done = desk.run("plan", code=1, BB_PASSWORD="hunter2-wrong")
    assert "wrong credentials for connection `sessions`" in done.err
    assert "hunter2" not in done.out + done.err


def test_a_missing_credential_names_file_line_and_variable(desk):
    desk.session()
    desk.env = {name: value for name, value in desk.env.items() if name not in {"BB_PASSWORD", "BB_USERNAME"}}
    done = desk.run("plan", code=1)
    assert "reconciler.yaml:10:24: " in done.err
    assert "environment variable BB_USERNAME" in done.err
    assert "environment variable BB_PASSWORD" in done.err
    assert desk.box.log() == []


def test_one_object_that_cannot_be_read_is_unknown_and_the_others_go_on_where_it_is_left_out(desk):
    desk.session("yoga")
    desk.session("swim", name="Swim")
    desk.run("apply", "--yes", code=0)
    desk.session("yoga", price=40)
    desk.session("swim", name="Swim", price=41)
    desk.box.clear_log()
    desk.box.fault(Fault(kind="status_before", status=500, times=None, match_path=r"/api/sessions/123\.xml"))
    plan = desk.run("plan", "--format", "json", code=1).json
    assert (plan["summary"]["unknown"], plan["summary"]["update"]) == (1, 1)
    report = desk.run("apply", "--yes", "--format", "json", code=4).json
    assert report["summary"] == {"applied": 0, "failed": 0, "blocked": 1, "unknown": 1, "noop": 0}
    assert desk.calls() == []
    left_out = ("--allow-unknown", "Session/swim")
    report = desk.run("apply", "--yes", *left_out, "--format", "json", code=3).json
    assert report["summary"] == {"applied": 1, "failed": 0, "blocked": 0, "unknown": 1, "noop": 0}
    assert desk.calls() == ["PUT /api/sessions/124.xml"]


def test_a_state_that_cannot_be_written_is_noticed_before_the_first_call(desk):
    desk.session()
    (desk.folder / ".reconciler").write_text("in the way", encoding="utf-8")
    desk.run("plan", code=0)
    done = desk.run("apply", "--yes", code=1)
    assert "state " in done.err
    assert desk.calls() == []


def test_a_state_that_is_no_database_is_an_error(desk):
    desk.session()
    (desk.folder / ".reconciler").mkdir()
    (desk.folder / ".reconciler" / "state.db").write_text("not a database" * 100, encoding="utf-8")
    assert "state " in desk.run("plan", code=1).err


def test_manifests_that_cannot_be_read_are_named(desk):
    desk.manifest("binary.yaml", "x").write_bytes(b"\xff\xfe\x00bad")
    desk.manifest("tabs.yaml", "kind:\n\tSession\n")
    (desk.folder / "manifests" / "loop.yaml").symlink_to("loop.yaml")
    done = desk.run("validate", code=1)
    for name in ("binary.yaml", "tabs.yaml", "loop.yaml"):
        assert f"manifests/{name}" in done.out


def test_an_empty_project_has_nothing_to_do(desk):
    for command in (["validate"], ["plan", "--detailed-exitcode"], ["apply", "--yes"], ["drift"], ["destroy", "--yes"]):
        desk.run(*command, code=0)
    assert desk.calls() == []


def test_no_project_at_all_says_where_it_looked(desk):
    (desk.folder / "reconciler.yaml").unlink()
    done = desk.run("plan", code=1)
    assert "there is no reconciler.yaml" in done.err


def test_manifests_can_be_checked_outside_of_any_project(desk):
    desk.session()
    (desk.folder / "reconciler.yaml").unlink()
    desk.run("validate", "manifests", code=0)
    desk.session(price="much")
    desk.run("validate", "manifests", code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["plna"],
        ["plan", "--format", "yaml"],
        ["apply", "--nope"],
        ["state", "show"],
        ["plan", "--target", "Session/none"],
    ],
)
def test_wrong_usage_exits_64(desk, arguments):
    desk.session()
    assert desk.run(*arguments).code == 64


def test_a_literal_credential_is_refused_and_never_shown(desk):
    text = PROJECT.format(url=desk.box.url).replace("{env: BB_PASSWORD}", "hunter2-literal")
    desk.project(text)
    done = desk.run("plan", code=1)
    assert "reconciler.yaml:10:" in done.err
    assert "hunter2" not in done.out + done.err


def test_plain_http_is_refused_outside_loopback(desk):
    desk.session()
    desk.project(PROJECT.format(url="http://uk.bookingbug.com"))
    assert "allow_http" in desk.run("plan", code=1).err
