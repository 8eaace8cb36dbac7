"""Plans, reports and drift as a pull-request comment: first what a reviewer must see, details folded for each kind.

Text from outside is code, or prose with every character escaped that means something (`render/escaping.py`). A page
keeps to a limit of bytes (`render/budget.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from reconciler.model.change import DESTRUCTIVE, EDITING, Change
from reconciler.model.objects import Problem, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.model.words import count, more
from reconciler.render import comparison, groups, marks, phrases, rows, summary
from reconciler.render.budget import LIMIT, Page, Section
from reconciler.render.escaping import code, fence, prose
from reconciler.render.groups import Line
from reconciler.render.safe import visible

LISTED = 50
"""Problems that are listed; the rest is counted."""

_Object = TypeVar("_Object", Change, Outcome, Drifted)

_DIFF_SIGNS = {"+": "+", "~": "!", "-": "-", " ": " "}


def plan(plan: Plan, limit: int = LIMIT) -> str:
    """Return a plan: headline, what stops the apply, risks, deletions and replacements, then everything else."""
    totals = summary.totals(plan)
    risks = phrases.at_risk(plan)
    shown_as_risk = {(line.change.address, f"guard-{line.code}") for line in risks}
    problems = [item for item in plan.problems if (item.address, item.code) not in shown_as_risk]
    stops: list[Problem] = []
    others: list[Problem] = []
    for item in problems:
        (stops if item.severity == "error" or summary.refuses(item) else others).append(item)
    head = [
        f"## {prose(summary.plan_heading(plan))}",
        prose(phrases.subject(plan)),
        *_origin(phrases.context(plan.context)),
    ]
    head += [prose(summary.plan_headline(plan))] if plan.errors and plan.changes else []
    head += [prose(totals)] if totals is not None else []
    head += _stops(stops) + _risks(risks)
    destroying = [change for change in plan.effective if change.action in DESTRUCTIVE]
    rest = [change for change in plan.effective if change.action not in DESTRUCTIVE]
    unread = [change for _, changes in phrases.unread(plan) for change in changes]
    blocked = {str(change.address): phrases.blocked(plan, change) for change in plan.changes}

    def shown(line: Line) -> str:
        stop = blocked[line.address]
        what = f": {code(line.words)}" if line.words else f": {prose(line.note)}"
        return f"**{line.verb}** {code(line.label)}{what}{f' **{prose(stop)}**' if stop else ''}"

    return Page(
        head=head,
        named=(Section(heading="Deletions and replacements", lines=_lines(destroying), show=shown),),
        listed=(
            Section(heading="Creations and updates", lines=_lines(rest), show=shown),
            Section(heading=phrases.UNREAD, lines=_lines(unread), show=shown),
        ),
        ends=[*_comparison(plan), *_problems(others), *(prose(note) for note in phrases.plan_notes(plan))],
        details=_by_kind([*destroying, *rest], partial(_change, plan)),
    ).text(limit)


def report(report: Report, plan: Plan, limit: int = LIMIT) -> str:
    """Return how an apply went: headline, what to do next, what was not applied, then what was."""
    shared = phrases.shared_allowances(report)
    allowed = {str(item.address): phrases.allowed(item.allowed, shared) for item in report.outcomes}

    def shown(line: Line) -> str:
        words = (line.note, *allowed.get(line.address, ()))
        return f"{code(line.label)}: {'; '.join(map(prose, words))}{f' ({code(line.words)})' if line.words else ''}"

    ended = [item for item in report.outcomes if item.state != "noop"]
    open_ = [groups.of_outcome(item) for item in ended if not item.complete]
    open_ += [_not_started(change) for change in phrases.not_started(report, plan)]
    done = [groups.of_outcome(item) for item in ended if item.complete]
    notes = [f"- {prose(line)}" for line in phrases.allowed(shared)]
    notes += [f"- {prose(line)}" for line in phrases.advice(report, plan)]
    head = [f"## {prose(summary.report_headline(report))}", prose(phrases.subject(plan)), "\n".join(notes)]
    return Page(
        head=[*head, *_verified(report)],
        named=(Section(heading="Not applied", lines=tuple(open_), show=shown),),
        listed=(Section(heading="Applied", lines=tuple(done), show=shown),),
        ends=[*_problems(report.problems), *_origin(phrases.context(report.context), phrases.execution(report.run))],
        details=_by_kind([item for item in ended if item.calls and item.action in EDITING], _outcome),
    ).text(limit)


def drift(drift: Drift, limit: int = LIMIT) -> str:
    """Return what changed outside: headline, coverage, each object, then its fields."""
    head = [f"## {prose(summary.drift_headline(drift))}", prose(phrases.drift_subject(drift))]
    changed = [item for item in drift.objects if item.status != "in_sync"]

    def shown(line: Line) -> str:
        return f"{code(line.label)}: {prose(line.note)}{f' ({code(line.words)})' if line.words else ''}"

    missing = tuple(groups.of_drifted(item) for item in changed if item.status == "missing")
    others = tuple(groups.of_drifted(item) for item in changed if item.status != "missing")
    origin = _origin(phrases.context(drift.context), phrases.execution(drift.run))
    return Page(
        head=[*head, prose(summary.drift_coverage(drift))],
        named=(Section(heading="Missing", lines=missing, show=shown),),
        listed=(Section(heading="Changed outside reconciler", lines=others, show=shown),),
        ends=[*_problems((*drift.problems, *drift.warnings)), *origin],
        details=_by_kind([item for item in changed if item.fields or phrases.drift_details(item)], _drifted),
    ).text(limit)


def failure(title: str, message: str, problems: Sequence[Problem], hints: Iterable[str], limit: int = LIMIT) -> str:
    """Return the page of a command that failed before it had a result: a comment must not show an older one."""
    error = f"**{marks.SEVERITIES['error'].label}:** {prose(message)}"
    head = [f"## {prose(title)}", error, "\n".join(f"- {prose(hint)}" for hint in hints)]
    return Page(head=head, ends=_problems(problems)).text(limit)


def _comparison(plan: Plan) -> list[str]:
    if plan.comparison is None:
        return []
    parts = [f"### {prose(comparison.heading(plan.comparison))}"]
    for section in comparison.sections(plan):
        parts += [f"**{prose(section.heading)}**", "\n".join(f"- {prose(line)}" for line in section.lines)]
    return parts


def _origin(*words: str) -> list[str]:
    return ["<br>".join(code(line) for line in words if line)]


def _verified(report: Report) -> list[str]:
    if report.verified is None:
        return []
    left = report.verified.left
    lines = [f"- {phrases.NOT_CONVERGED}: {code(address)}: {prose(words)}" for address, words in left[:LISTED]]
    return [prose(summary.verified_headline(report.verified)), "\n".join([*lines, *_rest(len(left), "object")])]


def _lines(changes: Iterable[Change]) -> tuple[Line, ...]:
    return tuple(groups.of_change(change) for change in changes)


def _not_started(change: Change) -> Line:
    line = groups.of_change(change)
    return Line(
        address=line.address, label=line.label, kind=line.kind, verb=phrases.NOT_STARTED, note=phrases.NOT_STARTED
    )


def _rest(number: int, noun: str) -> list[str]:
    """Count what is not listed."""
    return [f"- {more(number - LISTED, noun)}"] if number > LISTED else []


def _stops(problems: list[Problem]) -> list[str]:
    """Return what stops an apply, as a warning that stands out."""
    if not problems:
        return []
    quoted = [
        "[!WARNING]",
        f"**What stops the apply** ({count(len(problems), 'reason')})",
        "",
        *_problem_lines(problems),
    ]
    return ["\n".join(f"> {line}".rstrip() for line in quoted)]


def _risks(risks: tuple[phrases.RiskLine, ...]) -> list[str]:
    """Return every risk; none is left out."""
    if not risks:
        return []
    lines = []
    for line in risks:
        tail = f" ({prose(line.facts)})" if line.facts else ""
        lines.append(f"- {line.sign} {code(phrases.label(line.change))}: {prose(line.words)}{tail}")
    quoted = ["[!CAUTION]", f"**{phrases.risks_heading(risks)}**", "", *lines]
    overrides = phrases.overrides(risks)
    if overrides:
        shown = " ".join(code(option) for option in overrides[:LISTED])
        hidden = len(overrides) - LISTED
        quoted += ["", f"{phrases.OVERRIDE} {shown}", *([more(hidden, "option")] if hidden > 0 else [])]
    return ["\n".join(f"> {line}".rstrip() for line in quoted)]


def _by_kind(objects: Iterable[_Object], show: Callable[[_Object], str]) -> dict[str, list[Callable[[], str]]]:
    """Return what returns the details of each object, by kind."""
    found: dict[str, list[Callable[[], str]]] = {}
    for item in objects:
        found.setdefault(item.address.kind, []).append(partial(show, item))
    return found


def _title(mark: marks.Mark, label: str, words: str, facts: Iterable[str] = ()) -> str:
    return f"{code(mark.sign)} {code(label)} {prose(words)}" + "".join(f" · {prose(fact)}" for fact in facts if fact)


def _change(plan: Plan, change: Change) -> str:
    mark = marks.mark(change)
    facts = (phrases.identity(change), phrases.place(change), phrases.blocked(plan, change))
    title = _title(mark, phrases.label(change), f"{mark.label}: {change.reason}", facts)
    body = fence(
        "diff", _diff(rows.of_change(change.action, change.fields, defaults=change.defaults, zone=change.zone))
    )
    calls = fence("text", [visible(f"{call.method} {call.path}") for call in change.requests])
    details = [f"{label} {words}" for label, words in phrases.details(change, plan.currency)]
    return "\n\n".join([title, *body, *fence("text", details), *calls])


def _outcome(outcome: Outcome) -> str:
    """Return what an apply changed of one object, before and after."""
    body = fence("diff", _diff(rows.of_outcome(outcome)))
    return "\n\n".join(
        [_title(marks.STATES[outcome.state], phrases.label(outcome), phrases.outcome_words(outcome)), *body]
    )


def _drifted(item: Drifted) -> str:
    title = _title(marks.SYNCS[item.status], phrases.label(item), phrases.drifted_words(item), [phrases.identity(item)])
    details = [f"{label} {visible(words)}" for label, words in phrases.drift_details(item)]
    return "\n\n".join([title, *fence("diff", _diff(rows.of_drift(item))), *fence("text", details)])


def _diff(shown: rows.Rows) -> list[str]:
    lines = [
        f"{_DIFF_SIGNS[row.sign]} {row.label}{'' if row.is_slot else ':'} {row.step}{row.remark}"
        for row in (*shown.fields, *shown.slots)
    ]
    return [*lines, f"  {shown.folded}"] if shown.folded else lines


def _problem_lines(problems: Iterable[Problem]) -> list[str]:
    found = sorted(problems, key=problem_order)
    lines = []
    for problem in found[:LISTED]:
        hint = f"<br>{phrases.HINT} {prose(problem.hint)}" if problem.hint else ""
        lines.append(f"- **{marks.SEVERITIES[problem.severity].label}:** {prose(phrases.problem(problem))}{hint}")
    return [*lines, *_rest(len(found), "problem")]


def _problems(problems: Iterable[Problem]) -> list[str]:
    lines = _problem_lines(problems)
    return ["\n".join(lines)] if lines else []
