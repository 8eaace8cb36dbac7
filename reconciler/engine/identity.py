"""Finding an object that has no recorded id: by natural key, exactly one or none, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.engine.diff import compare, field_of, respelled, same
from reconciler.engine.groups import Found, Group, Untaken, id_order, large
from reconciler.model.kind import DISTINCT_FROM, IdentityKey, Kind
from reconciler.model.objects import Desired, Fields, Live, Reading, Record

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
) -> Found[Live]:
    """Return the indexed objects with the same natural key, by the strongest key that finds any.

    `tell_apart`: leave out those that other values show to be another object.
    """
    return next((found for _, found in _groups(kind, fields, among, without, tell_apart=tell_apart)), Found())


def _groups(
    kind: Kind, fields: Fields, among: Index, without: Collection[str], *, tell_apart: bool
) -> Iterator[tuple[Group, Found[Live]]]:
    for key in kind.identities(fields):
        group = among.get(key)
        found = group.members(fields, without, tell_apart=tell_apart) if group is not None else ()
        if group is not None and found:
            yield group, found


def distinct_from(desired: Desired | None) -> frozenset[str]:
    """Return the live ids that a manifest says it is not about."""
    named = desired.annotations.get(DISTINCT_FROM, "") if desired is not None else ""
    return frozenset(named.replace(",", " ").split())


def is_another(kind: Kind, applied: Fields, declared: Fields, live: Fields, *, deletes: bool) -> bool:
    """Whether a live object shares nothing that people recognise it by with what was last applied to its id.

    A single such field may simply have been renamed: then nothing else may agree either. A flag agrees by chance.
    Where nothing else can be compared, the object counts as another one only if the change `deletes` it: a renamed
    object can be named again, and a deleted one is lost.
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
    return deletes if others == known and len(known) == 1 else len(known) > 1 or others <= differing


def nothing_in_common(kind: Kind, record: Record, live: Live) -> str:
    """Say what an id was last applied to, and what it has now."""
    return (
        f"id {kind.public_id(record.remote_id)} has nothing in common with what was last applied: "
        f"it had {kind.describe(record.fields)}, and now has {kind.describe(live.fields)}"
    )


def twins(
    kind: Kind, fields: Fields, reading: Reading, taken: Collection[str], *, tell_apart: bool = True
) -> Found[Live]:
    """Return live objects with the same natural key whose ids are not `taken`."""
    return alike(kind, fields, _index(kind, reading), without=taken, tell_apart=tell_apart)


def created(kind: Kind, fields: Fields, reading: Reading, taken: Collection[str]) -> Found[Live]:
    """Return the live objects that a create of these fields could have made: every returned value is equal."""
    groups = _groups(kind, fields, _index(kind, reading), taken, tell_apart=True)
    return next((group.equal(fields, taken, tell_apart=True) for group, _ in groups), Found())


def _index(kind: Kind, reading: Reading) -> Index:
    if "index" not in reading.memo:  # once: thousands are looked up in one reading
        reading.memo["index"] = index(kind, reading.live.values())
    found: Index = reading.memo["index"]
    return found


def unread_stranger(reading: Reading, taken: Collection[str]) -> str | None:
    """Say which unmanaged object could not be read: it could be the one that is searched for."""
    known, unread = reading.memo.get("unreadable", (None, None))
    if known is not large(taken):
        unread = Untaken({key: f"{key}: {reading.unreadable[key]}" for key in sorted(reading.unreadable)})
        reading.memo["unreadable"] = large(taken), unread
    return next(iter(unread.of(taken)), None)
