"""Plans, reports and drift as a pull-request comment.

What comes from outside stands in prose only with every character that means something to Markdown,
HTML or the hosting site (mentions, issue numbers, links) written as an entity, or else in a code fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reconciler.model.change import Change
from reconciler.model.objects import Problem, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Drifted, Report
from reconciler.render import bookings, phrases, rows
from reconciler.render.safe import visible

LIMIT = 60_000
"""Bytes of a comment's details: GitHub refuses comments of more than 65,536 characters."""

LISTED = 50
"""Risks, and problems, that are listed before the rest is counted."""

_MEANING = re.compile(r"[&<>`*_\[\]~|\\$]")
_DIFF_SIGNS = {"+": "+", "~": "!", "-": "-"}


def plan(plan: Plan) -> str:
    """Return a plan: the summary as heading, bookings at risk, then each change to unfold."""
    totals = bookings.totals(plan)
    blocks = [f"## {prose(phrases.plan_headline(plan))}", prose(phrases.subject(plan))]
    blocks += [prose(totals)] if totals is not None else []
    blocks += _risks(plan)
    details = [_change(plan, change) for change in plan.effective]
    details += [
        f"{_code('?')} <b>{prose(change.address)}</b> unknown: {prose(change.reason)}"
        for change in plan.changes
        if change.action == "unknown" and not change.writes
    ]
    endings = [prose(note) for note in phrases.plan_notes(plan)]
    return _page(blocks, details, [*_problems(plan.problems), *endings])


def report(report: Report, plan: Plan) -> str:
    """Return how an apply went: the summary as heading, a table of outcomes, what to do next."""
    lines = []
    shared = phrases.shared_allowances(report)
    for outcome in report.outcomes:
        if outcome.state != "noop":
            sign = phrases.STATES[outcome.state].sign
            told = (phrases.outcome_words(outcome), *phrases.let_through(outcome.allowed, shared))
            words = "<br>".join(map(prose, told))
            lines.append(f"| {sign} | {prose(outcome.address)} | {words} |")
    lines += [f"| · | {prose(item.address)} | not started |" for item in phrases.not_started(report, plan)]
    blocks = [f"## {prose(phrases.report_headline(report))}"]
    notes = [f"- {prose(line)}" for line in phrases.let_through(shared)]
    notes += [f"- {_command(line)}" for line in phrases.advice(report, plan)]
    ends = ["\n".join(notes), *_verified(report)]
    if not lines:
        return _page(blocks, [], ends)
    return _page([*blocks, "|  | Object | Outcome |\n| --- | --- | --- |"], lines, ends, joint="\n")


def _verified(report: Report) -> list[str]:
    if report.verified is None:
        return []
    left = report.verified.left
    lines = [f"- not converged: **{prose(address)}**: {prose(words)}" for address, words in left[:LISTED]]
    if len(left) > LISTED:
        lines.append(f"- … and {len(left) - LISTED} more")
    return [prose(phrases.verified_headline(report.verified)), "\n".join(lines)]


def drift(drift: Drift) -> str:
    """Return what changed outside: the summary as heading, coverage, then each object to unfold."""
    blocks = [f"## {prose(phrases.drift_headline(drift))}", prose(phrases.drift_coverage(drift))]
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
    more = f"**… and {phrases.counted(hidden, 'more object')}: too long for one comment.**" if hidden else ""
    body = joint.join([start, *details[:shown]])
    return "\n\n".join(block for block in (body, more, end) if block) + "\n"


def _risks(plan: Plan) -> list[str]:
    risks = phrases.at_risk(plan)
    if not risks:
        return []
    lines = ["> [!CAUTION]", "> **Bookings at risk**", ">"]
    for change, risk in risks[:LISTED]:
        sign = "✗" if phrases.stops(plan, change, risk) else "!"
        facts = phrases.risk_facts(risk)
        tail = f" ({prose(facts)})" if facts else ""
        lines.append(f"> - {sign} **{prose(change.address)}**: {prose(phrases.risk_words(plan, change, risk))}{tail}")
    if len(risks) > LISTED:
        lines.append(f"> - … and {len(risks) - LISTED} more")
    allowances = phrases.allowances(plan)[:LISTED]
    if allowances:
        options = " ".join(f"`{option}`" for option in allowances)
        lines += [">", f"> ✗ stops the apply, unless each is let through: {options}"]
    return ["\n".join(lines)]


def _change(plan: Plan, change: Change) -> str:
    mark = phrases.mark(change)
    place = phrases.place(change)
    facts = f" · id {prose(change.shown_id)}" if change.shown_id is not None else ""
    facts += f" · {prose(place)}" if place else ""
    facts += "".join(f" · <b>{prose(line)}</b>" for line in phrases.guarded(plan, change))
    title = f"{_code(mark.sign)} <b>{prose(change.address)}</b> {phrases.deed(change)}: {prose(change.reason)}{facts}"
    body = _fence("diff", _diff(rows.of_change(change.action, change.fields, zone=change.zone)))
    calls = _fence("text", [visible(f"{call.method} {call.path}") for call in change.requests])
    stake = bookings.stake(change, plan.currency)
    touched = [f"touches {line}" for line in bookings.touched(change)] + ([f"at stake {stake}"] if stake else [])
    return _details(title, body + _fence("text", touched) + calls)


def _drifted(item: Drifted) -> str:
    sign = _code(phrases.SYNCS[item.status].sign)
    facts = f" · id {prose(item.shown_id)}" if item.shown_id is not None else ""
    title = f"{sign} <b>{prose(item.address)}</b> {prose(phrases.drifted_words(item))}{facts}"
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
    found = sorted(problems, key=problem_order)
    for problem in found[:LISTED]:
        hint = f"<br>hint: {prose(problem.hint)}" if problem.hint else ""
        lines.append(f"- **{problem.severity}:** {prose(problem)}{hint}")
    if len(found) > LISTED:
        lines.append(f"- … and {phrases.counted(len(found) - LISTED, 'more problem')}")
    return ["\n".join(lines)] if lines else []


def _code(sign: str) -> str:
    return f"<code>{sign}</code>"


def _command(line: str) -> str:
    """Keep our own backticks, which mark a command, and escape the rest."""
    return "`".join(prose(part) for part in line.split("`"))
