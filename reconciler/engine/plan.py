"""From desired, recorded and live to a plan; pure, but for the values it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.engine.decide import Context, Decision, decide
from reconciler.engine.forecast import forecast
from reconciler.engine.identity import created
from reconciler.engine.moves import Memory, forget, unknown_removals, with_move
from reconciler.engine.order import in_order
from reconciler.engine.recover import certain, creations
from reconciler.engine.renames import renames
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.model.canonical import digest, now, plain
from reconciler.model.change import IDLE, Call, Change
from reconciler.model.kind import Kind
from reconciler.model.objects import (
    Address,
    Computed,
    Desired,
    Fields,
    Intent,
    Problem,
    Record,
    Ref,
    Scope,
    SourceRef,
    problem_order,
)
from reconciler.model.plan import Plan, Selection
from reconciler.model.risk import Level, weighed
from reconciler.providers.base import ProviderSpec
from reconciler.settings import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a plan is made from, except what is live.

    `desired` and `records` hold all objects of the project; `selected` the addresses to look at.
    `intents` are the writing calls whose result was never recorded; `forgotten` are objects that
    expired and were given up, with the digest of what was declared then; `now` is an instant in UTC.
    `levels` are those the project sets for risks; `currency` is what its prices are in (ISO 4217).
    `removed` says where each object stands that is to be forgotten; `moves` holds the old addresses of
    selected objects by their new ones, under which all else knows them already.
    """

    desired: Mapping[Address, Desired]
    records: Mapping[Address, Record]
    intents: Mapping[Address, tuple[Intent, ...]] = field(default_factory=dict)
    selected: frozenset[Address]
    kinds: Mapping[str, Kind]
    providers: Mapping[str, ProviderSpec]
    connections: Mapping[str, Connection]
    sighted: Mapping[tuple[str, str, str], frozenset[str]] = field(default_factory=dict)
    destroying: bool = False
    forgotten: Mapping[Address, str] = field(default_factory=dict)
    now: str = field(default_factory=now)
    levels: Mapping[str, Level] = field(default_factory=dict)
    currency: str | None = None
    removed: Mapping[Address, SourceRef] = field(default_factory=dict)
    moves: Mapping[Address, Address] = field(default_factory=dict)

    @property
    def memory(self) -> Memory:
        """What the state remembers."""
        return Memory(records=self.records, intents=self.intents, forgotten=self.forgotten)

    def forgets(self, address: Address) -> bool:
        """Whether an object is selected and to be managed no more."""
        desired = self.desired.get(address)
        return address in self.selected and (address in self.removed or (desired is not None and desired.forget))


def bound(fields: Fields, ids: Mapping[Address, str]) -> Fields:
    """Replace references whose target's id is known by that id; the others stay references."""
    return {name: ids.get(value.target, value) if isinstance(value, Ref) else value for name, value in fields.items()}


def scopes(world: World) -> dict[Place, Scope]:
    """Return what has to be read for the selected objects, one scope for each connection and kind."""
    ids = {address: record.remote_id for address, record in world.records.items()}
    known: dict[Place, dict[str, Fields]] = {}
    wanted: dict[Place, list[Fields]] = {}
    computed: dict[Place, dict[str, Computed]] = {}
    for address in sorted(world.selected, key=str):
        if world.forgets(address):
            continue  # nothing of it needs to be known, not even whether its system answers
        desired, record = world.desired.get(address), world.records.get(address)
        stated = bound(desired.fields, ids) if desired and not world.destroying else {}
        if record is not None and _reachable(world, record):
            fields = {**record.fields, **stated}
            place = (record.connection, address.kind)
            known.setdefault(place, {})[record.remote_id] = fields
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


def _reachable(world: World, record: Record) -> bool:
    connection = world.connections.get(record.connection)
    return connection is not None and connection.target == record.target


def make_plan(world: World, snapshot: Snapshot, header: Mapping[str, str | None], selection: Selection) -> Plan:
    """Return the plan; `header` holds project, environment and tool_version."""
    problems: list[Problem] = []
    taken = _taken(world)
    context = Context(
        kinds=world.kinds,
        connections=world.connections,
        snapshot=snapshot,
        taken=taken,
        sighted=world.sighted,
        explained=_explained(world, snapshot),
        destroying=world.destroying,
        forgotten=world.forgotten,
        now=world.now,
    )
    changes: dict[Address, Change] = {}
    ids: dict[Address, str] = {
        address: record.remote_id for address, record in world.records.items() if address not in world.selected
    }
    for address in _by_reference(world):
        desired = world.desired.get(address)
        if desired is not None:
            desired = replace(desired, fields=bound(desired.fields, ids))
        change, found = _decision(world, context, address, desired)
        if change is None:
            continue
        problems += found
        change = _with_bookings(world, change)
        if change.record is not None and not change.forget:  # what was found again is nobody else's
            taken.setdefault((change.record.connection, address.kind), set()).add(change.record.remote_id)
        changes[address] = _shown(world, _with_digest(world, _with_calls(world, change)))
        if change.remote_id is not None and change.action in {"noop", "update", "adopt", "unknown"}:
            ids[address] = change.remote_id
    in_order(changes.values())  # raises on a circle of references, which would stop an apply half-way
    ordered = tuple(changes[address] for address in sorted(changes, key=str))
    manifests = _manifest_digests(world)
    problems += _missing_dependencies(world, changes)
    problems += _stranded(world, changes)
    problems += renames(ordered, world.kinds, destroying=world.destroying)
    removed = {address: where for address, where in world.removed.items() if address in world.selected}
    problems += unknown_removals(removed, world.memory, world.desired.keys())
    return Plan(
        project=str(header["project"]),
        environment=header["environment"],
        tool_version=str(header["tool_version"]),
        manifest_digest=digest(manifests),
        live_digest=_live_digest(ordered),
        changes=ordered,
        problems=tuple(sorted(problems, key=problem_order)),
        selection=selection,
        managed=len(world.records),
        declared=sum(not item.forget for item in world.desired.values()),
        purpose="destroy" if world.destroying else "apply",
        manifests=manifests,
        targets=_targets(world, ordered),
        forecast=forecast(ordered, world.connections),
        currency=world.currency,
    )


