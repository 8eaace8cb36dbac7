"""The order in which changes are applied: what others refer to is created first and deleted last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from reconciler.errors import ReconcilerError
from reconciler.model.change import Decision
from reconciler.model.objects import Address


def dependencies(changes: Iterable[Decision]) -> dict[Address, set[Address]]:
    """Return, for each change, the addresses whose changes come before it.

    A created or updated object waits for what it refers to, and for what gives up a value that it takes. A deleted
    one waits for everything that refers or referred to it.
    """
    by_address = {change.address: change for change in changes}
    before: dict[Address, set[Address]] = {address: set() for address in by_address}
    for change in by_address.values():
        before[change.address] |= {address for address in change.after if address in by_address}
        if change.action != "delete":
            before[change.address] |= {address for address in change.depends_on if address in by_address}
        for target in _ever_referred(change):
            if target in by_address and by_address[target].action == "delete":
                before[target].add(change.address)
                before[change.address].discard(target)
    return before


def _ever_referred(change: Decision) -> set[Address]:
    recorded = change.record.depends_on if change.record else ()
    return {*change.depends_on, *recorded}


def sorter(before: Mapping[Address, set[Address]]) -> TopologicalSorter[Address]:
    """Return a prepared sorter over what `dependencies` found; ReconcilerError names a cycle of references."""
    order = TopologicalSorter(before)
    try:
        order.prepare()
    except CycleError as error:
        circle = " → ".join(str(address) for address in error.args[1])
        raise ReconcilerError(f"objects refer to each other in a cycle: {circle}") from None
    return order


def in_order(changes: Iterable[Decision]) -> tuple[Address, ...]:
    """Return the addresses, each after those it waits for, otherwise by address."""
    before = dependencies(changes)
    if not any(before.values()):
        return tuple(sorted(before, key=str))
    order, result = sorter(before), []
    while order.is_active():
        ready = sorted(order.get_ready(), key=str)
        result += ready
        order.done(*ready)
    return tuple(result)
