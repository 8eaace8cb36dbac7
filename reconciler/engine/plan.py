"""From desired, recorded and live to a plan. Pure.

The stages: `scopes` says what to read, `decide_all` decides on each object, `impact.booking_queries` says which
bookings to read, `make_plan` builds the changes. Each change is built once, in `_change`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from reconciler.engine.decide import decide
from reconciler.engine.forecast import forecast
from reconciler.engine.impact import Bookings, impact
from reconciler.engine.ledger import Memory
from reconciler.engine.moves import forget, unknown_removals
from reconciler.engine.order import in_order
from reconciler.engine.recover import certain, creations, explained
from reconciler.engine.renames import renames
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.subject import Context, Decided, still_reaches
from reconciler.model.canonical import digest, now, plain
from reconciler.model.change import EDITING, IDLE, INDEPENDENT, Call, Change, Decision, resolved
from reconciler.model.kind import Kind
from reconciler.model.objects import (
    Address,
    Computed,
    Desired,
    Fields,
    Intent,
    Problem,
    Record,
    Scope,
    SourceRef,
    problem_order,
    remote_ids,
)
from reconciler.model.plan import Plan, Selection
from reconciler.model.risk import Level
from reconciler.providers.base import ProviderSpec
from reconciler.settings import Connection

_KEEPS_ID = IDLE | EDITING


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a plan is made from, except what is live."""

    project: str = ""
    environment: str | None = None
    tool_version: str = ""
    desired: Mapping[Address, Desired]
    """All declared objects of the project."""
    records: Mapping[Address, Record]
    """All managed objects of the project."""
    intents: Mapping[Address, tuple[Intent, ...]] = field(default_factory=dict)
    """The writing calls whose result is not recorded."""
    selected: frozenset[Address]
    """The addresses that the plan is about."""
    selection: Selection = field(default_factory=Selection)
    """What the user chose."""
    kinds: Mapping[str, Kind]
    providers: Mapping[str, ProviderSpec]
    connections: Mapping[str, Connection]
    baselines: Mapping[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    """The ids that were live before an earlier run created anything, by run, connection and kind."""
    destroying: bool = False
    forgotten: Mapping[Address, str] = field(default_factory=dict)
    """Expired objects that are no longer managed, with the digest of their declaration then."""
    now: str = field(default_factory=now)
    """An instant in UTC."""
    levels: Mapping[str, Level] = field(default_factory=dict)
    """The levels that the project sets for risks."""
    currency: str | None = None
    """What the project's prices are in (ISO 4217)."""
    removed: Mapping[Address, SourceRef] = field(default_factory=dict)
    """Objects that are no longer managed, with the place that says so."""
    moves: Mapping[Address, Address] = field(default_factory=dict)
    """The old addresses of selected objects by their new ones. Everything else here uses the new ones."""
    warnings: tuple[Problem, ...] = ()
    """What was found in the manifests."""
    runs: int = 0
    """How many runs have started to write."""

    @property
    def memory(self) -> Memory:
        """What the state holds."""
        return Memory(records=self.records, intents=self.intents, forgotten=self.forgotten)

    def forgets(self, address: Address) -> bool:
        """Whether an object is selected and no longer managed."""
        desired = self.desired.get(address)
        return address in self.selected and (address in self.removed or (desired is not None and desired.forget))


def scopes(world: World) -> dict[Place, Scope]:
    """Return what has to be read for the selected objects, one scope for each connection and kind."""
    ids = remote_ids(world.records)
    known: dict[Place, dict[str, Fields]] = {}
    wanted: dict[Place, list[Fields]] = {}
    computed: dict[Place, dict[str, Computed]] = {}
    for address in sorted(world.selected, key=str):
        if world.forgets(address):
            continue  # nothing about it is read: its system may be unreachable
        desired, record = world.desired.get(address), world.records.get(address)
        stated = resolved(desired.fields, ids) if desired and not world.destroying else {}
        if record is not None and still_reaches(world.connections, record):
            place = (record.connection, address.kind)
            known.setdefault(place, {})[record.remote_id] = {**record.fields, **stated}
            sure = certain(record, world.intents.get(address, ()))
            computed.setdefault(place, {})[record.remote_id] = sure.computed
            if desired is not None and desired.connection != record.connection and not world.destroying:
                wanted.setdefault((desired.connection, address.kind), []).append(stated)
        elif record is None:
            for intent in creations(world.intents.get(address, ()), world.connections):
                wanted.setdefault((intent.connection, address.kind), []).append(intent.fields)
            if desired is not None and not world.destroying:
                wanted.setdefault((desired.connection, address.kind), []).append(stated)
    return {
        place: Scope(
            kind=place[1],
            ids=known.get(place, {}),
            wanted=tuple(wanted.get(place, ())),
            computed=computed.get(place, {}),
        )
        for place in sorted(known.keys() | wanted.keys())
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What is decided on each selected object."""

    by_address: Mapping[Address, Decision]
    problems: tuple[Problem, ...] = ()


def decide_all(world: World, snapshot: Snapshot) -> Decisions:
    """Decide on every selected object, each after those its manifest refers to."""
    taken = _taken(world)
    context = Context(
        kinds=world.kinds,
        connections=world.connections,
        snapshot=snapshot,
        taken=taken,
        baselines=world.baselines,
        explained=explained(world.intents, world.kinds, world.connections, snapshot),
        destroying=world.destroying,
        forgotten=world.forgotten,
        now=world.now,
    )
    decisions: dict[Address, Decision] = {}
    problems: list[Problem] = []
    ids = remote_ids(world.records, without=world.selected)
    for address in _by_reference(world):
        desired = world.desired.get(address)
        if desired is not None:
            desired = replace(desired, fields=resolved(desired.fields, ids))
        decision, found = _decided(world, context, address, desired)
        if decision is None:
            continue
        problems += found
        decisions[address] = decision
        if decision.record is not None and not decision.forget:  # another object must not claim what was found again
            taken.setdefault((decision.record.connection, address.kind), set()).add(decision.record.remote_id)
        if decision.remote_id is not None and decision.action in _KEEPS_ID:
            ids[address] = decision.remote_id
    return Decisions(by_address=decisions, problems=tuple(problems))


def _decided(world: World, context: Context, address: Address, desired: Desired | None) -> Decided:
    if world.forgets(address):
        return forget(address, world.memory, desired, world.removed.get(address)), ()
    return decide(context, address, desired, world.records.get(address), world.intents.get(address, ()))


def _taken(world: World) -> dict[Place, set[str]]:
    """Return the ids that are managed and stay so, by place."""
    taken: dict[Place, set[str]] = {}
    for address, record in world.records.items():
        if not world.forgets(address):
            taken.setdefault((record.connection, address.kind), set()).add(record.remote_id)
    return taken


def _by_reference(world: World) -> tuple[Address, ...]:
    """Return the selected addresses, each after those its manifest refers to."""
    stand_ins = [
        Decision(
            address=address,
            connection="",
            action="update",
            reason="",
            desired=world.desired.get(address),
            record=world.records.get(address),
        )
        for address in sorted(world.selected, key=str)
    ]
    return in_order(stand_ins)


def make_plan(world: World, decisions: Decisions, bookings: Bookings) -> Plan:
    """Return the plan; `bookings` are those that were read for the decisions."""
    in_order(decisions.by_address.values())  # raises on a cycle of references, which would stop an apply half-way
    changes = {
        address: _change(world, decisions.by_address[address], bookings)
        for address in sorted(decisions.by_address, key=str)
    }
    ordered = tuple(changes.values())
    manifests = _manifest_digests(world)
    removed = {address: where for address, where in world.removed.items() if address in world.selected}
    problems = [
        *decisions.problems,
        *_missing_dependencies(world, changes),
        *_stranded(world, changes),
        *renames(ordered, world.kinds, destroying=world.destroying),
        *unknown_removals(removed, world.memory, world.desired.keys()),
    ]
    return Plan(
        project=world.project,
        environment=world.environment,
        tool_version=world.tool_version,
        manifest_digest=digest(manifests),
        live_digest=_live_digest(ordered),
        changes=ordered,
        problems=(*sorted(problems, key=problem_order), *world.warnings),
        selection=world.selection,
        managed=len(world.records),
        declared=sum(not item.forget for item in world.desired.values()),
        purpose="destroy" if world.destroying else "apply",
        manifests=manifests,
        targets=_targets(world, ordered),
        forecast=forecast(ordered, world.connections),
        runs=world.runs,
        currency=world.currency,
    )


_DECIDED = tuple(item.name for item in fields(Decision))


def _change(world: World, decision: Decision, bookings: Bookings) -> Change:
    """Build the change of one decision: the only place that builds one."""
    kind, old = world.kinds[decision.address.kind], world.moves.get(decision.address)
    found = impact(kind, decision, bookings, world.levels)
    lasting = _lasting(decision.live.fields, kind.volatile) if decision.live is not None else None
    decided = {name: getattr(decision, name) for name in _DECIDED}
    return Change(
        **{
            **decided,
            "reason": decision.reason if old is None else f"moved from {old}; {decision.reason}",
            "risks": found.risks,
        },
        calls=_calls(world, decision),
        shown_id=kind.public_id(decision.remote_id),
        name=_title(kind, decision),
        zone=decision.desired.zone if decision.desired is not None else None,
        moved_from=old,
        bookings=found.bookings,
        price=found.price,
        lasting=lasting,
        live_digest=digest(lasting) if lasting is not None else None,
    )


def _title(kind: Kind, decision: Decision) -> str | None:
    """Return what people call the object: its live name, else the applied one, else the declared one."""
    sources = (decision.live, decision.record, decision.desired)
    names = (kind.title(source.fields) for source in sources if source is not None)
    return next((name for name in names if name), None)


def _lasting(value: Any, volatile: frozenset[str]) -> Any:
    """Return a live value without values that change with everyday business, its members sorted."""
    if isinstance(value, Mapping):
        return {key: _lasting(item, volatile) for key, item in value.items() if key not in volatile}
    if isinstance(value, (list, tuple)):
        items = [_lasting(item, volatile) for item in value]
        return sorted(items, key=digest) if all(isinstance(item, dict) for item in items) else items
    return value


def _calls(world: World, decision: Decision) -> tuple[Call, ...]:
    """Return the calls of a decision; a replacement is a delete and a create."""
    if decision.idle or (decision.action == "delete" and decision.live is None):
        return ()
    if decision.action == "replace" and decision.record is not None:
        old = replace(decision, action="delete", connection=decision.record.connection)
        new = replace(decision, action="create", remote_id=None)
        return (*_calls(world, old), *_calls(world, new))
    connection = world.connections[decision.connection]
    return world.providers[connection.provider].calls(decision, connection)


def _missing_dependencies(world: World, changes: Mapping[Address, Change]) -> list[Problem]:
    """Say which objects need one that neither exists nor is in the selection."""
    return [
        Problem(
            code="dependency-not-selected",
            summary=f"needs {target}, which does not exist yet and is not selected",
            hint=f"add --target {target}, or do not exclude it",
            where=change.desired.source,
            address=change.address,
        )
        for change in changes.values()
        if change.desired is not None and change.action not in INDEPENDENT
        for target in change.desired.depends_on
        if target not in world.records and target not in changes
    ]


def _stranded(world: World, changes: Mapping[Address, Change]) -> list[Problem]:
    """Say which objects would still refer to a deleted one, because they are not selected."""
    gone = {address for address, change in changes.items() if change.action == "delete"}
    return [
        Problem(
            code="dependent-not-selected",
            summary=f"would be deleted, but {record.address} refers to it and is not selected",
            hint=f"add --target {record.address}, or do not exclude it",
            address=target,
        )
        for record in world.records.values()
        if record.address not in changes
        for target in sorted(gone.intersection(record.depends_on), key=str)
    ]


def _manifest_digests(world: World) -> dict[str, str]:
    """Digest what each manifest means, not how it is written: a comment changes nothing."""
    digests = {
        str(item.address): digest(
            [
                item.connection,
                plain(item.fields),
                item.protect,
                [str(target) for target in item.depends_on],
                *([["moved_from", *map(str, item.moved_from)]] if item.moved_from else []),
                *(["forget"] if item.forget else []),
            ]
        )
        for item in world.desired.values()
    }
    digests |= {str(address): digest(["removed"]) for address in world.removed}
    return dict(sorted(digests.items()))


def _targets(world: World, changes: tuple[Change, ...]) -> dict[str, str]:
    """Return the remote system behind each connection of the plan, including those of recorded ids."""
    names = {change.connection for change in changes}
    names |= {change.record.connection for change in changes if change.record is not None}
    return {name: world.connections[name].target for name in sorted(names & world.connections.keys())}


def _live_digest(changes: tuple[Change, ...]) -> str:
    return digest(
        [[str(change.address), change.action == "unknown", change.shown_id, change.live_digest] for change in changes]
    )
