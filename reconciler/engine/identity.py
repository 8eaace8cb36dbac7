"""Finding an object that has no recorded id: by natural key, exactly one or none, never a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Live, Reading

Index = Mapping[IdentityKey, tuple[Live, ...]]
"""Live objects by each of their natural keys, so that thousands can be looked up at once."""


def index(kind: Kind, lives: Iterable[Live]) -> Index:
    """Return live objects by natural key, those of one key ordered by id."""
    found: dict[IdentityKey, list[Live]] = {}
    for live in sorted(lives, key=id_order):
        for key in dict.fromkeys(kind.identities(live.fields)):
            found.setdefault(key, []).append(live)
    return {key: tuple(members) for key, members in found.items()}


def alike(kind: Kind, fields: Fields, among: Index) -> tuple[Live, ...]:
    """Return the indexed objects with the same natural key, by the strongest key that finds any."""
    for key in kind.identities(fields):
        found = tuple(live for live in among.get(key, ()) if not _apart(kind, fields, live))
        if found:
            return found
    return ()


def _apart(kind: Kind, fields: Fields, live: Live) -> bool:
    """Whether both state a reference, such as a Resource's `api_ref`, and the two differ."""
    name = kind.tells_apart
    if name is None:
        return False
    stated, answered = fields.get(name), live.fields.get(name)
    return bool(stated and answered and stated != answered)


def id_order(live: Live) -> tuple[int, str]:
    """Sort key: ids of digits by their number."""
    return (len(live.remote_id), live.remote_id)


def twins(kind: Kind, fields: Fields, reading: Reading, taken: Collection[str]) -> tuple[Live, ...]:
    """Return live objects with the same natural key whose ids are not `taken`."""
    return alike(kind, fields, index(kind, (live for live in reading.live.values() if live.remote_id not in taken)))


def unread_stranger(reading: Reading, taken: Collection[str]) -> str | None:
    """Say which unmanaged object could not be read: it could be the one that is searched for."""
    strangers = sorted(remote_id for remote_id in reading.unreadable if remote_id not in taken)
    return f"{strangers[0]}: {reading.unreadable[strangers[0]]}" if strangers else None
