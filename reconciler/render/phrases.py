"""The sentences that text, Markdown and HTML share, so that no two of them say different things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from reconciler.model.change import IDLE, Action, Change
from reconciler.model.plan import Forecast, Plan
from reconciler.model.report import Allowance, Drift, Drifted, Outcome, Report, State, Sync, Verification
from reconciler.model.risk import Risk
from reconciler.render import rows

EXISTS = "already-exists"
"""The risk's code of a creation that would double a live object."""

STEPS = 6
"""Fields of one object that has not converged which are named."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one action or state looks: a sign, a colour's name, and the word for "has been done"."""

    sign: str
    style: str
    done: str = ""


ACTIONS: dict[Action, Mark] = {
    "create": Mark("+", "green", "created"),
    "update": Mark("~", "yellow", "updated"),
    "replace": Mark("-/+", "magenta", "replaced"),
    "delete": Mark("-", "red", "deleted"),
    "adopt": Mark("←", "cyan", "adopted"),
    "noop": Mark(" ", "dim", "unchanged"),
    "unknown": Mark("?", "blue", "left alone"),
}

MOVE = Mark("→", "cyan", "moved")
FORGET = Mark("=", "magenta", "forgotten; the live object is left alone")

STATES: dict[State, Mark] = {
    "applied": Mark("✓", "green"),
    "failed": Mark("✗", "red"),
    "blocked": Mark("⊘", "yellow"),
    "unknown": Mark("?", "blue"),
    "noop": Mark(" ", "dim"),
}

