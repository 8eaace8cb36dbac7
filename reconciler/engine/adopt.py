"""Taking an existing live object under management."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from reconciler.engine.guards import Identity, shared
from reconciler.engine.match import match
from reconciler.engine.plan import bound
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
    kind: Kind,
    desired: Desired,
    reading: Reading,
    taken: Mapping[str, str],
    ids: Mapping[Address, str],
    remote_id: str | None,
) -> Live:
    """Return the object to take; ReconcilerError says why there is none, or which ones there are.

    `taken` are ids that are managed already, with whose they are; `ids` of managed objects stand for references.
    """
    if remote_id is not None:
        return _by_id(kind, desired, reading, taken, remote_id)
    if reading.listed is None:
        raise ReconcilerError(f"it could not be looked for: {reading.failure}")
    matches = match(kind, [desired], reading, taken, ids)
    for problem in matches.problems:
        raise ReconcilerError(f"{desired.address}: {problem.summary}", hint=problem.hint)
    return matches.found[desired.address]


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


def _by_id(kind: Kind, desired: Desired, reading: Reading, taken: Mapping[str, str], remote_id: str) -> Live:
    shown = kind.public_id(remote_id)
    if remote_id in taken:
        raise ReconcilerError(f"id {shown} is managed already, as {taken[remote_id]}")
    live = reading.live.get(remote_id)
    if live is None:
        why = reading.unreadable.get(remote_id) or reading.expired.get(remote_id, "there is no such object")
        raise ReconcilerError(f"{desired.address} cannot be taken from id {shown}: {why}")
    return live
