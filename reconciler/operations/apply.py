"""Carrying out a plan in one run: on record from its first write to its end, so that a saved plan is used once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.documents.codec import plan_digest
from reconciler.engine.apply import execute
from reconciler.engine.apply_one import Run
from reconciler.engine.moves import rename
from reconciler.errors import InvalidInput, ReconcilerError, StalePlan
from reconciler.model.objects import Address, Record
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report
from reconciler.operations.plan import Planned
from reconciler.operations.session import Workspace

WORKERS = 8
"""Objects carried out side by side unless told otherwise; each connection has its own limit below that."""

_CREATING = frozenset({"create", "replace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """How a run is watched and stopped: set `stop` and it ends after the calls in flight."""

    stop: threading.Event = field(default_factory=threading.Event)
    on_outcome: Callable[[Outcome], None] = lambda _: None


def apply(
    workspace: Workspace, planned: Planned, *, workers: int | None = None, signals: Signals | None = None
) -> Report:
    """Carry out a plan whose guards have been evaluated; the report says what happened."""
    made, signals = planned.plan, signals or Signals()
    if made.errors:
        raise InvalidInput("the plan has problems; nothing was written", made.problems)
    return carry_out(workspace, planned, workers or WORKERS, signals)


def carry_out(workspace: Workspace, planned: Planned, workers: int, signals: Signals) -> Report:
    """Carry out a plan under the lease; the report says what happened."""
    made, store = planned.plan, workspace.store
    digest = planned.digest or plan_digest(made)
    with workspace.hold() as run_id:
        if made.effective and store.run_count() != made.runs:  # nobody holds a lease between a look and this
            message = "another run has written since the plan was made; nothing was written"
            raise StalePlan(message, hint="make a new plan")
        rename(store, made.changes)  # before the records are read, and before anything is sent
        run = _run(workspace, planned, run_id, signals.stop)
        if made.effective:
            store.begin_run(run_id, made.purpose, plan_digest=digest)
        with workspace.heeding(signals.stop):
            report = execute(
                made,
                run,
                plan_digest=digest,
                workers=workers,
                stop=signals.stop,
                on_outcome=signals.on_outcome,
            )
        with suppress(ReconcilerError):  # what happened must be told, and a later run tidies up
            if made.effective:
                store.end_run(run_id, _ending(report), unused=not _wrote(run, report))
            store.tidy()
    return report


def _run(workspace: Workspace, planned: Planned, run_id: str, stop: threading.Event) -> Run:
    made, records = planned.plan, workspace.store.records()
    listed = {place: reading.listed or frozenset() for place, reading in planned.snapshot.readings.items()}
    creating = {(change.connection, change.address.kind) for change in made.changes if change.action in _CREATING}
    workspace.store.sight(run_id, {place: ids for place, ids in listed.items() if place in creating})
    return Run(
        run_id=run_id,
        store=workspace.store,
        kinds=workspace.kinds,
        connections=workspace.project.connections,
        open_provider=workspace.writer,
        listed=listed,
        ids=_ids(records, made),
        stop=stop,
    )


def _ids(records: Mapping[Address, Record], made: Plan) -> dict[Address, str]:
    """Return the ids that references may use: not those of objects that are about to get a new one."""
    renewed = {change.address for change in made.changes if change.action in _CREATING}
    return {address: record.remote_id for address, record in records.items() if address not in renewed}


def _ending(report: Report) -> str:
    if report.interrupted:
        return "interrupted"
    return "done" if report.clean else "incomplete"


def _wrote(run: Run, report: Report) -> bool:
    """Tell whether anything was, or may have been, changed: remotely, or in what is managed."""
    return run.written.is_set() or any(outcome.state == "applied" for outcome in report.outcomes)
