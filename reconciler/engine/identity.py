"""Finding an object that has no recorded id: by natural key, exactly one or none, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.engine.diff import compare, field_of, respelled, same
from reconciler.model.kind import DISTINCT_FROM, IdentityKey, Kind, Marks
from reconciler.model.objects import Desired, Fields, Live, Reading, Record

_Item = TypeVar("_Item")


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


class Untaken(Generic[_Item]):
    """Items by id, without those that are taken: thousands are looked up, and each taken one is passed over once.

    What is taken grows between two looks, and never shrinks.
    """

    __slots__ = ("_items", "_taken", "_values")

    def __init__(self, items: Mapping[str, _Item]) -> None:
        self._items = items
        self._values = tuple(items.values())
        self._taken = 0

    def of(self, taken: Collection[str]) -> tuple[_Item, ...]:
        """Return the items whose ids are not taken, in their order."""
        many, few = (taken.many, taken.few) if isinstance(taken, Either) else (taken, ())
        if len(many) != self._taken:
            self._taken = len(many)
            self._items = {key: item for key, item in self._items.items() if key not in many}
            self._values = tuple(self._items.values())
        if any(key in self._items for key in few):
            return tuple(item for key, item in self._items.items() if key not in few)
        return self._values


def large(taken: Collection[str]) -> Collection[str]:
    """Return the set of a collection that grows from one look to the next."""
    return taken.many if isinstance(taken, Either) else taken


class Group:
    """Live objects of one natural key, ordered by id, found by what tells them apart."""

    __slots__ = ("_all", "_kind", "_lives", "_members", "_named", "_shown", "_taken")

    def __init__(self, kind: Kind, lives: Sequence[Live]) -> None:
        self._kind, self._lives = kind, tuple(lives)
        self._taken: Collection[str] | None = None
        self._shown: dict[str, Marks] = {}

    def _start(self, taken: Collection[str]) -> None:
        """Forget what was found for other taken ids."""
        self._taken = taken
        self._all = Untaken({live.remote_id: live for live in self._lives})
        self._members: dict[tuple[tuple[str, frozenset[Any]], ...], Untaken[Live]] = {}
        self._named: dict[str, tuple[Untaken[Live], dict[Any, Untaken[Live]]]] = {}

    def members(self, fields: Fields, taken: Collection[str], *, tell_apart: bool) -> tuple[Live, ...]:
        """Return the untaken objects; with `tell_apart` without those that other values show to be another object."""
        asked = {name: values for name, values in self._kind.marks(fields)[0].items() if values} if tell_apart else {}
        if asked:
            self._shown = self._shown or {live.remote_id: self._kind.marks(live.fields)[1] for live in self._lives}
        if len(self._lives) == 1:  # nearly every group: it needs no index
            return tuple(live for live in self._lives if live.remote_id not in taken and self._fits(live, asked))
        if large(taken) is not self._taken:
            self._start(large(taken))
        if not asked:
            return self._all.of(taken)
        key = tuple(asked.items())
        if key not in self._members:
            possible = min((self._possible(name, values, large(taken)) for name, values in asked.items()), key=len)
            found = (live for live in sorted(possible, key=id_order) if self._fits(live, asked))
            self._members[key] = Untaken({live.remote_id: live for live in found})
        return self._members[key].of(taken)

    def _possible(self, name: str, values: frozenset[Any], taken: Collection[str]) -> list[Live]:
        """Return the objects that show nothing under a name, or one of the values."""
        if name not in self._named:
            silent: dict[str, Live] = {}
            having: dict[Any, dict[str, Live]] = {}
            for live in self._all.of(taken):
                marks = self._shown[live.remote_id].get(name, ())
                for value in marks:
                    having.setdefault(value, {})[live.remote_id] = live
                if not marks:
                    silent[live.remote_id] = live
            self._named[name] = Untaken(silent), {value: Untaken(lives) for value, lives in having.items()}
        none, some = self._named[name]
        found = {live.remote_id: live for value in values if value in some for live in some[value].of(taken)}
        return [*none.of(taken), *found.values()]

    def _fits(self, live: Live, asked: Marks) -> bool:
        """Whether an object shows nothing that tells it apart."""
        return all(
            not shown or not values.isdisjoint(shown)
            for name, values in asked.items()
            for shown in (self._shown[live.remote_id].get(name),)
        )


Index = Mapping[IdentityKey, Group]
"""Live objects by each of their natural keys, so that thousands can be looked up at once."""


def index(kind: Kind, lives: Iterable[Live]) -> Index:
    """Return live objects by natural key, those of one key ordered by id."""
    found: dict[IdentityKey, list[Live]] = {}
    for live in sorted(lives, key=id_order):
        for key in dict.fromkeys(kind.identities(live.fields)):
            found.setdefault(key, []).append(live)
    return {key: Group(kind, members) for key, members in found.items()}


def indexes(kind: Kind, lives: Iterable[Live]) -> list[Index]:
    """Return live objects by their strongest natural key, then by the next one, and so on."""
    found: list[dict[IdentityKey, list[Live]]] = []
    for live in sorted(lives, key=id_order):
        for rank, key in enumerate(dict.fromkeys(kind.identities(live.fields))):
            found += [{}] * (rank == len(found))
            found[rank].setdefault(key, []).append(live)
    return [{key: Group(kind, members) for key, members in each.items()} for each in found]


def alike(
    kind: Kind, fields: Fields, among: Index, *, without: Collection[str] = (), tell_apart: bool = True
) -> tuple[Live, ...]:
    """Return the indexed objects with the same natural key, by the strongest key that finds any.

    `tell_apart`: leave out those that other values show to be another object.
    """
    for key in kind.identities(fields):
        group = among.get(key)
        found = group.members(fields, without, tell_apart=tell_apart) if group is not None else ()
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
    known, unread = reading.memo.get("unreadable", (None, None))
    if known is not large(taken):
        unread = Untaken({key: f"{key}: {reading.unreadable[key]}" for key in sorted(reading.unreadable)})
        reading.memo["unreadable"] = large(taken), unread
    return next(iter(unread.of(taken)), None)
