"""Objects that get another address or protection, or are no longer managed. Nothing remote changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from reconciler.engine.expiry import declaration
from reconciler.engine.ledger import Ledger, Memory
from reconciler.errors import ReconcilerError
from reconciler.model.change import Change, Decision
from reconciler.model.kind import Kind
from reconciler.model.nearest import Names, nearest_address
from reconciler.model.objects import Address, Desired, Problem, SourceRef
from reconciler.model.report import Outcome

_FEW = 100
"""Deleted objects that are all compared with the name of a removed one."""


def find_moves(
    desired: Mapping[Address, Desired], known: Collection[Address]
) -> tuple[dict[Address, Address], list[Problem]]:
    """Return the moves still to be made, old addresses by new ones, and why others cannot be made."""
    moves: dict[Address, Address] = {}
    problems: list[Problem] = []
    for address, item in sorted(desired.items(), key=lambda pair: str(pair[0])):
        there = [name for name in (address, *item.moved_from) if name in known]
        if len(there) > 1:
            problems.append(_both_managed(item, there))
        elif there and there[0] != address:
            moves[address] = there[0]
    return moves, problems


def _both_managed(item: Desired, there: list[Address]) -> Problem:
    old = there[1]
    return Problem(
        code="move-both-managed",
        summary=f"is moved from {old}, but both {there[0]} and {old} are managed; expected one of them",
        hint=f"remove {old.name} from metadata.moved_from, or stop managing that object: `reconciler state rm {old}`",
        where=item.moved_at,
        address=item.address,
    )


def forget(address: Address, memory: Memory, desired: Desired | None, where: SourceRef | None) -> Decision | None:
    """Decide that an object is no longer managed; None where it is neither recorded nor declared."""
    record, source = memory.records.get(address), desired.source if desired else where
    known = address in memory.known
    if not known and desired is None:
        return None
    if record is not None:
        reason = "no longer managed; the remote object is unchanged"
    elif known:
        reason = "the unfinished calls of an earlier run are no longer tracked"
    else:
        reason = "not managed; metadata.forget is true"
    return Decision(
        address=address,
        connection=record.connection if record else desired.connection if desired else "",
        action="noop",
        reason=reason,
        remote_id=record.remote_id if record else None,
        source=source,
        desired=desired,
        record=record,
        forget=known,
    )


def unknown_removals(
    removed: Mapping[Address, SourceRef], memory: Memory, desired: Collection[Address]
) -> Iterator[Problem]:
    """Warn where a `removed` object is not managed, while one with a similar name would be deleted."""
    deleted = {str(address): address for address in memory.records if address not in desired and address not in removed}
    names = Names(deleted) if len(deleted) > _FEW else None
    for address, where in sorted(removed.items(), key=lambda pair: str(pair[0])):
        if address in memory.known:
            continue
        close = deleted if names is None else filter(None, [names.nearest(address)])
        near = nearest_address(str(address), close)
        if near is not None and deleted[near].kind == address.kind:
            yield Problem(
                code="removed-unknown",
                severity="warning",
                summary=(
                    f"is listed in a Removed document, but is not managed; did you mean {near}, which would be deleted?"
                ),
                where=where,
                address=address,
            )


def rename(ledger: Ledger, changes: Collection[Change]) -> None:
    """Apply the moves of a plan before anything is sent."""
    ledger.rename_all({change.moved_from: change.address for change in changes if change.moved_from is not None})


def protect(ledger: Ledger, changes: Collection[Change]) -> None:
    """Record new protection before anything is sent: a change that fails must not leave its object unprotected."""
    for change in changes:
        record, desired = change.record, change.desired
        if record is not None and desired is not None and desired.protect and "protect" in change.remembers:
            ledger.save(replace(record, protect=True))


def apply_forget(ledger: Ledger, change: Change, kind: Kind) -> Outcome:
    """Remove an object's record and say how that ended; nothing is sent.

    The declaration of one that expired is noted: it is created again only once that differs.
    """
    error, expired = None, change.expired and change.desired is not None
    try:
        ledger.settle(change.address)  # first: it also drops an older note
        if not change.absent:  # a person decided that it stays as it is
            ledger.end_doubts(change.address)
        ledger.remove(change.address, given_up=declaration(kind, change.declared) if expired else None)
    except ReconcilerError as problem:
        error = problem.message
    return Outcome(
        address=change.address,
        action=change.action,
        state="applied" if error is None else "failed",
        shown_id=change.shown_id,
        error=error,
        forget=not change.absent,
        record=change.remembers,
    )
