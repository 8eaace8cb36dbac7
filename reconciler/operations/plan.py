"""From what is declared, recorded and live to a plan; only reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from reconciler.context import context
from reconciler.documents.codec import plan_digest
from reconciler.documents.load import as_saved, beside
from reconciler.documents.signature import plan_key, signature_fault
from reconciler.engine import duplicates, stale
from reconciler.engine.impact import booking_queries, read_occupancy
from reconciler.engine.intents import wait_for_pending
from reconciler.engine.ledger import Memory, overtaken, remembered
from reconciler.engine.moves import find_moves
from reconciler.engine.overrides import Overrides
from reconciler.engine.plan import decide_all, make_plan
from reconciler.engine.scopes import needed_connections, scopes
from reconciler.engine.snapshot import Snapshot, take
from reconciler.engine.world import World, located
from reconciler.errors import InvalidInput, ReconcilerError, StalePlan, UsageError
from reconciler.model import moments
from reconciler.model.objects import Address, Intent, Problem
from reconciler.model.plan import Plan, SavedPlan, Selection
from reconciler.operations.duplicates import not_elsewhere
from reconciler.operations.guard import check_overrides
from reconciler.operations.project import Declared, declare
from reconciler.operations.select import select
from reconciler.operations.session import ProjectSession
from reconciler.settings import PLAN_KEY, Project
from reconciler.version import __version__

TODAY = "RECONCILER_TODAY"
"""The day by which a plan warns about new objects in the past; unset, the current one. It changes nothing else."""

_WESTERNMOST = timedelta(hours=12)
"""How far behind UTC a zone can be."""


class Planned(Struct, frozen=True, kw_only=True):
    """A plan, with what it was made from."""

    plan: Plan
    declared: Declared
    """What the manifests declare."""
    snapshot: Snapshot
    """What was read from the live systems."""
    memory: Memory
    """What the state held then: a plan is applied only while that is so."""
    digest: str | None = None
    """The digest of its document, where it was saved or confirmed."""
    overtaken: bool = False
    """Whether another run wrote to some of it meanwhile: those objects are unknown."""
    seen: Mapping[tuple[str, str], frozenset[str]] = {}
    """What to record, before anything is written, of the ids that are live, by target and kind."""
    doubts: tuple[Intent, ...] = ()
    """What to record then of the possible duplicates."""

    @property
    def identity(self) -> str:
        """The digest by which a run is recorded and reported."""
        return self.digest or plan_digest(self.plan)

    @property
    def unreachable(self) -> ReconcilerError | None:
        """The error to end with where no system could be read; None where at least one was."""
        return unreachable(self.snapshot)


def plan(
    session: ProjectSession,
    declared: Declared | None = None,
    selection: Selection | None = None,
    *,
    only: Collection[str] | None = None,
    destroying: bool = False,
    overrides: Overrides | None = None,
    wait: float = 0.0,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Planned:
    """Read what is live and return what would change. Only reads, by construction.

    Without `declared`, the manifests are read. `selection` is what the user chose; `only` limits the plan to the
    addresses of an earlier one. UsageError where a glob of the selection or of `overrides` names nothing; then nothing
    is read.
    Where a call of an earlier run may still be in progress, its object is unknown; `wait` is how many seconds to wait
    first for such calls to end, and `on_wait` receives how long that takes.
    """
    declared = declared or declare(session.project)
    selection = selection or Selection()
    runs = session.store.run_count()  # first: a run that starts to write after this makes the plan an old one
    memory = remembered(session.store, declared.desired)
    world = _world(session, declared, selection, only, memory, destroying=destroying)
    check_overrides(overrides, world.selected, session.project.connections)
    world = replace(
        world,
        runs=runs,
        now=max(world.now, wait_for_pending(world.intents, world.selected, min(wait, session.limit.left()), on_wait)),
    )
    session.resolve_credentials(needed_connections(world), memory)
    world = located(replace(world, connections=session.project.connections))
    snapshot = take(scopes(world), session.reader)
    made, suspects = _decided(session, world, snapshot)
    if made.effective or made.problems:  # what another run wrote meanwhile would look like a change, or a stranger
        old = {before: address for address, before in world.moves.items()}
        later = overtaken(session.store, memory, declared.desired)
        world = replace(world, overtaken={old.get(address, address): record for address, record in later.items()})
        if world.overtaken:
            made, suspects = _decided(session, world, snapshot)
    return Planned(
        plan=made,
        declared=declared,
        snapshot=snapshot,
        memory=memory,
        overtaken=bool(world.overtaken),
        seen=duplicates.seen_after(world, snapshot, suspects),
        doubts=duplicates.kept(world, suspects),
    )


def _decided(session: ProjectSession, world: World, snapshot: Snapshot) -> tuple[Plan, tuple[duplicates.Suspect, ...]]:
    """Return the plan, and what may exist twice."""
    decisions = decide_all(world, snapshot)
    queries = booking_queries(decisions.by_address, world.kinds, world.now)
    suspects = not_elsewhere(session, duplicates.suspects(world, snapshot, decisions.managed))
    decisions = replace(decisions, problems=(*decisions.problems, *duplicates.problems(suspects, world, snapshot)))
    made = make_plan(world, decisions, read_occupancy(queries, session.reader))
    return replace(made, context=session.context), suspects


def _world(
    session: ProjectSession,
    declared: Declared,
    selection: Selection,
    only: Collection[str] | None,
    memory: Memory,
    *,
    destroying: bool,
) -> World:
    """Combine what is declared and what is recorded; InvalidInput where the two contradict each other."""
    moves, problems = find_moves(declared.desired, memory.known)
    if problems and not destroying:
        raise InvalidInput("the manifests and the state conflict; nothing was read or sent", problems)
    doubted = {item.address for item in memory.doubts}
    universe = declared.desired.keys() | declared.removed.keys() | memory.known | doubted
    if only is None:
        renamed = {old: address for address, old in moves.items()}
        selected = select(universe, selection, declared.desired, memory.records.keys(), renamed)
    else:
        names = frozenset(only)
        selected = frozenset(address for address in universe if str(address) in names)
    moves = {address: old for address, old in moves.items() if address in selected}
    memory = memory.moved(moves)
    return World(
        project=session.project.name,
        environment=session.project.environment,
        tool_version=__version__,
        desired=declared.desired,
        records=memory.records,
        intents=memory.intents,
        selected=selected,
        selection=selection,
        kinds=session.kinds,
        providers=session.providers,
        connections=session.project.connections,
        baselines=session.store.baselines(),
        doubts=memory.doubts,
        seen=session.store.seen(),
        destroying=destroying,
        forgotten=memory.forgotten,
        removed=declared.removed,
        moves=moves,
        levels=session.project.policy.risks,
        currency=session.project.currency,
        today=today(),
        unread=tuple(problem.summary for problem in declared.unread),
        warnings=tuple(
            problem
            for problem in declared.problems
            if problem.severity == "warning" and not _has_both_ids(problem, memory.records)
        ),
    )


def _has_both_ids(problem: Problem, records: Collection[Address]) -> bool:
    """Whether a warning is about two managed objects of one natural key: their ids distinguish them."""
    return problem.code == "same-natural-key" and problem.address in records and problem.other in records


def today() -> str:
    """Return the day that new objects are judged by: no zone is behind it, so that what is past is past everywhere."""
    stated = os.environ.get(TODAY)
    if not stated:
        return (datetime.now(UTC) - _WESTERNMOST).date().isoformat()
    try:
        return moments.day(stated).isoformat()
    except ValueError as error:
        raise UsageError(f"{TODAY}: {error}", hint=f"set {TODAY} to a day, or unset it") from None


def invalid_plan(project: Project, problems: Sequence[Problem], selection: Selection) -> Plan:
    """Return the plan of invalid manifests: no changes, and the problems."""
    return Plan(
        project=project.name,
        environment=project.environment,
        tool_version=__version__,
        changes=(),
        problems=tuple(problems),
        selection=selection,
        context=context(project.root),
    )


def plan_again(
    session: ProjectSession,
    declared: Declared,
    saved: SavedPlan,
    *,
    overrides: Overrides | None = None,
    wait: float = 0.0,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Planned:
    """Make a saved plan again from what is declared and live now; StalePlan names everything that differs.

    The file only says what was approved. What is applied is the new plan, and only if it is the same.
    """
    check_overrides(overrides, (change.address for change in saved.changes), session.project.connections)
    _check_file(session, saved)

    def fresh(only: Collection[str] | None = None) -> Planned:
        return plan(session, declared, saved.head.selection, only=only, wait=wait, on_wait=on_wait)

    try:
        made = fresh()
    except UsageError as error:  # a glob of its selection names nothing any more
        raise _stale([error.message]) from None
    approved = beside(saved, made.plan)
    outside = stale.changed_outside(approved, made.plan)
    made = _compared(approved, made, outside)
    found = stale.edited(approved, made.plan)
    if found:
        raise _stale(found)
    if outside:  # what was not reviewed is left out
        rest = stale.without(approved, outside)
        whole, made = made.plan, _compared(rest, fresh([str(change.address) for change in rest.changes]))
        problems = (*made.plan.problems, *stale.left_out(outside))
        made = replace(made, plan=replace(made.plan, present=whole.present, problems=problems))
    return replace(made, digest=saved.digest)


def look_again(session: ProjectSession, planned: Planned) -> Planned:
    """Read again what a plan of this run changes; StalePlan names everything that differs."""
    saved = stale.narrowed(as_saved(planned.plan).plan)
    fresh = plan(session, planned.declared, only=stale.touched(saved), destroying=saved.purpose == "destroy")
    made = _compared(saved, fresh)
    known = replace(made.plan, present=planned.plan.present)  # only what the plan changes was read again
    return replace(made, plan=known, digest=planned.identity)


def _compared(saved: Plan, fresh: Planned, outside: Collection[Address] = ()) -> Planned:
    """Return a new plan that is the same as a saved one, but for what changed outside; raise what it differs in."""
    failure = unreachable(fresh.snapshot)
    if failure is not None:
        raise failure
    current = as_saved(fresh.plan).plan
    found = stale.reasons(saved, current, outside)
    if found:
        raise _stale(found)
    unknown = stale.unknown(saved, current)
    if unknown:
        message = f"could not verify that the saved plan is still current; nothing was written ({'; '.join(unknown)})"
        raise ReconcilerError(message, hint="apply it again when the system responds")
    return fresh


def _check_file(session: ProjectSession, saved: SavedPlan) -> None:
    """Refuse a file for what it says itself, before anything is read."""
    past = session.store.applied(saved.digest)
    if past is not None:
        raise _stale([stale.used(past)])
    if not saved.intact:
        raise _stale(["the document was edited after it was made: its digest does not match its content"])
    key = plan_key()
    fault = signature_fault(saved, key) if key is not None else None
    if fault is not None:
        message = "the saved plan cannot be trusted; nothing was written"
        raise StalePlan(message, reasons=[fault], hint=f"create a new plan with --out, and with the same {PLAN_KEY}")
    if saved.head.purpose != "apply":
        message = f"a saved plan to {saved.head.purpose} is never applied; nothing was written"
        raise StalePlan(message, hint="to delete what is managed: `reconciler destroy`")
    project = session.project
    targets = {name: connection.target for name, connection in project.connections.items()}
    facts = {"project": project.name, "environment": project.environment, "tool_version": __version__}
    found = stale.header_reasons(saved.head, facts, targets)
    if found:
        raise _stale(found, _environment_hint(saved.head.environment, project.environment))


def _environment_hint(then: str | None, current: str | None) -> str | None:
    if then == current:
        return None
    return (
        f"apply it with --env {then}, or create a new plan" if then else "apply it without --env, or create a new plan"
    )


def _stale(found: Sequence[str], hint: str | None = None) -> StalePlan:
    return StalePlan("the saved plan is stale; nothing was written", reasons=found, hint=hint or "create a new plan")


def unreachable(snapshot: Snapshot) -> ReconcilerError | None:
    """Return the error to end with where no system could be read; None where at least one was."""
    failures = snapshot.failures
    if not failures or snapshot.readings:
        return None
    problems = [
        Problem(code="unreachable", summary=f"connection {name}: {error.message}", hint=error.hint)
        for name, error in sorted(failures.items())
    ]
    return InvalidInput("no remote system could be read; nothing was changed", problems, code="unreachable")
