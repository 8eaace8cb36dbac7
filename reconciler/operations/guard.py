"""Whether a plan may be applied: every guard, with the project's policy and the overrides of this run."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.engine.guards import WINDOW_CLOSED, Case, judge
from reconciler.engine.overrides import Overrides
from reconciler.engine.verdict import Verdict
from reconciler.errors import UsageError
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.operations.session import ProjectSession


def guard(
    session: ProjectSession, plan: Plan, overrides: Overrides | None = None, *, ignore_windows: bool = False
) -> Verdict:
    """Evaluate the guards; UsageError where an override names no object of the plan.

    With `ignore_windows`, the plan is for a later apply: that no change window is open is only a note.
    """
    check_overrides(overrides, (change.address for change in plan.changes), plan.targets)
    verdict = judge(
        Case(
            plan=plan,
            policy=session.project.policy,
            overrides=overrides or Overrides(),
            others=session.store.others(),
            manifests_at=next(iter(session.project.manifests_at.values()), None),
        )
    )
    return verdict.later(WINDOW_CLOSED) if ignore_windows else verdict


def check_overrides(overrides: Overrides | None, addresses: Iterable[Address], connections: Iterable[str]) -> None:
    """Raise UsageError for a glob of an override that matches nothing: before a plan reads, and for what it found."""
    unmatched = None if overrides is None else overrides.unmatched(addresses, connections)
    if unmatched is not None:
        message, hint = unmatched
        raise UsageError(message, hint=hint)
