"""The sentences that text, Markdown and HTML share: each is here once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from reconciler import commands
from reconciler.model.change import Change, RecordCode
from reconciler.model.codes import tag
from reconciler.model.context import Context, Execution
from reconciler.model.objects import Problem
from reconciler.model.plan import Forecast, Plan
from reconciler.model.report import Allowance, Drift, Drifted, Outcome, Report
from reconciler.model.risk import SHARED, Risk
from reconciler.model.sighting import Fight, Ignored, LastApplied
from reconciler.model.words import count, plural
from reconciler.render import bookings, marks, rows, values

_Item = TypeVar("_Item", Change, Outcome, Drifted)

BLOCKS = "blocks apply"
OVERRIDE = f"✗ {BLOCKS}. To override:"
UNREAD = "Unknown; unchanged"
HINT = "hint:"
NOT_STARTED = "not started"
NOT_CONVERGED = "not converged"
NEXT = "What to do next"

EXISTS = "already-exists"
"""The code of the risk that a create would duplicate a live object."""

QUOTE = '"'
"""The sign that a title starts with that has a name."""

STEPS = 6
"""Fields that are named for one object that has not converged."""


def problem(found: Problem) -> str:
    """Return what is wrong and where, with the number that `explain` takes."""
    return f"{found} [{tag(found.code)}]"


def place(change: Change) -> str:
    """Return `manifests/yoga.yaml:3`; empty where no manifest is left."""
    return f"{change.source.path}:{change.source.line}" if change.source is not None else ""


def identity(item: Change | Drifted) -> str:
    """Return `id 123`; empty where the object has no id."""
    return f"id {item.shown_id}" if item.shown_id is not None else ""


def subject(plan: Plan) -> str:
    """Say which project, environment and objects the plan is about."""
    parts = [f"Project {plan.project}"]
    if plan.environment is not None:
        parts.append(f"environment {plan.environment}")
    if plan.selection.changed_since is not None:
        number = count(len(plan.selection.targets), "object")
        parts.append(f"only what changed since {plan.selection.changed_since} and what depends on it: {number}")
    elif plan.selection.targets:
        parts.append(f"only {', '.join(plan.selection.targets)}")
    if plan.selection.excludes:
        parts.append(f"without {', '.join(plan.selection.excludes)}")
    return ", ".join(parts)


def drift_subject(drift: Drift) -> str:
    """Say which project and environment a drift check is about; empty in a document of an older version."""
    where = f", environment {drift.environment}" if drift.environment is not None else ""
    return f"Project {drift.project}{where}" if drift.project else ""


def context(found: Context) -> str:
    """Say from what and where a run was started; empty where nothing is known."""
    parts = []
    if found.commit is not None:
        files = {True: "", False: ", with changes that are not committed", None: ""}[found.clean]
        parts.append(f"Commit {found.commit}{f' by {found.author}' if found.author else ''}{files}")
    parts += [f"branch {found.branch}"] if found.branch is not None else []
    parts += [f"pull request {found.pull_request}"] if found.pull_request is not None else []
    if found.system is not None:
        started = f" started by {found.actor}" if found.actor is not None else ""
        parts.append(f"{found.system}{started}{f' ({found.run_url})' if found.run_url else ''}")
    words = "; ".join(parts)
    return words[:1].upper() + words[1:]


def execution(run: Execution | None) -> str:
    """Say when and where a run took place; empty where that is not known."""
    if run is None:
        return ""
    return f"Run {run.id} on {run.host}, {run.started_at} to {run.ended_at} ({_span(run.seconds)})"


def label(item: Change | Outcome | Drifted) -> str:
    """Return an object's address and what customers know it by: `Session/class-007 "Yoga for all" · Mondays 11:00`."""
    if item.title is None:
        return str(item.address)
    return f"{item.address}{' ' if item.title.startswith(QUOTE) else ' · '}{commands.kept(item.title)}"


