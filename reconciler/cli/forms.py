"""The renderers of a plan, a report and a drift, by output format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from reconciler.documents import codec
from reconciler.documents.load import SavedReport, load_document
from reconciler.errors import ReconcilerError
from reconciler.model.plan import Plan, SavedPlan
from reconciler.model.report import Drift, Report
from reconciler.model.words import count
from reconciler.operations.project import Declared
from reconciler.render import html, markdown, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """How one value is shown in each output format."""

    text: Callable[[Console], None]
    json: Callable[[], str]
    markdown: Callable[[], str]
    html: Callable[[], str]


def plan_forms(plan: Plan, *, verbose: bool = False) -> Forms:
    """Return how a plan is shown."""
    return Forms(
        text=lambda console: text.plan(console, plan, verbose),
        json=lambda: codec.dumps(codec.plan_document(plan)),
        markdown=lambda: markdown.plan(plan),
        html=lambda: html.plan(plan, codec.plan_digest(plan)),
    )


def report_forms(report: Report, plan: Plan) -> Forms:
    """Return how the report of an apply is shown; `plan` is what it was about."""
    return Forms(
        text=lambda console: text.report(console, report, plan),
        json=lambda: codec.dumps(codec.report_document(report, plan)),
        markdown=lambda: markdown.report(report, plan),
        html=lambda: html.report(report, plan),
    )


def drift_forms(drift: Drift, *, verbose: bool = False) -> Forms:
    """Return how a drift is shown."""
    return Forms(
        text=lambda console: text.drift(console, drift, verbose),
        json=lambda: codec.dumps(codec.drift_document(drift)),
        markdown=lambda: markdown.drift(drift),
        html=lambda: html.drift(drift),
    )


def validation_json(declared: Declared) -> str:
    """Return what is wrong with the manifests as a document."""
    document = codec.problems_document(declared.problems, files=declared.files, documents=declared.documents)
    return codec.dumps(document)


def validation_text(console: Console, declared: Declared, *, quiet: bool) -> None:
    """Show what is wrong with the manifests, and unless `quiet` how many there are."""
    text.problems(console, declared.problems)
    if quiet:
        return
    errors = len(declared.errors)
    found = f"{count(errors, 'error')}, {count(len(declared.problems) - errors, 'warning')}"
    where = f"{count(declared.documents, 'object')} in {count(declared.files, 'file')}"
    console.print(f"{'Invalid' if errors else 'Valid'}: {where}; {found}.")


def saved_forms(document: str, *, verbose: bool) -> Forms:
    """Return how a saved document is shown, as the command that wrote it showed it."""
    saved = load_document(document)
    if isinstance(saved, SavedReport):
        return report_forms(saved.report, saved.plan)
    if not isinstance(saved, SavedPlan):
        return drift_forms(saved, verbose=verbose)
    if not saved.intact:
        message = "the plan was edited after it was made: its digest does not match its content"
        raise ReconcilerError(message, hint="create a new plan; apply also refuses this one")
    return plan_forms(saved.plan, verbose=verbose)
