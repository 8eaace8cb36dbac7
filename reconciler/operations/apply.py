"""Applying a plan: guard, confirm, read again, apply, verify, report; for a fresh plan, a saved plan and destroy.

The run is recorded from its first write to its end, so that a saved plan is used once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.context import Stopwatch
from reconciler.engine.apply import execute
from reconciler.engine.apply_one import Run
from reconciler.engine.duplicates import oldest_doubt
from reconciler.engine.ledger import remembered
from reconciler.engine.moves import protect, rename
from reconciler.engine.overrides import Overrides
from reconciler.engine.sightings import repaired
from reconciler.engine.verdict import Verdict
from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan
from reconciler.model.canonical import now
from reconciler.model.change import Change
from reconciler.model.limit import TimeLimit
from reconciler.model.objects import Address, Problem, Record, problem_order, remote_ids
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report, Verification
from reconciler.operations.guard import guard
from reconciler.operations.plan import Planned, look_again, plan
from reconciler.operations.session import ProjectSession
from reconciler.operations.windows import limit_of_writes
from reconciler.render.phrases import not_converged

WORKERS = 8
"""Objects processed concurrently by default; each connection has its own limit below that."""

Stage = Literal["applying", "verifying"]


class Callbacks(Struct, frozen=True, kw_only=True):
    """How a caller watches, confirms and stops an apply. The defaults show nothing and ask nothing."""

    on_plan: Callable[[Plan], None] = lambda _: None
    """Receives the plan with the findings of the guards, before it is refused or confirmed."""
    confirm: Callable[[Plan], bool] | None = None
    """Asks the user whether to apply a plan that changes something. After a yes, the live systems are read again."""
    during: Callable[[Stage], AbstractContextManager[object]] = lambda _: nullcontext()
    """Returns a context for a long stage, such as a progress bar."""
    on_start: Callable[[Change], None] = lambda _: None
    """Receives each change when it is started, in the thread that applies it."""
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
    lock_timeout: float = 0.0,
    replan: Callable[[], Planned] | None = None,
) -> Report:
    """Apply a plan that `plan` or `plan_again` returned; the report says what happened.

    Refused, with the report of the refused run, if guards stop the plan and no override allows it. Then
    nothing has been sent. With `verify`, everything is planned again afterwards.

    The state's lease is taken only after the confirmation, with `lock_timeout` seconds to wait for another run's.
    Where the state has changed since the plan was made, `replan` makes it again; without it that is a StalePlan.
    When the change window closes, calls in flight are finished and no further change is started.
    """
    callbacks = callbacks or Callbacks()
    if replan is not None and (planned.overtaken or session.store.run_count() != planned.plan.runs):
        with session.hold(timeout=lock_timeout):
            pass  # the other run ends first: what it creates would look like another program's
        planned = replan()
    planned, verdict = _guarded(session, planned, overrides, callbacks)
    doubled = planned.plan.possible_duplicates
    asks = bool(planned.plan.effective) and callbacks.confirm is not None
    if asks and callbacks.confirm is not None and not callbacks.confirm(planned.plan):
        raise ReconcilerError("not confirmed; nothing was changed")
    with session.hold(timeout=lock_timeout) as run_id:
        watch = Stopwatch(run_id)
        if asks:
            planned = _look_again(session, planned)
            doubled = (*doubled, *planned.plan.possible_duplicates)
            verdict = guard(session, planned.plan, overrides)
            _refuse(session, verdict, planned)
            _check(planned.plan)
        elif replan is not None and _overtaken(session, planned):
            planned, verdict = _guarded(session, replan(), overrides, callbacks)
            doubled = planned.plan.possible_duplicates
        else:
            verdict = guard(session, planned.plan, overrides)  # the change window may have closed since the plan
            _refuse(session, verdict, planned)
            if replan is None and planned.plan.effective and _overtaken(session, planned):
                message = "the state changed after the plan was made; nothing was written"
                raise StalePlan(message, hint="create a new plan")
        with callbacks.during("applying"):
            report = verdict.recorded(_apply(session, run_id, planned, overrides, workers or WORKERS, callbacks))
        if verify and not report.interrupted:
            with callbacks.during("verifying"):
                verified, again = _verify(session, planned)
                report, doubled = replace(report, verified=verified), (*doubled, *again)
        report = replace(report, context=session.context, run=watch.execution())
    return replace(report, problems=tuple(sorted({*report.problems, *doubled}, key=problem_order)))


def _guarded(
    session: ProjectSession, planned: Planned, overrides: Overrides | None, callbacks: Callbacks
) -> tuple[Planned, Verdict]:
    """Show a plan with what the guards find, and refuse it or return it."""
    if planned.unreachable is not None:
        raise planned.unreachable
    _check(planned.plan)
    verdict = guard(session, planned.plan, overrides)
    planned = replace(planned, plan=verdict.marked(planned.plan, warn=False))
    callbacks.on_plan(planned.plan)
    _refuse(session, verdict, planned)
    return planned, verdict


def _overtaken(session: ProjectSession, planned: Planned) -> bool:
    """Whether another run or command has changed the state since a plan was made, or while it was made."""
    if planned.overtaken or session.store.run_count() != planned.plan.runs:
        return True
    return remembered(session.store, planned.declared.desired) != planned.memory


def _check(made: Plan) -> None:
    if made.errors:
        raise InvalidInput("the plan has problems; nothing was written", made.problems)


def _refuse(session: ProjectSession, verdict: Verdict, planned: Planned) -> None:
    if verdict.refusals:
        report = verdict.refused(planned.plan, planned.identity)
        raise Refused(
            "refused before the first write; nothing was changed",
            problems=verdict.refusals,
            report=replace(report, context=session.context, run=Stopwatch().execution()),
        )


def _look_again(session: ProjectSession, planned: Planned) -> Planned:
    """Read again what the plan touches: the person who confirmed may have taken an hour."""
    again = look_again(session, planned)
    kept = tuple(change for change in planned.plan.changes if not change.writes)
    changes = sorted((*again.plan.changes, *kept), key=lambda change: str(change.address))
    return replace(again, plan=replace(again.plan, changes=tuple(changes)))


def _verify(session: ProjectSession, planned: Planned) -> tuple[Verification, tuple[Problem, ...]]:
    """Plan the whole project again; after a destroy, what was to be destroyed. Remaining changes have not converged.

    Return also what may exist twice by then.
    """
    destroyed = planned.plan.purpose == "destroy"
    only = [str(change.address) for change in planned.plan.changes] if destroyed else None
    fresh = plan(session, planned.declared, only=only, destroying=destroyed).plan
    left = (change for change in fresh.changes if change.writes or change.action == "unknown")
    words = tuple((change.address, not_converged(change)) for change in left)
    return Verification(summary=fresh.summary, left=words), fresh.possible_duplicates


def _apply(
    session: ProjectSession,
    run_id: str,
    planned: Planned,
    overrides: Overrides | None,
    workers: int,
    callbacks: Callbacks,
) -> Report:
    made, store, digest = planned.plan, session.store, planned.identity
    session.remember_hosts(run_id, writes=bool(made.effective))
    rename(store, made.changes)  # both before anything is sent
    protect(store, made.changes)
    run = _run(session, planned, run_id, limit_of_writes(session, overrides), callbacks.stop)
    if made.effective:
        reason = overrides.override_window if overrides is not None else None
        context = {**session.context.texts, **({} if reason is None else {"override_window": reason})}
        store.begin_run(run_id, made.purpose, plan_digest=digest, context=context)
    with session.cancelled_by(callbacks.stop):
        report = execute(
            made,
            run,
            plan_digest=digest,
            workers=workers,
            stop=callbacks.stop,
            on_start=callbacks.on_start,
            on_outcome=callbacks.on_outcome,
        )
    with suppress(ReconcilerError):  # the report must not be lost; a later run cleans up
        if made.effective:
            store.end_run(run_id, _ending(report), unused=not _wrote(run, report))
            store.expire_doubts(
                oldest_doubt(), without=[item.address for item in made.possible_duplicates if item.address is not None]
            )
        store.prune()
        _note_repairs(session, planned, report)
    return report


def _note_repairs(session: ProjectSession, planned: Planned, report: Report) -> None:
    """Note which changes from outside this run took back: a field that comes again is a fight."""
    done = {outcome.address for outcome in report.outcomes if outcome.state == "applied"}
    known = session.store.outside.sightings()
    changes = [change for change in planned.plan.changes if change.address in done]
    moment = now()
    if repaired(known, changes, moment):
        session.store.outside.update_sightings(lambda latest: repaired(latest, changes, moment))


def _run(session: ProjectSession, planned: Planned, run_id: str, limit: TimeLimit, stop: threading.Event) -> Run:
    made = planned.plan
    moves = {change.address: change.moved_from for change in made.changes if change.moved_from is not None}
    records = planned.memory.moved(moves).records  # the state is as it was when the plan was made, but for its moves
    listed = {place: reading.listed or frozenset() for place, reading in planned.snapshot.readings.items()}
    creating = {(change.connection, change.address.kind) for change in made.changes if change.creates}
    if made.effective:
        session.store.record_seen(planned.seen)
        session.store.keep_doubts(planned.doubts)
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
        limit=limit,
    )


def _ids(records: Mapping[Address, Record], made: Plan) -> dict[Address, str]:
    """Return the ids that references may use: not those of objects that are about to get a new one."""
    renewed = {change.address for change in made.changes if change.creates}
    return remote_ids(records, without=renewed)


def _ending(report: Report) -> str:
    if replace(report, interrupted=False).clean:
        return "done"
    return "interrupted" if report.interrupted else "incomplete"


def _wrote(run: Run, report: Report) -> bool:
    """Whether anything was, or may have been, changed: remotely, or in what is managed."""
    return run.written.is_set() or any(outcome.state == "applied" for outcome in report.outcomes)
