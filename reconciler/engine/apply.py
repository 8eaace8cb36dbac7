"""Applying a plan: in dependency order, concurrently, each step recorded before the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from reconciler.engine.apply_one import Run, after_move, apply_one
from reconciler.engine.moves import apply_forget
from reconciler.engine.order import dependencies, sorter
from reconciler.model.change import Change
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report

POLL = 0.2
"""Seconds after which a waiting run checks whether it was asked to stop."""


def execute(
    plan: Plan,
    run: Run,
    *,
    plan_digest: str,
    workers: int,
    stop: threading.Event,
    on_outcome: Callable[[Outcome], None],
) -> Report:
    """Apply every change; what depends on a failed one is blocked, the rest continues.

    Once `stop` is set, calls in flight are finished and recorded and nothing new is started.
    """
    changes = {change.address: change for change in plan.changes}
    before = dependencies(plan.changes)
    order = sorter(plan.changes)
    outcomes: dict[Address, Outcome] = {}
    running: dict[Future[Outcome], Address] = {}

    def finish(outcome: Outcome) -> None:
        outcomes[outcome.address] = outcome
        order.done(outcome.address)
        on_outcome(outcome)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="apply") as pool:
        while order.is_active() and not (stop.is_set() and not running):
            for address in _ready(order, stop):
                blocker = _blocker(changes[address], before[address], outcomes)
                if blocker is None:
                    running[pool.submit(_start, run, changes[address], stop)] = address
                else:
                    finish(_blocked(changes[address], blocker))
            done, _ = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                finish(future.result())
    for address in changes.keys() - outcomes.keys():
        outcomes[address] = _not_started(changes[address])
    ordered = tuple(outcomes[address] for address in sorted(outcomes, key=str))
    interrupted = any(outcome.interrupted for outcome in ordered)
    return Report(plan_digest=plan_digest, outcomes=ordered, interrupted=interrupted)


def _start(run: Run, change: Change, stop: threading.Event) -> Outcome:
    """Apply a change, unless the run was asked to stop while this one waited for a worker."""
    if stop.is_set():
        return _not_started(change)
    if change.forget:
        return apply_forget(run.store, change)
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


def _not_started(change: Change) -> Outcome:
    waits = change.forget or not change.idle
    return Outcome(
        address=change.address,
        action=change.action,
        state="blocked" if waits else after_move(change, "noop" if change.action == "noop" else "unknown"),
        shown_id=change.shown_id,
        error="not started, because the run was interrupted" if waits else None,
        moved_from=change.moved_from,
        interrupted=waits,
    )
