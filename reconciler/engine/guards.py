"""What stops a plan before its first write. Each guard states the value, the limit, its source, and the override."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase

from msgspec import Struct, field

from reconciler.engine.annotations import ALLOWED, EXPIRED, allowed, expired, in_force
from reconciler.engine.overrides import MISSING, Overrides
from reconciler.engine.verdict import Finding, Verdict
from reconciler.model.change import DESTRUCTIVE, EDITING, Change
from reconciler.model.objects import Address, Problem, SourceRef
from reconciler.model.patterns import Patterns
from reconciler.model.plan import Plan
from reconciler.model.risk import BOOKED, RISKS, SHARED, Risk
from reconciler.model.words import count, listed, plural
from reconciler.settings import Policy
from reconciler.target import forms
from reconciler.windows import gate

PERCENT_FROM = 10
"""Managed objects from which `policy.max_change_percent` applies: a share of fewer has no meaning (contract)."""

MISSING_FROM = 2
"""Managed objects of a connection from which it is suspicious that all are missing: a single one is often deleted."""

_WINDOW = "--override-window"

WINDOW_CLOSED = "guard-window"
"""The code of the problem that no change window is open."""

ELSEWHERE = "guard-managed-elsewhere"
"""The code of a problem with an object that another project or environment in the same state manages."""

Identity = tuple[str, str, str]
"""What identifies a live object: target, kind and remote id."""

IN_THE_PAST = "in-the-past"
"""The code of the warning that a new object is in the past."""

BY_RUN = frozenset({ALLOWED, EXPIRED, IN_THE_PAST})
"""Codes of warnings that depend on the day and on the flags of a run, beside those that start with `guard-`."""

_REACHING = EDITING | DESTRUCTIVE
_NAMED = 3


class Case(Struct, frozen=True, kw_only=True):
    """What the guards look at."""

    plan: Plan
    policy: Policy
    overrides: Overrides
    others: Mapping[Identity, tuple[str, ...]] = {}
    """Which other projects in the same state manage a live object."""
    manifests_at: SourceRef | None = None
    """Where the project file names its manifests."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def today(self) -> str:
        """The day in UTC."""
        return self.now.astimezone(UTC).date().isoformat()


def judge(case: Case) -> Verdict:
    """Evaluate every guard; nothing has been written yet."""
    findings = tuple(finding for guard in GUARDS for finding in guard(case))
    return Verdict(findings=findings, notes=(*allowed(findings), *expired(case.plan.changes, case.today)))


def _place(policy: Policy, setting: str) -> str:
    where = policy.set_at.get(setting)
    return f"policy.{setting} at {where.path}:{where.line}" if where else f"the default of policy.{setting}"


def _named(address: Address, patterns: Patterns | None, flag: str) -> str | None:
    """Return the flag, as the user gave it, that matches an address; None where none does."""
    pattern = patterns.first(address) if patterns is not None else None
    return None if pattern is None else f"{flag} {pattern}"


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
            hint="check spec.manifests; to delete everything: `reconciler destroy`, or apply with --allow-empty",
            where=where,
        )
        by = "--allow-empty" if case.overrides.allow_empty else None
        yield Finding(problem=problem, concerns=_addresses(_deletions(plan)), by=by)


def _unread(case: Case) -> Iterator[Finding]:
    """Stop all writes where an object could not be read: half of a change is rarely what was reviewed."""
    if not case.plan.effective:
        return
    found: dict[tuple[str, str | None], list[Change]] = {}
    allowed = Patterns(case.overrides.allow_unknown)
    for change in case.plan.changes:
        if change.unread:
            by = _named(change.address, allowed, "--allow-unknown")
            found.setdefault((change.reason, by), []).append(change)
    for (reason, by), changes in found.items():
        addresses, alone = _addresses(changes), changes[0] if len(changes) == 1 else None
        kinds = sorted({f"'{address.kind}/*'" for address in addresses})
        flags = [str(address) for address in addresses] if len(addresses) <= _NAMED else kinds
        problem = Problem(
            code="guard-unread",
            summary=reason if alone else f"{listed([str(address) for address in addresses], _NAMED)}: {reason}",
            hint=(
                "fix what could not be read, or apply the other changes without "
                f"{plural(len(addresses), 'it', 'them')}: {' '.join(f'--allow-unknown {flag}' for flag in flags)}"
            ),
            where=alone.source if alone else None,
            address=alone.address if alone else None,
        )
        yield Finding(problem=problem, concerns=addresses, by=by)


def _outside_windows(case: Case) -> Iterator[Finding]:
    """Refuse to write to a remote system while the change windows are closed."""
    writing = [change for change in case.plan.changes if change.calls]
    if not writing or not case.policy.windows:
        return
    found = gate(case.policy.windows, case.now)
    if found.window is None:
        return
    window, opens = found.window, found.changes_at
    place = f" at {window.where.path}:{window.where.line}" if window.where is not None else ""
    verb = "is not open" if window.allows else "applies"
    when = f"apply may start on {window.shown(opens)}" if opens is not None else "no window opens within two years"
    problem = Problem(
        code=WINDOW_CLOSED,
        summary=f"no change window is open: {window} {verb} (policy.windows{place}); {when}",
        hint="to wait for it: --wait-for-window; to apply before: --override-window REASON",
        where=window.where,
    )
    reason = case.overrides.override_window
    by = None if reason is None else f"{_WINDOW} {shlex.quote(reason)}"
    yield Finding(problem=problem, concerns=_addresses(writing), by=by)


