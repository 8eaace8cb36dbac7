"""Plans, reports and drift as one self-contained page: nothing is loaded, no script runs, it prints well."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.model.objects import problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import STATES, SYNCS, Drift, Report
from reconciler.render import bookings, phrases, rows
from reconciler.render.safe import visible


def plan(plan: Plan, digest: str) -> str:
    """Return a plan as a page that the person responsible for the timetable can read, print and sign.

    Nothing is shortened or left out: what is folded is on the page and opens in print. `digest` is that
    of the plan's document.
    """
    return _page(
        "plan.html.j2",
        headline=phrases.plan_headline(plan),
        subject=phrases.subject(plan),
        tiles=[(mark, word, number) for word, (mark, number) in phrases.counts(plan).items()],
        risks=[
            (change.address, phrases.stops(change, risk), phrases.risk_words(change, risk), phrases.risk_facts(risk))
            for change, risk in phrases.at_risk(plan)
        ],
        allowances=phrases.allowances(plan),
        totals=bookings.totals(plan),
        changes=[
            (
                change,
                rows.of_change(change.action, change.fields, width=None, zone=change.zone),
                bookings.touched(change, fold=False),
                bookings.stake(change, plan.currency),
            )
            for change in plan.effective
        ],
        unread=[change for change in plan.changes if change.action == "unknown" and not change.writes],
        problems=sorted(plan.problems, key=problem_order),
        notes=phrases.plan_notes(plan),
        plan=plan,
        digest=digest,
    )


def report(report: Report, plan: Plan) -> str:
    """Return how an apply went as a page."""
    shared = phrases.shared_allowances(report)
    return _page(
        "report.html.j2",
        headline=phrases.report_headline(report),
        subject=phrases.subject(plan),
        tiles=[(phrases.STATES[state], state, report.summary[state]) for state in STATES],
        outcomes=[
            (
                phrases.STATES[outcome.state],
                outcome,
                phrases.outcome_words(outcome),
                phrases.let_through(outcome.allowed, shared),
            )
            for outcome in report.outcomes
            if outcome.state != "noop"
        ],
        through=phrases.let_through(shared),
        not_started=phrases.not_started(report, plan),
        advice=phrases.advice(report, plan),
        verified=phrases.verified_headline(report.verified) if report.verified else None,
        left=report.verified.left if report.verified else (),
        digest=report.plan_digest,
    )


def drift(drift: Drift) -> str:
    """Return what changed outside since the last apply as a page."""
    return _page(
        "drift.html.j2",
        headline=phrases.drift_headline(drift),
        subject=phrases.drift_coverage(drift),
        tiles=[(phrases.SYNCS[status], status.replace("_", " "), drift.summary[status]) for status in SYNCS],
        objects=[
            (phrases.SYNCS[item.status], item, phrases.drifted_words(item), rows.of_drift(item.fields, width=None))
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
    environment.globals.update(
        mark_of=phrases.mark, deed=phrases.deed, counted=phrases.counted, guarded=phrases.guarded
    )
    return environment


def _finalize(value: Any) -> Any:
    """Neutralise plain text; markup made by our own macros passes."""
    if value is None or hasattr(value, "__html__"):
        return value
    return visible(str(value))