def plan_notes(plan: Plan) -> tuple[str, ...]:
    """Return what a reader must know in addition to the counts."""
    notes = [forecast(plan.forecast)] if plan.forecast.writes else []
    unverified = sum(len(change.unverified) for change in plan.changes)
    if unverified:
        verb, them = plural(unverified, "was", "were"), plural(unverified, "it", "them")
        fields = count(unverified, "field")
        notes.append(f"{fields} {verb} compared with what was last applied: the API does not return {them}.")
    alone = [change for change in plan.changes if change.shown_id is not None]  # one candidate each
    existing = sum(risk.code == EXISTS for change in alone for risk in change.risks)
    if existing > 1:
        notes.append(f"{existing} declared objects already exist. To adopt them all: `reconciler adopt --all`")
    if plan.summary["unknown"]:
        notes.append("Unknown objects are unchanged. The reason of each says why it is unknown.")
    if plan.errors:
        errors, them = len(plan.errors), plural(len(plan.errors), "it", "them")
        notes.append(f"{count(errors, 'error')}: nothing can be applied until you fix {them}.")
    return tuple(notes)


def forecast(found: Forecast) -> str:
    """Say how many writing calls there would be, and how long they take: `48 writes, about 1 min 10 s at 60/min`."""
    words = count(found.writes, "write")
    if found.seconds is None or found.per_minute is None:
        return f"{words}."
    about = "at least" if found.at_least else "about"
    return f"{words}, {about} {_span(found.seconds)} at {found.per_minute:g}/min ({found.connection})."


def _span(seconds: float) -> str:
    whole = max(1, round(seconds))
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def unread(plan: Plan) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """Return the objects that could not be read, by reason: one dead connection is one line, not sixty."""
    found = [change for change in plan.changes if change.action == "unknown" and not change.writes]
    return alike(found, lambda change: change.reason)


def alike(items: Iterable[_Item], words: Callable[[_Item], str]) -> tuple[tuple[str, tuple[_Item, ...]], ...]:
    """Return items by what is said of them."""
    found: dict[str, list[_Item]] = {}
    for item in items:
        found.setdefault(words(item), []).append(item)
    return tuple((said, tuple(members)) for said, members in found.items())


def details(change: Change, currency: str | None, *, fold: bool = True) -> tuple[tuple[str, str], ...]:
    """Return what a change means in addition to its fields, as pairs of a label and its text."""
    worth = bookings.stake(change, currency)
    touched = tuple(("touches", line) for line in bookings.slots(change, fold=fold))
    return (*touched, ("at stake", worth)) if worth is not None else touched


def blocked(plan: Plan, change: Change) -> str:
    """Say which guards block a change; empty where none does."""
    codes = plan.guarded.get(change.address)
    return f"⊘ blocked by {', '.join(codes)}" if codes else ""


class RiskLine(Struct, frozen=True, kw_only=True):
    """One risk of one change, as text."""

    change: Change
    blocks: bool
    """Whether it blocks apply: an override or an annotation may allow it."""
    words: str
    """What is at risk, and whether that is allowed."""
    facts: str
    """Who is affected: `4 booked, 1 reserved; slots 123456, 123457`; empty where nothing is known."""
    override: str | None
    """The option that would allow it; None where nothing would, or nothing has to."""
    shared: bool
    """Whether it is one to other objects, not to bookings."""
    code: str
    """The risk's code."""

    @property
    def sign(self) -> str:
        """The sign of a risk that blocks apply, or of one that warns."""
        return "✗" if self.blocks else "!"

    @property
    def label(self) -> str:
        """The sign and its meaning."""
        return f"{self.sign} {BLOCKS if self.blocks else 'warning'}"


def at_risk(plan: Plan) -> tuple[RiskLine, ...]:
    """Return every risk, those that block apply first.

    An object that already exists is left out: its change shows it, and so does the guard, with the command to adopt it.
    """
    found = [(change, risk) for change in plan.changes for risk in change.risks if risk.code != EXISTS]
    found.sort(key=lambda item: (not _blocks(plan, *item), item[1].level != "block"))
    return tuple(_risk_line(plan, change, risk) for change, risk in found)


