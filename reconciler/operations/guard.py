"""Whether a plan may be applied: every guard, with the project's policy and the overrides of this run."""

from __future__ import annotations

from reconciler.engine.guards import Case, Overrides, judge
from reconciler.engine.verdict import Verdict
from reconciler.errors import UsageError
from reconciler.model.plan import Plan
from reconciler.operations.session import ProjectSession


def guard(session: ProjectSession, plan: Plan, overrides: Overrides | None = None) -> Verdict:
    """Evaluate the guards; UsageError where an override names no object of the plan."""
    overrides = overrides or Overrides()
    unmatched = overrides.unmatched(change.address for change in plan.changes)
    if unmatched is not None:
        raise UsageError(f"{unmatched} matches no object of this plan", hint="check the address")
    return judge(
        Case(
            plan=plan,
            policy=session.project.policy,
            overrides=overrides,
            others=session.store.others(),
            manifests_at=next(iter(session.project.manifests_at.values()), None),
        )
    )
