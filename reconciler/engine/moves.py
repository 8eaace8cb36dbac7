"""What the state remembers, under the names that the manifests use now: moves and forgetting touch nothing remote."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler.engine.intents import left_to_wait
from reconciler.errors import ReconcilerError
from reconciler.model.change import Change
from reconciler.model.nearest import nearest_address
from reconciler.model.objects import Address, Desired, Intent, Problem, Record, SourceRef
from reconciler.model.report import Outcome

LEFT_ALONE = "forgotten; the live object is left alone"


class Remembering(Protocol):
    """What is read of the state."""

    def records(self) -> Mapping[Address, Record]:
        """Return what is managed."""
        ...

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the writing calls whose result was never recorded."""
        ...

    def forgotten(self) -> Mapping[Address, str]:
        """Return what expired and was given up."""
        ...


class Renaming(Protocol):
    """What carrying out a move needs of the state."""

    def rename(self, source: Address, target: Address) -> tuple[Address, ...]:
        """Give all that is recorded of one address another name, in one transaction."""
        ...


class Forgetting(Protocol):
    """What forgetting an object needs of the state."""

    def remove(self, address: Address) -> bool:
        """Forget one object's record."""
        ...

    def settle(self, address: Address) -> None:
        """Forget its calls of unknown result, and that it was given up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is managed, which writing calls have no recorded result, and what expired and was given up."""

    records: Mapping[Address, Record]
    intents: Mapping[Address, tuple[Intent, ...]] = field(default_factory=dict)
    forgotten: Mapping[Address, str] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[Address]:
        """Every address of which anything is remembered."""
        return frozenset(self.records.keys() | self.intents.keys() | self.forgotten.keys())

    def moved(self, moves: Mapping[Address, Address]) -> Memory:
        """Return what `Store.rename` would make of it; `moves` are old addresses by new ones."""
        if not moves:
            return self
        new = {old: address for address, old in moves.items()}
        return Memory(
            records={
                new.get(address, address): replace(
                    record,
                    address=new.get(address, address),
                    depends_on=_renamed(record.depends_on, new),
                )
                for address, record in self.records.items()
            },
            intents={
                new.get(address, address): tuple(replace(item, address=new.get(address, address)) for item in items)
                for address, items in self.intents.items()
            },
            forgotten={new.get(address, address): digest for address, digest in self.forgotten.items()},
        )


def remembered(store: Remembering) -> Memory:
    """Read all that the state holds of what is managed."""
    intents: dict[Address, tuple[Intent, ...]] = {}
    for intent in store.open_intents():
        intents[intent.address] = (*intents.get(intent.address, ()), intent)
    return Memory(records=store.records(), intents=intents, forgotten=store.forgotten())


def wait_for_pending(
    intents: Mapping[Address, Sequence[Intent]], selected: Collection[Address], on_wait: Callable[[float], None]
) -> None:
    """Wait until no server can still be at a call that nobody waits for: a look before that would miss its effect."""
    seconds = max((left_to_wait(item) for address in selected for item in intents.get(address, ())), default=0.0)
    if seconds > 0:
        on_wait(seconds)
        time.sleep(seconds)


def _renamed(targets: tuple[Address, ...], new: Mapping[Address, Address]) -> tuple[Address, ...]:
    return tuple(new.get(target, target) for target in targets)


def find_moves(
    desired: Mapping[Address, Desired], known: Collection[Address]
) -> tuple[dict[Address, Address], list[Problem]]:
    """Return the moves still to be made, old addresses by new ones, and those that cannot be made."""
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
        summary=f"is moved from {old}, yet both {there[0]} and {old} are managed; expected one of them",
        hint=f"take {old.name} out of metadata.moved_from, or forget one of them: reconciler state rm ADDRESS",
        where=item.moved_at,
        address=item.address,
    )


def forget(address: Address, memory: Memory, desired: Desired | None, where: SourceRef | None) -> Change | None:
    """Say that an object is to be managed no more; None where nothing is known of it and nothing declares it."""
    record, source = memory.records.get(address), desired.source if desired else where
    if record is None and address not in memory.known:
        if desired is None:
            return None
        reason = "not managed, and left alone: metadata.forget is true"
        return Change(
            address=address,
            connection=desired.connection,
            action="noop",
            reason=reason,
            source=source,
            desired=desired,
        )
    return Change(
        address=address,
        connection=record.connection if record else desired.connection if desired else "",
        action="noop",
        reason=LEFT_ALONE if record else "what an earlier run left unfinished or given up is forgotten",
        remote_id=record.remote_id if record else None,
        source=source,
        desired=desired,
        record=record,
        forget=True,
    )


def with_move(change: Change, old: Address | None) -> Change:
    """Return a change that says which name its object had before."""
    return change if old is None else replace(change, moved_from=old, reason=f"moved from {old}; {change.reason}")


def unknown_removals(
    removed: Mapping[Address, SourceRef], memory: Memory, desired: Collection[Address]
) -> Iterator[Problem]:
    """Warn where what is to be forgotten is not managed, while something of nearly that name would be deleted."""
    at_stake = {
        str(address): address for address in memory.records if address not in desired and address not in removed
    }
    for address, where in sorted(removed.items(), key=lambda pair: str(pair[0])):
        if address in memory.known:
            continue
        near = nearest_address(str(address), at_stake)
        if near is not None and at_stake[near].kind == address.kind:
            yield Problem(
                code="removed-unknown",
                severity="warning",
                summary=f"is to be forgotten, but is not managed; did you mean {near}, which would be deleted?",
                where=where,
                address=address,
            )


def rename(store: Renaming, changes: Collection[Change]) -> None:
    """Carry out the moves of a plan, each at once and for good, before anything is sent."""
    for change in changes:
        if change.moved_from is not None:
            store.rename(change.moved_from, change.address)


def carry_out_forgetting(store: Forgetting, change: Change) -> Outcome:
    """Drop an object from the state and say how that ended; nothing is sent."""
    outcome = Outcome(
        address=change.address, action=change.action, state="applied", remote_id=change.remote_id, forget=True
    )
    try:
        store.remove(change.address)
        store.settle(change.address)
    except ReconcilerError as problem:
        return replace(outcome, state="failed", error=problem.message)
    return outcome


def with_bookkeeping(outcome: Outcome, change: Change) -> Outcome:
    """Return an outcome that tells of the move which came before it."""
    if change.moved_from is None:
        return outcome
    state = "applied" if outcome.state == "noop" else outcome.state
    return replace(outcome, state=state, moved_from=change.moved_from)
