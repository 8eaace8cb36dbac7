"""What the guards found about a plan, and how the plan and the report of a run show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.change import Change
from reconciler.model.objects import Address, Problem
from reconciler.model.plan import Plan
from reconciler.model.report import Allowance, Outcome, Report, State

_NOT_STARTED = "not started, because the run was refused"


class Finding(Struct, frozen=True, kw_only=True):
    """What one guard found."""

    problem: Problem
    concerns: tuple[Address, ...]
    """The objects that the guard stops."""
    by: str | None = None
    """The flag, as the user gave it, or the annotation that allows it; None if nothing allows it."""
    annotated: bool = False
    """Whether an annotation allows it, not a flag of this run."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What all guards found about one plan."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Problem, ...] = ()
    """Warnings about annotations: those that allow something, and those that have expired."""

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """Why the plan must not be applied; empty where it may."""
        return tuple(finding.problem for finding in self.findings if finding.by is None)

    def later(self, code: str) -> Verdict:
        """Return the verdict for an apply at another time, when the guard of this code refuses nothing any more."""
        findings = tuple(item for item in self.findings if item.problem.code != code or item.by is not None)
        notes = (dataclasses.replace(item, severity="warning") for item in self.refusals if item.code == code)
        return replace(self, findings=findings, notes=(*self.notes, *notes))

    def _by_object(self) -> Mapping[Address, tuple[Finding, ...]]:
        """Return the findings by object: a limit may concern every object of a large plan."""
        found: dict[Address, list[Finding]] = {}
        for finding in self.findings:
            for address in finding.concerns:
                found.setdefault(address, []).append(finding)
        return {address: tuple(findings) for address, findings in found.items()}

    def marked(self, plan: Plan, *, warn: bool) -> Plan:
        """Return the plan with what guards say of each change; with `warn` it also lists what apply would refuse."""
        warnings = tuple(
            dataclasses.replace(item, severity="warning", summary=f"apply would refuse: {item.summary}")
            for item in self.refusals
        )
        stopped = {
            address: tuple(dict.fromkeys(item.code for item in _against(findings)))
            for address, findings in self._by_object().items()
        }
        guarded = {address: codes for address, codes in stopped.items() if codes}
        return replace(plan, guarded=guarded, problems=(*plan.problems, *self.notes, *(warnings if warn else ())))

    def recorded(self, report: Report) -> Report:
        """Return the report of an apply with what allowed each of its objects."""
        found = self._by_object()
        outcomes = tuple(replace(item, allowed=_allowed(found.get(item.address, ()))) for item in report.outcomes)
        return replace(report, outcomes=outcomes)

    def refused(self, plan: Plan, plan_digest: str) -> Report:
        """Return the report of a run that these findings stopped before its first write."""
        found = self._by_object()
        outcomes = tuple(_held_back(change, found.get(change.address, ())).of(change) for change in plan.changes)
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
        error=against or (_NOT_STARTED if change.writes else None),
    )
