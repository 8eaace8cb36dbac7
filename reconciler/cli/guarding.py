"""What plan, apply and destroy do with the guards: the flags past them, and the report of a refused run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.cli.output import show_report
from reconciler.errors import Refused, UsageError
from reconciler.model.plan import Plan

if TYPE_CHECKING:
    from reconciler.engine.guards import Verdict

OVERRIDES = ("allow_booked", "allow_shared", "max_deletes", "max_change_percent", "allow_empty")
_PATTERNS = (("allow_booked", "--allow-booked"), ("allow_shared", "--allow-shared"))


def judge(workspace: Any, plan: Plan, overrides: Mapping[str, Any]) -> Verdict:
    """Evaluate the guards; UsageError where a flag names no object of the plan."""
    from reconciler.engine.guards import Case, Overrides  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.guards import judge as evaluate  # noqa: PLC0415 - late, for a quick --help

    for name, flag in _PATTERNS:
        for pattern in overrides[name]:
            if not any(fnmatchcase(str(change.address), pattern) for change in plan.changes):
                raise UsageError(f"{flag} {pattern} matches no object of this plan", hint="check the address")
    policy, others = workspace.project.policy, workspace.store.others()
    manifests_at = next(iter(workspace.project.manifests_at.values()), None)
    made = Overrides(**overrides)
    return evaluate(Case(plan=plan, policy=policy, overrides=made, others=others, manifests_at=manifests_at))


def refuse(verdict: Verdict, plan: Plan, form: str, output: Path | None) -> NoReturn:
    """End a run that guards stop: a report where one was asked for, and the refusals for people."""
    from reconciler.documents.codec import plan_digest  # noqa: PLC0415 - late, for a quick --help

    if form != "text" or output is not None:
        show_report(verdict.refused(plan, plan_digest(plan)), plan, form, output)
    raise Refused("refused before the first write; nothing was changed", problems=verdict.refusals)


def flags(overrides: Mapping[str, Any]) -> list[str]:
    """Return the overrides of this run as the user would type them: a saved plan does not hold them."""
    found = [f"{flag} {shlex.quote(pattern)}" for name, flag in _PATTERNS for pattern in overrides[name]]
    found += [
        f"--{name.replace('_', '-')} {overrides[name]:.15g}"
        for name in ("max_deletes", "max_change_percent")
        if overrides[name] is not None
    ]
    return [*found, "--allow-empty"] if overrides["allow_empty"] else found