def _blocks(plan: Plan, change: Change, risk: Risk) -> bool:
    return risk.level == "block" and f"guard-{risk.code}" in plan.guarded.get(change.address, ())


def _risk_line(plan: Plan, change: Change, risk: Risk) -> RiskLine:
    blocks = _blocks(plan, change, risk)
    people = [f"{number} {word}" for number, word in ((risk.booked, "booked"), (risk.reserved, "reserved")) if number]
    slots = [f"{plural(len(risk.slots), 'slot')} {', '.join(risk.slots)}"] if risk.slots else []
    return RiskLine(
        change=change,
        blocks=blocks,
        words=f"{risk.message}; allowed" if risk.level == "block" and not blocks else risk.message,
        facts="; ".join([", ".join(people)] * bool(people) + slots),
        override=risk.override if blocks else None,
        shared=risk.override == SHARED,
        code=risk.code,
    )


def risks_heading(risks: Iterable[RiskLine]) -> str:
    """Say what is at risk."""
    return "At risk" if any(line.shared for line in risks) else "Bookings at risk"


def overrides(risks: Iterable[RiskLine]) -> tuple[str, ...]:
    """Return the options that would allow the blocked changes."""
    return tuple(dict.fromkeys(f"{line.override} {line.change.address}" for line in risks if line.override is not None))


def outcome_words(outcome: Outcome) -> str:
    """Say how one object's change ended: `created (id 125, 1 call)`, `failed: …`."""
    if outcome.state == "applied":
        facts = [f"id {outcome.shown_id}"] if outcome.shown_id is not None else []
        facts += [count(outcome.calls, "call")] if outcome.calls else []
        return (
            done(outcome) + (f" ({', '.join(facts)})" if facts else "") + (f"; {outcome.error}" * bool(outcome.error))
        )
    if outcome.state == "blocked" and outcome.blocked_by is not None:
        return f"blocked by {outcome.blocked_by}"
    return f"{outcome.state}: {outcome.error}" if outcome.error else outcome.state


_RECORDED: Mapping[RecordCode, str] = {
    "protect": "metadata.protect",
    "baseline": "the last applied values",
    "undeclared": "which fields are compared",
    "settled": "the end of an earlier call",
    "moved": "the connection",
    "forgotten": "that it is no longer managed",
}
"""What a change without calls has recorded about an object."""


def done(outcome: Outcome) -> str:
    """Say what an applied change did: `created`."""
    if outcome.forget:
        return marks.FORGET.done
    if "forgotten" in outcome.record:
        return "no longer managed"
    if outcome.action == "noop" and outcome.moved_from is not None:
        return f"{marks.MOVE.done} from {outcome.moved_from}"
    if outcome.action == "noop" and outcome.record:
        return f"{marks.RECORD.done}: {', '.join(_RECORDED[code] for code in outcome.record)}"
    return marks.ACTIONS[outcome.action].done


def not_converged(change: Change) -> str:
    """Say what a new plan would still change of an object: `price 35.00 → 40.00, 2 more fields`, also in a document."""
    if change.action == "unknown":
        return change.reason
    shown = rows.of_change(change.action, change.fields, fold=False, zone=change.zone)
    steps = [f"{row.label} {row.step}" for row in (*shown.fields, *shown.slots)]
    if change.action != "update" or not steps:
        return f"to {marks.mark(change).label}: {change.reason}"
    more = f", and {count(len(steps) - STEPS, 'more field')}" if len(steps) > STEPS else ""
    return commands.written(", ".join(steps[:STEPS]) + more)


def allowed(allowances: Iterable[Allowance], without: Collection[Allowance] = ()) -> tuple[str, ...]:
    """Say which overrides allowed changes that guards would have blocked."""
    return tuple(f"allowed by {item.by}: {item.message}" for item in allowances if item not in without)


def shared_allowances(report: Report) -> tuple[Allowance, ...]:
    """Return the overrides that allowed several changes at once: a limit of the whole run is one line, not sixty."""
    counts = Counter(item for outcome in report.outcomes for item in outcome.allowed)
    return tuple(item for item, number in counts.items() if number > 1)


