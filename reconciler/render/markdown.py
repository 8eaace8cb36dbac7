"""Plans, reports and drift as a pull-request comment.

Text from outside appears in a code fence, or in prose with every character escaped that means something to
Markdown, HTML or the hosting site (mentions, issue numbers, links).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.model.change import Change
from reconciler.model.objects import Address, Problem, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Drifted, Report
from reconciler.model.words import more
from reconciler.render import marks, phrases, rows, summary
from reconciler.render.safe import visible

LIMIT = 60_000
"""Bytes of a comment's details: GitHub refuses comments of more than 65,536 characters."""

LISTED = 50
"""Risks, problems and objects that are listed; the rest is counted."""

_MEANING = re.compile(r"[&<>`*_\[\]~|\\$]")
_DIFF_SIGNS = {"+": "+", "~": "!", "-": "-"}


def plan(plan: Plan) -> str:
    """Return a plan: the summary as heading, bookings at risk, then each change to unfold."""
    totals = summary.totals(plan)
    blocks = [f"## {prose(summary.plan_headline(plan))}", prose(phrases.subject(plan))]
    blocks += [prose(totals)] if totals is not None else []
    blocks += _risks(phrases.at_risk(plan))
    details = [_change(plan, change) for change in plan.effective]
    details += [
        _heading(marks.mark(change), change.address, f"{marks.mark(change).label}: {change.reason}")
        for _, changes in phrases.unread(plan)
        for change in changes
    ]
    endings = [prose(note) for note in phrases.plan_notes(plan)]
    return _page(blocks, details, [*_problems(plan.problems), *endings])


def report(report: Report, plan: Plan) -> str:
    """Return how an apply went: the summary as heading, a table of outcomes, what to do next."""
    lines = []
    shared = phrases.shared_allowances(report)
    for outcome in report.outcomes:
        if outcome.state != "noop":
            sign = marks.STATES[outcome.state].sign
            words = (phrases.outcome_words(outcome), *phrases.allowed(outcome.allowed, shared))
            lines.append(f"| {sign} | {prose(outcome.address)} | {'<br>'.join(map(prose, words))} |")
    lines += [f"| · | {prose(item.address)} | {phrases.NOT_STARTED} |" for item in phrases.not_started(report, plan)]
    blocks = [f"## {prose(summary.report_headline(report))}"]
    notes = [f"- {prose(line)}" for line in phrases.allowed(shared)]
    notes += [f"- {_command(line)}" for line in phrases.advice(report, plan)]
    ends = ["\n".join(notes), *_verified(report)]
    if not lines:
        return _page(blocks, [], ends)
    return _page([*blocks, "|  | Object | Outcome |\n| --- | --- | --- |"], lines, ends, joint="\n")


def _verified(report: Report) -> list[str]:
    if report.verified is None:
        return []
    left = report.verified.left
    lines = [f"- {phrases.NOT_CONVERGED}: **{prose(address)}**: {prose(words)}" for address, words in left]
    return [prose(summary.verified_headline(report.verified)), "\n".join(_listed(lines, "object"))]


def drift(drift: Drift) -> str:
    """Return what changed outside: the summary as heading, coverage, then each object to unfold."""
    blocks = [f"## {prose(summary.drift_headline(drift))}", prose(summary.drift_coverage(drift))]
    return _page(blocks, [_drifted(item) for item in drift.objects if item.status != "in_sync"], [])


def prose(value: object) -> str:
    """Return a value's text as prose that shows it and nothing else: no markup, mention, link or reference."""
    text = _MEANING.sub(lambda match: f"&#{ord(match[0])};", visible(str(value)))
    text = re.sub(r"(?<!&)#(?=\d)", "#&#8203;", text)
    text = re.sub(r"(?i)(?<=\bGH-)(?=\d)", "&#8203;", text)
    text = text.replace("@", "@&#8203;").replace("://", ":&#8203;//")
    return re.sub(r"(?i)(?<=www)\.", "&#8203;.", text)


