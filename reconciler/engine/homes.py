"""Through which connection a managed object is reached: a connection that was renamed keeps its objects. Pure.

An id belongs to a system, not to the name of a connection. Where another connection leads to the same system, the
record moves to it, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from reconciler.engine.ledger import Memory
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Intent, Record
from reconciler.settings import Connection
from reconciler.target import Target, Targets

_Used = TypeVar("_Used", Record, Intent)


class Homes:
    """What decides on the connection of an object."""

    def __init__(
        self, *, kinds: Mapping[str, Kind], connections: Mapping[str, Connection], desired: Mapping[Address, Desired]
    ) -> None:
        self.kinds, self.connections, self.desired = kinds, connections, desired
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}
        """The candidates by kind and target: there are few of them, and thousands of objects."""
        self._targets = Targets({name: connection.target for name, connection in connections.items()})

    def candidates(self, used: Record | Intent) -> tuple[str, ...]:
        """Return the connections that lead to the system of an id, as far as their accounts are known."""
        key = (used.address.kind, used.target)
        if key not in self._found:
            kind = self.kinds.get(used.address.kind)
            self._found[key] = tuple(
                name
                for name in self._targets.same(used.target)
                if kind is not None and self.connections[name].provider == kind.provider
            )
        return self._found[key]

    def of(self, used: Record | Intent) -> str:
        """Return the connection through which an object is reached: as declared, as before, or else any.

        The target of an older state names only a host: with several candidates it does not say which one is meant.
        A connection that now leads elsewhere is a mistake, unless the manifest names another one.
        """
        found = self.candidates(used)
        certain = len(found) == 1 or Target.parse(used.target).is_exact
        wanted = self.desired.get(used.address)
        if wanted is not None and wanted.connection in found and certain:
            return wanted.connection
        if used.connection in self.connections or not found or not certain:
            return used.connection
        return found[0]

    def doubtful(self, used: Record | Intent) -> bool:
        """Whether the connection that was used is not the one to use, as far as its name tells."""
        wanted = self.desired.get(used.address)
        return used.connection not in self.connections or (wanted is not None and wanted.connection != used.connection)


def at_home(memory: Memory, homes: Homes) -> Memory:
    """Return what the state holds, with every object and open call at the connection through which it is reached."""
    return replace(
        memory,
        records={address: _at_home(item, homes) for address, item in memory.records.items()},
        intents={address: tuple(_at_home(item, homes) for item in items) for address, items in memory.intents.items()},
        doubts=tuple(_at_home(item, homes) for item in memory.doubts),
    )


def _at_home(used: _Used, homes: Homes) -> _Used:
    home = homes.of(used)
    return used if home == used.connection else replace(used, connection=home)


def baselines_at_home(
    baselines: Mapping[tuple[str, str, str], frozenset[str]], before: Memory, after: Memory
) -> dict[tuple[str, str, str], frozenset[str]]:
    """Return recorded baselines also under the connections to which open calls have moved."""
    found = dict(baselines)
    pairs = [*zip(before.doubts, after.doubts, strict=True)]
    pairs += [
        pair for address in before.intents for pair in zip(before.intents[address], after.intents[address], strict=True)
    ]
    for old, new in pairs:
        key = (old.run_id, old.connection, old.address.kind)
        if key in baselines:
            found[old.run_id, new.connection, old.address.kind] = baselines[key]
    return found


def doubted(memory: Memory, homes: Homes, selected: frozenset[Address]) -> Iterator[str]:
    """Name the connections whose accounts must be known to find the homes of the selected objects."""
    used: list[Record | Intent] = [
        *memory.records.values(),
        *(item for items in memory.intents.values() for item in items),
        *memory.doubts,
    ]
    for item in used:
        if item.address in selected and homes.doubtful(item):
            yield from homes.candidates(item)
