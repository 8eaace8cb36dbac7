"""From what is declared, recorded and live to a plan; sends nothing but reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler import __version__
from reconciler.documents import stale
from reconciler.documents.codec import content_digest, plan_document
from reconciler.engine.impact import enquiries, look, told
from reconciler.engine.moves import find_moves, remembered, wait_for_pending
from reconciler.engine.plan import World, make_plan, scopes
from reconciler.engine.snapshot import Snapshot, take
from reconciler.errors import InvalidInput, ReconcilerError, StalePlan
from reconciler.model import canonical
from reconciler.model.objects import Problem
from reconciler.model.plan import Plan, Selection
from reconciler.operations.project import Declared
from reconciler.operations.select import select
from reconciler.operations.session import Workspace
from reconciler.settings import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and the look at the live systems it was made from; `digest` is that of its document, if it was saved."""

    plan: Plan
    snapshot: Snapshot
    digest: str | None = None


def plan(
    workspace: Workspace,
    declared: Declared,
    selection: Selection | None = None,
    *,
    only: Collection[str] | None = None,
    destroying: bool = False,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Planned:
    """Read what is live and say what would change. Sends nothing but reads, by construction.

    `selection` is what the user chose; `only` narrows the plan to the addresses of an earlier one.
    `on_wait` hears how many seconds it waits first, where a call of a killed run may still be under way.
    """
    selection = selection or Selection()
    world = _world(workspace, declared, selection, only, destroying=destroying)
    wait_for_pending(world.intents, world.selected, on_wait)
    wanted = scopes(world)
    workspace.unlock({connection for connection, _ in wanted})
    snapshot = take(wanted, workspace.reader)
    header = {
        "project": workspace.project.name,
        "environment": workspace.project.environment,
        "tool_version": __version__,
    }
    made = make_plan(world, snapshot, header, selection)
    asked = enquiries(made, workspace.kinds, world.now)
    made = told(made, asked, look(asked, workspace.reader), world.levels)
    warnings = tuple(problem for problem in declared.problems if problem.severity == "warning")
    made = replace(made, problems=(*made.problems, *warnings), runs=workspace.store.run_count())
    return Planned(plan=made, snapshot=snapshot)


def _world(
    workspace: Workspace, declared: Declared, selection: Selection, only: Collection[str] | None, *, destroying: bool
) -> World:
    """Put together what is declared and remembered; InvalidInput where the two do not fit."""
    memory = remembered(workspace.store)
    moves, problems = find_moves(declared.desired, memory.known)
    if problems and not destroying:
        raise InvalidInput("the manifests do not fit what is managed; nothing was read or sent", problems)
    universe = declared.desired.keys() | declared.removed.keys() | memory.known
    if only is None:
        renamed = {old: address for address, old in moves.items()}
        selected = select(universe, selection, declared.desired, memory.records.keys(), renamed)
    else:
        selected = frozenset(address for address in universe if str(address) in only)
    moves = {address: old for address, old in moves.items() if address in selected}
    memory = memory.moved(moves)
    return World(
        desired=declared.desired,
        records=memory.records,
        intents=memory.intents,
        selected=selected,
        kinds=workspace.kinds,
        providers=workspace.providers,
        connections=workspace.project.connections,
        sighted=workspace.store.sighted(),
        destroying=destroying,
        forgotten=memory.forgotten,
        removed=declared.removed,
        moves=moves,
        levels=workspace.project.policy.risks,
        currency=workspace.project.currency,
    )


def unplanned(project: Project, problems: Sequence[Problem], selection: Selection) -> Plan:
    """Return the plan of manifests that have problems: nothing, for the reasons it names."""
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


def plan_again(workspace: Workspace, declared: Declared, saved: Mapping[str, Any]) -> Planned:
    """Make a saved plan anew from what is declared and live now; StalePlan names everything that differs."""
    past = workspace.store.applied(saved["digest"])
    if past is not None:
        raise _stale([stale.used(past)])
    if saved["digest"] != content_digest(saved):
        raise _stale(["the document was edited after it was made: its digest is not that of its content"])
    project = workspace.project
    targets = {name: connection.target for name, connection in project.connections.items()}
    facts = {"project": project.name, "environment": project.environment, "tool_version": __version__}
    found = stale.header_reasons(saved, {**facts, "targets": targets})
    if found:
        raise _stale(found)
    fresh = plan(workspace, declared, only=stale.touched(saved), destroying=saved["purpose"] == "destroy")
    failure = unreachable(fresh.snapshot)
    if failure is not None:
        raise failure
    document = plan_document(fresh.plan)
    found = stale.reasons(saved, document)
    if found:
        raise _stale(found)
    unknown = stale.unknown(saved, document)
    if unknown:
        message = f"not known whether the plan still fits; nothing was written ({'; '.join(unknown)})"
        raise ReconcilerError(message, hint="apply it again when the system answers")
    return replace(fresh, digest=saved["digest"])


def _stale(found: Sequence[str]) -> StalePlan:
    return StalePlan("the saved plan is stale; nothing was written", reasons=found, hint="make a new plan")


def verify(workspace: Workspace, declared: Declared, done: Plan) -> Plan:
    """Plan all of the project anew after an apply; after a destroy, what was to be destroyed. Empty means converged."""
    if done.purpose == "destroy":
        return plan(workspace, declared, only=[str(change.address) for change in done.changes], destroying=True).plan
    return plan(workspace, declared).plan


def unreachable(snapshot: Snapshot) -> ReconcilerError | None:
    """Return the error to end with where not one system could be read, None where at least one was."""
    failures = snapshot.failures
    if not failures or snapshot.readings:
        return None
    problems = [
        Problem(code="unreachable", summary=f"connection {name}: {error.message}", hint=error.hint)
        for name, error in sorted(failures.items())
    ]
    return InvalidInput("no remote system could be read; nothing was changed", problems)