SYNCS: dict[Sync, Mark] = {
    "changed": Mark("~", "yellow", "changed outside"),
    "missing": Mark("-", "red", "missing"),
    "expired": Mark("!", "magenta", "expired"),
    "unknown": Mark("?", "blue", "unknown"),
    "in_sync": Mark(" ", "dim", "in sync"),
}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 call`, `2 calls`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def place(change: Change) -> str:
    """Return `manifests/yoga.yaml:3`, or nothing where no manifest is left."""
    return f"{change.source.path}:{change.source.line}" if change.source is not None else ""


def subject(plan: Plan) -> str:
    """Say which project, environment and objects the plan is about."""
    parts = [f"Project {plan.project}"]
    if plan.environment is not None:
        parts.append(f"environment {plan.environment}")
    if plan.selection.targets:
        parts.append(f"only {', '.join(plan.selection.targets)}")
    if plan.selection.excludes:
        parts.append(f"without {', '.join(plan.selection.excludes)}")
    return ", ".join(parts)


def mark(change: Change) -> Mark:
    """Return how a change looks: what is done to its record counts where nothing is done to the live object."""
    if change.forget:
        return FORGET
    return MOVE if change.bookkeeping and change.action == "noop" else ACTIONS[change.action]


def deed(change: Change) -> str:
    """Return what a change does in one word: its action, or what becomes of its record."""
    if change.forget:
        return "forget"
    return "move" if change.bookkeeping and change.action == "noop" else change.action


def counts(plan: Plan) -> dict[str, tuple[Mark, int]]:
    """Return how many objects each deed concerns; moves and forgetting only where there are any."""
    found: dict[str, tuple[Mark, int]] = {action: (mark, plan.summary[action]) for action, mark in ACTIONS.items()}
    for word, sign in (("move", MOVE), ("forget", FORGET)):
        number = sum(deed(change) == word for change in plan.changes)
        if number:
            found[word] = (sign, number)
            found["noop"] = (ACTIONS["noop"], found["noop"][1] - number)
    return found


def plan_headline(plan: Plan) -> str:
    """Return the summary line of a plan."""
    if plan.effective or plan.summary["unknown"] or plan.errors:
        name = "Destroy plan" if plan.purpose == "destroy" else "Plan"
        todo = ", ".join(f"{number} to {step}" for step, (_, number) in counts(plan).items() if step not in IDLE)
        return f"{name}: {todo}; {_unchanged(plan)}."
    return _nothing_to_do(plan)


def _unchanged(plan: Plan) -> str:
    found = counts(plan)
    unread = f", {found['unknown'][1]} unknown" if found["unknown"][1] else ""
    return f"{found['noop'][1]} unchanged{unread}"


def _nothing_to_do(plan: Plan) -> str:
    idle = [change for change in plan.changes if change.action == "noop"]
    unmanaged = sum(change.shown_id is None for change in idle)
    over = sum(change.expired and change.shown_id is not None for change in idle)
    matching = len(idle) - unmanaged - over
    words = []
    if matching:
        words.append(f"{counted(matching, 'object')} {'matches' if matching == 1 else 'match'} the live timetable")
    for number, what in ((over, "expired"), (unmanaged, "forgotten and left alone")):
        if number:
            words.append(f"{number if words else counted(number, 'object')} {what}")
    if words:
        return f"No changes. {'; '.join(words)}."
    if not plan.selection.everything:
        return "No changes. No object is in the selection."
    return "Nothing to destroy." if plan.purpose == "destroy" else "No changes. No objects are declared or managed."


def plan_notes(plan: Plan) -> tuple[str, ...]:
    """Return what a reader must know beside the counts."""
    notes = [forecast(plan.forecast)] if plan.forecast.writes else []
    unverified = sum(len(change.unverified) for change in plan.changes)
    if unverified:
        verb, them = ("was", "it") if unverified == 1 else ("were", "them")
        fields = counted(unverified, "field")
        notes.append(f"{fields} {verb} compared with what was last applied: the API does not answer {them}.")
    there = sum(risk.code == EXISTS for change in plan.changes for risk in change.risks)
    if there > 1:
        notes.append(f"{there} declared objects exist already; to take them over at once: reconciler adopt --all")
    if plan.summary["unknown"]:
        notes.append("Unknown objects could not be read; nothing is done to them.")
    if plan.errors:
        them = "it is" if len(plan.errors) == 1 else "they are"
        notes.append(f"{counted(len(plan.errors), 'error')}: nothing can be applied until {them} mended.")
    return tuple(notes)


def forecast(found: Forecast) -> str:
    """Say how many writing calls there would be, and how long they take: `48 writes, about 1 min 10 s at 60/min`."""
    words = counted(found.writes, "write")
    if found.seconds is None:
        return f"{words}."
    about = "at least" if found.at_least else "about"
    return f"{words}, {about} {_span(found.seconds)} at {found.per_minute:g}/min ({found.connection})."


def _span(seconds: float) -> str:
    whole = max(1, round(seconds))
    parts = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def unread(plan: Plan) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    """Return the objects that are not known, by reason: one dead connection is one line, not sixty."""
    reasons: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.action == "unknown" and not change.writes:
            reasons.setdefault(change.reason, []).append(change)
    return tuple((reason, tuple(changes)) for reason, changes in reasons.items())


def at_risk(plan: Plan) -> tuple[tuple[Change, Risk], ...]:
    """Return every risk with its change, those that stop an apply first.

    What exists already is told with its change, and once more by the guard, with the command that takes it over.
    """
    risks = [(change, risk) for change in plan.changes for risk in change.risks if risk.code != EXISTS]
    return tuple(sorted(risks, key=lambda item: (not stops(plan, *item), item[1].level != "block")))


def stops(plan: Plan, change: Change, risk: Risk) -> bool:
    """Whether a risk stops the apply: one that a flag or an annotation lets through does not."""
    return risk.level == "block" and f"guard-{risk.code}" in plan.guarded.get(change.address, ())


def risk_words(plan: Plan, change: Change, risk: Risk) -> str:
    """Say what is at risk, and whether that is let through."""
    through = risk.level == "block" and not stops(plan, change, risk)
    return f"{risk.message}; let through" if through else risk.message


def guarded(plan: Plan, change: Change) -> tuple[str, ...]:
    """Say that guards stop a change, by their codes; nothing where none does."""
    codes = plan.guarded.get(change.address)
    return (f"⊘ blocked by {', '.join(codes)}",) if codes else ()


def risk_facts(risk: Risk) -> str:
    """Say who is affected: `4 booked, 1 reserved; slots 123456, 123457`."""
    people = [f"{number} {word}" for number, word in ((risk.booked, "booked"), (risk.reserved, "reserved")) if number]
    noun = "slot" if len(risk.slots) == 1 else "slots"
    slots = [f"{noun} {', '.join(risk.slots)}"] if risk.slots else []
    return "; ".join([", ".join(people)] * bool(people) + slots)


def allowances(plan: Plan) -> tuple[str, ...]:
    """Return the options that would let the blocked changes through."""
    blocked = dict.fromkeys(
        str(change.address) for change, risk in at_risk(plan) if stops(plan, change, risk) and risk.about_bookings
    )
    return tuple(f"--allow-booked {address}" for address in blocked)


def report_headline(report: Report) -> str:
    """Return the summary line of an apply."""
    counts = report.summary
    todo = ", ".join(f"{state} {counts[state]}" for state in ("applied", "failed", "blocked", "unknown"))
    start = "Refused before the first write. " if report.refused else "Interrupted. " if report.interrupted else ""
    return f"{start}{todo[0].upper()}{todo[1:]}; {counts['noop']} unchanged."


def outcome_words(outcome: Outcome) -> str:
    """Say how one object's change ended: `created (id 125, 1 call)`, `failed: …`."""
    if outcome.state == "applied":
        facts = [f"id {outcome.shown_id}"] if outcome.shown_id is not None else []
        facts += [counted(outcome.calls, "call")] if outcome.calls else []
        return _done(outcome) + (f" ({', '.join(facts)})" if facts else "")
    if outcome.state == "blocked" and outcome.blocked_by is not None:
        return f"blocked by {outcome.blocked_by}"
    return f"{outcome.state}: {outcome.error}" if outcome.error else outcome.state


def not_converged(change: Change) -> str:
    """Say what a new plan would still change of an object: `price 35.00 → 40.00, 2 more fields`."""
    if change.action == "unknown":
        return change.reason
    shown = rows.of_change(change.action, change.fields, fold=False, zone=change.zone)
    steps = [f"{row.label} {row.step}" for row in (*shown.fields, *shown.slots)]
    if change.action != "update" or not steps:
        return f"to {deed(change)}: {change.reason}"
    more = f", and {counted(len(steps) - STEPS, 'more field')}" if len(steps) > STEPS else ""
    return ", ".join(steps[:STEPS]) + more


def verified_headline(found: Verification) -> str:
    """Say how a verification ended."""
    if not found.left:
        return "Verified: a new plan of the whole project is empty."
    return f"Not converged: {counted(len(found.left), 'object')}; see what the server made of what it was sent."


def let_through(allowed: Iterable[Allowance], without: Collection[Allowance] = ()) -> tuple[str, ...]:
    """Say what let changes past the guards that would have stopped them."""
    return tuple(f"let through by {item.by}: {item.message}" for item in allowed if item not in without)


def shared_allowances(report: Report) -> tuple[Allowance, ...]:
    """Return what let several changes at once past a guard: a limit of the whole run is one line, not sixty."""
    counted = Counter(item for outcome in report.outcomes for item in outcome.allowed)
    return tuple(item for item, count in counted.items() if count > 1)


def _done(outcome: Outcome) -> str:
    if outcome.forget:
        return FORGET.done
    if outcome.action == "noop" and outcome.moved_from is not None:
        return f"{MOVE.done} from {outcome.moved_from}"
    return ACTIONS[outcome.action].done


def not_started(report: Report, plan: Plan) -> tuple[Change, ...]:
    """Return planned changes that have no outcome: an interrupted run never came to them."""
    reached = {outcome.address for outcome in report.outcomes}
    return tuple(change for change in plan.effective if change.address not in reached)


def advice(report: Report, plan: Plan) -> tuple[str, ...]:
    """Return what to do next after an apply that did not end well; empty after one that did."""
    lines = []
    lost = [item for item in report.outcomes if item.state == "unknown" and item.action != "unknown"]
    if lost:
        what, verb = ("Unknown object", "was") if len(lost) == 1 else ("Unknown objects", "were")
        lines.append(
            f"{what}: the answer to a call {verb} lost, so it may have been carried out. "
            "Run `reconciler plan`: it looks first and repeats nothing blindly."
        )
    if any(item.state == "unknown" and item.action == "unknown" for item in report.outcomes):
        lines.append("Objects that could not be read were left alone; plan again when their system answers.")
    if report.summary["failed"]:
        lines.append("Mend what failed, then plan and apply again: what was applied stays applied.")
    if report.refused:
        return ("Nothing was written. Each refusal names its setting and what lets it through, if anything does.",)
    if report.summary["blocked"]:
        lines.append("Blocked objects follow on the next apply, once what they wait for is there.")
    waiting = not_started(report, plan)
    if waiting:
        lines.append(f"{counted(len(waiting), 'change')} not started; the next plan shows what is left.")
    return tuple(lines)


def drift_headline(drift: Drift) -> str:
    """Return the summary line of a drift check."""
    counts = drift.summary
    if not drift.objects:
        return "No drift. No objects are managed."
    if counts["in_sync"] == len(drift.objects):
        verb = "is" if counts["in_sync"] == 1 else "are"
        seen = "No drift" if drift.coverage["fields"] == drift.coverage["verifiable"] else "No drift seen"
        return f"{seen}. {counted(counts['in_sync'], 'object')} {verb} as last applied."
    states = ", ".join(f"{counts[state]} {state}" for state in ("changed", "missing", "expired", "unknown"))
    return f"Drift: {states}; {counts['in_sync']} in sync."


def drift_coverage(drift: Drift) -> str:
    """Say what share of the applied fields could be looked at; rounded down, so 100 % means all."""
    fields, verifiable = drift.coverage["fields"], drift.coverage["verifiable"]
    if not fields:
        return "There are no applied fields to verify."
    if fields == verifiable:
        return f"Verified all {counted(fields, 'applied field')}."
    why = "the API does not answer"
    if drift.summary["unknown"]:
        why += " or could not be read"
    share = 100 * verifiable // fields
    return f"Verified {verifiable} of {fields} applied fields ({share} %); the rest {why}: a change there is not seen."


def drifted_words(item: Drifted) -> str:
    """Say what became of one object: `changed outside`, `missing: why`."""
    done = SYNCS[item.status].done
    return f"{done}: {item.reason}" if item.reason else done
