"""What customers know objects by, and the zone in which people read their times."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Fields, Record, Ref

LONGEST = 60
"""Characters of a name that a title holds."""


class Titles:
    """The titles of one project's objects, such as `"Yoga for all" · Mondays 11:00`.

    An object has one title, from what is live, else what was applied, else what is declared: people know it by that.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], declared: Mapping[Address, Desired], records: Mapping[Address, Record]
    ) -> None:
        """Take all objects of a project, so that a title does not depend on what is selected."""
        self._kinds, self._declared, self._records = kinds, declared, records
        self._addresses = {
            (record.connection, address.kind, record.remote_id): address for address, record in records.items()
        }
        places = {item.zone for item in declared.values() if item.zone is not None and "/" in item.zone}
        self._zone = places.pop() if len(places) == 1 else None

    def zone(self, address: Address) -> str | None:
        """Return the zone of an object's times: that of its manifest, else the only one of the project."""
        desired = self._declared.get(address)
        return self._zone if desired is None else desired.zone

    def of(self, address: Address, *sources: Fields) -> str | None:
        """Return an object's title; `sources` are its fields, what is live first. None where nothing is known."""
        kind = self._kinds[address.kind]
        fields: dict[str, Any] = {}
        for source in reversed(sources):
            known = (
                source
                if None not in source.values()
                else {key: item for key, item in source.items() if item is not None}
            )
            fields.update(known)
        name = kind.title(fields)
        timing = None
        with suppress(AttributeError, KeyError, TypeError, ValueError):  # a damaged record may hold anything
            timing = kind.timing(fields, self._names(address, kind, fields), self.zone(address))
        return " · ".join(part for part in (_quoted(name) if name else None, timing) if part) or None

    def _names(self, address: Address, kind: Kind, fields: Fields) -> dict[str, str]:
        """Return the names of the objects that an object refers to, by field."""
        found = {}
        for reference in kind.references:
            value = fields.get(reference.field)
            record, desired = self._records.get(address), self._declared.get(address)
            if isinstance(value, Ref):
                target: Address | None = value.target
            else:
                place = record.connection if record is not None else desired.connection if desired is not None else ""
                target = self._addresses.get((place, reference.kind, str(value)))
            name = self._name(target) if target is not None else None
            if name is not None:
                found[reference.field] = name
        return found

    def _name(self, address: Address) -> str:
        """Return the name of an object as it is declared, else as it was applied, else the one in its address."""
        for item in (self._declared.get(address), self._records.get(address)):
            name = self._kinds[address.kind].title(item.fields) if item is not None else None
            if name:
                return _short(name)
        return address.name


def _quoted(name: str) -> str:
    escaped = _short(name).replace('"', '\\"')
    return f'"{escaped}"'


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
