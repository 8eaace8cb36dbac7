"""What stops a plan before its first write: each guard says the value, the limit, where it is set, and the way on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.model.change import Change
from reconciler.model.objects import Problem, SourceRef
from reconciler.model.plan import Plan
from reconciler.settings import Policy

PERCENT_FROM = 10
"""Below this many managed objects a share of them says nothing (contract, policy.max_change_percent)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What this run was allowed beyond the project's policy, each by a flag of its own."""

    allow_booked: tuple[str, ...] = ()
    max_deletes: int | None = None
    max_change_percent: float | None = None
    allow_empty: bool = False


def evaluate(plan: Plan, policy: Policy, overrides: Overrides) -> tuple[Problem, ...]:
    """Return why the plan must not be carried out; empty where it may."""
    return (
        *_nothing_declared(plan, overrides),
        *_too_many_deletes(plan, policy, overrides),
        *_too_many_changes(plan, policy, overrides),
        *_protected(plan),
        *_risky(plan, overrides),
    )


def _place(where: SourceRef | None, setting: str) -> str:
    return f"{setting} at {where.path}:{where.line}" if where else f"the default of {setting}"


def _nothing_declared(plan: Plan, overrides: Overrides) -> Iterator[Problem]:
    if plan.purpose == "apply" and plan.managed and not plan.declared and not overrides.allow_empty:
        yield Problem(
            code="guard-empty",
            summary=f"no manifest declares anything, while {plan.managed} objects are managed; expected at least one",
            hint="check spec.manifests; to delete everything on purpose: reconciler destroy, or --allow-empty",
        )


def _deletions(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.action in {"delete", "replace"} and change.live is not None]


def _too_many_deletes(plan: Plan, policy: Policy, overrides: Overrides) -> Iterator[Problem]:
    count = len(_deletions(plan))
    limit = policy.max_deletes if overrides.max_deletes is None else overrides.max_deletes
    if count > limit:
        where = _place(policy.max_deletes_at, "policy.max_deletes")
        yield Problem(
            code="guard-max-deletes",
            summary=f"{count} objects would be deleted, more than the limit of {limit} ({where})",
            hint=f"to let this run through: --max-deletes {count}",
            where=policy.max_deletes_at,
        )


def _too_many_changes(plan: Plan, policy: Policy, overrides: Overrides) -> Iterator[Problem]:
    if plan.managed < PERCENT_FROM or plan.purpose == "destroy":
        return  # to destroy is to change everything: the absolute limit above still holds
    count = sum(
        change.record is not None
        and (change.action in {"update", "replace"} or (change.action == "delete" and change.live is not None))
        for change in plan.changes
    )
    limit = policy.max_change_percent if overrides.max_change_percent is None else overrides.max_change_percent
    if count * 100 > limit * plan.managed:
        share = -(-count * 100 // plan.managed)
        where = _place(policy.max_change_percent_at, "policy.max_change_percent")
        yield Problem(
            code="guard-max-change-percent",
            summary=(
                f"{count} of {plan.managed} managed objects ({share} %) would change, "
                f"more than the limit of {limit:g} % ({where})"
            ),
            hint=f"to let this run through: --max-change-percent {share}",
            where=policy.max_change_percent_at,
        )


def _protected(plan: Plan) -> Iterator[Problem]:
    for change in _deletions(plan):
        declared = change.desired is not None and change.desired.protect
        if declared or (change.record is not None and change.record.protect):
            verb = "replaced" if change.action == "replace" else "deleted"
            yield Problem(
                code="guard-protected",
                summary=f"is protected, yet would be {verb}; expected to stay",
                hint="declare it with metadata.protect: false and apply that first, then remove it",
                where=change.source,
                address=change.address,
            )


def _risky(plan: Plan, overrides: Overrides) -> Iterator[Problem]:
    for change in plan.changes:
        allowed = any(fnmatchcase(str(change.address), pattern) for pattern in overrides.allow_booked)
        for risk in change.risks:
            if risk.level != "block" or (risk.about_bookings and allowed):
                continue
            yield Problem(
                code=f"guard-{risk.code}",
                summary=risk.message,
                hint=f"to let it through: --allow-booked {change.address}" if risk.about_bookings else None,
                where=change.source,
                address=change.address,
            )
