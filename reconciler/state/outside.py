"""What was seen to change outside: the sightings of managed objects, and when each unmanaged object was first seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import asdict

from reconciler.model.objects import Address
from reconciler.model.sighting import Sighting, Sightings
from reconciler.state.connection import Connection
from reconciler.state.hosts import Rows
from reconciler.state.rows import Row, checked
from reconciler.state.schema import drift, unmanaged

OUTSIDE_SINCE = 4
"""The version of the state that has these tables."""

Known = Mapping[Address, Sightings]
"""The sightings of every object that has some."""

FirstSeen = Mapping[tuple[str, str], Mapping[str, str]]
"""When each unmanaged object was first seen, by target and kind, then by id."""


class Outside:
    """The sightings of one project and environment.

    `note` runs a writing transaction that neither creates nor migrates a state; it returns whether it ran.
    """

    def __init__(self, scope: Mapping[str, str], rows: Rows, note: Callable[[Callable[[Connection], None]], bool]):
        self._scope = dict(scope)
        self._rows = rows
        self._note = note

    def sightings(self) -> Known:
        """Return the recorded sightings, by address and path."""
        return _known(self._rows(drift, since=OUTSIDE_SINCE))

    def first_seen(self) -> FirstSeen:
        """Return when each unmanaged object was first seen."""
        return _first_seen(self._rows(unmanaged, since=OUTSIDE_SINCE))

    def update_sightings(self, change: Callable[[Known], Known]) -> bool:
        """Replace the sightings of the objects that `change` returns; return whether that was possible.

        `change` gets what is recorded at that moment. An object without sightings is removed.
        """

        def work(connection: Connection) -> None:
            known = _known(map(checked, connection.select(drift, self._scope)))
            for address, found in sorted(change(known).items(), key=lambda item: str(item[0])):
                key = {**self._scope, "kind": address.kind, "name": address.name}
                if found == known.get(address, {}):
                    continue
                connection.delete(drift, key)
                if found:
                    values = {path: [asdict(each) for each in items] for path, items in sorted(found.items())}
                    connection.insert(drift, {**key, "sightings": values})

        return self._note(work)

    def update_first_seen(self, change: Callable[[FirstSeen], FirstSeen]) -> bool:
        """Replace when the unmanaged objects of each target and kind that `change` returns were first seen."""

        def work(connection: Connection) -> None:
            known = _first_seen(map(checked, connection.select(unmanaged, self._scope)))
            for (target, kind), found in sorted(change(known).items()):
                key = {**self._scope, "target": target, "kind": kind}
                if found == known.get((target, kind), {}):
                    continue
                connection.delete(unmanaged, key)
                if found:
                    connection.insert(unmanaged, {**key, "first_seen": dict(sorted(found.items()))})

        return self._note(work)


def _known(rows: Iterable[Row]) -> Known:
    return {
        Address(row["kind"], row["name"]): {
            path: tuple(Sighting(**each) for each in items) for path, items in sorted(row["sightings"].items())
        }
        for row in rows
    }


def _first_seen(rows: Iterable[Row]) -> FirstSeen:
    return {(row["target"], row["kind"]): dict(row["first_seen"]) for row in rows}
