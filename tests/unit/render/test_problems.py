"""Problems of many objects, and hints: one cause is read once."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.source import SourceText
from reconciler.render.problems import problems


def written(found, **kwargs):
    stream = io.StringIO()
    problems(Console(file=stream, width=80, color_system=None), found, **kwargs)
    return stream.getvalue().splitlines()


def moved(number, *, hint="use {}", source=None, code="connection-retargeted"):
    address = Address("Session", f"s-{number:03}")
    where = SourceRef(f"{number:03}.yaml", 1, 1, source)
    return Problem(code=code, summary="is elsewhere", hint=hint.format(address), where=where, address=address)


def test_one_cause_is_one_problem():
    other = Problem(code="x", summary="wrong", where=SourceRef("z.yaml", 1, 1))
    assert written([*map(moved, range(300)), other]) == [
        "error: Session/s-000, Session/s-001, Session/s-002, Session/s-003 and 296 more: is elsewhere [RC0611]",
        "  = help: use Session/s-000 (for the others likewise)",
        "z.yaml:1:1: wrong [x]",
    ]


def test_a_hint_for_all_of_them_is_shown_as_it_is():
    assert written([moved(number, hint="use it") for number in range(5)])[1:] == ["  = help: use it"]


@pytest.mark.parametrize(
    ("found", "kwargs"),
    [
        ([*map(moved, range(4))], {}),
        ([*map(moved, range(5))], {"verbose": True}),
        ([moved(number, code=f"c-{number}") for number in range(5)], {}),
        ([moved(number, source=SourceText("a: b")) for number in range(5)], {}),
        ([moved(number, code="needed-to-create") for number in range(5)], {}),
    ],
    ids=["few", "verbose", "of several codes", "with a line to show", "in the manifests"],
)
def test_each_problem_keeps_its_place(found, kwargs):
    lines = [line for line in written(found, **kwargs) if "is elsewhere" in line]
    assert [line.partition(" is")[0] for line in lines] == [
        f"{number:03}.yaml:1:1: Session/s-{number:03}:" for number in range(len(found))
    ]


def test_each_error_beyond_the_first_is_one_line_and_warnings_are_counted_by_objects():
    source = SourceText("a: b")
    several = [moved(number, code=f"c-{number}", source=source) for number in range(3)]
    warnings = [replace(moved(number), severity="warning") for number in range(10, 20)]
    assert written([*several, *warnings], most=1) == [
        "000.yaml:1:1: Session/s-000: is elsewhere [c-0]",
        "1 | a: b",
        "  | ^",
        "  = help: use Session/s-000",
        "",
        "001.yaml:1:1: Session/s-001: is elsewhere [c-1]",
        "002.yaml:1:1: Session/s-002: is elsewhere [c-2]",
        "and 10 more warnings; --format json lists all",
    ]


def test_hints_of_one_line_have_the_order_of_their_columns():
    source = SourceText("a: {b: c}")
    pair = [
        Problem(code="x", summary="wrong", hint=hint, where=SourceRef("f.yaml", 1, column, source))
        for column, hint in ((1, "first"), (4, "second"), (5, "first"))
    ]
    assert [line for line in written(pair) if "help" in line] == [
        "  = help: first (column 1)",
        "  = help: second (column 4)",
    ]