def _deletions(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.destroys]


class _Limit(Struct, frozen=True):
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
        if change.record is not None and (change.action == "update" or change.destroys or change.recreates)
    ]
    changed = len(found)
    stated = case.overrides.max_change_percent is not None
    if not stated and changed <= case.policy.free_updates and all(change.action == "update" for change in found):
        return
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


def all_missing(connection: str, number: int, target: str, *, unread: int = 0) -> str:
    """Return what is to be thought of where nothing is left of what is managed through a connection."""
    which = f"all {number} managed objects of connection {connection}{' that could be read' if unread else ''}"
    return f"{which} no longer exist at {target}: are these the right credentials and base_url?"


def _all_missing(case: Case) -> Iterator[Finding]:
    plan = case.plan
    gone: dict[str, list[Change]] = {}
    for change in plan.changes:
        if change.record is not None and change.gone:
            gone.setdefault(change.record.connection, []).append(change)
    for connection, changes in sorted(gone.items()):
        if len(changes) < MISSING_FROM or plan.present.get(connection):
            continue
        unread = sum(item.action == "unknown" and item.connection == connection for item in plan.changes)
        target = plan.targets.get(connection, connection)
        problem = Problem(
            code="guard-all-missing",
            summary=all_missing(connection, len(changes), target, unread=unread),
            hint=f"if they were deleted: {MISSING} {connection}",
        )
        by = next((f"{MISSING} {glob}" for glob in case.overrides.allow_missing if fnmatchcase(connection, glob)), None)
        yield Finding(problem=problem, concerns=_addresses(changes), by=by)


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
    target, kind, remote_id = identity
    owners = [words for form in forms(target) for words in others.get((form, kind, remote_id), ())]
    if not owners:
        return None
    return Problem(
        code=ELSEWHERE,
        summary=f"is also managed by {' and '.join(owners)} in the same state; expected one project to manage it",
        hint=f"stop managing it in one of them (`reconciler state rm {address}`); to override: {SHARED} {address}",
        address=address,
    )


def _shared(case: Case) -> Iterator[Finding]:
    allowed = Patterns(case.overrides.allow_shared)
    for change in case.plan.changes:
        record = change.record
        if record is None or not change.calls or change.action not in _REACHING:
            continue
        target = case.plan.targets.get(record.connection, record.target)  # that of the record may have an older form
        problem = shared((target, change.address.kind, record.remote_id), change.address, case.others)
        if problem is not None:
            by = _named(change.address, allowed, SHARED)
            yield Finding(problem=replace(problem, where=change.source), concerns=(change.address,), by=by)


def _risky(case: Case) -> Iterator[Finding]:
    allowed = {BOOKED: Patterns(case.overrides.allow_booked), SHARED: Patterns(case.overrides.allow_shared)}
    decided = case.overrides.decided()
    for change in case.plan.changes:
        for risk in change.risks:
            if risk.level != "block":
                continue
            by = _named(change.address, allowed.get(risk.override or ""), risk.override or "")
            if by is None and risk.override == BOOKED:
                by = decided.get(str(change.address))
            stated = in_force(change, case.today) if by is None and risk.about_bookings else None
            annotation = stated if case.policy.booked_approval == "annotation" else None
            problem = Problem(
                code=f"guard-{risk.code}",
                summary=risk.message + _setting(risk, case.policy) + _not_enough(stated, case.policy),
                hint=f"to allow it: {risk.override} {change.address}" if risk.override is not None else None,
                where=change.source,
                address=change.address,
            )
            yield Finding(
                problem=problem,
                concerns=(change.address,),
                by=by or annotation,
                annotated=annotation is not None,
            )


def _setting(risk: Risk, policy: Policy) -> str:
    """Say which setting makes a risk block apply, and where it is."""
    if risk.override is None or risk.code not in RISKS:
        return ""
    where = policy.risks_at.get(risk.code)
    place = f" at {where.path}:{where.line}" if where else ", the default"
    return f" (policy.risks.{risk.code} is block{place})"


def _not_enough(annotation: str | None, policy: Policy) -> str:
    """Say why an annotation that is in force does not allow a risk."""
    if annotation is None or policy.booked_approval == "annotation":
        return ""
    return f"; {annotation} is not enough ({_place(policy, 'booked_approval')} is flag)"


GUARDS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _outside_windows,
    _unread,
    _nothing_declared,
    _too_many_deletes,
    _too_many_changes,
    _all_missing,
    _protected,
    _shared,
    _risky,
)
"""Every guard, in the order of its refusals. `Overrides` holds their flags, `Policy` their settings."""
