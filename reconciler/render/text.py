"""Plans, reports, drift and problems for a terminal.

`_say` writes every line: it neutralises text from outside, keeps to what the output's encoding can carry, and
never cuts or wraps, so that paths and addresses stay whole in a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from reconciler.model.change import Change, Request
from reconciler.model.objects import Address, Problem, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.model.words import listed, more
from reconciler.render import marks, phrases, rows, summary, values
from reconciler.render.safe import fitting, harmless, visible

CALLS_SHOWN = 12
"""Calls of one change that are shown; the rest is counted."""

UNREAD_SHOWN = 4
"""Objects that are named where many could not be read for one reason."""

_LABEL_WIDTH = 24
_SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red"}

_Piece = str | tuple[str, str]


def plan(console: Console, plan: Plan, verbose: bool = False) -> None:
    """Write a plan: bookings at risk, each change with its fields and calls, the summary, problems."""
    _say(console, (phrases.subject(plan), "dim"))
    _say(console)
    _risks(console, phrases.at_risk(plan))
    for change in plan.effective:
        _change(console, plan, change, verbose)
    _unread(console, plan)
    _say(console, (summary.plan_headline(plan), "bold"))
    totals = summary.totals(plan)
    if totals is not None:
        _say(console, totals)
    for note in phrases.plan_notes(plan):
        _say(console, (note, "dim"))
    if plan.problems:
        _say(console)
    problems(console, plan.problems)


def report(console: Console, report: Report, plan: Plan) -> None:
    """Write how an apply went: one line for each object that was to change, the summary, what to do next."""
    sources = {change.address: phrases.place(change) for change in plan.changes}
    shared = phrases.shared_allowances(report)
    for outcome in report.outcomes:
        if outcome.state != "noop":
            _outcome(console, outcome, sources)
            for line in phrases.allowed(outcome.allowed, shared):
                _say(console, ("    !", "yellow"), f" {line}")
    for change in phrases.not_started(report, plan):
        _say(console, ("·", "dim"), f" {change.address} ", (phrases.NOT_STARTED, "dim"))
    for line in phrases.allowed(shared):
        _say(console, ("!", "yellow"), f" {line}")
    _say(console, (summary.report_headline(report), "bold"))
    for line in phrases.advice(report, plan):
        _say(console, f"  {line}")
    if report.verified is not None:
        for address, words in report.verified.left:
            _say(console, ("✗", "bold red"), f" {phrases.NOT_CONVERGED}: {address}: {words}")
        _say(console, (summary.verified_headline(report.verified), "bold"))


def drift(console: Console, drift: Drift, verbose: bool = False) -> None:
    """Write what changed outside since the last apply, and what share of the fields could be verified."""
    for item in drift.objects:
        if item.status != "in_sync":
            _drifted(console, item, verbose)
    _say(console, (summary.drift_headline(drift), "bold"))
    _say(console, (summary.drift_coverage(drift), "dim"))


def problems(console: Console, problems: Iterable[Problem]) -> None:
    """Write each problem as `FILE:LINE:COLUMN: KIND/NAME: …`, its hint on a separate line.

    The place comes first, so that editors and CI annotations find it; only a warning says what it is.
    """
    for problem in sorted(problems, key=problem_order):
        mark = marks.SEVERITIES[problem.severity]
        parts = [str(part) for part in (problem.where, problem.address) if part is not None]
        named = "".join(f"{part}: " for part in parts)
        word = f"{mark.label}: " if problem.severity == "warning" or not parts else ""
        _say(console, (named, "bold"), (word, f"bold {mark.style}"), problem.summary)
        if problem.hint:
            _say(console, (f"  {phrases.HINT}", "cyan"), f" {problem.hint}")


def _say(console: Console, *pieces: _Piece) -> None:
    """Write one line made of words and (words, style) pairs."""
    said = Text()
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        shown = visible(words) if said.plain.strip() else harmless(words)
        said.append(fitting(shown, console.encoding), style)
    console.print(said, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _risks(console: Console, risks: tuple[phrases.RiskLine, ...]) -> None:
    if not risks:
        return
    _say(console, (phrases.AT_RISK, "bold red"))
    for line in risks:
        style = "bold red" if line.blocks else "bold yellow"
        _say(console, "  ", (line.sign, style), " ", (str(line.change.address), "bold"), f": {line.words}")
        if line.facts:
            _say(console, (f"      {line.facts}", "dim"))
    overrides = phrases.overrides(risks)
    if overrides:
        _say(console, f"  {phrases.OVERRIDE} ", (" ".join(overrides), "bold"))
    _say(console)


def _change(console: Console, plan: Plan, change: Change, verbose: bool) -> None:
    mark = marks.mark(change)
    place = phrases.place(change)
    _say(
        console,
        (f"{mark.sign} {change.address}", f"bold {mark.style}"),
        (_bracketed(phrases.identity(change)), "dim"),
        "  ",
        (mark.label, mark.style),
        f": {change.reason}",
        (f"  {place}" if place else "", "dim"),
    )
    blocked = phrases.blocked(plan, change)
    if blocked:
        _say(console, (f"    {blocked}", "bold red"))
    width = None if verbose else values.WIDTH
    _rows(console, rows.of_change(change.action, change.fields, width=width, fold=not verbose, zone=change.zone))
    for label, words in phrases.details(change, plan.currency, fold=not verbose):
        _say(console, (f"    {label}", "magenta"), f" {words}")
    _calls(console, change.requests, verbose)
    if verbose and change.unverified:
        _say(console, (f"    not verifiable: {', '.join(change.unverified)}", "dim"))
    _say(console)


def _bracketed(words: str) -> str:
    return f" ({words})" if words else ""


def _rows(console: Console, shown: rows.Rows) -> None:
    width = min(_LABEL_WIDTH, max((len(row.label) + 1 for row in shown.fields), default=0))
    for row in (*shown.fields, *shown.slots):
        label = row.label if row.is_slot else f"{row.label}:".ljust(width)
        style = _SIGN_STYLES[row.sign]
        _say(console, "    ", (row.sign, style), f" {label} ", (row.step, style), (row.remark, "dim"))
    if shown.folded:
        _say(console, (f"    {shown.folded}", "dim"))


def _calls(console: Console, calls: tuple[Request, ...], verbose: bool) -> None:
    shown = calls if verbose or len(calls) <= CALLS_SHOWN else calls[:CALLS_SHOWN]
    for call in shown:
        _say(console, (f"    {call.method} {call.path}", "dim"))
    if len(shown) < len(calls):
        _say(console, (f"    {more(len(calls) - len(shown), 'call')}", "dim"))


def _unread(console: Console, plan: Plan) -> None:
    mark = marks.ACTIONS["unknown"]
    unread = phrases.unread(plan)
    for reason, changes in unread:
        named = listed([str(change.address) for change in changes], UNREAD_SHOWN)
        place = phrases.place(changes[0]) if len(changes) == 1 else ""
        _say(
            console,
            (f"{mark.sign} {named}", f"bold {mark.style}"),
            f"  {mark.label}: {reason}",
            (f"  {place}" if place else "", "dim"),
        )
    if unread:
        _say(console)


def _outcome(console: Console, outcome: Outcome, sources: Mapping[Address, str]) -> None:
    mark = marks.STATES[outcome.state]
    place = sources.get(outcome.address, "") if outcome.state != "applied" else ""
    _say(
        console,
        (mark.sign, f"bold {mark.style}"),
        f" {outcome.address} ",
        (phrases.outcome_words(outcome), mark.style),
        (f"  {place}" if place else "", "dim"),
    )


def _drifted(console: Console, item: Drifted, verbose: bool) -> None:
    mark = marks.SYNCS[item.status]
    _say(
        console,
        (f"{mark.sign} {item.address}", f"bold {mark.style}"),
        (_bracketed(phrases.identity(item)), "dim"),
        f"  {phrases.drifted_words(item)}",
    )
    width = None if verbose else values.WIDTH
    _rows(console, rows.of_drift(item.fields, width=width, fold=not verbose))
    _say(console)
