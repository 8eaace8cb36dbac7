"""From the value that a file has to the one it is to have: as few steps as possible, so that its layout stays. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler import zones
from reconciler.manifests.edit import Add, CannotEdit, Drop, Path, Put, Step

_FEW = 250_000
"""Pairs of items that are compared one by one."""

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<sep>[T ])[0-9]{2}:[0-9]{2}(?P<seconds>:[0-9]{2})?")

Canonical = Callable[[Any], Any]
"""Returns an item of a list as its kind compares it."""


def revise(old: Any, new: Any, path: Path, canonical: Canonical, live: Sequence[Any] = ()) -> Iterator[Step]:
    """Yield the steps from a value as it is written, with templates rendered, to another one.

    Keys of a mapping that the file does not state are left out. Items of a list are paired by what they have in common;
    `live` has all members of the items, also those that need not be stated.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in old:
            if key in new and not alike(old[key], new[key]):
                yield from revise(old[key], new[key], (*path, key), canonical)
    elif isinstance(old, list) and isinstance(new, list) and all(isinstance(item, Mapping) for item in (*old, *new)):
        yield from _items(old, new, path, canonical, live)
    elif isinstance(old, list) or isinstance(new, (list, Mapping)):
        raise CannotEdit(path, "the live value has another shape than the manifest")
    else:
        yield Put(path=path, value=new)


def _items(
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    path: Path,
    canonical: Canonical,
    live: Sequence[Any],
) -> Iterator[Step]:
    before = [canonical(item) for item in old]
    after = [{**whole, **item} for item, whole in zip(new, _wholes(new, live), strict=True)]
    pairs = _paired(before, after)
    partners = {target: source for source, target in pairs.items()}
    for index, target in pairs.items():
        yield from _members(old[index], before[index], after[target], new[target], (*path, index), canonical)
    yield from (Drop(path=(*path, index)) for index in range(len(old)) if index not in pairs)
    added: dict[int, list[Mapping[str, Any]]] = {}
    place = -1
    siblings = tuple(dict.fromkeys(map(tuple, old)))
    for target, item in enumerate(new):
        place = partners.get(target, place)
        if target not in partners:
            added.setdefault(place, []).append(_as_siblings(item, after[target], siblings))
    for place, items in added.items():
        yield from (Add(path=path, after=place, value=item) for item in reversed(items))


def _members(
    written: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    stated: Mapping[str, Any],
    path: Path,
    canonical: Canonical,
) -> Iterator[Step]:
    for name in written:
        if name in after and not alike(before.get(name), after[name]):
            yield from revise(written[name], after[name], (*path, name), canonical)
    for name, value in stated.items():
        if name not in written and not alike(before.get(name), value):
            yield Put(path=(*path, name), value=value)


def _wholes(items: Sequence[Mapping[str, Any]], live: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield, for each item, the first of `live` that has all its members; an empty one where none has."""
    known: dict[tuple[str, ...], dict[tuple[str, ...], Mapping[str, Any]]] = {}
    for item in items:
        names = tuple(item)
        if names not in known:
            known[names] = {_signs(each, names): each for each in reversed(live)}
        yield known[names].get(_signs(item, names), {})


def _paired(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Pair the items that have the most in common, equal ones first; those without anything in common stay alone."""
    pairs = _equal(before, after) if len(before) * len(after) > _FEW else {}
    left, free = (
        [index for index in range(len(side)) if index not in done]
        for side, done in ((before, pairs.keys()), (after, set(pairs.values())))
    )
    if len(left) * len(free) > _FEW:  # too many to compare each with each: the nearest
        pairs |= dict(zip(left, free, strict=False))
        return dict(sorted(pairs.items()))
    scores = []
    for index in left:
        for target in free:
            one, other = before[index], after[target]
            shared = [name for name in one if name in other]
            equal = sum(alike(one[name], other[name]) for name in shared)
            if equal:
                scores.append((-(equal == len(shared)), -equal, abs(index - target), index, target))
    taken: set[int] = set()
    for *_, index, target in sorted(scores):
        if index not in pairs and target not in taken:
            pairs[index] = target
            taken.add(target)
    if before and after and not pairs:  # the list itself stays, so one of its items does
        pairs[0] = 0
    return dict(sorted(pairs.items()))


def _equal(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Pair the items of long lists that are equal, as far as the first list states them, in their order."""
    pairs: dict[int, int] = {}
    free: dict[tuple[str, ...], dict[tuple[str, ...], deque[int]]] = {}
    taken: set[int] = set()
    for index, item in enumerate(before):
        names = tuple(item)
        if names not in free:
            free[names] = {}
            for target, other in enumerate(after):
                free[names].setdefault(_signs(other, names), deque()).append(target)
        same = free[names].get(_signs(item, names), deque())
        while same and same[0] in taken:
            same.popleft()
        if same:
            pairs[index] = same.popleft()
            taken.add(pairs[index])
    return pairs


def _signs(item: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return texts of some members that are equal where the members are `alike`, or nearly so."""
    return tuple(_sign(item.get(name)) for name in names)


def _sign(value: Any) -> str:
    if isinstance(value, bool):
        return repr(value)
    try:
        return str(Decimal(str(value)).normalize())
    except ArithmeticError:
        return repr(value)


def _as_siblings(
    item: Mapping[str, Any], whole: Mapping[str, Any], others: Sequence[Sequence[str]]
) -> Mapping[str, Any]:
    """Return a new item with the members that another one states, of which `others` are the names, if they say it."""
    for names in others:
        if item.keys() <= set(names) <= whole.keys():
            return {name: whole[name] for name in names}
    return item


def alike(one: Any, other: Any) -> bool:
    """Whether two values mean the same: `35` and `35.00`."""
    if one == other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False


def local_time(old: str, new: str, zone: str) -> str:
    """Return an instant as the local time of a zone where the old one is written so, and the clock shows it once."""
    local = _LOCAL.fullmatch(old)
    if local is None or not new.endswith("Z"):
        return new
    try:
        there = datetime.fromisoformat(new).astimezone(zones.zone(zone))
        zones.in_zone(there.replace(tzinfo=None), zones.zone(zone), new)
    except ValueError:  # an hour that the clock shows twice needs its offset
        return new
    text = there.replace(tzinfo=None).isoformat(sep=local["sep"], timespec="seconds")
    return text if local["seconds"] or there.second else text[: -len(":00")]
