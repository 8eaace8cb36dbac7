"""Finding an object that has no recorded id: by natural key, exactly one or none, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.engine.diff import compare, field_of, respelled, same
from reconciler.model.kind import DISTINCT_FROM, IdentityKey, Kind, Marks
from reconciler.model.objects import Desired, Fields, Live, Reading, Record


class Group:
    """Live objects of one natural key, ordered by id, found by what tells them apart."""

    def __init__(self, kind: Kind, lives: Sequence[Live]) -> None:
        self._kind, self._lives = kind, tuple(lives)
        self._shown: list[Marks] = []
        self._members: dict[tuple[tuple[str, frozenset[Any]], ...], tuple[Live, ...]] = {}
        self._named: dict[str, tuple[list[int], dict[Any, list[int]]]] = {}

    def members(self, fields: Fields, *, tell_apart: bool) -> tuple[Live, ...]:
        """Return the objects; with `tell_apart` without those that other values show to be another object."""
        asked = {name: values for name, values in self._kind.marks(fields)[0].items() if values}
        if not tell_apart or not asked:
            return self._lives
        self._shown = self._shown or [self._kind.marks(live.fields)[1] for live in self._lives]
        key = tuple(asked.items())
        if key not in self._members:
            self._members[key] = self._find(asked)
        return self._members[key]

    def _find(self, asked: Marks) -> tuple[Live, ...]:
        possible = min((self._possible(name, values) for name, values in asked.items()), key=len)
        return tuple(
            self._lives[place]
            for place in sorted(possible)
            if all(self._fits(self._shown[place].get(name), values) for name, values in asked.items())
        )

    def _possible(self, name: str, values: frozenset[Any]) -> list[int]:
        """Return the places of the objects that show nothing under a name, or one of the values."""
        if name not in self._named:
            silent: list[int] = []
            having: dict[Any, list[int]] = {}
            for place, marks in enumerate(self._shown):
                for value in marks.get(name, ()):
                    having.setdefault(value, []).append(place)
                if not marks.get(name):
                    silent.append(place)
            self._named[name] = silent, having
        silent, having = self._named[name]
        if len(values) == 1:
            found = having.get(next(iter(values)), [])
            return [*silent, *found] if silent else found
        return [*silent, *{place for value in values for place in having.get(value, ())}]

    @staticmethod
    def _fits(shown: frozenset[Any] | None, values: frozenset[Any]) -> bool:
        return not shown or not values.isdisjoint(shown)


Index = Mapping[IdentityKey, Group]
"""Live objects by each of their natural keys, so that thousands can be looked up at once."""


@dataclass(frozen=True, slots=True)
class Either(Collection[str]):
    """The ids of two sets, without a copy of the larger one for each object that is looked up."""

    many: Collection[str]
    few: Collection[str]

    def __contains__(self, item: object) -> bool:
        return item in self.few or item in self.many

    def __bool__(self) -> bool:
        return bool(self.few) or bool(self.many)

    def __iter__(self) -> Iterator[str]:
        return iter({*self.many, *self.few})

    def __len__(self) -> int:
        return len({*self.many, *self.few})


def index(kind: Kind, lives: Iterable[Live]) -> Index:
    """Return live objects by natural key, those of one key ordered by id."""
    found: dict[IdentityKey, list[Live]] = {}
    for live in sorted(lives, key=id_order):
        for key in dict.fromkeys(kind.identities(live.fields)):
            found.setdefault(key, []).append(live)
    return {key: Group(kind, members) for key, members in found.items()}


def alike(
    kind: Kind, fields: Fields, among: Index, *, without: Collection[str] = (), tell_apart: bool = True
) -> tuple[Live, ...]:
    """Return the indexed objects with the same natural key, by the strongest key that finds any.

    `tell_apart`: leave out those that other values show to be another object.
    """
    for key in kind.identities(fields):
        group = among.get(key)
        members = group.members(fields, tell_apart=tell_apart) if group is not None else ()
        found = tuple(live for live in members if live.remote_id not in without) if without else members
        if found:
            return found
    return ()


def distinct_from(desired: Desired | None) -> frozenset[str]:
    """Return the live ids that a manifest says it is not about."""
    named = desired.annotations.get(DISTINCT_FROM, "") if desired is not None else ""
    return frozenset(named.replace(",", " ").split())


def is_another(kind: Kind, applied: Fields, declared: Fields, live: Fields) -> bool:
    """Whether a live object shares nothing that people recognise it by with what was last applied to its id.

    A single such field may simply have been renamed: then nothing else may agree either. A flag agrees by chance.
    """
    if not kind.recognised_by:
        return False
    known = {name for name in kind.recognised_by if applied.get(name) and name in live}
    if not known or any(same(applied[name], live[name]) or declared.get(name) == live[name] for name in known):
        return False  # nearly every object of every plan: the whole comparison is not needed
    changes = compare(kind, applied, live, applied).fields
    differing = {field_of(change.path) for change in changes} - respelled(applied, live).keys()
    if not known <= differing:
        return False
    others = {name for name, value in applied.items() if name in live and value and not isinstance(value, bool)}
    return len(known) > 1 or others <= differing


def nothing_in_common(kind: Kind, record: Record, live: Live) -> str:
    """Say what an id was last applied to, and what it has now."""
    return (
        f"id {kind.public_id(record.remote_id)} has nothing in common with what was last applied: "
        f"it had {kind.describe(record.fields)}, and now has {kind.describe(live.fields)}"
    )


def id_order(live: Live) -> tuple[int, str]:
    """Sort key: ids of digits by their number."""
    return (len(live.remote_id), live.remote_id)


def twins(
    kind: Kind, fields: Fields, reading: Reading, taken: Collection[str], *, tell_apart: bool = True
) -> tuple[Live, ...]:
    """Return live objects with the same natural key whose ids are not `taken`."""
    if "index" not in reading.memo:  # once: thousands are looked up in one reading
        reading.memo["index"] = index(kind, reading.live.values())
    return alike(kind, fields, reading.memo["index"], without=taken, tell_apart=tell_apart)


def unread_stranger(reading: Reading, taken: Collection[str]) -> str | None:
    """Say which unmanaged object could not be read: it could be the one that is searched for."""
    if "unreadable" not in reading.memo:
        reading.memo["unreadable"] = sorted(reading.unreadable)
    stranger = next((remote_id for remote_id in reading.memo["unreadable"] if remote_id not in taken), None)
    return None if stranger is None else f"{stranger}: {reading.unreadable[stranger]}"
