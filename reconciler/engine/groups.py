"""Live objects of one natural key, found by what tells them apart: thousands are looked up among thousands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any, Generic, TypeVar

from reconciler.engine.diff import compare, field_of, respelled
from reconciler.model.canonical import ATOMS, digest, spellings
from reconciler.model.kind import Kind, Marks
from reconciler.model.objects import Fields, Live

_Item = TypeVar("_Item")


class Either(Collection[str]):
    """The ids of two sets, without a copy of the larger one for each object that is looked up."""

    def __init__(self, many: Collection[str], few: Collection[str]) -> None:
        self.many, self.few = many, few

    def __contains__(self, item: object) -> bool:
        return item in self.few or item in self.many

    def __bool__(self) -> bool:
        return bool(self.few) or bool(self.many)

    def __iter__(self) -> Iterator[str]:
        return iter({*self.many, *self.few})

    def __len__(self) -> int:
        return len({*self.many, *self.few})


def id_order(live: Live) -> tuple[int, str]:
    """Sort key: ids of digits by their number."""
    return (len(live.remote_id), live.remote_id)


def large(taken: Collection[str]) -> Collection[str]:
    """Return the ids of a collection that grow from one look to the next."""
    return taken.many if isinstance(taken, Either) else taken


def small(taken: Collection[str]) -> Collection[str]:
    """Return the ids that only one look leaves out."""
    return taken.few if isinstance(taken, Either) else ()


class Found(Collection[_Item]):
    """Items by id that were found in one or several pools; they are not copied, since mostly a few are looked at."""

    __slots__ = ("_order", "_without", "pools")

    def __init__(
        self,
        pools: Sequence[Mapping[str, _Item]] = (),
        without: Collection[str] = (),
        order: Callable[[_Item], tuple[int, str]] = lambda _: (0, ""),
    ) -> None:
        self.pools = tuple(filter(None, pools))
        """The items by id, in their order, with those that are left out."""
        self._without = {key for key in without if any(key in pool for pool in self.pools)}
        self._order = order

    def __len__(self) -> int:
        return _total(self.pools) - len(self._without)

    def __iter__(self) -> Iterator[_Item]:
        kept = [
            (item for key, item in pool.items() if key not in self._without) if self._without else pool.values()
            for pool in self.pools
        ]
        return iter(kept[0]) if len(kept) == 1 else merge(*kept, key=self._order)

    def __contains__(self, item: object) -> bool:
        return any(item == each for each in self)

    def has(self, key: str) -> bool:
        """Whether the item with an id is one of them."""
        return key not in self._without and any(key in pool for pool in self.pools)

    def first(self, number: int) -> tuple[_Item, ...]:
        """Return some of the items."""
        return tuple(islice(self, number))


class Untaken(Generic[_Item]):
    """Items by id, without those that are taken: each taken one is passed over once.

    What is taken grows between two looks, and never shrinks.
    """

    __slots__ = ("_items", "_removed", "_seen")

    def __init__(self, items: dict[str, _Item], taken: Collection[str] = ()) -> None:
        """Keep items, of which none is taken now."""
        self._items, self._seen, self._removed = items, len(taken), 0

    def left(self, taken: Collection[str]) -> Mapping[str, _Item]:
        """Return the items whose ids are not taken, in their order."""
        new, self._seen = len(taken) - self._seen, len(taken)
        if new and isinstance(taken, dict) and new < len(self._items):  # the last ones of a mapping are the new ones
            for key in islice(reversed(taken), new):
                self._removed += self._items.pop(key, None) is not None
        elif new:
            self._items = {key: item for key, item in self._items.items() if key not in taken}
        if self._removed > len(self._items):  # a mapping passes over what was removed in front
            self._items, self._removed = dict(self._items), 0
        return self._items

    def of(self, taken: Collection[str]) -> Found[_Item]:
        """Return the items whose ids are not taken."""
        return Found((self.left(large(taken)),), small(taken))


_Asked = tuple[tuple[str, frozenset[Any]], ...]


class _Showing:
    """Live objects that show something under the same names, by what they show."""

    __slots__ = ("_all", "_fitting", "_having", "_names", "_shown")

    def __init__(
        self, names: frozenset[str], shown: Mapping[str, Marks], lives: dict[str, Live], taken: Collection[str]
    ) -> None:
        self._names, self._shown, self._all = names, shown, Untaken(lives, taken)
        self._having: dict[str, dict[Any, Untaken[Live]]] = {}
        self._fitting: dict[_Asked, Untaken[Live]] = {}

    def left(self, asked: Marks, taken: Collection[str]) -> Mapping[str, Live]:
        """Return the untaken objects that nothing they show tells apart from what is asked."""
        key = tuple((name, values) for name, values in asked.items() if name in self._names)
        if not key:
            return self._all.left(taken)
        if key not in self._fitting:
            possible = min((self._possible(name, values, taken) for name, values in key), key=_total)
            fitting = (
                live
                for live in sorted(
                    {key: live for pool in possible for key, live in pool.items()}.values(), key=id_order
                )
                if not any(values.isdisjoint(self._shown[live.remote_id][name]) for name, values in key)
            )
            self._fitting[key] = Untaken({live.remote_id: live for live in fitting}, taken)
        return self._fitting[key].left(taken)

    def _possible(self, name: str, values: frozenset[Any], taken: Collection[str]) -> list[Mapping[str, Live]]:
        """Return the objects that show one of these values, by value."""
        if name not in self._having:
            having: dict[Any, dict[str, Live]] = {}
            for remote_id, live in self._all.left(taken).items():
                for value in self._shown[remote_id][name]:
                    having.setdefault(value, {})[remote_id] = live
            self._having[name] = {value: Untaken(lives, taken) for value, lives in having.items()}
        return [self._having[name][value].left(taken) for value in values if value in self._having[name]]


def _total(pools: Sequence[Mapping[str, Any]]) -> int:
    return sum(map(len, pools))


class _Apart:
    """Live objects by what tells them apart."""

    __slots__ = ("_groups", "_marks", "_shown", "_taken")

    def __init__(self, marks: Callable[[Fields], tuple[Marks, Marks]]) -> None:
        self._marks = marks
        self._shown: dict[str, Marks] = {}
        self._taken: Collection[str] | None = None
        self._groups: list[_Showing] = []

    def of(self, lives: Mapping[str, Live], fields: Fields, taken: Collection[str]) -> Found[Live] | None:
        """Return those of the untaken objects that nothing tells apart; None where nothing is asked of them."""
        asked = {name: values for name, values in self._marks(fields)[0].items() if values}
        if not asked:
            return None
        if large(taken) is not self._taken:
            self._taken = large(taken)
            self._start({key: live for key, live in lives.items() if key not in self._taken})
        return Found([each.left(asked, large(taken)) for each in self._groups], small(taken), id_order)

    def _start(self, lives: Mapping[str, Live]) -> None:
        found: dict[frozenset[str], dict[str, Live]] = {}
        for key, live in lives.items():
            shown = self._shown.get(key) or self._marks(live.fields)[1]
            self._shown[key] = shown
            names = frozenset(name for name, values in shown.items() if values)
            found.setdefault(names, {})[key] = live
        self._groups = [_Showing(names, self._shown, items, self._taken or ()) for names, items in found.items()]


class Group:
    """Live objects of one natural key, ordered by id, found by what tells them apart."""

    __slots__ = ("_apart", "_equal", "_kind", "_lives", "_marked", "_names", "_taken", "_untaken", "_values")

    def __init__(self, kind: Kind, lives: Sequence[Live]) -> None:
        self._kind, self._lives = kind, {live.remote_id: live for live in lives}
        self._apart: _Apart | None = None
        self._values: _Apart | None = None
        self._names: frozenset[str] | None = None
        self._taken: Collection[str] | None = None

    def members(self, fields: Fields, taken: Collection[str], *, tell_apart: bool) -> Found[Live]:
        """Return the untaken objects; with `tell_apart` without those that other values show to be another object."""
        if len(self._lives) == 1:  # nearly every group: it needs no index
            ((key, live),) = self._lives.items()
            apart = key in taken or (tell_apart and self._kind.apart(fields, live.fields))
            return Found(() if apart else (self._lives,))
        self._start(large(taken))
        found = None
        if tell_apart:
            self._apart = self._apart or _Apart(self._kind.marks)
            found = self._apart.of(self._lives, fields, taken)
        return self._untaken.of(taken) if found is None else found

    def equal(self, fields: Fields, taken: Collection[str], *, tell_apart: bool) -> Found[Live]:
        """Return the untaken objects of which every value that they show is equal to one of these fields.

        `tell_apart` as for `members`: what is not compared, such as slots that no answer shows, can still tell.
        """

        def fits(live: Live) -> bool:
            return _is_equal(self._kind, fields, live) and not (tell_apart and self._kind.apart(fields, live.fields))

        if len(self._lives) == 1:
            ((key, live),) = self._lives.items()
            return Found((self._lives,) if key not in taken and fits(live) else ())
        self._start(large(taken))
        asked = self._asked(fields, tell_apart=tell_apart)
        if asked not in self._equal:
            self._values = self._values or _Apart(self._spelled)
            possible = self._values.of(self._lives, fields, large(taken))
            lives = self._untaken.of(large(taken)) if possible is None else possible
            self._equal[asked] = Untaken({live.remote_id: live for live in lives if fits(live)}, large(taken))
        return self._equal[asked].of(taken)

    def _asked(self, fields: Fields, *, tell_apart: bool) -> tuple[str, _Asked]:
        """Return what of some fields the objects here can be equal to, or what tells them apart."""
        if self._names is None:
            lives = self._lives.values()
            self._names = frozenset(name for live in lives for name in live.fields)
            self._marked = frozenset(
                name for live in lives for name, values in self._kind.marks(live.fields)[1].items() if values
            )
        values = digest({name: value for name, value in fields.items() if name in self._names})
        marks = self._kind.marks(fields)[0].items() if tell_apart else ()
        return values, tuple((name, found) for name, found in marks if name in self._marked)

    def _start(self, taken: Collection[str]) -> None:
        """Forget what was found for other taken ids."""
        if taken is not self._taken:
            self._taken = taken
            self._untaken = Untaken({key: live for key, live in self._lives.items() if key not in taken}, taken)
            self._equal: dict[tuple[str, _Asked], Untaken[Live]] = {}

    def _spelled(self, fields: Fields) -> tuple[Marks, Marks]:
        """Return the values: equal ones have a common spelling. What `apart` looks at may differ where all are."""
        values = dict(_values(self._kind, fields))
        return values, values


def _is_equal(kind: Kind, fields: Fields, live: Live) -> bool:
    changes = compare(kind, fields, live.fields, fields).fields
    spelled = respelled(fields, live.fields) if changes else {}
    return not any(change.verifiable and field_of(change.path) not in spelled for change in changes)


def _values(kind: Kind, fields: Fields) -> Iterator[tuple[str, frozenset[Any]]]:
    """Yield the spellings of each value; of the members of a part only which ones they are."""
    for name, value in fields.items():
        if name in kind.parts:
            key, listed = kind.part_keys.get(name), value if isinstance(value, list) else [None]
            members = [member.get(key) if isinstance(member, Mapping) else None for member in listed]
            if None not in members:
                yield f"={name}", frozenset({tuple(sorted(map(str, members)))})
        elif name not in kind.local:
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            yield from ((f"={name}.{key}", spellings(part)) for key, part in parts if type(part) in ATOMS)
