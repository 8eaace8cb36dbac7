"""Plans, reports and drift as one self-contained page: nothing is loaded, it prints well, and it works without script.

What is on a page is arranged here, as groups of objects with one action and kind; the templates only write it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct, field

from reconciler import commands
from reconciler.model.change import Change
from reconciler.model.objects import Address, Problem, problem_order
from reconciler.model.plan import Plan
from reconciler.model.report import Drift, Outcome, Report
from reconciler.model.words import count
from reconciler.render import comparison, marks, phrases, rows, summary
from reconciler.render.safe import written

ALIKE = 4
"""Objects of a group with equal changes from which the changes are shown once, above the list of the objects."""


class Member(Struct, frozen=True, kw_only=True):
    """One object."""

    address: Address
    title: str | None = None
    """What customers know it by."""
    notes: tuple[str, ...] = ()
    """Its id and where it is declared."""
    calls: tuple[str, ...] = ()
    connection: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """What happens to one object, or equally to several."""

    members: tuple[Member, ...]
    words: str
    stops: str = ""
    """What blocks it."""
    shown: rows.Rows = field(default_factory=lambda: rows.Rows(fields=(), slots=()))
    details: tuple[str, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What must be equal in entries that are shown as one."""
        return (self.words, self.stops, self.shown, self.details)


class Group(Struct, frozen=True, kw_only=True):
    """The objects of one kind to which the same happens."""

    mark: marks.Mark
    kind: str
    entries: tuple[Entry, ...]

    @property
    def number(self) -> int:
        """Number of objects."""
        return sum(len(entry.members) for entry in self.entries)

    @property
    def action(self) -> str:
        """The action as the name of a class in the page."""
        return self.mark.label.replace(" ", "-")

    @property
    def title(self) -> str:
        """The heading: `Update 398 Sessions`, `In sync: 3 Resources`."""
        what = count(self.number, self.kind)
        verb = self.mark in marks.ACTIONS.values() or self.mark in {marks.MOVE, marks.RECORD, marks.FORGET}
        return f"{self.mark.label.capitalize()}{'' if verb else ':'} {what}"


_FIRST = (
    *("delete", "replace", "update", "create", "adopt", "move", "record", "forget"),
    *("failed", "unknown", "blocked", "not started", "applied"),
    *("missing", "changed", "expired"),
)
"""Actions and states, those that matter most first."""


def plan(plan: Plan, digest: str) -> str:
    """Return the page of `plan_pieces`."""
    return "".join(plan_pieces(plan, digest))


def plan_pieces(plan: Plan, digest: str) -> Iterator[str]:
    """Yield a plan as a page that the person responsible for the timetable can read, print and sign.

    Nothing is shortened or left out: what is folded is on the page and opens in print. `digest` is that
    of the plan's document.
    """
    risks = phrases.at_risk(plan)
    return _page(
        "plan.html.j2",
        title=summary.plan_title(plan),
        headline=summary.plan_heading(plan),
        subject=phrases.subject(plan),
        tiles=summary.plan_counts(plan),
        risks=risks,
        overrides=phrases.overrides(risks),
        totals=summary.totals(plan),
        groups=_groups((marks.mark(change), _planned(plan, change)) for change in plan.effective),
        unread=[change for _, changes in phrases.unread(plan) for change in changes],
        problems=_problems(plan.problems),
        notes=phrases.plan_notes(plan),
        plan=plan,
        digest=digest,
    )


def _planned(plan: Plan, change: Change) -> Entry:
    calls = tuple(f"{call.method} {call.path}" for call in change.requests)
    notes = tuple(filter(None, (phrases.identity(change), phrases.place(change))))
    return Entry(
        members=(
            Member(address=change.address, title=change.title, notes=notes, calls=calls, connection=change.connection),
        ),
        words=change.reason,
        stops=phrases.blocked(plan, change),
        shown=rows.of_change(change.action, change.fields, defaults=change.defaults, width=None, zone=change.zone),
        details=tuple(f"{label} {words}" for label, words in phrases.details(change, plan.currency, fold=False)),
    )


_NOT_STARTED = marks.Mark("·", "dim", phrases.NOT_STARTED)


def report(report: Report, plan: Plan) -> str:
    """Return the page of `report_pieces`."""
    return "".join(report_pieces(report, plan))


def report_pieces(report: Report, plan: Plan) -> Iterator[str]:
    """Yield how an apply went as a page."""
    shared = phrases.shared_allowances(report)
    sources = {change.address: phrases.place(change) for change in plan.changes}
    found = [
        (marks.STATES[outcome.state], _ended(outcome, sources, phrases.allowed(outcome.allowed, shared)))
        for outcome in report.outcomes
        if outcome.state != "noop"
    ]
    found += [
        (_NOT_STARTED, Entry(members=(Member(address=change.address, title=change.title),), words=change.reason))
        for change in phrases.not_started(report, plan)
    ]
    return _page(
        "report.html.j2",
        headline=summary.report_headline(report),
        subject=phrases.subject(plan),
        tiles=summary.report_counts(report),
        groups=_groups(found),
        allowed=phrases.allowed(shared),
        advice=phrases.advice(report, plan),
        verified=summary.verified_headline(report.verified) if report.verified else None,
        left=report.verified.left if report.verified else (),
        problems=_problems(report.problems),
        digest=report.plan_digest,
        report=report,
    )


