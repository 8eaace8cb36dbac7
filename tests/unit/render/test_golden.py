"""Every format of every value against a golden file; UPDATE_GOLDEN=1 rewrites them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import render_samples as samples
from rich.console import Console

from reconciler.documents import codec
from reconciler.operations.places import placed
from reconciler.render import html, markdown, text

GOLDEN = Path(__file__).parents[2] / "golden" / "render"


def written(write, *args, encoding="utf-8", **kwargs):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    write(Console(file=stream, width=80, color_system=None), *args, **kwargs)
    stream.flush()
    return raw.getvalue().decode(encoding)


PLAN, REPORT, DRIFT = samples.rich_plan(), samples.rich_report(), samples.rich_drift()

OUTPUTS = {
    "plan.txt": lambda: written(text.plan, PLAN),
    "plan-verbose.txt": lambda: written(text.plan, PLAN, look=text.Look(verbose=True)),
    "plan-ascii.txt": lambda: written(text.plan, PLAN, encoding="ascii"),
    "plan-quiet.txt": lambda: written(text.plan, samples.quiet_plan()),
    "plan.json": lambda: codec.dumps(codec.plan_document(PLAN)),
    "plan.md": lambda: markdown.plan(PLAN),
    "plan.html": lambda: html.plan(PLAN, codec.plan_digest(PLAN)),
    "report.txt": lambda: written(text.report, REPORT, PLAN),
    "report.json": lambda: codec.dumps(codec.report_document(REPORT, PLAN)),
    "report.md": lambda: markdown.report(REPORT, PLAN),
    "report.html": lambda: html.report(REPORT, PLAN),
    "drift.txt": lambda: written(text.drift, DRIFT),
    "drift.json": lambda: codec.dumps(codec.drift_document(DRIFT)),
    "drift.md": lambda: markdown.drift(DRIFT),
    "drift.html": lambda: html.drift(DRIFT),
    "problems.txt": lambda: written(text.problems, PLAN.problems),
    "problems.json": lambda: codec.dumps(codec.validation_document(placed(PLAN.problems, Path("/nowhere")), 2, 5)),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_is_as_recorded(name):
    output = OUTPUTS[name]()
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output, encoding="utf-8", newline="\n")
    assert output == path.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == set(OUTPUTS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_hostile_comes_through(name):
    output = OUTPUTS[name]()
    assert not set(output) & set("\x1b\x07\u202e\r")
    if not name.endswith(".json"):
        assert "\\x1b[31mYoga" in output or name.endswith((".md", "quiet.txt"))
