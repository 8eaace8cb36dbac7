"""From what is declared, recorded and live to a plan; only reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.documents.load import as_saved
from reconciler.engine import stale
from reconciler.engine.impact import booking_queries, read_occupancy
from reconciler.engine.intents import wait_for_pending
from reconciler.engine.ledger import remembered
from reconciler.engine.moves import find_moves
from reconciler.engine.plan import World, decide_all, make_plan, scopes
from reconciler.engine.snapshot import Snapshot, take
from reconciler.errors import InvalidInput, ReconcilerError, StalePlan
from reconciler.model import canonical
from reconciler.model.objects import Problem
from reconciler.model.plan import Plan, SavedPlan, Selection
from reconciler.operations.project import Declared
from reconciler.operations.select import select
from reconciler.operations.session import ProjectSession
from reconciler.settings import Project
from reconciler.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, with what it was made from."""

    plan: Plan
    declared: Declared
    """What the manifests declare."""
    snapshot: Snapshot
    """What was read from the live systems."""
    digest: str | None = None
    """The digest of its document, where it was saved or confirmed."""

    @property
    def unreachable(self) -> ReconcilerError | None:
        """The error to end with where no system could be read; None where at least one was."""
        return unreachable(self.snapshot)


def plan(
    session: ProjectSession,
    declared: Declared,
    selection: Selection | None = None,
    *,
    only: Collection[str] | None = None,
    destroying: bool = False,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Planned:
    """Read what is live and return what would change. Only reads, by construction.

    `selection` is what the user chose; `only` limits the plan to the addresses of an earlier one.
    `on_wait` receives the seconds that it waits first, where a call of a killed run may still be in progress.
    """
    selection = selection or Selection()
    world = _world(session, declared, selection, only, destroying=destroying)
    wait_for_pending(world.intents, world.selected, on_wait)
    wanted = scopes(world)
    session.resolve_credentials({connection for connection, _ in wanted})
    snapshot = take(wanted, session.reader)
    decisions = decide_all(world, snapshot)
    queries = booking_queries(decisions.by_address, world.kinds, world.now)
    made = make_plan(world, decisions, read_occupancy(queries, session.reader))
    return Planned(plan=made, declared=declared, snapshot=snapshot)


def _world(
    session: ProjectSession, declared: Declared, selection: Selection, only: Collection[str] | None, *, destroying: bool
) -> World:
    """Combine what is declared and what is recorded; InvalidInput where the two contradict each other."""
    memory = remembered(session.store)
    moves, problems = find_moves(declared.desired, memory.known)
    if problems and not destroying:
        raise InvalidInput("the manifests and the state conflict; nothing was read or sent", problems)
    universe = declared.desired.keys() | declared.removed.keys() | memory.known
    if only is None:
        renamed = {old: address for address, old in moves.items()}
        selected = select(universe, selection, declared.desired, memory.records.keys(), renamed)
    else:
        selected = frozenset(address for address in universe if str(address) in only)
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
        destroying=destroying,
        forgotten=memory.forgotten,
        removed=declared.removed,
        moves=moves,
        levels=session.project.policy.risks,
        currency=session.project.currency,
        warnings=tuple(problem for problem in declared.problems if problem.severity == "warning"),
        runs=session.store.run_count(),
    )


def invalid_plan(project: Project, problems: Sequence[Problem], selection: Selection) -> Plan:
    """Return the plan of invalid manifests: no changes, and the problems."""
    return Plan(
        project=project.name,
        environment=project.environment,
        tool_version=__version__,
        manifest_digest=canonical.digest({}),
        live_digest=canonical.digest([]),
        changes=(),
        problems=tuple(problems),
        selection=selection,
    )


def plan_again(session: ProjectSession, declared: Declared, saved: SavedPlan) -> Planned:
    """Make a saved plan again from what is declared and live now; StalePlan names everything that differs."""
    past = session.store.applied(saved.digest)
    if past is not None:
        raise _stale([stale.used(past)])
    if not saved.intact:
        raise _stale(["the document was edited after it was made: its digest does not match its content"])
    project = session.project
    targets = {name: connection.target for name, connection in project.connections.items()}
    facts = {"project": project.name, "environment": project.environment, "tool_version": __version__}
    found = stale.header_reasons(saved.plan, facts, targets)
    if found:
        raise _stale(found)
    destroying = saved.plan.purpose == "destroy"
    fresh = plan(session, declared, only=stale.touched(saved.plan), destroying=destroying)
    failure = unreachable(fresh.snapshot)
    if failure is not None:
        raise failure
    current = as_saved(fresh.plan).plan
    found = stale.reasons(saved.plan, current)
    if found:
        raise _stale(found)
    unknown = stale.unknown(saved.plan, current)
    if unknown:
        message = f"could not verify that the saved plan is still current; nothing was written ({'; '.join(unknown)})"
        raise ReconcilerError(message, hint="apply it again when the system responds")
    return replace(fresh, digest=saved.digest)


def _stale(found: Sequence[str]) -> StalePlan:
    return StalePlan("the saved plan is stale; nothing was written", reasons=found, hint="create a new plan")


def unreachable(snapshot: Snapshot) -> ReconcilerError | None:
    """Return the error to end with where no system could be read; None where at least one was."""
    failures = snapshot.failures
    if not failures or snapshot.readings:
        return None
    problems = [
        Problem(code="unreachable", summary=f"connection {name}: {error.message}", hint=error.hint)
        for name, error in sorted(failures.items())
    ]
    return InvalidInput("no remote system could be read; nothing was changed", problems)
