"""What stops a plan before its first write. Each guard states the value, the limit, its source, and the override."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal

from reconciler.engine.verdict import Finding, Verdict
from reconciler.model.canonical import now
from reconciler.model.change import DESTRUCTIVE, EDITING, Change
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.plan import Plan
from reconciler.model.risk import RISKS, Risk
from reconciler.model.words import count
from reconciler.settings import Policy

PERCENT_FROM = 10
"""Managed objects from which `policy.max_change_percent` applies: a share of fewer has no meaning (contract)."""

ALLOW_UNTIL = "allow-booked-until"
"""The annotation that allows the risks of a declared object, up to and including a day in UTC."""

SHARED = "guard-managed-elsewhere"
"""The code of a problem with an object that another project or environment in the same state manages."""

Identity = tuple[str, str, str]
"""What identifies a live object: target, kind and remote id."""

_REACHING = EDITING | DESTRUCTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What one run allows beyond the project's policy. Each field is an option of the same name."""

    allow_booked: tuple[str, ...] = ()
    """Objects (globs) whose risks to bookings are accepted."""
    allow_shared: tuple[str, ...] = ()
    """Objects (globs) that may be written although another project in the same state manages them."""
    max_deletes: int | None = None
    """Replaces `policy.max_deletes`."""
    max_change_percent: float | None = None
    """Replaces `policy.max_change_percent`."""
    allow_empty: bool = False
    """Accept that the manifests declare no objects."""

    def flags(self) -> tuple[str, ...]:
        """Return the overrides as a user would type them: a saved plan does not contain them."""
        found: list[str] = []
        for name, value in self._given():
            if isinstance(value, tuple):
                found += [f"{name} {shlex.quote(pattern)}" for pattern in value]
            else:
                found.append(name if value is True else f"{name} {value:.15g}")
        return tuple(found)

    def unmatched(self, addresses: Iterable[Address]) -> str | None:
        """Return the first glob that matches none of the addresses, with its option; None where each matches one."""
        known = tuple(addresses)
        for name, value in self._given():
            for pattern in value if isinstance(value, tuple) else ():
                if not any(address.matches(pattern) for address in known):
                    return f"{name} {pattern}"
        return None

    def _given(self) -> Iterator[tuple[str, tuple[str, ...] | float]]:
        for item in fields(self):
            value: tuple[str, ...] | float | None = getattr(self, item.name)
            if value is not None and value is not False:
                yield f"--{item.name.replace('_', '-')}", value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the guards look at."""

    plan: Plan
    policy: Policy
    overrides: Overrides
    others: Mapping[Identity, tuple[str, ...]] = field(default_factory=dict)
    """Which other projects in the same state manage a live object."""
    manifests_at: SourceRef | None = None
    """Where the project file names its manifests."""
    today: str = field(default_factory=lambda: now()[:10])
    """A day in UTC."""


def judge(case: Case) -> Verdict:
    """Evaluate every guard; nothing has been written yet."""
    findings = tuple(finding for guard in GUARDS for finding in guard(case))
    return Verdict(findings=findings, notes=(*_allowed_by_annotation(findings), *_expired_annotations(case)))


def _place(policy: Policy, setting: str) -> str:
    where = policy.set_at.get(setting)
    return f"policy.{setting} at {where.path}:{where.line}" if where else f"the default of policy.{setting}"


def _named(address: Address, patterns: tuple[str, ...], flag: str) -> str | None:
    """Return the flag, as the user gave it, that matches an address; None where none does."""
    return next((f"{flag} {pattern}" for pattern in patterns if address.matches(pattern)), None)


def _addresses(changes: list[Change]) -> tuple[Address, ...]:
    return tuple(change.address for change in changes)


def _nothing_declared(case: Case) -> Iterator[Finding]:
    plan = case.plan
    managed = plan.managed - sum(change.forget and change.record is not None for change in plan.changes)
    if plan.purpose == "apply" and managed and not plan.declared:
        where = case.manifests_at
        place = f" (spec.manifests at {where.path}:{where.line})" if where is not None else ""
        problem = Problem(
            code="guard-empty",
            summary=f"the manifests declare no objects{place}, but the state has {count(managed, 'managed object')}",
            hint="check spec.manifests; to delete everything: reconciler destroy, or apply with --allow-empty",
            where=where,
        )
        by = "--allow-empty" if case.overrides.allow_empty else None
        yield Finding(problem=problem, concerns=_addresses(_deletions(plan)), by=by)


def _deletions(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.destroys]


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit that a plan exceeds."""

    value: float
    place: str
    """Where it is set."""
    by: str | None
    """The flag that allows the run."""


def _exceeded(case: Case, setting: str, exceeds: Callable[[float], bool]) -> _Limit | None:
    """Compare a plan with a setting of the policy and the option of the same name; None where it is within both."""
    flag = f"--{setting.replace('_', '-')}"
    allowed: float = getattr(case.policy, setting)
    stated: float | None = getattr(case.overrides, setting)
    if stated is not None and exceeds(stated):
        return _Limit(stated, flag, None)
    if not exceeds(allowed):
        return None
    return _Limit(allowed, _place(case.policy, setting), None if stated is None else f"{flag} {stated:.15g}")


