"""The summary of a plan, a report and a drift: the headline, the counts, and the bookings and amounts at stake."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from reconciler.model.objects import POSSIBLE_DUPLICATE, Problem
from reconciler.model.plan import Plan
from reconciler.model.report import STATES, SYNCS, Drift, Report, Verification
from reconciler.model.words import count, plural
from reconciler.render import bookings, marks
from reconciler.render.marks import Mark


class Count(NamedTuple):
    """One number of a summary."""

    mark: Mark
    number: int


_REST = (marks.ACTIONS["noop"], marks.ACTIONS["unknown"])
_TODO = (*(mark for mark in marks.ACTIONS.values() if mark not in _REST), marks.MOVE, marks.RECORD, marks.FORGET)


def plan_counts(plan: Plan) -> tuple[Count, ...]:
    """Return how many objects each action concerns, without zeros: what happens, then what does not."""
    found = Counter(marks.mark(change) for change in plan.changes)
    return tuple(Count(mark, found[mark]) for mark in (*_TODO, *_REST) if found[mark])


def report_counts(report: Report) -> tuple[Count, ...]:
    """Return how many objects ended in each state, without zeros."""
    return tuple(Count(marks.STATES[state], report.summary[state]) for state in STATES if report.summary[state])


def drift_counts(drift: Drift) -> tuple[Count, ...]:
    """Return how many objects are in each state, without zeros."""
    return tuple(Count(marks.SYNCS[sync], drift.summary[sync]) for sync in SYNCS if drift.summary[sync])


def plan_title(plan: Plan) -> str:
    """Return `Plan`, or what a plan to destroy is called."""
    return "Destroy plan" if plan.purpose == "destroy" else "Plan"


def plan_headline(plan: Plan) -> str:
    """Return the summary line of a plan: `Plan: 1 to create, 2 to delete; 5 unchanged`."""
    if not (plan.effective or plan.summary["unknown"] or plan.errors):
        return " ".join(filter(None, (_nothing_to_do(plan), doubled(plan.possible_duplicates))))
    counts = plan_counts(plan)
    todo = ", ".join(f"{number} to {mark.label}" for mark, number in counts if mark in _TODO)
    rest = ", ".join(f"{number} {mark.label}" for mark, number in counts if mark in _REST)
    words = f"{plan_title(plan)}: {'; '.join(part for part in (todo, rest) if part) or 'no changes'}."
    return " ".join(filter(None, (words, doubled(plan.possible_duplicates))))


def plan_heading(plan: Plan) -> str:
    """Return the headline of a page that may be read without the exit code: it says first what went wrong."""
    if plan.errors:
        return f"{plan_title(plan)} failed: {count(len(plan.errors), 'error')}. Nothing can be applied."
    if any(refuses(problem) for problem in plan.problems):
        return f"{plan_headline(plan)} Apply would refuse it."
    if plan.summary["unknown"]:
        return f"{plan_headline(plan)} It is incomplete."
    return plan_headline(plan)


def refuses(problem: Problem) -> bool:
    """Whether a problem is that of a guard, which refuses an apply."""
    return problem.code.startswith("guard-")


def doubled(found: tuple[Problem, ...]) -> str:
    """Return `1 possible duplicate.`; empty where there is none."""
    twice = sum(problem.code == POSSIBLE_DUPLICATE for problem in found)
    return f"{count(twice, 'possible duplicate')}." if twice else ""


def _nothing_to_do(plan: Plan) -> str:
    idle = [change for change in plan.changes if change.action == "noop"]
    unmanaged = sum(change.shown_id is None for change in idle)
    expired = sum(change.expired and change.shown_id is not None for change in idle)
    matching = len(idle) - unmanaged - expired
    words = []
    if matching:
        words.append(f"{count(matching, 'object')} {plural(matching, 'matches', 'match')} the live timetable")
    for number, what in ((expired, "expired"), (unmanaged, "no longer managed")):
        if number:
            words.append(f"{number if words else count(number, 'object')} {what}")
    if words:
        return f"No changes. {'; '.join(words)}."
    if not plan.selection.everything:
        return "No changes. The selection contains no objects."
    if plan.purpose == "destroy":
        return "Nothing to destroy."
    empty = not (plan.managed or plan.declared)
    return f"No changes. {'No objects are declared or managed.' if empty else 'There is nothing to apply.'}"


def totals(plan: Plan) -> str | None:
    """Return the line of the summary with the bookings that all changes touch; None where there are none."""
    found = plan.bookings
    if not found.slots and not found.unknown:
        return None
    places = ", ".join(bookings.places(found.booked, found.reserved))
    words = f"Bookings touched: {places}" + (f" on {count(found.slots, 'slot')}" if found.slots else "")
    if found.unknown and found.slots:
        words += f"; {found.unknown} unknown"
    if found.amount is not None:
        words += f"; ≈ {bookings.money(found.amount, plan.currency)} at stake"
        words += f", and {count(found.unpriced, 'place')} of unknown price" if found.unpriced else ""
    return f"{words}."


def report_headline(report: Report) -> str:
    """Return the summary line of an apply: `Applied 3, failed 1; 5 unchanged`."""
    counts = {mark.label: number for mark, number in report_counts(report)}
    same = counts.pop("unchanged", 0)
    ended = ", ".join(f"{label} {number}" for label, number in counts.items())
    parts = [part for part in (ended[:1].upper() + ended[1:], f"{same} unchanged" if same else "") if part]
    start = "Refused before the first write. " if report.refused else "Interrupted. " if report.interrupted else ""
    return " ".join(filter(None, (f"{start}{'; '.join(parts) or 'Nothing to apply'}.", doubled(report.problems))))


def verified_headline(found: Verification) -> str:
    """Say how a verification ended."""
    if not found.left:
        return "Verified: a new plan of the whole project is empty."
    differ = plural(len(found.left), "differs", "differ")
    return f"Not converged: {count(len(found.left), 'object')} still {differ} from the manifests."


def drift_headline(drift: Drift) -> str:
    """Return the summary line of a drift check: `Drift: 1 changed, 1 missing; 5 in sync`."""
    if drift.nothing_managed:
        return (
            f"No objects are managed, but the manifests declare {count(drift.declared, 'object')}: nothing was applied "
            "yet, all were destroyed, or the state was lost. To see what apply would create: `reconciler plan`. "
            "To manage existing objects: `reconciler adopt --all`."
        )
    if not any(item.status != "unmanaged" for item in drift.objects) and not drift.summary["unmanaged"]:
        return doubled(drift.problems) or "No drift. No objects are managed."
    counts = {mark.label: number for mark, number in drift_counts(drift)}
    same, ignored = counts.pop("in sync", 0), counts.pop("ignored", 0)
    passed = f" {count(ignored, 'object')} {plural(ignored, 'has', 'have')} ignored drift." if ignored else ""
    if not counts and not drift.problems:
        found = "No drift" if drift.coverage["fields"] == drift.coverage["verifiable"] else "No drift detected"
        return f"{found}. {count(same, 'object')} {plural(same, 'matches', 'match')} the last apply.{passed}"
    twice = len(drift.problems)
    counts |= {plural(twice, "possible duplicate"): twice} if twice else {}
    drifted = ", ".join(f"{number} {label}" for label, number in counts.items())
    return f"Drift: {drifted}{f'; {same} in sync' if same else ''}.{passed}"


def drift_coverage(drift: Drift) -> str:
    """Say what share of the applied fields could be verified; rounded down, so 100 % means all."""
    fields, verifiable = drift.coverage["fields"], drift.coverage["verifiable"]
    unknown = drift.summary["unknown"]
    if not fields:
        return "No applied field could be verified." if unknown else "There are no applied fields to verify."
    if fields == verifiable:
        read = f" of the {plural(len(drift.objects) - unknown, 'object')} that could be read" if unknown else ""
        return f"Verified {'the' if fields == 1 else 'all'} {count(fields, 'applied field')}{read}."
    share = 100 * verifiable // fields
    why = "The API does not return the others"
    if unknown:
        why += ", or they could not be read"
    return f"Verified {verifiable} of {fields} applied fields ({share} %). {why}; their changes are not detected."