def _decision(world: World, context: Context, address: Address, desired: Desired | None) -> Decision:
    found: tuple[Problem, ...] = ()
    if world.forgets(address):
        change = forget(address, world.memory, desired, world.removed.get(address))
    else:
        record, intents = world.records.get(address), world.intents.get(address, ())
        change, found = decide(context, address, desired, record, intents)
    if change is None:
        return None, found
    if desired is not None and desired.zone is not None and change.desired is not None:
        change = replace(change, zone=desired.zone)
    return with_move(change, world.moves.get(address)), found


def _taken(world: World) -> dict[Place, set[str]]:
    """Return the ids that are managed and stay so, by place."""
    taken: dict[Place, set[str]] = {}
    for address, record in world.records.items():
        if world.forgets(address):
            continue
        taken.setdefault((record.connection, address.kind), set()).add(record.remote_id)
    return taken


def _by_reference(world: World) -> tuple[Address, ...]:
    """Return the selected addresses, each after those its manifest refers to."""
    stand_ins = [
        Change(
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


def _explained(world: World, snapshot: Snapshot) -> dict[Place, set[str]]:
    """Return the live ids that are as one of the interrupted creations made them, whichever it was."""
    explained: dict[Place, set[str]] = {}
    for address, intents in world.intents.items():
        for intent in creations(intents, world.connections):
            place = (intent.connection, address.kind)
            found = created(world.kinds[address.kind], intent.fields, snapshot.reading(*place), ())
            explained.setdefault(place, set()).update(live.remote_id for live in found)
    return explained


def _with_bookings(world: World, change: Change) -> Change:
    """Add which bookings a change touches and what a place costs, and weigh its risks as the project wants."""
    kind = world.kinds[change.address.kind]
    sources = (change.live, change.record, change.desired)
    prices = [source.fields.get(kind.price_field or "") for source in sources if source is not None]
    return replace(
        change,
        risks=tuple(weighed(risk, world.levels) for risk in change.risks),
        bookings=kind.touches(change),
        price=next((price for price in prices if isinstance(price, str)), None),
    )


def _with_calls(world: World, change: Change) -> Change:
    if change.action in IDLE:
        return change
    if change.action == "replace" and change.record is not None:
        old = replace(change, action="delete", connection=change.record.connection)
        new = replace(change, action="create", remote_id=None)
        return replace(change, calls=(*_calls(world, old), *_calls(world, new)))
    return replace(change, calls=_calls(world, change))


def _shown(world: World, change: Change) -> Change:
    """Mask an id that is a credential: a plan is printed, saved and posted; the record keeps the real one."""
    public = world.kinds[change.address.kind].public_id(change.remote_id)
    return change if public == change.remote_id else replace(change, remote_id=public)


def _with_digest(world: World, change: Change) -> Change:
    if change.live is None:
        return change
    lasting = _lasting(change.live.fields, world.kinds[change.address.kind].volatile)
    return replace(change, lasting=lasting, live_digest=digest(lasting))


def _lasting(value: Any, volatile: frozenset[str]) -> Any:
    """Return a live value without what changes with everyday business, its members in an order of their own."""
    if isinstance(value, Mapping):
        return {key: _lasting(item, volatile) for key, item in value.items() if key not in volatile}
    if isinstance(value, (list, tuple)):
        items = [_lasting(item, volatile) for item in value]
        return sorted(items, key=digest) if all(isinstance(item, dict) for item in items) else items
    return value


def _calls(world: World, change: Change) -> tuple[Call, ...]:
    if change.action == "delete" and change.live is None:
        return ()  # already gone
    connection = world.connections[change.connection]
    return world.providers[connection.provider].calls(change, connection)


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
        if change.desired is not None and change.action not in {"delete", "noop"}
        for target in change.desired.depends_on
        if target not in world.records and target not in changes
    ]


def _stranded(world: World, changes: Mapping[Address, Change]) -> list[Problem]:
    """Say which objects would be left referring to one that is deleted, because they are not selected."""
    gone = {address for address, change in changes.items() if change.action == "delete"}
    return [
        Problem(
            code="dependent-not-selected",
            summary=f"would be deleted, yet {record.address} refers to it and is not selected",
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
    """Return which remote system each connection of the plan leads to, that of a recorded id included."""
    names = {change.connection for change in changes}
    names |= {change.record.connection for change in changes if change.record is not None}
    return {name: world.connections[name].target for name in sorted(names & world.connections.keys())}


def _live_digest(changes: tuple[Change, ...]) -> str:
    return digest(
        [[str(change.address), change.action == "unknown", change.remote_id, change.live_digest] for change in changes]
    )
