"""The renderers of a plan, a report and a drift, by output format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from reconciler import render
from reconciler.cli.differ import external_differ
from reconciler.cli.document import signature_words
from reconciler.documents import codec
from reconciler.documents.load import SavedReport, load_document
from reconciler.documents.signature import plan_key
from reconciler.errors import ReconcilerError
from reconciler.model.codes import number
from reconciler.model.plan import Plan, SavedPlan
from reconciler.model.report import Drift, Report
from reconciler.model.words import count
from reconciler.operations.places import placed
from reconciler.operations.project import Validation
from reconciler.render import summary, text
from reconciler.render.console import Console, say
from reconciler.render.problems import problems as write_problems


class Forms(Struct, frozen=True, kw_only=True):
    """How one value is shown in each output format."""

    kind: str
    """`plan`, `report` or `drift`."""
    headline: str
    environment: str | None
    """That of its project, which the commands that it names need."""
    text: Callable[[Console], None]
    json: Callable[[], Iterator[str]]
    """Its pieces, one after the other."""
    markdown: Callable[[int], str]
    """Takes the bytes of a page at most."""
    html: Callable[[], Iterator[str]]


def look(compact: bool, *, verbose: bool) -> text.Look:
    """Return how much text shows of each object."""
    return text.Look(verbose=verbose, compact=compact, differ=None if compact else external_differ(os.environ))


def plan_forms(plan: Plan, *, compact: bool = False, verbose: bool = False) -> Forms:
    """Return how a plan is shown."""
    return Forms(
        kind="plan",
        headline=summary.plan_heading(plan),
        environment=plan.environment,
        text=lambda console: text.plan(console, plan, look(compact, verbose=verbose)),
        json=lambda: codec.plan_pieces(plan),
        markdown=lambda limit: render.markdown.plan(plan, limit),
        html=lambda: render.html.plan_pieces(plan, codec.plan_digest(plan)),
    )


def report_forms(report: Report, plan: Plan, *, verbose: bool = False) -> Forms:
    """Return how the report of an apply is shown; `plan` is what it was about."""
    return Forms(
        kind="report",
        headline=summary.report_headline(report),
        environment=plan.environment,
        text=lambda console: text.report(console, report, plan, text.Look(verbose=verbose)),
        json=lambda: codec.report_pieces(report, plan),
        markdown=lambda limit: render.markdown.report(report, plan, limit),
        html=lambda: render.html.report_pieces(report, plan),
    )


def drift_forms(drift: Drift, *, compact: bool = False, verbose: bool = False) -> Forms:
    """Return how a drift is shown."""
    return Forms(
        kind="drift",
        headline=summary.drift_headline(drift),
        environment=drift.environment,
        text=lambda console: text.drift(console, drift, look(compact, verbose=verbose)),
        json=lambda: codec.drift_pieces(drift),
        markdown=lambda limit: render.markdown.drift(drift, limit),
        html=lambda: render.html.drift_pieces(drift),
    )


def validation_documents(validation: Validation, root: Path) -> Mapping[str, Callable[[], str]]:
    """Return what is wrong with the manifests as each document. The places of problems are relative to `root`."""
    found = placed((*validation.problems, *validation.unread), root)
    return {
        "json": lambda: codec.dumps(codec.validation_document(found, validation.files, validation.documents)),
        "sarif": lambda: codec.dumps(render.sarif.document(found)),
        "junit": lambda: render.junit.junit(found),
        "github": lambda: render.github.commands(found),
    }


def validation_text(console: Console, validation: Validation, *, quiet: bool, verbose: bool) -> None:
    """Show what is wrong with the manifests, and unless `quiet` how many there are."""
    problems = (*validation.problems, *validation.unread)
    write_problems(console, problems, verbose=verbose, all_by="-v or --format json lists all")
    if quiet:
        return
    errors = len(validation.errors)
    found = f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}"
    where = f"{count(validation.documents, 'object')} in {count(validation.files, 'file')}"
    say(console, f"{'Invalid' if errors else 'Valid'}: {where}; {found}.")
    known = next((each for each in map(number, (problem.code for problem in problems)) if each), None)
    if known is not None:
        say(console, (f"To explain a code: `reconciler explain {known}`", "dim"))


def saved_forms(read: Callable[[], str], *, compact: bool, verbose: bool) -> tuple[Forms, str]:
    """Return how a saved document is shown, as the command that wrote it showed it, and a note on its signature."""
    saved = load_document(read())
    if isinstance(saved, SavedReport):
        return report_forms(saved.report, saved.plan, verbose=verbose), ""
    if not isinstance(saved, SavedPlan):
        return drift_forms(saved, compact=compact, verbose=verbose), ""
    if not saved.intact:
        message = "the plan was edited after it was made: its digest does not match its content"
        raise ReconcilerError(message, hint="create a new plan; apply also refuses this one")
    return plan_forms(saved.plan, compact=compact, verbose=verbose), signature_words(saved, plan_key())
