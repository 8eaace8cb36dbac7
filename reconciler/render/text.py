"""Plans, reports, drift and problems for a terminal.

`say` writes every line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from reconciler import commands
from reconciler.model.change import Change, FieldChange, Request
from reconciler.model.context import Context, Execution
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.model.words import listed, more
from reconciler.redaction import redacted
from reconciler.render import comparison, marks, phrases, rows, summary, values
from reconciler.render.console import Console, Plain, say
from reconciler.render.problems import problems
from reconciler.render.safe import fitting, harmless

_Item = TypeVar("_Item", Outcome, Drifted)

CALLS_SHOWN = 12
"""Calls of one change that are shown; the rest is counted."""

UNREAD_SHOWN = 4
"""Objects that are named where many could not be read for one reason."""

_LABEL_WIDTH = 32
_SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red", " ": "dim"}

Differ = Callable[[str, str, str], tuple[str, ...]]
"""Compares two long texts of a field, the name of which comes first; returns lines with colors of a terminal."""


class Look(Struct, frozen=True, kw_only=True):
    """How much is shown of each object."""

    verbose: bool = False
    compact: bool = False
    """Whether an object takes one line."""
    differ: Differ | None = None


_DEFAULT = Look()


def plan(console: Console, plan: Plan, look: Look = _DEFAULT) -> None:
    """Write a plan: bookings at risk, each change with its fields and calls, the summary, problems."""
    say(console, (phrases.subject(plan), "dim"))
    _origin(console, plan.context)
    say(console)
    _risks(console, phrases.at_risk(plan))
    for change in plan.effective:
        if look.compact:
            _compact_change(console, plan, change)
        else:
            _change(console, plan, change, look)
    if look.compact and plan.effective:
        say(console)
    _unread(console, plan)
    _comparison(console, plan)
    say(console, (summary.plan_headline(plan), "bold"))
    totals = summary.totals(plan)
    if totals is not None:
        say(console, totals)
    for note in phrases.plan_notes(plan):
        say(console, (note, "dim"))
    if plan.problems:
        say(console)
    problems(console, plan.problems, verbose=look.verbose)


def report(console: Console, report: Report, plan: Plan, look: Look = _DEFAULT) -> None:
    """Write how an apply went: one line for each object that was to change, the summary, what to do next."""
    sources = {change.address: phrases.place(change) for change in plan.changes}
    shared = phrases.shared_allowances(report)
    unread = () if look.verbose else [each for each in report.outcomes if each.action == each.state == "unknown"]
    together = _many(console, marks.STATES["unknown"], unread, phrases.outcome_words)
    for outcome in report.outcomes:
        if outcome.state != "noop" and outcome.address not in together:
            _outcome(console, outcome, sources)
            for line in phrases.allowed(outcome.allowed, shared):
                say(console, ("    !", "yellow"), f" {line}")
    for change in phrases.not_started(report, plan):
        say(console, ("·", "dim"), f" {phrases.label(change)} ", (phrases.NOT_STARTED, "dim"))
    for line in phrases.allowed(shared):
        say(console, ("!", "yellow"), f" {line}")
    say(console, (summary.report_headline(report), "bold"))
    for line in phrases.advice(report, plan):
        say(console, f"  {line}")
    _origin(console, report.context, report.run)
    problems(console, report.problems)
    if report.verified is not None:
        for address, words in report.verified.left:
            say(console, ("✗", "bold red"), f" {phrases.NOT_CONVERGED}: {address}: {words}")
        say(console, (summary.verified_headline(report.verified), "bold"))


def drift(console: Console, drift: Drift, look: Look = _DEFAULT) -> None:
    """Write what changed outside since the last apply, and what share of the fields could be verified."""
    unread = () if look.verbose else [each for each in drift.objects if each.status == "unknown"]
    together = _many(console, marks.SYNCS["unknown"], unread, phrases.drifted_words)
    if together:
        say(console)
    for item in drift.objects:
        if item.status != "in_sync" and item.address not in together:
            (_compact_drifted(console, item) if look.compact else _drifted(console, item, look))
    say(console, (summary.drift_headline(drift), "bold"))
    say(console, (summary.drift_coverage(drift), "dim"))
    if phrases.drift_subject(drift):
        say(console, (phrases.drift_subject(drift), "dim"))
    _origin(console, drift.context, drift.run)
    found = (*drift.problems, *(drift.notes if look.verbose else drift.warnings))
    problems(console, found, verbose=look.verbose)


def _risks(console: Console, risks: tuple[phrases.RiskLine, ...]) -> None:
    if not risks:
        return
    say(console, (phrases.risks_heading(risks), "bold red"))
    for line in risks:
        style = "bold red" if line.blocks else "bold yellow"
        say(console, "  ", (line.sign, style), " ", (phrases.label(line.change), "bold"), f": {line.words}")
        if line.facts:
            say(console, (f"      {line.facts}", "dim"))
    overrides = phrases.overrides(risks)
    if overrides:
        say(console, f"  {phrases.OVERRIDE} ", (" ".join(overrides), "bold"))
    say(console)


_STEPS_SHOWN = 3
"""Fields of an object that are named in its one line."""


def _compact_change(console: Console, plan: Plan, change: Change) -> None:
    mark = marks.mark(change)
    place, blocked = phrases.place(change), phrases.blocked(plan, change)
    shown = rows.of_change(change.action, change.fields, fold=False, zone=change.zone)
    say(
        console,
        (f"{mark.sign} {phrases.label(change)}", f"bold {mark.style}"),
        "  ",
        (mark.label, mark.style),
        f": {change.reason if change.action != 'update' else _steps(shown)}",
        (f"  {blocked}" if blocked else "", "bold red"),
        (f"  {place}" if place else "", "dim"),
    )


def _compact_drifted(console: Console, item: Drifted) -> None:
    mark = marks.SYNCS[item.status]
    steps = _steps(rows.of_drift(item, fold=False))
    say(
        console,
        (f"{mark.sign} {phrases.label(item)}", f"bold {mark.style}"),
        f"  {phrases.drifted_words(item)}{f': {steps}' if steps else ''}",
    )


def _steps(shown: rows.Rows) -> str:
    """Return `price 35.00 → 40.00 and 3 more`."""
    steps = [f"{row.label} {row.step}" for row in (*shown.fields, *shown.slots)]
    return listed(steps, _STEPS_SHOWN)


def _change(console: Console, plan: Plan, change: Change, look: Look) -> None:
    mark, verbose = marks.mark(change), look.verbose
    place = phrases.place(change)
    say(
        console,
        (f"{mark.sign} {phrases.label(change)}", f"bold {mark.style}"),
        (_bracketed(phrases.identity(change)), "dim"),
        "  ",
        (mark.label, mark.style),
        f": {change.reason}",
        (f"  {place}" if place else "", "dim"),
    )
    blocked = phrases.blocked(plan, change)
    if blocked:
        say(console, (f"    {blocked}", "bold red"))
    width = None if verbose else values.WIDTH
    shown = rows.of_change(
        change.action, change.fields, defaults=change.defaults, width=width, fold=not verbose, zone=change.zone
    )
    _rows(console, shown)
    _long_texts(console, change.fields, look.differ)
    for label, words in phrases.details(change, plan.currency, fold=not verbose):
        say(console, (f"    {label}", "magenta"), f" {words}")
    _calls(console, change.requests, verbose)
    if verbose and change.unverified:
        say(console, (f"    not verifiable: {', '.join(change.unverified)}", "dim"))
    say(console)


def _bracketed(words: str) -> str:
    return f" ({words})" if words else ""


def _rows(console: Console, shown: rows.Rows) -> None:
    width = min(_LABEL_WIDTH, max((len(row.label) + 1 for row in shown.fields), default=0))
    for row in (*shown.fields, *shown.slots):
        label = row.label if row.is_slot else f"{row.label}:".ljust(width)
        style = _SIGN_STYLES[row.sign]
        named = (f" {label} ", style if row.is_default else "")
        say(console, "    ", (row.sign, style), named, (row.step, style), (row.remark, "dim"))
    if shown.folded:
        say(console, (f"    {shown.folded}", "dim"))


def _long_texts(console: Console, fields: Iterable[FieldChange], differ: Differ | None) -> None:
    """Write what a program says of texts that do not fit in a row."""
    if differ is None:
        return
    for field in fields:
        if not (isinstance(field.before, str) and isinstance(field.after, str)):
            continue
        if max(len(field.before), len(field.after)) <= values.WIDTH and "\n" not in field.before + field.after:
            continue
        say(console, "    ", (f"{field.path}:", "dim"))
        for line in differ(field.path, _by_line(field.before), _by_line(field.after)):
            _compared(console, line)


def _compared(console: Console, line: str) -> None:
    """Write a line of a program that compares, in its colors where there are any."""
    parts = [part if _COLOR.fullmatch(part) else _value_line(part) for part in _COLOR.split(line)]
    if isinstance(console, Plain):
        say(console, "    ", *parts[::2])  # the others are colors
        return
    from rich.text import Text  # noqa: PLC0415 - 20 ms that only a terminal needs

    console.print(
        Text("    ") + Text.from_ansi(fitting(commands.written("".join(parts)), console.encoding)), soft_wrap=True
    )


def _value_line(text: str) -> str:
    return commands.kept(harmless(commands.kept(text)))


_COLOR = re.compile(r"(\x1b\[[0-9;]*m)")
"""What a program may send to a terminal: colors."""


def _by_line(text: str) -> str:
    """Return a text, masked and harmless, with its own lines: a comparison is by line."""
    return "".join(f"{harmless(commands.kept(line))}\n" for line in redacted(text).split("\n"))


def _calls(console: Console, calls: tuple[Request, ...], verbose: bool) -> None:
    shown = calls if verbose or len(calls) <= CALLS_SHOWN else calls[:CALLS_SHOWN]
    for call in shown:
        say(console, (f"    {call.method} {call.path}", "dim"))
    if len(shown) < len(calls):
        say(console, (f"    {more(len(calls) - len(shown), 'call')}", "dim"))


def _comparison(console: Console, plan: Plan) -> None:
    if plan.comparison is None:
        return
    say(console, (comparison.heading(plan.comparison), "bold"))
    for section in comparison.sections(plan):
        say(console, f"  {section.heading}")
        for line in section.lines:
            say(console, f"    {line}")
    say(console)


def _unread(console: Console, plan: Plan) -> None:
    mark = marks.ACTIONS["unknown"]
    unread = phrases.unread(plan)
    for reason, changes in unread:
        named = listed([str(change.address) for change in changes], UNREAD_SHOWN)
        place = phrases.place(changes[0]) if len(changes) == 1 else ""
        say(
            console,
            (f"{mark.sign} {named}", f"bold {mark.style}"),
            f"  {mark.label}: {reason}",
            (f"  {place}" if place else "", "dim"),
        )
    if unread:
        say(console)


def _many(
    console: Console, mark: marks.Mark, items: Iterable[_Item], words: Callable[[_Item], str]
) -> Collection[Address]:
    """Write many objects that could not be read for one reason as one line; return which they are."""
    together: set[Address] = set()
    for said, found in phrases.alike(items, words):
        if len(found) > UNREAD_SHOWN:
            named = listed([str(item.address) for item in found], UNREAD_SHOWN)
            say(console, (f"{mark.sign} {named}", f"bold {mark.style}"), f"  {said}")
            together.update(item.address for item in found)
    return together


def _origin(console: Console, context: Context, run: Execution | None = None) -> None:
    """Write from what, when and where a run took place, as far as that is known."""
    for words in (phrases.context(context), phrases.execution(run)):
        if words:
            say(console, (words, "dim"))


def _outcome(console: Console, outcome: Outcome, sources: Mapping[Address, str]) -> None:
    mark = marks.STATES[outcome.state]
    place = sources.get(outcome.address, "") if outcome.state != "applied" else ""
    say(
        console,
        (mark.sign, f"bold {mark.style}"),
        f" {phrases.label(outcome)} ",
        (phrases.outcome_words(outcome), mark.style),
        (f"  {place}" if place else "", "dim"),
    )
    _rows(console, rows.of_outcome(outcome))


def _drifted(console: Console, item: Drifted, look: Look) -> None:
    mark, verbose = marks.SYNCS[item.status], look.verbose
    say(
        console,
        (f"{mark.sign} {phrases.label(item)}", f"bold {mark.style}"),
        (_bracketed(phrases.identity(item)), "dim"),
        f"  {phrases.drifted_words(item)}",
    )
    width = None if verbose else values.WIDTH
    _rows(console, rows.of_drift(item, width=width, fold=not verbose))
    _long_texts(console, item.fields, look.differ)
    for label, words in phrases.drift_details(item):
        say(console, (f"    {label}", "magenta"), f" {words}")
    say(console)
