from __future__ import annotations

import io

import msgspec
import pytest
import render_samples as samples
from rich.cells import cell_len
from rich.console import Console

from reconciler.model.change import FieldChange
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.plan import Selection
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.render import phrases, text


def written(write, *args, terminal=False, **kwargs):
    stream = io.StringIO()
    colours = "standard" if terminal else None
    write(Console(file=stream, width=40, force_terminal=terminal, color_system=colours), *args, **kwargs)
    return stream.getvalue()


def lines_of(change, **kwargs):
    plan = msgspec.structs.replace(samples.quiet_plan(), changes=(change,))
    return written(text.plan, plan, **kwargs).splitlines()


def test_fields_are_aligned_and_marked():
    lines = lines_of(samples.update())
    assert "    ~ price:       30.00 → 35.00  (changed outside reconciler)" in lines
    assert "    ~ spaces:      12 → 15  (last applied; the API does not return it)" in lines
    assert "    ~ slot Mon 8 Mar 2027, 11:00 (60 min) → Tue 9 Mar 2027, 11:00 (60 min)" in lines
    assert "    - slot Mon 22 Mar 2027, 11:00 (60 min, 4 booked, 1 reserved)" in lines
    assert "    PUT /api/sessions/123.xml" in lines


def test_labels_of_a_held_item_are_aligned():
    fields = tuple(
        FieldChange(path=f"items[kayaks].{name}", before=None, after=value, origin="manifest")
        for name, value in (("item_id", 18), ("params.children", 2))
    )
    lines = lines_of(msgspec.structs.replace(samples.update(), fields=fields, risks=(), bookings=()))
    assert "    + items[kayaks].item_id:         18" in lines
    assert "    + items[kayaks].params.children: 2" in lines


def test_header_names_action_reason_and_place_without_cutting_them():
    expected = (
        '~ Session/spring-yoga "Yoga" · Mondays 11:00 (id 123)'
        "  update: 2 fields and 3 slots differ  manifests/yoga.yaml:3"
    )
    assert expected in lines_of(samples.update())


def test_many_slots_are_folded_and_deletions_stay_visible():
    lines = lines_of(samples.replace())
    assert sum(line.lstrip()[2:].startswith("slot ") for line in lines) == 12
    assert "    - slot Sun 28 Mar 2027, 18:00 (60 min)" in lines
    assert "    … and 14 more slots (14 added)" in lines
    assert "    … and 2 more calls" in lines


def test_verbose_folds_nothing():
    lines = lines_of(samples.replace(), look=text.Look(verbose=True))
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
        "a.yaml:1:2: wrong [x]",
        "  = help: fix it",
        "b.yaml:1:1: warning: odd [y]",
    ]


def test_report_of_an_apply_that_went_well_gives_no_advice():
    address = samples.update().address
    outcome = Outcome(address=address, action="create", state="applied", shown_id="125", calls=1)
    report = Report(plan_digest="", outcomes=(outcome,))
    assert written(text.report, report, samples.quiet_plan(0)).splitlines() == [
        "✓ Session/spring-yoga created (id 125, 1 call)",
        "Applied 1.",
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("protect",), "recorded: metadata.protect"),
        (("baseline", "settled"), "recorded: the last applied values, the end of an earlier call"),
        (("undeclared", "moved"), "recorded: which fields are compared, the connection"),
        (("forgotten",), "no longer managed"),
    ],
)
def test_a_report_says_in_words_what_was_recorded(codes, expected):
    outcome = Outcome(address=samples.update().address, action="noop", state="applied", shown_id="125", record=codes)
    report = Report(plan_digest="", outcomes=(outcome,))
    assert f"✓ Session/spring-yoga {expected} (id 125)" in written(text.report, report, samples.quiet_plan(0))


UNDETECTED = "The API does not return the others; their changes are not detected."


@pytest.mark.parametrize(
    ("verifiable", "total", "expected"),
    [
        (180, 240, f"Verified 180 of 240 applied fields (75 %). {UNDETECTED}"),
        (999, 1000, f"Verified 999 of 1000 applied fields (99 %). {UNDETECTED}"),
        (3, 3, "Verified all 3 applied fields."),
        (1, 1, "Verified the 1 applied field."),
        (0, 0, "There are no applied fields to verify."),
    ],
)
def test_drift_shows_its_coverage(verifiable, total, expected):
    item = Drifted(address=samples.update().address, status="in_sync", verifiable=verifiable, total=total)
    lines = written(text.drift, Drift(objects=(item,))).splitlines()
    assert lines == [f"No drift{' detected' * (total != verifiable)}. 1 object matches the last apply.", expected]