def _too_many_deletes(case: Case) -> Iterator[Finding]:
    found = _deletions(case.plan)
    limit = _exceeded(case, "max_deletes", lambda most: len(found) > most)
    if limit is None:
        return
    problem = Problem(
        code="guard-max-deletes",
        summary=f"{count(len(found), 'object')} would be deleted, more than the limit of {limit.value} ({limit.place})",
        hint=f"to allow this run: --max-deletes {len(found)}",
        where=case.policy.set_at.get("max_deletes"),
    )
    yield Finding(problem=problem, concerns=_addresses(found), by=limit.by)


def _too_many_changes(case: Case) -> Iterator[Finding]:
    plan = case.plan
    if plan.managed < PERCENT_FROM or plan.purpose == "destroy":
        return  # destroy changes every object: the limit on deletions still applies
    found = [
        change
        for change in plan.changes
        if change.record is not None and (change.action == "update" or change.destroys)
    ]
    changed = len(found)
    limit = _exceeded(case, "max_change_percent", lambda most: changed * 100 > Decimal(str(most)) * plan.managed)
    if limit is None:
        return
    share = -(-changed * 100 // plan.managed)
    problem = Problem(
        code="guard-max-change-percent",
        summary=(
            f"{changed} of {plan.managed} managed objects ({share} %) would change, "
            f"more than the limit of {limit.value:.15g} % ({limit.place})"
        ),
        hint=f"to allow this run: --max-change-percent {share}",
        where=case.policy.set_at.get("max_change_percent"),
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
        kept = "metadata.protect: true in the state, which also applies after the manifest is removed"
        problem = Problem(
            code="guard-protected",
            summary=f"is protected ({place if declared and place else kept}) and cannot be {verb}",
            hint=(
                "no flag overrides this. It takes two reviewed steps: declare it with metadata.protect: false "
                "and apply; then remove it and apply again"
            ),
            where=change.source,
            address=change.address,
        )
        yield Finding(problem=problem, concerns=(change.address,))


def shared(identity: Identity, address: Address, others: Mapping[Identity, tuple[str, ...]]) -> Problem | None:
    """Report the other projects in the same state that manage a live object; None where none does."""
    owners = others.get(identity, ())
    if not owners:
        return None
    return Problem(
        code=SHARED,
        summary=f"is also managed by {' and '.join(owners)} in the same state; expected one project to manage it",
        hint=f"stop managing it in one of them (reconciler state rm); to override: --allow-shared {address}",
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
        by = _named(change.address, case.overrides.allow_booked, "--allow-booked")
        annotation = _annotation(change, case.today) if by is None else None
        for risk in change.risks:
            if risk.level != "block":
                continue
            problem = Problem(
                code=f"guard-{risk.code}",
                summary=risk.message + _setting(risk, case.policy),
                hint=f"to allow it: --allow-booked {change.address}" if risk.about_bookings else None,
                where=change.source,
                address=change.address,
            )
            yield Finding(
                problem=problem,
                concerns=(change.address,),
                by=by or annotation if risk.about_bookings else None,
                annotated=annotation is not None and risk.about_bookings,
            )


def _setting(risk: Risk, policy: Policy) -> str:
    """Say which setting makes a risk block apply, and where it is."""
    if not risk.about_bookings or risk.code not in RISKS:
        return ""
    where = policy.risks_at.get(risk.code)
    place = f" at {where.path}:{where.line}" if where else ", the default"
    return f" (policy.risks.{risk.code} is block{place})"


def _until(change: Change) -> str | None:
    return change.desired.annotations.get(ALLOW_UNTIL) if change.desired is not None else None


def _annotation(change: Change, today: str) -> str | None:
    """Return the annotation that allows a declared object's risks; None where there is none in force."""
    until = _until(change)
    in_force = until is not None and date.fromisoformat(until) >= date.fromisoformat(today)
    return f"annotation {ALLOW_UNTIL} {until}" if in_force else None


def _allowed_by_annotation(findings: Iterable[Finding]) -> Iterator[Problem]:
    """Warn of every risk that an annotation allows."""
    for finding in findings:
        if finding.annotated:
            what = finding.problem
            summary = f"{finding.by} allows: {what.summary}"
            yield replace(what, code="allowed-by-annotation", severity="warning", summary=summary, hint=None)


def _expired_annotations(case: Case) -> Iterator[Problem]:
    for change in case.plan.changes:
        until = _until(change)
        if until is not None and _annotation(change, case.today) is None:
            yield Problem(
                code="annotation-passed",
                severity="warning",
                summary=f"annotation {ALLOW_UNTIL} {until} has expired (today is {case.today}) and allows nothing",
                hint="remove it, or set a later day",
                where=change.source,
                address=change.address,
            )


GUARDS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _nothing_declared,
    _too_many_deletes,
    _too_many_changes,
    _protected,
    _shared,
    _risky,
)
"""Every guard, in the order of its refusals. `Overrides` holds their flags, `Policy` their settings."""
