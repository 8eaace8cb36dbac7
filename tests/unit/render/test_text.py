from __future__ import annotations

import dataclasses
import io

import pytest
import render_samples as samples
from rich.console import Console

from reconciler.model.objects import Problem, SourceRef
from reconciler.model.plan import Selection
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.render import text


def written(write, *args, terminal=False, **kwargs):
    stream = io.StringIO()
    colours = "standard" if terminal else None
    write(Console(file=stream, width=40, force_terminal=terminal, color_system=colours), *args, **kwargs)
    return stream.getvalue()


def lines_of(change, **kwargs):
    plan = dataclasses.replace(samples.quiet_plan(), changes=(change,))
    return written(text.plan, plan, **kwargs).splitlines()


def test_fields_are_aligned_and_marked():
    lines = lines_of(samples.update())
    assert "    ~ price:       30.00 → 35.00  (changed outside reconciler)" in lines
    assert "    ~ spaces:      12 → 15  (last applied; the API does not return it)" in lines
    assert "    ~ slot 2027-03-08 11:00 (60 min) → 2027-03-09 11:00 (60 min)" in lines
    assert "    - slot 2027-03-22 11:00 (60 min, 4 booked, 1 reserved)" in lines
    assert "    PUT /api/sessions/123.xml" in lines


def test_header_names_action_reason_and_place_without_cutting_them():
    expected = "~ Session/spring-yoga (id 123)  update: 2 fields and 3 slots differ  manifests/yoga.yaml:3"
    assert expected in lines_of(samples.update())


def test_many_slots_are_folded_and_deletions_stay_visible():
    lines = lines_of(samples.replace())
    assert sum(line.lstrip()[2:].startswith("slot ") for line in lines) == 12
    assert "    - slot 2027-03-28 18:00 (60 min)" in lines
    assert "    … and 14 more slots (14 added)" in lines
    assert "    … and 2 more calls" in lines


def test_verbose_folds_nothing():
    lines = lines_of(samples.replace(), verbose=True)
    assert sum(line.lstrip()[2:].startswith("slot ") for line in lines) == 26
    assert not any("more" in line for line in lines)
    assert any(line.endswith("https://evil.example⏎line 2 → Mind & body") for line in lines)


def test_a_deletion_shows_what_goes():
    plan = samples.rich_plan()
    lines = lines_of(next(change for change in plan.changes if change.action == "delete"))
    assert "    - group: Spin" in lines
    assert '    - email: ""' in lines


def test_colour_only_on_a_terminal_and_never_with_no_color(monkeypatch):
    plan = samples.rich_plan()
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = io.StringIO()
    text.plan(Console(file=stream, force_terminal=False), plan)
    assert "\x1b" not in stream.getvalue()
    assert "\x1b[1;32m+ Block/court-1-repairs" in written(text.plan, plan, terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in written(text.plan, plan, terminal=True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_any_encoding_can_carry_a_plan(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    text.plan(Console(file=stream), samples.rich_plan())
    text.report(Console(file=stream), samples.rich_report(), samples.rich_plan())
    stream.flush()
    assert "30.00 -> 35.00" in stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (samples.quiet_plan(), "No changes. 60 objects match the live timetable."),
        (samples.quiet_plan(1), "No changes. 1 object matches the live timetable."),
        (samples.quiet_plan(0), "No changes. No objects are declared or managed."),
        (samples.quiet_plan(0, purpose="destroy"), "Nothing to destroy."),
        (
            samples.quiet_plan(0, selection=Selection(targets=("Session/x",))),
            "No changes. The selection contains no objects.",
        ),
        (
            samples.quiet_plan(2, problems=(Problem(code="x", summary="wrong"),)),
            "Plan: 2 unchanged.",
        ),
    ],
)
def test_summary_of_a_plan_without_changes(plan, expected):
    assert expected in written(text.plan, plan).splitlines()


def test_unread_objects_never_count_as_no_changes():
    unread = samples.change("Session/a", "unknown", "HTTP 503")
    lines = lines_of(unread)
    assert "? Session/a  unknown: HTTP 503" in lines
    assert lines[-2].endswith("Plan: 1 unknown.")


def test_problems_with_place_and_hint():
    problem = Problem(code="x", summary="wrong", hint="fix it", where=SourceRef("a.yaml", 1, 2))
    later = Problem(code="y", summary="odd", severity="warning", where=SourceRef("b.yaml", 1, 1))
    assert written(text.problems, [later, problem]).splitlines() == [
        "a.yaml:1:2: wrong",
        "  hint: fix it",
        "b.yaml:1:1: warning: odd",
    ]


def test_report_of_an_apply_that_went_well_gives_no_advice():
    address = samples.update().address
    outcome = Outcome(address=address, action="create", state="applied", shown_id="125", calls=1)
    report = Report(plan_digest="", outcomes=(outcome,))
    assert written(text.report, report, samples.quiet_plan(0)).splitlines() == [
        "✓ Session/spring-yoga created (id 125, 1 call)",
        "Applied 1.",
    ]


UNDETECTED = "The API does not return the others; their changes are not detected."


@pytest.mark.parametrize(
    ("verifiable", "total", "expected"),
    [
        (180, 240, f"Verified 180 of 240 applied fields (75 %). {UNDETECTED}"),
        (999, 1000, f"Verified 999 of 1000 applied fields (99 %). {UNDETECTED}"),
        (3, 3, "Verified all 3 applied fields."),
        (0, 0, "There are no applied fields to verify."),
    ],
)
def test_drift_shows_its_coverage(verifiable, total, expected):
    item = Drifted(address=samples.update().address, status="in_sync", verifiable=verifiable, total=total)
    lines = written(text.drift, Drift(objects=(item,))).splitlines()
    assert lines == [f"No drift{' detected' * (total != verifiable)}. 1 object matches the last apply.", expected]


def test_drift_without_objects():
    assert written(text.drift, Drift(objects=())).startswith("No drift. No objects are managed.")