@pytest.mark.parametrize(
    ("unknown", "read", "expected"),
    [
        (1, 2, "Verified all 6 applied fields of the objects that could be read."),
        (2, 1, "Verified all 3 applied fields of the object that could be read."),
        (1, 0, "No applied field could be verified."),
    ],
)
def test_what_could_not_be_read_is_not_verified(unknown, read, expected):
    same = [Drifted(address=Address("Session", f"s-{n}"), status="in_sync", verifiable=3, total=3) for n in range(read)]
    lost = [Drifted(address=Address("Session", f"u-{n}"), status="unknown", reason="HTTP 503") for n in range(unknown)]
    assert expected in written(text.drift, Drift(objects=(*same, *lost))).splitlines()


def _unread(reasons):
    return [(Address("Session", f"s-{number}"), reason) for number, reason in enumerate(reasons)]


def test_one_dead_connection_is_one_line_of_a_drift():
    items = tuple(
        Drifted(address=address, status="unknown", reason=reason) for address, reason in _unread(["off"] * 5 + ["no"])
    )
    lines = written(text.drift, Drift(objects=items)).splitlines()
    assert lines[:4] == [
        "? Session/s-0, Session/s-1, Session/s-2, Session/s-3 and 1 more  unknown: off",
        "",
        "? Session/s-5  unknown: no",
        "",
    ]
    every = written(text.drift, Drift(objects=items), text.Look(verbose=True)).splitlines()
    assert sum(line.startswith("? Session/s-") for line in every) == len(items)


def test_one_dead_connection_is_one_line_of_a_report_but_each_lost_call_stays():
    outcomes = tuple(
        Outcome(address=address, action="unknown" if reason == "off" else "create", state="unknown", error=reason)
        for address, reason in _unread(["off"] * 5 + ["the answer was lost"] * 5)
    )
    report = Report(plan_digest="", outcomes=outcomes)
    lines = written(text.report, report, samples.quiet_plan(0)).splitlines()
    assert lines[:6] == [
        "? Session/s-0, Session/s-1, Session/s-2, Session/s-3 and 1 more  unknown: off",
        *(f"? Session/s-{number} unknown: the answer was lost" for number in range(5, 10)),
    ]


def test_drift_without_objects():
    assert written(text.drift, Drift(objects=())).startswith("No drift. No objects are managed.")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_wraps_between_words_with_a_hanging_indent(width):
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    text.plan(console, samples.rich_plan(), text.Look(verbose=True))
    lines = stream.getvalue().splitlines()
    piped = written(text.plan, samples.rich_plan(), look=text.Look(verbose=True))
    too_long = [line for line in lines if cell_len(line) > width and " " in line.strip()]
    assert too_long == []
    assert [word for line in lines for word in line.split()] == piped.split()
    assert (len(lines) > len(piped.splitlines())) is (width < 200 or max(map(len, piped.splitlines())) > width)
    start = next(number for number, line in enumerate(lines) if line.startswith("    ~ description:"))
    assert width == 200 or lines[start + 1].startswith("      ")


def test_compact_is_one_line_for_each_object_and_keeps_risks_and_totals():
    plan = samples.rich_plan()
    lines = written(text.plan, plan, look=text.Look(compact=True)).splitlines()
    for change in plan.effective:
        (line,) = [line for line in lines if str(change.address) in line and not line.startswith(("  ", "!", "m"))]
        assert phrases.place(change) in line
    assert any(line.startswith("    ~ ") for line in lines) is False
    full = written(text.plan, plan).splitlines()
    assert {line for line in full if line.startswith(("  ✗", "Plan:", "Bookings"))} <= set(lines)
    drift = written(text.drift, samples.rich_drift(), look=text.Look(compact=True)).splitlines()
    assert any(line.startswith("~ ") and " → " in line for line in drift)


def test_a_differ_gets_long_texts_by_line_masked_and_harmless():
    asked = []

    def differ(field, before, after):
        asked.append((field, before, after))
        return ("\x1b[31m- old\x1b[0m", "+ new")

    fields = (
        samples.field("description", "one\ntwo", f"one\n{samples.HOSTILE}"),
        samples.field("price", "1", "2"),
        samples.field("spaces", 1, 2),
    )
    lines = lines_of(msgspec.structs.replace(samples.update(), fields=fields), look=text.Look(differ=differ))
    ((field, before, after),) = asked
    assert (field, before) == ("description", "one\ntwo\n")
    assert "\x1b" not in after
    assert lines.index("    - old") + 1 == lines.index("    + new")
