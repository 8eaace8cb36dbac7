"""Applying a plan: guard, confirm, read again, apply, verify, report; for a fresh plan, a saved plan and destroy.

The run is recorded from its first write to its end, so that a saved plan is used once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from reconciler.documents.codec import plan_digest
from reconciler.documents.load import as_saved
from reconciler.engine.apply import execute
from reconciler.engine.apply_one import Run
from reconciler.engine.guards import Overrides
from reconciler.engine.moves import rename
from reconciler.engine.verdict import Verdict
from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan
from reconciler.model.objects import Address, Record, remote_ids
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report, Verification
from reconciler.operations.guard import guard
from reconciler.operations.plan import Planned, plan, plan_again
from reconciler.operations.session import ProjectSession
from reconciler.render.phrases import not_converged

WORKERS = 8
"""Objects processed concurrently by default; each connection has its own limit below that."""

Stage = Literal["applying", "verifying"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """How a caller watches, confirms and stops an apply. The defaults show nothing and ask nothing."""

    on_plan: Callable[[Plan], None] = lambda _: None
    """Receives the plan with the findings of the guards, before it is refused or confirmed."""
    confirm: Callable[[Plan], bool] | None = None
    """Asks the user whether to apply a plan that changes something. After a yes, the live systems are read again."""
    during: Callable[[Stage], AbstractContextManager[object]] = lambda _: nullcontext()
    """Returns a context for a long stage, such as a progress bar."""
    on_outcome: Callable[[Outcome], None] = lambda _: None
    """Receives each outcome when it is known."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Once set, the run ends after the calls in flight."""


def apply(
    session: ProjectSession,
    planned: Planned,
    *,
    overrides: Overrides | None = None,
    workers: int | None = None,
    verify: bool = False,
    callbacks: Callbacks | None = None,
) -> Report:
    """Apply a plan that `plan` or `plan_again` returned, under the state's lease; the report says what happened.

    Refused, with the report of the refused run, if guards stop the plan and no override allows it. Then
    nothing has been sent. With `verify`, everything is planned again afterwards.
    """
    callbacks = callbacks or Callbacks()
    with session.hold() as run_id:
        if planned.unreachable is not None:
            raise planned.unreachable
        _check(planned.plan)
        verdict = guard(session, planned.plan, overrides)
        planned = replace(planned, plan=verdict.marked(planned.plan, warn=False))
        callbacks.on_plan(planned.plan)
        _refuse(verdict, planned)
        if planned.plan.effective and callbacks.confirm is not None:
            if not callbacks.confirm(planned.plan):
                raise ReconcilerError("not confirmed; nothing was changed")
            planned = _look_again(session, planned)
            verdict = guard(session, planned.plan, overrides)
            _refuse(verdict, planned)
            _check(planned.plan)
        with callbacks.during("applying"):
            report = verdict.recorded(_apply(session, run_id, planned, workers or WORKERS, callbacks))
        if verify and not report.interrupted:
            with callbacks.during("verifying"):
                report = replace(report, verified=_verify(session, planned))
    return report


def _check(made: Plan) -> None:
    if made.errors:
        raise InvalidInput("the plan has problems; nothing was written", made.problems)


def _refuse(verdict: Verdict, planned: Planned) -> None:
    if verdict.refusals:
        raise Refused(
            "refused before the first write; nothing was changed",
            problems=verdict.refusals,
            report=verdict.refused(planned.plan, _digest(planned)),
        )


def _look_again(session: ProjectSession, planned: Planned) -> Planned:
    """Read again what the plan touches: the person who confirmed may have taken an hour."""
    again = plan_again(session, planned.declared, as_saved(planned.plan))
    kept = tuple(change for change in planned.plan.changes if not change.writes)
    changes = sorted((*again.plan.changes, *kept), key=lambda change: str(change.address))
    return replace(again, plan=replace(again.plan, changes=tuple(changes)))


def _verify(session: ProjectSession, planned: Planned) -> Verification:
    """Plan the whole project again; after a destroy, what was to be destroyed. Remaining changes have not converged."""
    destroyed = planned.plan.purpose == "destroy"
    only = [str(change.address) for change in planned.plan.changes] if destroyed else None
    fresh = plan(session, planned.declared, only=only, destroying=destroyed).plan
    left = (change for change in fresh.changes if change.writes or change.action == "unknown")
    return Verification(summary=fresh.summary, left=tuple((change.address, not_converged(change)) for change in left))


def _digest(planned: Planned) -> str:
    return planned.digest or plan_digest(planned.plan)


def _apply(session: ProjectSession, run_id: str, planned: Planned, workers: int, callbacks: Callbacks) -> Report:
    made, store, digest = planned.plan, session.store, _digest(planned)
    if made.effective and store.run_count() != made.runs:  # a plan may be older than the lease
        message = "another run wrote changes after the plan was made; nothing was written"
        raise StalePlan(message, hint="create a new plan")
    rename(store, made.changes)  # before the records are read, and before anything is sent
    run = _run(session, planned, run_id, callbacks.stop)
    if made.effective:
        store.begin_run(run_id, made.purpose, plan_digest=digest)
    with session.cancelled_by(callbacks.stop):
        report = execute(
            made,
            run,
            plan_digest=digest,
            workers=workers,
            stop=callbacks.stop,
            on_outcome=callbacks.on_outcome,
        )
    with suppress(ReconcilerError):  # the report must not be lost; a later run cleans up
        if made.effective:
            store.end_run(run_id, _ending(report), unused=not _wrote(run, report))
        store.prune()
    return report


def _run(session: ProjectSession, planned: Planned, run_id: str, stop: threading.Event) -> Run:
    made, records = planned.plan, session.store.records()
    listed = {place: reading.listed or frozenset() for place, reading in planned.snapshot.readings.items()}
    creating = {(change.connection, change.address.kind) for change in made.changes if change.creates}
    session.store.record_baseline(run_id, {place: ids for place, ids in listed.items() if place in creating})
    return Run(
        run_id=run_id,
        store=session.store,
        kinds=session.kinds,
        connections=session.project.connections,
        open_provider=session.writer,
        listed=listed,
        ids=_ids(records, made),
        stop=stop,
    )


def _ids(records: Mapping[Address, Record], made: Plan) -> dict[Address, str]:
    """Return the ids that references may use: not those of objects that are about to get a new one."""
    renewed = {change.address for change in made.changes if change.creates}
    return remote_ids(records, without=renewed)


def _ending(report: Report) -> str:
    if report.interrupted:
        return "interrupted"
    return "done" if report.clean else "incomplete"


def _wrote(run: Run, report: Report) -> bool:
    """Whether anything was, or may have been, changed: remotely, or in what is managed."""
    return run.written.is_set() or any(outcome.state == "applied" for outcome in report.outcomes)