def not_started(report: Report, plan: Plan) -> tuple[Change, ...]:
    """Return the planned changes that have no outcome, because the run was interrupted."""
    reached = {outcome.address for outcome in report.outcomes}
    return tuple(change for change in plan.effective if change.address not in reached)


def advice(report: Report, plan: Plan) -> tuple[str, ...]:
    """Return what to do next after an apply that did not end well; empty after one that did."""
    if report.refused:
        return (
            "Nothing was written. Each refusal shows its setting and, if there is one, the option that overrides it.",
        )
    lines = []
    lost = sum(item.state == "unknown" and item.action != "unknown" for item in report.outcomes)
    if lost:
        lines.append(
            f"{plural(lost, 'Unknown object')}: the response to a call was lost, so the call may have been applied. "
            "Run `reconciler plan`: it reads the live objects first and does not repeat a call blindly."
        )
    if any(item.state == "unknown" and item.action == "unknown" for item in report.outcomes):
        lines.append("Objects that are unknown are unchanged. Run plan again once their reasons no longer apply.")
    if report.summary["failed"]:
        lines.append("Fix the errors and apply again; changes already applied are kept.")
    if report.summary["blocked"]:
        lines.append("The next apply continues with the blocked changes, after the changes that they depend on.")
    waiting = not_started(report, plan)
    if waiting:
        lines.append(f"{count(len(waiting), 'change')} {NOT_STARTED}; the next plan shows what is left.")
    return tuple(lines)


def drifted_words(item: Drifted) -> str:
    """Say what became of one object: `changed outside`, `missing: why`."""
    done = marks.SYNCS[item.status].done
    return f"{done}: {item.reason}" if item.reason else done


def drift_details(item: Drifted) -> tuple[tuple[str, str], ...]:
    """Return what else is known of the drift of one object, as (label, words)."""
    found = [("since", f"{item.since} (first seen)")] if item.since else []
    if item.applied is not None:
        found.append(("last applied", applied(item.applied)))
    if item.ignored is not None:
        found.append(("ignored", _ignored(item.ignored)))
    for each in item.fields:
        if each.ignored is not None:
            found.append(("ignored", f"{each.path}: {_ignored(each.ignored)}"))
        elif each.declared:
            found.append(("declared", f"{each.path}: the manifest has the live value; the next apply records it"))
        elif each.fight is not None:
            found.append(("fight", _fight(item, each.path, each.fight)))
    steps = zip(("to manage it, run", "then"), (f"`{line}`" for line in item.adopt), strict=False)
    return (*found, *steps)


def applied(applied: LastApplied) -> str:
    """Say when and by whom an object was last written."""
    who, url = _who(applied), applied.context.get("run_url")
    run = f", run {applied.run_id}" if applied.run_id else ""
    commit = f", commit {applied.context['commit']}" if "commit" in applied.context else ""
    return f"{applied.at}{f' by {who}' if who else ''}{run}{commit}{f', {url}' if url else ''}"


def _who(applied: LastApplied) -> str:
    """Return the person whom a pipeline names, or else the user and the host."""
    context = applied.context
    user, host = context.get("holder", ""), context.get("host")
    return context.get("actor") or (f"{user} on {host}" if user and host else user)


def _ignored(ignored: Ignored) -> str:
    return ignored.reason + (f" (until {ignored.until})" if ignored.until else "")


def _fight(item: Drifted, path: str, fight: Fight) -> str:
    who = _who(item.applied) if item.applied is not None else ""
    ours, theirs = (values.words(side) for side in (fight.applied, fight.live))
    sides = f"{ours} (applied{f' by {who}' if who else ''}) and {theirs} (outside)"
    return (
        f"{path} has changed {fight.changes} times between {sides} since {fight.since}. Stop one side: "
        f"an entry in drift.ignore, `reconciler drift --accept {item.address}`, or ask who changes it"
    )
