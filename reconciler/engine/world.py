"""Everything a plan is made from, except what is live."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.engine.homes import Homes, at_home, baselines_at_home
from reconciler.engine.ledger import Memory
from reconciler.model.canonical import now
from reconciler.model.kind import Kind
from reconciler.model.objects import (
    Address,
    Desired,
    Intent,
    Problem,
    Record,
    SourceRef,
)
from reconciler.model.plan import Selection
from reconciler.model.risk import Level
from reconciler.providers.base import ProviderSpec
from reconciler.settings import Connection


class World(Struct, frozen=True, kw_only=True):
    """Everything a plan is made from, except what is live."""

    project: str = ""
    environment: str | None = None
    tool_version: str = ""
    desired: Mapping[Address, Desired]
    """All declared objects of the project."""
    records: Mapping[Address, Record]
    """All managed objects of the project."""
    intents: Mapping[Address, tuple[Intent, ...]] = {}
    """The writing calls whose result is not recorded."""
    selected: frozenset[Address]
    """The addresses that the plan is about."""
    selection: Selection = field(default_factory=Selection)
    """What the user chose."""
    kinds: Mapping[str, Kind]
    providers: Mapping[str, ProviderSpec]
    connections: Mapping[str, Connection]
    baselines: Mapping[tuple[str, str, str], frozenset[str]] = {}
    """The ids that were live before an earlier run created anything, by run, connection and kind."""
    doubts: tuple[Intent, ...] = ()
    """The creates of unknown result that were settled."""
    seen: Mapping[tuple[str, str], frozenset[str]] = {}
    """The ids of unmanaged objects that were seen and are no duplicates, by target and kind."""
    declared: Mapping[Address, Desired] = {}
    """What the manifests declare, where `desired` leaves it out because only records are compared."""
    destroying: bool = False
    forgotten: Mapping[Address, str] = {}
    """Expired objects that are no longer managed, with the digest of their declaration then."""
    now: str = field(default_factory=now)
    """An instant in UTC."""
    today: str = ""
    """The day by which new objects are in the past; empty: none is."""
    levels: Mapping[str, Level] = {}
    """The levels that the project sets for risks."""
    currency: str | None = None
    """What the project's prices are in (ISO 4217)."""
    removed: Mapping[Address, SourceRef] = {}
    """Objects that are no longer managed, with the place that says so."""
    homes: Mapping[Address, str] = {}
    """The recorded connections of objects that are reached through another one. Everything else uses the new ones."""
    moves: Mapping[Address, Address] = {}
    """The old addresses of selected objects by their new ones. Everything else here uses the new ones."""
    warnings: tuple[Problem, ...] = ()
    """What was found in the manifests."""
    unread: tuple[str, ...] = ()
    """What is beside the manifests and was not read."""
    runs: int = 0
    """How many runs have started to write."""
    overtaken: Mapping[Address, Record | None] = {}
    """What another run wrote to while the live objects were read, with the records that there are now."""

    @property
    def memory(self) -> Memory:
        """What the state holds."""
        return Memory(records=self.records, intents=self.intents, forgotten=self.forgotten, doubts=self.doubts)

    def manifest(self, address: Address) -> Desired | None:
        """Return what a manifest declares of an object; None where there is none."""
        return self.desired.get(address) or self.declared.get(address)

    def forgets(self, address: Address) -> bool:
        """Whether an object is selected and no longer managed."""
        desired = self.desired.get(address)
        return address in self.selected and (address in self.removed or (desired is not None and desired.forget))


def located(world: World) -> World:
    """Return the world with every object at the connection through which it is reached."""
    before = world.memory
    after = at_home(before, homes_of(world))
    moved = {
        address: record.connection
        for address, record in before.records.items()
        if record.connection != after.records[address].connection
    }
    baselines = baselines_at_home(world.baselines, before, after)
    return replace(
        world,
        records=after.records,
        intents=after.intents,
        doubts=after.doubts,
        baselines=baselines,
        homes=moved,
    )


def homes_of(world: World) -> Homes:
    """Return what decides on the connection of each object."""
    return Homes(kinds=world.kinds, connections=world.connections, desired=world.desired)
