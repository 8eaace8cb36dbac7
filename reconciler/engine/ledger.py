"""What the engine and the operations need of the state: one protocol, and what is read from it at the start."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from operator import is_
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.objects import Address, Desired, Intent, PastRun, Record


class Ledger(Protocol):
    """The state of one project and environment. Each method is one transaction, durable when it returns."""

    def records(self) -> Mapping[Address, Record]:
        """Return every managed object."""
        ...

    def stamps(self) -> Mapping[tuple[str, str], tuple[str | None, ...]]:
        """Return the id of every managed object, when it was written and, where that is recorded, by which run."""
        ...

    def writer(self) -> str | None:
        """Return the run that holds the lease."""
        ...

    def others(self) -> Mapping[tuple[str, str, str], tuple[str, ...]]:
        """Return which other projects in the same state manage a live object, by target, kind and id."""
        ...

    def open_intents(self) -> tuple[Intent, ...]:
        """Return the writing calls whose result is not recorded, oldest first."""
        ...

    def forgotten(self) -> Mapping[Address, str]:
        """Return the expired objects that are no longer managed, with the digest of their declaration then."""
        ...

    def begin(self, intent: Intent, *, fenced: bool = False) -> int:
        """Record a writing call that is about to be sent, if the run may still write; return its number."""
        ...

    def end(self, number: int) -> None:
        """Remove an intent whose call certainly had no effect."""
        ...

    def close_call(self, number: int, *, pending_until: str = "", confirmed: bool = False) -> None:
        """Record that this client no longer waits for a call, and until when it may still be processed.

        Where the server `confirmed` it, reads may be behind until the instant that was recorded before.
        """
        ...

    def extend(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than recorded; ReconcilerError: it must not be sent."""
        ...

    def record_baseline(self, run_id: str, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Record the ids that are live, by connection and kind, before a run creates anything there."""
        ...

    def baselines(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """Return the recorded baselines, by run, connection and kind."""
        ...

    def prune(self) -> None:
        """Remove the baselines of runs that left no open intent and no doubt."""
        ...

    def doubts(self) -> tuple[Intent, ...]:
        """Return the creates of unknown result that were settled, oldest first."""
        ...

    def end_doubts(self, address: Address) -> None:
        """Remove the doubts about an object: a person decided."""
        ...

    def seen(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Return the ids of unmanaged objects that were seen and are no duplicates, by target and kind."""
        ...

    def settle(self, address: Address) -> None:
        """Remove every open intent of an address, once its live object has been read; unknown creates become doubts."""
        ...

    def save(self, record: Record, *, ends: int | None = None, confirms: int | None = None) -> None:
        """Write an object's record, and end the intent that led to it or record that its call is confirmed."""
        ...

    def remove(self, address: Address, *, ends: int | None = None, given_up: str | None = None) -> bool:
        """Remove an object's record and end the intent that led to it; return whether there was one.

        `given_up` is the digest of an expired object's declaration, which is kept.
        """
        ...

    def rename_all(self, moves: Mapping[Address, Address]) -> tuple[Address, ...]:
        """Give everything recorded of old addresses their new ones; return the objects that refer to them."""
        ...

    def begin_run(self, run_id: str, command: str, *, plan_digest: str | None = None) -> None:
        """Record that a run starts to write, and from which plan."""
        ...

    def end_run(self, run_id: str, ended: str, *, unused: bool = False) -> None:
        """Record how a run ended; `unused` where it wrote nothing, so that its plan can still be applied."""
        ...

    def run_count(self) -> int:
        """Return how many runs have started to write."""
        ...

    def applied(self, plan_digest: str) -> PastRun | None:
        """Return the run that applied a plan or started to."""
        ...


class Memory(Struct, frozen=True, kw_only=True):
    """What the state holds at the start of a plan."""

    records: Mapping[Address, Record]
    intents: Mapping[Address, tuple[Intent, ...]] = {}
    forgotten: Mapping[Address, str] = {}
    doubts: tuple[Intent, ...] = ()
    """The creates of unknown result that were settled: the server may still execute one of them."""

    @property
    def known(self) -> frozenset[Address]:
        """Every address of which anything is recorded."""
        return frozenset(self.records.keys() | self.intents.keys() | self.forgotten.keys())

    def moved(self, moves: Mapping[Address, Address]) -> Memory:
        """Return what `Ledger.rename` would make of it; `moves` are old addresses by new ones."""
        if not moves:
            return self
        new = {old: address for address, old in moves.items()}
        return Memory(
            records={
                new.get(address, address): replace(
                    record,
                    address=new.get(address, address),
                    depends_on=tuple(new.get(target, target) for target in record.depends_on),
                )
                for address, record in self.records.items()
            },
            intents={
                new.get(address, address): tuple(replace(item, address=new.get(address, address)) for item in items)
                for address, items in self.intents.items()
            },
            forgotten={new.get(address, address): digest for address, digest in self.forgotten.items()},
            doubts=tuple(replace(item, address=new.get(item.address, item.address)) for item in self.doubts),
        )


def remembered(ledger: Ledger, desired: Mapping[Address, Desired] | None = None) -> Memory:
    """Read what the state holds; fields that are the same in `desired` are held once."""
    calls = open_calls(ledger)  # first: a call that ends meanwhile is in its record, and must be in one of them
    return Memory(
        records={address: _lean(item, (desired or {}).get(address)) for address, item in ledger.records().items()},
        intents=calls,
        forgotten=ledger.forgotten(),
        doubts=ledger.doubts(),
    )


def overtaken(
    ledger: Ledger, memory: Memory, desired: Mapping[Address, Desired] | None = None
) -> Mapping[Address, Record | None]:
    """Return the objects of which something was recorded after `memory` was read, with the records they have now."""
    writer = ledger.writer()  # it may write an object twice in one second: then the stamps are equal
    calls, stamps = open_calls(ledger), ledger.stamps()  # in this order, as in `remembered`
    if (
        calls == memory.intents
        and len(stamps) == len(memory.records)
        and all(
            _is_as(record, stamps.get((address.kind, address.name))) and (writer is None or record.written_by != writer)
            for address, record in memory.records.items()
        )
        and ledger.forgotten() == memory.forgotten
    ):
        return {}
    later = remembered(ledger, desired)
    parts = (
        (memory.records, later.records),
        (memory.intents, later.intents),
        (memory.forgotten, later.forgotten),
    )
    return {
        address: later.records.get(address)
        for before, after in parts
        for address in before.keys() | after.keys()
        if before.get(address) != after.get(address)
    }


def open_calls(ledger: Ledger) -> dict[Address, tuple[Intent, ...]]:
    """Return the open intents by address."""
    found: dict[Address, list[Intent]] = {}
    for intent in ledger.open_intents():
        found.setdefault(intent.address, []).append(intent)
    return {address: tuple(items) for address, items in found.items()}


def _is_as(record: Record, stamp: tuple[str | None, ...] | None) -> bool:
    return stamp is not None and stamp == (record.remote_id, record.updated_at, record.written_by)[: len(stamp)]


def _lean(record: Record, desired: Desired | None) -> Record:
    """Return a record without a second copy of what its manifest states: the very same texts in the same order."""
    mine, theirs = record.fields, desired.fields if desired is not None else {}
    same = len(mine) == len(theirs) and all(map(is_, mine, theirs)) and all(map(is_, mine.values(), theirs.values()))
    return replace(record, fields=theirs) if same and theirs else record
