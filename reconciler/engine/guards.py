"""What stops a plan before its first write: each guard says the value, the limit, where it is set, and the way on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from reconciler.model.canonical import now
from reconciler.model.change import Change
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.plan import Plan
from reconciler.model.report import Allowance, Outcome, Report, State
from reconciler.model.risk import RISKS, Risk
from reconciler.settings import Policy

PERCENT_FROM = 10
"""Below this many managed objects a share of them says nothing (contract, policy.max_change_percent)."""

ALLOW_UNTIL = "allow-booked-until"
"""The annotation that lets a declared object's risks through, up to and including a day in UTC."""

SHARED = "guard-managed-elsewhere"
"""The code of what another project or environment in the same state manages."""

Identity = tuple[str, str, str]
"""Which live object something is: target, kind and remote id."""

_NOT_STARTED = "not started, because the run was refused"
_REACHING = frozenset({"update", "replace", "delete", "adopt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What this run was allowed beyond the project's policy, each by a flag of its own; addresses are globs."""

    allow_booked: tuple[str, ...] = ()
    allow_shared: tuple[str, ...] = ()
    max_deletes: int | None = None
    max_change_percent: float | None = None
    allow_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one guard found: the problem, the objects it concerns, and what lets it through (None: nothing does)."""

    problem: Problem
    concerns: tuple[Address, ...]
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all guards found about one plan; `notes` are warnings about annotations that let something through."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """Why the plan must not be carried out; empty where it may."""
        return tuple(finding.problem for finding in self.findings if finding.by is None)

    def _by_object(self) -> Mapping[Address, tuple[Finding, ...]]:
        """Return the findings by the objects they concern: a limit may concern every object of a large plan."""
        found: dict[Address, list[Finding]] = {}
        for finding in self.findings:
            for address in finding.concerns:
                found.setdefault(address, []).append(finding)
        return {address: tuple(findings) for address, findings in found.items()}

    def marked(self, plan: Plan, *, warn: bool) -> Plan:
        """Return the plan with each guarded change marked; with `warn` it also says what an apply would refuse."""
        warnings = tuple(
            replace(item, severity="warning", summary=f"apply would refuse: {item.summary}") for item in self.refusals
        )
        found = self._by_object()
        changes = tuple(
            replace(change, guarded=tuple(dict.fromkeys(item.code for item in _against(found.get(change.address, ())))))
            for change in plan.changes
        )
        problems = (*plan.problems, *self.notes, *(warnings if warn else ()))
        return replace(plan, changes=changes, problems=problems)

    def recorded(self, report: Report) -> Report:
        """Return the report of an apply with what let each of its objects through."""
        found = self._by_object()
        outcomes = tuple(replace(item, allowed=_allowed(found.get(item.address, ()))) for item in report.outcomes)
        return replace(report, outcomes=outcomes)

    def refused(self, plan: Plan, plan_digest: str) -> Report:
        """Return the report of a run that these findings stopped before its first write."""
        found = self._by_object()
        outcomes = tuple(_held_back(change, found.get(change.address, ())) for change in plan.changes)
        return Report(plan_digest=plan_digest, outcomes=outcomes, refused=True)


def _against(findings: Sequence[Finding]) -> tuple[Problem, ...]:
    return tuple(item.problem for item in findings if item.by is None)


def _allowed(findings: Sequence[Finding]) -> tuple[Allowance, ...]:
    return tuple(
        Allowance(code=item.problem.code, by=item.by, message=item.problem.summary)
        for item in findings
        if item.by is not None
    )


def _held_back(change: Change, findings: Sequence[Finding]) -> Outcome:
    against = "; ".join(words for item in _against(findings) for words in (item.summary, item.hint) if words)
    idle: State = "noop" if change.action == "noop" else "unknown"
    return Outcome(
        address=change.address,
        action=change.action,
        state="blocked" if change.writes else idle,
        shown_id=change.shown_id,
        error=(against or _NOT_STARTED) if change.writes else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the guards look at.

    `others` names who else in the same state manages a live object; `manifests_at` is where the project says where
    its manifests are; `today` is in UTC.
    """

    plan: Plan
    policy: Policy
    overrides: Overrides
    others: Mapping[Identity, tuple[str, ...]] = field(default_factory=dict)
    manifests_at: SourceRef | None = None
    today: str = field(default_factory=lambda: now()[:10])


def judge(case: Case) -> Verdict:
    """Evaluate every guard; nothing has been written yet."""
    findings = (
        *_nothing_declared(case),
        *_too_many_deletes(case),
        *_too_many_changes(case),
        *_protected(case),
        *_shared(case),
        *_risky(case),
    )
    return Verdict(findings=findings, notes=tuple(_annotations(case, findings)))


def _place(where: SourceRef | None, setting: str) -> str:
    return f"{setting} at {where.path}:{where.line}" if where else f"the default of {setting}"


def _named(address: Address, patterns: tuple[str, ...], flag: str) -> str | None:
    """Return the flag as it was given for an address, None where no pattern names it."""
    return next((f"{flag} {pattern}" for pattern in patterns if fnmatchcase(str(address), pattern)), None)


def _addresses(changes: list[Change]) -> tuple[Address, ...]:
    return tuple(change.address for change in changes)


def _nothing_declared(case: Case) -> Iterator[Finding]:
    plan = case.plan
    managed = plan.managed - sum(change.forget and change.record is not None for change in plan.changes)
    if plan.purpose == "apply" and managed and not plan.declared:
        count = "1 object is" if managed == 1 else f"{managed} objects are"
        place = f" ({_place(case.manifests_at, 'spec.manifests')})" if case.manifests_at is not None else ""
        problem = Problem(
            code="guard-empty",
            summary=f"no manifest declares anything{place}, while {count} managed; expected at least one",
            hint="check spec.manifests; to delete everything on purpose: reconciler destroy, or --allow-empty",
            where=case.manifests_at,
        )
        by = "--allow-empty" if case.overrides.allow_empty else None
        yield Finding(problem=problem, concerns=_addresses(_deletions(plan)), by=by)


def _deletions(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.action in {"delete", "replace"} and change.live is not None]


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit that is overstepped, where it is set, and the flag that lets the run through all the same."""

    value: float
    place: str
    by: str | None


def _overstepped(
    allowed: float, stated: float | None, exceeds: Callable[[float], bool], *, flag: str, place: str
) -> _Limit | None:
    """Hold a count against the policy and against the flag of this run; None where it is within both."""
    if stated is not None and exceeds(stated):
        return _Limit(stated, flag, None)
    if not exceeds(allowed):
        return None
    return _Limit(allowed, place, None if stated is None else f"{flag} {stated:.15g}")


def _too_many_deletes(case: Case) -> Iterator[Finding]:
    found, policy = _deletions(case.plan), case.policy
    count = len(found)
    limit = _overstepped(
        policy.max_deletes,
        case.overrides.max_deletes,
        lambda most: count > most,
        flag="--max-deletes",
        place=_place(policy.max_deletes_at, "policy.max_deletes"),
    )
    if limit is None:
        return
    problem = Problem(
        code="guard-max-deletes",
        summary=f"{count} objects would be deleted, more than the limit of {limit.value} ({limit.place})",
        hint=f"to let this run through: --max-deletes {count}",
        where=policy.max_deletes_at,
    )
    yield Finding(problem=problem, concerns=_addresses(found), by=limit.by)


def _too_many_changes(case: Case) -> Iterator[Finding]:
    plan, policy = case.plan, case.policy
    if plan.managed < PERCENT_FROM or plan.purpose == "destroy":
        return  # to destroy is to change everything: the absolute limit above still holds
    found = [
        change
        for change in plan.changes
        if change.record is not None
        and (change.action in {"update", "replace"} or (change.action == "delete" and change.live is not None))
    ]
    count = len(found)
    limit = _overstepped(
        policy.max_change_percent,
        case.overrides.max_change_percent,
        lambda most: count * 100 > Decimal(str(most)) * plan.managed,
        flag="--max-change-percent",
        place=_place(policy.max_change_percent_at, "policy.max_change_percent"),
    )
    if limit is None:
        return
    share = -(-count * 100 // plan.managed)
    problem = Problem(
        code="guard-max-change-percent",
        summary=(
            f"{count} of {plan.managed} managed objects ({share} %) would change, "
            f"more than the limit of {limit.value:.15g} % ({limit.place})"
        ),
        hint=f"to let this run through: --max-change-percent {share}",
        where=policy.max_change_percent_at,
    )
    yield Finding(problem=problem, concerns=_addresses(found), by=limit.by)


def _protected(case: Case) -> Iterator[Finding]:
    for change in _deletions(case.plan):
        declared = change.desired is not None and change.desired.protect
        recorded = change.record is not None and change.record.protect
        if not declared and not recorded:
            continue
        verb = "replaced" if change.action == "replace" else "deleted"
        place = f"metadata.protect at {change.source.path}:{change.source.line}" if change.source else None
        kept = "metadata.protect: true is kept in the state, with or without a manifest"
        problem = Problem(
            code="guard-protected",
            summary=f"is protected ({place if declared and place else kept}), yet would be {verb}; expected to stay",
            hint=(
                "no flag lifts it; it takes two reviewed steps: declare it with metadata.protect: false and apply "
                "that, then remove it and apply again"
            ),
            where=change.source,
            address=change.address,
        )
        yield Finding(problem=problem, concerns=(change.address,))


def shared(identity: Identity, address: Address, others: Mapping[Identity, tuple[str, ...]]) -> Problem | None:
    """Say who else in the same state manages a live object; None where nobody does."""
    owners = others.get(identity, ())
    if not owners:
        return None
    return Problem(
        code=SHARED,
        summary=f"is managed by {' and '.join(owners)} as well, in the same state; expected one project to manage it",
        hint=f"have one of them forget it (reconciler state rm); to go on all the same: --allow-shared {address}",
        address=address,
    )


def _shared(case: Case) -> Iterator[Finding]:
    for change in case.plan.changes:
        record = change.record
        if record is None or not change.calls or change.action not in _REACHING:
            continue
        problem = shared((record.target, change.address.kind, record.remote_id), change.address, case.others)
        if problem is not None:
            by = _named(change.address, case.overrides.allow_shared, "--allow-shared")
            yield Finding(problem=replace(problem, where=change.source), concerns=(change.address,), by=by)


def _risky(case: Case) -> Iterator[Finding]:
    for change in case.plan.changes:
        by = _named(change.address, case.overrides.allow_booked, "--allow-booked") or _annotation(change, case.today)
        for risk in change.risks:
            if risk.level != "block":
                continue
            problem = Problem(
                code=f"guard-{risk.code}",
                summary=risk.message + _setting(risk, case.policy),
                hint=f"to let it through: --allow-booked {change.address}" if risk.about_bookings else None,
                where=change.source,
                address=change.address,
            )
            yield Finding(problem=problem, concerns=(change.address,), by=by if risk.about_bookings else None)


def _setting(risk: Risk, policy: Policy) -> str:
    """Say which setting makes a risk stop an apply, and where it stands."""
    if not risk.about_bookings or risk.code not in RISKS:
        return ""
    where = policy.risks_at.get(risk.code)
    stands = f" at {where.path}:{where.line}" if where else ", the default"
    return f" (policy.risks.{risk.code} is block{stands})"


def _until(change: Change) -> str | None:
    return change.desired.annotations.get(ALLOW_UNTIL) if change.desired is not None else None


def _annotation(change: Change, today: str) -> str | None:
    """Return the annotation that lets a declared object's risks through, None where there is none in force."""
    until = _until(change)
    in_force = until is not None and date.fromisoformat(until) >= date.fromisoformat(today)
    return f"annotation {ALLOW_UNTIL} {until}" if in_force else None


def _annotations(case: Case, findings: tuple[Finding, ...]) -> Iterator[Problem]:
    """Warn of every risk that an annotation lets through, and of annotations whose day is over."""
    for finding in findings:
        if finding.by is not None and finding.by.startswith("annotation "):
            what = finding.problem
            summary = f"{finding.by} lets through: {what.summary}"
            yield replace(what, code="allowed-by-annotation", severity="warning", summary=summary, hint=None)
    for change in case.plan.changes:
        until = _until(change)
        if until is not None and _annotation(change, case.today) is None:
            yield Problem(
                code="annotation-passed",
                severity="warning",
                summary=f"annotation {ALLOW_UNTIL} {until} has passed (today is {case.today}) and lets nothing through",
                hint="remove it, or state a later day",
                where=change.source,
                address=change.address,
            )
