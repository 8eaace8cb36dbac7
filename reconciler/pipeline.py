"""The story on one screen, and the public Python API.

    paths → Manifest* → Problem* | Desired* → Live* → Plan → Report

Each function takes what the one before it returned; nothing flows back. A dry run is stopping at `Plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.errors import InvalidInput, ReconcilerError, StalePlan
from reconciler.model import canonical
from reconciler.model.objects import Address, Desired, Problem, Record, SourceRef, problem_order
from reconciler.model.plan import Plan, Selection
from reconciler.registry import kinds, providers
from reconciler.running import Planned, Signals, carry_out
from reconciler.select import select
from reconciler.workspace import Workspace

__all__ = [
    "Declared",
    "Planned",
    "Signals",
    "Workspace",
    "adopt",
    "adopt_all",
    "apply",
    "check",
    "declare",
    "drift",
    "export",
    "open_project",
    "plan",
    "plan_again",
    "unplanned",
    "unreachable",
    "verify",
]

if TYPE_CHECKING:
    from reconciler.engine.planner import World
    from reconciler.engine.snapshot import Snapshot
    from reconciler.exporting import Export, Wish
    from reconciler.manifests.read import Checked
    from reconciler.model.report import Drift, Report
    from reconciler.settings import Project
    from reconciler.takeover import Adopted

WORKERS = 8
"""Objects carried out side by side unless told otherwise; each connection has its own limit below that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the manifests declare, what they want forgotten (and where they say so), and what is wrong with them."""

    desired: Mapping[Address, Desired]
    problems: tuple[Problem, ...]
    files: int
    documents: int
    removed: Mapping[Address, SourceRef] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid going on."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def open_project(path: Path | None = None, environment: str | None = None) -> Project:
    """Read the project file; InvalidInput lists everything that is wrong with it."""
    from reconciler.manifests.project import load_project  # noqa: PLC0415 - late, for a quick --help

    return load_project(path, environment, providers=providers())


def check(
    project: Project | None, paths: Sequence[str] = (), *, stdin: IO[bytes] | None = None
) -> tuple[Checked, Declared]:
    """Load and check manifests, offline: those of the project, or `paths` instead of them."""
    from reconciler.manifests.read import read_manifests  # noqa: PLC0415 - late, for a quick --help
    from reconciler.manifests.resolve import resolve  # noqa: PLC0415 - late, for a quick --help

    checked = read_manifests(
        paths or (project.manifests if project else ()),
        root=Path.cwd() if paths or project is None else project.root,
        project_root=project.root if project else None,
        beside=project.manifests if project and paths else (),
        kinds=kinds(),
        values=project.values if project else {},
        environment=project.environment if project else None,
        project=project.name if project else None,
        stdin=stdin,
        places=project.manifests_at if project and not paths else {},
    )
    desired: Sequence[Desired] = ()
    problems = list(checked.problems)
    if project is not None:
        desired, found = resolve(checked.manifests, project, kinds(), beside=checked.beside)
        problems += found
    declared = Declared(
        desired={item.address: item for item in desired},
        problems=tuple(sorted(set(problems), key=problem_order)),
        files=checked.files,
        documents=checked.documents,
        removed={item.address: item.where for item in checked.removed},
    )
    return checked, declared


def declare(project: Project) -> Declared:
    """Return what a project declares; InvalidInput lists every problem, and nothing has been sent."""
    _, declared = check(project)
    if declared.errors:
        raise InvalidInput("the manifests have problems; nothing was read or sent", declared.problems)
    return declared


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
    from reconciler.engine.memory import wait_for_pending  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.occupied import enquiries, look, told  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.planner import make_plan, scopes  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.snapshot import take  # noqa: PLC0415 - late, for a quick --help

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
    from reconciler.engine.memory import find_moves, remembered  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.planner import World  # noqa: PLC0415 - late, for a quick --help

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
    from reconciler.engine import stale  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render.machine import plan_digest, plan_document  # noqa: PLC0415 - late, for a quick --help

    past = workspace.store.applied(saved["digest"])
    if past is not None:
        raise _stale([stale.used(past)])
    if saved["digest"] != plan_digest(saved):
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


def verify(workspace: Workspace, declared: Declared, done: Plan) -> Plan:
    """Plan all of the project anew after an apply; after a destroy, what was to be destroyed. Empty means converged."""
    if done.purpose == "destroy":
        return plan(workspace, declared, only=[str(change.address) for change in done.changes], destroying=True).plan
    return plan(workspace, declared).plan


def _stale(found: Sequence[str]) -> StalePlan:
    return StalePlan("the saved plan is stale; nothing was written", reasons=found, hint="make a new plan")


def apply(
    workspace: Workspace, planned: Planned, *, workers: int | None = None, signals: Signals | None = None
) -> Report:
    """Carry out a plan whose guards have been evaluated; the report says what happened."""
    made, signals = planned.plan, signals or Signals()
    if made.errors:
        raise InvalidInput("the plan has problems; nothing was written", made.problems)
    return carry_out(workspace, planned, workers or WORKERS, signals)


def drift(workspace: Workspace, selection: Selection | None = None) -> Drift:
    """Compare what was last applied with what is live; reads only. InvalidInput where nothing could be read."""
    from reconciler.engine.drift import drift as compare_records  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.planner import World, scopes  # noqa: PLC0415 - late, for a quick --help
    from reconciler.engine.snapshot import take  # noqa: PLC0415 - late, for a quick --help

    records = workspace.store.records()
    selected = select(records.keys(), selection or Selection(), {}, records.keys())
    world = World(
        desired={},
        records=records,
        selected=selected,
        kinds=workspace.kinds,
        providers=workspace.providers,
        connections=workspace.project.connections,
    )
    wanted = scopes(world)
    workspace.unlock({connection for connection, _ in wanted})
    snapshot = take(wanted, workspace.reader)
    failure = unreachable(snapshot)
    if failure is not None:
        raise failure
    chosen = [record for address, record in records.items() if address in selected]
    return compare_records(chosen, snapshot, workspace.kinds, workspace.project.connections)


def adopt(
    workspace: Workspace,
    declared: Declared,
    address: Address,
    remote_id: str | None = None,
    *,
    allow_shared: bool = False,
) -> Record:
    """Take an existing live object under management: by id, or the only one with the same natural key.

    Reads only; nothing of the object changes. ReconcilerError says why it cannot be taken; Refused, that
    another project or environment manages it, unless `allow_shared`.
    """
    from reconciler.takeover import adopt as take_over  # noqa: PLC0415 - late, for a quick --help

    desired = declared.desired.get(address)
    if desired is None:
        raise ReconcilerError(f"{address} is not declared", hint="write its manifest first, then adopt it")
    if desired.forget:
        hint = "take metadata.forget out of its manifest first, then adopt it"
        raise ReconcilerError(f"{address} is declared to be forgotten", hint=hint)
    return take_over(workspace, desired, remote_id, allow_shared=allow_shared)


def adopt_all(
    workspace: Workspace,
    declared: Declared,
    selection: Selection | None = None,
    *,
    allow_shared: Collection[str] = (),
) -> Adopted:
    """Take every declared object under management that is live already: each that has exactly one match.

    Those that somebody else in the same state manages are left out, unless globs of `allow_shared` name them.
    """
    from reconciler.takeover import adopt_all as take_over  # noqa: PLC0415 - late, for a quick --help

    chosen = select(
        declared.desired.keys(), selection or Selection(), declared.desired, workspace.store.records().keys()
    )
    wanted = [declared.desired[address] for address in sorted(chosen, key=str)]
    return take_over(workspace, wanted, allow_shared=allow_shared)


def export(workspace: Workspace, declared: Declared, wish: Wish) -> Export:
    """Return live objects as manifests; what is declared or managed keeps its address. Sends nothing but reads."""
    from reconciler.exporting import export as write_out  # noqa: PLC0415 - late, for a quick --help

    return write_out(workspace, declared.desired, wish)


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
