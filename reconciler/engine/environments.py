"""Comparing two environments of a project: what each declares, and what was last applied to each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from reconciler.engine.diff import compare
from reconciler.engine.ledger import Memory
from reconciler.engine.moves import find_moves
from reconciler.model.canonical import plain
from reconciler.model.change import resolved
from reconciler.model.comparison import ComparedObject, Declared, FieldPair, Promotion
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Fields, remote_ids


class Side(Struct, frozen=True, kw_only=True):
    """One environment."""

    desired: Mapping[Address, Desired]
    """What the manifests declare in it, without objects that are no longer managed."""
    memory: Memory
    """What its state holds."""
    ids: Mapping[Address, str]
    """The remote ids of what it manages."""

    @classmethod
    def of(cls, desired: Mapping[Address, Desired], memory: Memory) -> Side:
        """Return a side by the present names of its objects."""
        moves, _ = find_moves(desired, memory.known)
        kept = {address: item for address, item in desired.items() if not item.forget}
        memory = memory.moved(moves)
        return cls(desired=kept, memory=memory, ids=remote_ids(memory.records))

    @property
    def known(self) -> frozenset[Address]:
        """The objects that are declared or managed in it."""
        return frozenset(self.desired.keys() | self.memory.records.keys())

    def pending(self, address: Address, kind: Kind) -> tuple[str, ...] | None:
        """Return the fields that are not applied as declared, none for the whole object; None where all is applied."""
        if address in self.memory.intents:
            return ()  # a call of unknown result
        desired, record = self.desired.get(address), self.memory.records.get(address)
        if desired is None or record is None:
            settled = desired is None or address in self.memory.forgotten
            return None if record is None and settled else ()
        found = compare(kind, resolved(desired.fields, self.ids), {}, record.fields).fields
        return tuple(dict.fromkeys(item.path for item in found)) or None


def compare_objects(
    here: Side, there: Side, kinds: Mapping[str, Kind], only: Collection[Address] | None = None
) -> tuple[ComparedObject, ...]:
    """Compare every object of two environments, or `only` some, ordered by address."""
    addresses = sorted(here.known | there.known, key=str)
    return tuple(
        _compared(address, here, there, kinds[address.kind]) for address in addresses if only is None or address in only
    )


def _compared(address: Address, here: Side, there: Side, kind: Kind) -> ComparedObject:
    mine, other = here.desired.get(address), there.desired.get(address)
    declared: Declared = "both"
    if (mine is None) is not (other is None):
        declared = "there" if mine is None else "here"
    pending = here.pending(address, kind)
    applied, applied_there = pending is None, there.pending(address, kind) is None
    promotion: Promotion = ("promoted" if applied_there else "ahead") if applied else "not-tried"
    if applied_there and not applied:
        promotion = "not-promoted"
    both = mine is not None and other is not None
    return ComparedObject(
        address=address,
        declared=declared,
        promotion=promotion,
        fields=tuple(_pairs(kind, mine.fields, other.fields)) if both and mine and other else (),
        pending=pending or (),
    )


def _pairs(kind: Kind, here: Fields, there: Fields) -> Iterator[FieldPair]:
    """Yield each field that differs between two declarations."""
    for item in compare(kind, here, {}, there).fields:
        yield FieldPair(path=item.path, here=plain(item.after), there=plain(item.before))
    for name in sorted(there.keys() - here.keys()):
        yield FieldPair(path=name, here=None, there=plain(there[name]))
