"""Plans, reports and drift as one self-contained page: nothing is loaded, no script runs, it prints well."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.model.objects import problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Report
from reconciler.model.words import count
from reconciler.render import marks, phrases, rows, summary
from reconciler.render.safe import visible


def plan(plan: Plan, digest: str) -> str:
    """Return a plan as a page that the person responsible for the timetable can read, print and sign.

    Nothing is shortened or left out: what is folded is on the page and opens in print. `digest` is that
    of the plan's document.
    """
    risks = phrases.at_risk(plan)
    return _page(
        "plan.html.j2",
        title=summary.plan_title(plan),
        headline=summary.plan_headline(plan),
        subject=phrases.subject(plan),
        tiles=summary.plan_counts(plan),
        risks=risks,
        overrides=phrases.overrides(risks),
        totals=summary.totals(plan),
        changes=[
            (
                change,
                rows.of_change(change.action, change.fields, width=None, zone=change.zone),
                phrases.details(change, plan.currency, fold=False),
            )
            for change in plan.effective
        ],
        unread=[change for _, changes in phrases.unread(plan) for change in changes],
        problems=[(marks.SEVERITIES[item.severity], item) for item in sorted(plan.problems, key=problem_order)],
        notes=phrases.plan_notes(plan),
        plan=plan,
        digest=digest,
    )


def report(report: Report, plan: Plan) -> str:
    """Return how an apply went as a page."""
    shared = phrases.shared_allowances(report)
    return _page(
        "report.html.j2",
        headline=summary.report_headline(report),
        subject=phrases.subject(plan),
        tiles=summary.report_counts(report),
        outcomes=[
            (
                marks.STATES[outcome.state],
                outcome.address,
                phrases.outcome_words(outcome),
                phrases.allowed(outcome.allowed, shared),
            )
            for outcome in report.outcomes
            if outcome.state != "noop"
        ],
        allowed=phrases.allowed(shared),
        not_started=phrases.not_started(report, plan),
        advice=phrases.advice(report, plan),
        verified=summary.verified_headline(report.verified) if report.verified else None,
        left=report.verified.left if report.verified else (),
        digest=report.plan_digest,
    )


def drift(drift: Drift) -> str:
    """Return what changed outside since the last apply as a page."""
    return _page(
        "drift.html.j2",
        headline=summary.drift_headline(drift),
        subject=summary.drift_coverage(drift),
        tiles=summary.drift_counts(drift),
        objects=[
            (marks.SYNCS[item.status], item, phrases.drifted_words(item), rows.of_drift(item.fields, width=None))
            for item in drift.objects
            if item.status != "in_sync"
        ],
    )


def _page(template: str, **context: Any) -> str:
    return _templates().get_template(template).render(context)


@cache
def _templates() -> Environment:
    """Open the templates; every value is made visible first, then escaped for HTML."""
    environment = Environment(
        loader=PackageLoader("reconciler.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.globals.update(phrases=phrases, mark_of=marks.mark, count=count)
    return environment


def _finalize(value: Any) -> Any:
    """Neutralise plain text; markup of our macros passes unchanged."""
    if value is None or hasattr(value, "__html__"):
        return value
    return visible(str(value))
