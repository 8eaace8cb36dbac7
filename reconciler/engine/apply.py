"""Applying a plan: in dependency order, concurrently, each step recorded before the next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from graphlib import TopologicalSorter
from queue import Empty, SimpleQueue

from reconciler.engine.apply_one import Run, apply_one
from reconciler.engine.moves import apply_forget
from reconciler.engine.order import dependencies, sorter
from reconciler.model.change import Change
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report, State

POLL = 0.2
"""Seconds after which a waiting run checks whether it was asked to stop."""

_AHEAD = 2
"""Changes that are handed out for each worker, so that none waits for the next: a handed-out change costs memory."""


def execute(
    plan: Plan,
    run: Run,
    *,
    plan_digest: str,
    workers: int,
    stop: threading.Event,
    on_start: Callable[[Change], None],
    on_outcome: Callable[[Outcome], None],
) -> Report:
    """Apply every change; what depends on a failed one is blocked, the rest continues.

    Once `stop` is set, calls in flight are finished and recorded and nothing new is started. The end of the run's time
    sets it; the report is then not one of a run that its user interrupted.
    """
    changes = {change.address: change for change in plan.changes}
    before = dependencies(plan.changes)
    order = sorter(before)
    outcomes: dict[Address, Outcome] = {}
    waiting: deque[Address] = deque()
    ended: SimpleQueue[Future[Outcome]] = SimpleQueue()
    running = 0

    def finish(outcome: Outcome) -> None:
        outcome = outcome.of(changes[outcome.address])
        outcomes[outcome.address] = outcome
        order.done(outcome.address)
        on_outcome(outcome)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply") as pool:
        while order.is_active() and not (stop.is_set() and not running):
            if run.limit.over:
                stop.set()
            waiting.extend(_ready(order, stop))
            while waiting and running < workers * _AHEAD and not stop.is_set():
                change = changes[waiting.popleft()]
                blocker = _blocker(change, before[change.address], outcomes)
                if blocker is not None:
                    finish(_blocked(change, blocker))
                    continue
                pool.submit(_start, run, change, stop, on_start).add_done_callback(ended.put)
                running += 1
            with suppress(Empty):
                if running:
                    outcome = ended.get(timeout=POLL).result()
                    running -= 1
                    finish(outcome)
    for address in changes.keys() - outcomes.keys():
        outcomes[address] = _not_started(changes[address], run).of(changes[address])
    ordered = tuple(outcomes[address] for address in sorted(outcomes, key=str))
    interrupted = (stop.is_set() or any(outcome.interrupted for outcome in ordered)) and not run.limit.over
    rejected = tuple(problem for outcome in ordered for problem in outcome.rejected)
    return Report(plan_digest=plan_digest, outcomes=ordered, interrupted=interrupted, problems=rejected)


def _start(run: Run, change: Change, stop: threading.Event, on_start: Callable[[Change], None]) -> Outcome:
    """Apply a change, unless the run was asked to stop or its time ended while this one waited for a worker."""
    if run.limit.over:
        stop.set()
    if stop.is_set():
        return _not_started(change, run)
    on_start(change)
    if change.forget:
        return apply_forget(run.store, change, run.kinds[change.address.kind])
    return apply_one(run, change)


def _ready(order: TopologicalSorter[Address], stop: threading.Event) -> list[Address]:
    return [] if stop.is_set() else sorted(order.get_ready(), key=str)


def _blocker(change: Change, before: set[Address], outcomes: dict[Address, Outcome]) -> Address | None:
    """Return the first incomplete dependency; a change that sends nothing waits for none."""
    if change.idle:
        return None
    return next((address for address in sorted(before, key=str) if not outcomes[address].complete), None)


def _blocked(change: Change, blocker: Address) -> Outcome:
    return Outcome(
        address=change.address,
        action=change.action,
        state="blocked",
        shown_id=change.shown_id,
        error=f"not started, because {blocker} was not completed",
        blocked_by=blocker,
    )


def _not_started(change: Change, run: Run) -> Outcome:
    moved = change.moved_from is not None  # moves are applied before anything else
    waits = not change.idle or set(change.remembers) > ({"moved"} if moved else set())
    idle: State = "unknown" if change.action == "unknown" else "applied" if moved else "noop"
    return Outcome(
        address=change.address,
        action=change.action,
        state="blocked" if waits else idle,
        shown_id=change.shown_id,
        error=f"not started, because {run.why_stopped}" if waits else None,
        moved_from=change.moved_from,
        record=change.remembers,
        interrupted=waits,
    )
