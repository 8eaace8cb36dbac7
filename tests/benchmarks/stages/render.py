"""Reports, drift and problems as text, pages and files of tools."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

import engine

from reconciler.documents import codec
from reconciler.model.objects import Problem, SourceRef
from reconciler.model.place import Place, Placed
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Outcome, Report
from reconciler.render import github, html, junit, markdown, message, problems, sarif, text

Run = Callable[[], object]


def report_and_plan(size: int) -> tuple[Report, Plan]:
    """Return how the creation of n sessions ended."""
    plan = engine.STAGES["n new"](size)()
    outcomes = tuple(
        Outcome(address=change.address, action=change.action, state="applied", calls=1).of(change)
        for change in plan.changes
    )
    return Report(plan_digest="sha256:0", outcomes=outcomes), plan


def drift_of(size: int) -> Drift:
    """Return what changed outside of n sessions."""
    return Drift(objects=engine.STAGES["drift of n"](size)())


def _problems(size: int) -> list[Problem]:
    return [
        Problem(
            code="unknown-reference",
            summary=f"unknown key k{n}",
            where=SourceRef(f"m/{n // 3}.yaml", n + 1, 3),
            hint="h",
        )
        for n in range(size)
    ]


def _placed(size: int) -> list[Placed]:
    return [
        Placed(problem=each, place=Place(file=f"m/{n // 3}.yaml", line=n + 1, column=3, end_column=5))
        for n, each in enumerate(_problems(size))
    ]


def _console() -> Console:
    return Console(file=StringIO(), width=100)


def _of(make: Callable[[int], object], show: Callable[..., object]) -> Callable[[int], Run]:
    def stage(size: int) -> Run:
        made = make(size)
        return partial(show, *made) if isinstance(made, tuple) else partial(show, made)

    return stage


STAGES: dict[str, Callable[[int], Run]] = {
    "report of n, text": _of(report_and_plan, lambda report, plan: text.report(_console(), report, plan)),
    "report of n, markdown": _of(report_and_plan, markdown.report),
    "report of n, html": _of(report_and_plan, html.report),
    "drift of n, text": _of(drift_of, lambda found: text.drift(_console(), found)),
    "drift of n, markdown": _of(drift_of, markdown.drift),
    "drift of n, html": _of(drift_of, html.drift),
    "drift of n, message": _of(
        drift_of, lambda found: message.message(None, codec.drift_document(found), {"project": "p"})
    ),
    "n problems, text": _of(_problems, lambda found: problems.problems(_console(), found, verbose=True)),
    "n problems, github": _of(_placed, github.commands),
    "n problems, sarif": _of(_placed, sarif.document),
    "n problems, junit": _of(_placed, junit.junit),
}