def _ended(outcome: Outcome, sources: Mapping[Address, str], allowed: tuple[str, ...]) -> Entry:
    place = sources.get(outcome.address, "")
    notes = (place,) if place and outcome.state != "applied" else ()
    member = Member(address=outcome.address, title=outcome.title, notes=notes)
    return Entry(
        members=(member,),
        words=phrases.outcome_words(outcome),
        shown=rows.of_outcome(outcome, width=None),
        details=allowed,
    )


def drift(drift: Drift) -> str:
    """Return the page of `drift_pieces`."""
    return "".join(drift_pieces(drift))


def drift_pieces(drift: Drift) -> Iterator[str]:
    """Yield what changed outside since the last apply as a page."""
    return _page(
        "drift.html.j2",
        old="Last applied",
        new="Live",
        headline=summary.drift_headline(drift),
        subject=phrases.drift_subject(drift),
        coverage=summary.drift_coverage(drift),
        drift=drift,
        tiles=summary.drift_counts(drift),
        groups=_groups(
            (
                marks.SYNCS[item.status],
                Entry(
                    members=(
                        Member(
                            address=item.address,
                            title=item.title,
                            notes=tuple(filter(None, (phrases.identity(item),))),
                        ),
                    ),
                    words=phrases.drifted_words(item),
                    shown=rows.of_drift(item, width=None),
                    details=tuple(f"{label}: {words}" for label, words in phrases.drift_details(item)),
                ),
            )
            for item in drift.objects
            if item.status != "in_sync"
        ),
        problems=_problems((*drift.problems, *drift.warnings)),
    )


def failure(title: str, message: str, problems: Iterable[Problem], hints: Iterable[str]) -> str:
    """Return the page of a command that failed before it had a result, so that no one reads an older one."""
    return "".join(
        _page(
            "failure.html.j2",
            headline=title,
            subject="",
            message=message,
            hints=tuple(hints),
            problems=_problems(problems),
            groups=(),
        )
    )


def _groups(found: Iterable[tuple[marks.Mark, Entry]]) -> tuple[Group, ...]:
    """Return entries by action and kind; those that matter most first, else in the order of the marks that occur."""
    pairs = list(found)
    order = {mark: number for number, mark in enumerate(dict.fromkeys(mark for mark, _ in pairs))}
    rank = {label: number for number, label in enumerate(_FIRST)}

    def place(pair: tuple[marks.Mark, Entry]) -> tuple[int, int, str]:
        mark, entry = pair
        return rank.get(mark.label, len(rank)), order[mark], entry.members[0].address.kind

    return tuple(
        Group(mark=members[0][0], kind=kind, entries=_joined([entry for _, entry in members]))
        for (_, _, kind), group in groupby(sorted(pairs, key=place), place)
        if (members := list(group))
    )


def _joined(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return entries in which equal ones of several objects are one."""
    alike: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        alike.setdefault(entry.content, []).append(entry)
    return tuple(
        found
        for same in alike.values()
        for found in (
            same
            if len(same) < ALIKE
            else [
                Entry(
                    members=tuple(member for entry in same for member in entry.members),
                    words=same[0].words,
                    stops=same[0].stops,
                    shown=same[0].shown,
                    details=same[0].details,
                )
            ]
        )
    )


def _problems(found: Iterable[Problem]) -> list[tuple[marks.Mark, Problem]]:
    return [(marks.SEVERITIES[item.severity], item) for item in sorted(found, key=problem_order)]


def _page(template: str, old: str = "Before", new: str = "After", **context: Any) -> Iterator[str]:
    _short_line.cache_clear()  # another page may have to mask other secrets
    script = _script()
    policy = f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    page = _templates().get_template(template)
    return page.generate(context, old=old, new=new, script=script, script_hash=policy)


@cache
def _script() -> str:
    """Return the one script of a page: the text filter, and folded parts that open in print."""
    source, _, _ = _templates().loader.get_source(_templates(), "script.js.j2")  # type: ignore[union-attr] # it has one
    return re.sub(r"\n\s*", "\n", source).strip()


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
    environment.globals.update(comparison=comparison, phrases=phrases, mark_of=marks.mark, count=count, lines=_lines)
    environment.filters["kept"] = commands.kept
    return environment


def _lines(items: Iterable[rows.Row]) -> Markup:
    """Return rows as HTML: thousands of objects have mostly the same ones, so that a page makes each short one once."""
    return Markup("".join((_short_line if row.is_short else _line)(row) for row in items))  # noqa: S704 - of a template


def _line(row: rows.Row) -> str:
    return str(vars(_templates().get_template("parts.html.j2").module)["line"](row))


_short_line = lru_cache(512)(_line)


def _finalize(value: Any) -> Any:
    """Neutralise plain text; markup of our macros passes unchanged."""
    if value is None or hasattr(value, "__html__"):
        return value
    return written(str(value))