def _page(head: Iterable[str], details: list[str], ends: Iterable[str], joint: str = "\n\n") -> str:
    """Join the blocks; details past the limit are counted instead of shown."""
    start, end = "\n\n".join(head), "\n\n".join(block for block in ends if block)
    left = LIMIT - len(start.encode()) - len(end.encode())
    shown = 0
    for detail in details:
        left -= len(detail.encode()) + len(joint)
        if left < 0:
            break
        shown += 1
    hidden = len(details) - shown
    rest = f"**{more(hidden, 'object')}: too long for one comment.**" if hidden else ""
    body = joint.join([start, *details[:shown]])
    return "\n\n".join(block for block in (body, rest, end) if block) + "\n"


def _listed(lines: list[str], noun: str) -> list[str]:
    """Return the first lines of a list; the rest is counted."""
    hidden = len(lines) - LISTED
    return [*lines[:LISTED], f"- {more(hidden, noun)}"] if hidden > 0 else lines


def _risks(risks: tuple[phrases.RiskLine, ...]) -> list[str]:
    if not risks:
        return []
    lines = []
    for line in risks:
        tail = f" ({prose(line.facts)})" if line.facts else ""
        lines.append(f"- {line.sign} **{prose(line.change.address)}**: {prose(line.words)}{tail}")
    quoted = ["[!CAUTION]", f"**{phrases.AT_RISK}**", "", *_listed(lines, "risk")]
    overrides = phrases.overrides(risks)[:LISTED]
    if overrides:
        quoted += ["", f"{phrases.OVERRIDE} " + " ".join(f"`{option}`" for option in overrides)]
    return ["\n".join(f"> {line}".rstrip() for line in quoted)]


def _heading(mark: marks.Mark, address: Address, words: str, facts: Iterable[str] = ()) -> str:
    return f"{_code(mark.sign)} <b>{prose(address)}</b> {prose(words)}" + "".join(f" · {fact}" for fact in facts)


def _change(plan: Plan, change: Change) -> str:
    mark, blocked = marks.mark(change), phrases.blocked(plan, change)
    facts = [prose(fact) for fact in (phrases.identity(change), phrases.place(change)) if fact]
    facts += [f"<b>{prose(blocked)}</b>"] if blocked else []
    title = _heading(mark, change.address, f"{mark.label}: {change.reason}", facts)
    body = _fence("diff", _diff(rows.of_change(change.action, change.fields, zone=change.zone)))
    calls = _fence("text", [visible(f"{call.method} {call.path}") for call in change.requests])
    details = [f"{label} {words}" for label, words in phrases.details(change, plan.currency)]
    return _details(title, body + _fence("text", details) + calls)


def _drifted(item: Drifted) -> str:
    facts = [prose(fact) for fact in (phrases.identity(item),) if fact]
    title = _heading(marks.SYNCS[item.status], item.address, phrases.drifted_words(item), facts)
    return _details(title, _fence("diff", _diff(rows.of_drift(item.fields))))


def _details(title: str, body: list[str]) -> str:
    if not body:
        return title
    return "\n\n".join([f"<details>\n<summary>{title}</summary>", *body, "</details>"])


def _diff(shown: rows.Rows) -> list[str]:
    lines = [
        f"{_DIFF_SIGNS[row.sign]} {row.label}{'' if row.is_slot else ':'} {row.step}{row.remark}"
        for row in (*shown.fields, *shown.slots)
    ]
    return [*lines, f"  {shown.folded}"] if shown.folded else lines


def _fence(language: str, lines: list[str]) -> list[str]:
    """Fence lines with more backticks than any of them holds; no block where there are no lines."""
    if not lines:
        return []
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return ["\n".join([f"{ticks}{language}", *lines, ticks])]


def _problems(problems: Iterable[Problem]) -> list[str]:
    lines = []
    for problem in sorted(problems, key=problem_order):
        hint = f"<br>{phrases.HINT} {prose(problem.hint)}" if problem.hint else ""
        lines.append(f"- **{marks.SEVERITIES[problem.severity].label}:** {prose(problem)}{hint}")
    return ["\n".join(_listed(lines, "problem"))] if lines else []


def _code(sign: str) -> str:
    return f"<code>{sign}</code>"


def _command(line: str) -> str:
    """Keep our own backticks, which mark a command, and escape the rest."""
    return "`".join(prose(part) for part in line.split("`"))
