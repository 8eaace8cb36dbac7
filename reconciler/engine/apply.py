"""Carrying out a plan: in dependency order, side by side, each step recorded before the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from reconciler.engine.apply_one import Run, carry_out
from reconciler.engine.moves import carry_out_forgetting, with_bookkeeping
from reconciler.engine.order import dependencies, sorter
from reconciler.errors import INTERRUPTED
from reconciler.model.change import IDLE, Change
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report

POLL = 0.2
"""Seconds after which a waiting run looks whether it was asked to stop."""

_INTERRUPTED = f"not started, {INTERRUPTED}"
_HELD_UP = frozenset({"failed", "blocked", "unknown"})


def execute(
    plan: Plan,
    run: Run,
    *,
    plan_digest: str,
    workers: int,
    stop: threading.Event,
    on_outcome: Callable[[Outcome], None],
) -> Report:
    """Carry out every change; what depends on a failed one is blocked, the rest goes on.

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
    cut_off = any(INTERRUPTED in (outcome.error or "") for outcome in ordered)
    return Report(plan_digest=plan_digest, outcomes=ordered, interrupted=cut_off)


def _start(run: Run, change: Change, stop: threading.Event) -> Outcome:
    """Carry out a change, unless the run was asked to stop while this one was waiting for a worker."""
    if stop.is_set():
        return _not_started(change)
    if change.forget:
        return carry_out_forgetting(run.store, change)
    return with_bookkeeping(carry_out(run, change), change)


def _ready(order: TopologicalSorter[Address], stop: threading.Event) -> list[Address]:
    return [] if stop.is_set() else sorted(order.get_ready(), key=str)


def _blocker(change: Change, before: set[Address], outcomes: dict[Address, Outcome]) -> Address | None:
    """Return the first dependency that did not come through; a change that sends nothing waits for none."""
    if change.action in IDLE:
        return None
    return next((address for address in sorted(before, key=str) if outcomes[address].state in _HELD_UP), None)


def _blocked(change: Change, blocker: Address) -> Outcome:
    return Outcome(
        address=change.address,
        action=change.action,
        state="blocked",
        remote_id=change.remote_id,
        error=f"not started, because {blocker} did not come through",
        blocked_by=blocker,
    )


def _not_started(change: Change) -> Outcome:
    waits = change.forget or change.action not in IDLE
    outcome = Outcome(
        address=change.address,
        action=change.action,
        state="blocked" if waits else "noop" if change.action == "noop" else "unknown",
        remote_id=change.remote_id,
        error=_INTERRUPTED if waits else None,
    )
    return with_bookkeeping(outcome, change)
