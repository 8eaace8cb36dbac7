"""From the value that a file has to the one it is to have: as few steps as possible, so that its layout stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler import zones
from reconciler.manifests.edit import Add, CannotEdit, Drop, Path, Put, Step

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
    after = [{**_whole(item, live), **item} for item in new]
    pairs = _paired(before, after)
    partners = {target: source for source, target in pairs.items()}
    for index, target in pairs.items():
        yield from _members(old[index], before[index], after[target], new[target], (*path, index), canonical)
    yield from (Drop(path=(*path, index)) for index in range(len(old)) if index not in pairs)
    added: dict[int, list[Mapping[str, Any]]] = {}
    place = -1
    for target, item in enumerate(new):
        place = partners.get(target, place)
        if target not in partners:
            added.setdefault(place, []).append(_as_siblings(item, after[target], old))
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


def _whole(item: Mapping[str, Any], live: Sequence[Any]) -> Mapping[str, Any]:
    return next((each for each in live if all(alike(each.get(name), item[name]) for name in item)), {})


def _paired(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Pair the items that have the most in common, equal ones first; those without anything in common stay alone."""
    scores = []
    for index, one in enumerate(before):
        for target, other in enumerate(after):
            shared = [name for name in one if name in other]
            equal = sum(alike(one[name], other[name]) for name in shared)
            if equal:
                scores.append((-(equal == len(shared)), -equal, abs(index - target), index, target))
    pairs: dict[int, int] = {}
    for *_, index, target in sorted(scores):
        if index not in pairs and target not in pairs.values():
            pairs[index] = target
    if before and after and not pairs:  # the list itself stays, so one of its items does
        pairs[0] = 0
    return dict(sorted(pairs.items()))


def _as_siblings(
    item: Mapping[str, Any], whole: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return a new item with the members that another one states, where these say all of it."""
    for other in others:
        if item.keys() <= other.keys() <= whole.keys():
            return {name: whole[name] for name in other}
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
