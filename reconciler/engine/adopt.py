"""Taking an existing live object under management."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from reconciler.engine.guards import Identity, shared
from reconciler.engine.identify import twins
from reconciler.engine.planner import bound
from reconciler.errors import ReconcilerError, Refused
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Live, Problem, Reading, Record, Scope


def scope_of(desired: Desired, ids: Mapping[Address, str], remote_id: str | None) -> Scope:
    """Return what has to be read: the one object, or all that could be meant."""
    fields = bound(desired.fields, ids)
    if remote_id is not None:
        return Scope(kind=desired.address.kind, ids={remote_id: fields}, listing=False)
    return Scope(kind=desired.address.kind, wanted=(fields,))


def choose(
    kind: Kind, desired: Desired, reading: Reading, records: Mapping[Address, Record], remote_id: str | None
) -> Live:
    """Return the object to take; ReconcilerError says why there is none, or which ones there are."""
    mine = {address: record for address, record in records.items() if address.kind == kind.name}
    if desired.address in mine:
        known = kind.public_id(mine[desired.address].remote_id)
        hint = f"to forget that one first: reconciler state rm {desired.address}"
        raise ReconcilerError(f"{desired.address} is managed already, as id {known}", hint=hint)
    taken = {item.remote_id: address for address, item in mine.items() if item.connection == desired.connection}
    if remote_id is not None:
        return _by_id(kind, desired, reading, taken, remote_id)
    if reading.listed is None:
        raise ReconcilerError(f"it could not be looked for: {reading.failure}")
    ids = {address: record.remote_id for address, record in records.items()}
    found = twins(kind, bound(desired.fields, ids), reading, taken)
    if len(found) == 1:
        return found[0]
    if not found:
        hint = f"if it has another name, say which one it is: reconciler adopt {desired.address} ID"
        raise ReconcilerError(f"no live object that is not managed has the natural key of {desired.address}", hint=hint)
    named = ", ".join(live.remote_id for live in found)
    hint = f"say which one: reconciler adopt {desired.address} ID"
    raise ReconcilerError(
        f"{len(found)} live objects have the natural key of {desired.address}: ids {named}", hint=hint
    )


def shared_by_others(
    records: Iterable[Record], others: Mapping[Identity, tuple[str, ...]], allowed: Collection[str]
) -> dict[Address, Problem]:
    """Say which objects somebody else in the same state manages, but for those that globs in `allowed` name."""
    found = {
        record.address: shared((record.target, record.address.kind, record.remote_id), record.address, others)
        for record in records
        if not any(fnmatchcase(str(record.address), pattern) for pattern in allowed)
    }
    return {address: problem for address, problem in found.items() if problem is not None}


def check_unshared(record: Record, others: Mapping[Identity, tuple[str, ...]]) -> None:
    """Raise Refused where another project or environment in the same state manages the object already."""
    problems = tuple(shared_by_others([record], others, ()).values())
    if problems:
        raise Refused("it is not taken over; nothing was changed", problems=problems)


def _by_id(kind: Kind, desired: Desired, reading: Reading, taken: Mapping[str, Address], remote_id: str) -> Live:
    shown = kind.public_id(remote_id)
    if remote_id in taken:
        raise ReconcilerError(f"id {shown} is managed already, as {taken[remote_id]}")
    live = reading.live.get(remote_id)
    if live is None:
        why = reading.unreadable.get(remote_id) or reading.expired.get(remote_id, "there is no such object")
        raise ReconcilerError(f"{desired.address} cannot be taken from id {shown}: {why}")
    return live
