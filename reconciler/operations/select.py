"""Selecting objects by address: `--target` and `--exclude`, with globs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from reconciler.errors import UsageError
from reconciler.model.nearest import meant, nearest_address
from reconciler.model.objects import Address, Desired
from reconciler.model.plan import Selection


def select(
    universe: Collection[Address],
    selection: Selection,
    desired: Mapping[Address, Desired],
    existing: Collection[Address],
    renamed: Mapping[Address, Address] = MappingProxyType({}),
    *,
    option: str = "--target ",
) -> frozenset[Address]:
    """Return the selected addresses; UsageError names a pattern that matches nothing.

    An object that a selected one refers to is selected too if it does not exist yet, unless it is excluded. Either
    name of a `renamed` object (old address: new one) selects the object, by its new name.
    """
    limited = selection.targets or selection.changed_since is not None
    chosen = matching(universe, selection.targets, option=option) if limited else set(universe)
    excluded = matching(universe, selection.excludes, option="--exclude ")
    chosen, excluded = ({renamed.get(address, address) for address in side} for side in (chosen, excluded))
    chosen -= excluded
    waiting = list(chosen)
    while waiting:
        item = desired.get(waiting.pop())
        for target in item.depends_on if item else ():
            if target in desired and not any(target in side for side in (existing, chosen, excluded)):
                chosen.add(target)
                waiting.append(target)
    return frozenset(chosen)


def matching(
    universe: Collection[Address],
    patterns: Iterable[str],
    *,
    option: str = "",
    noun: str = "object",
    hint: str = "an address looks like Session/spring-yoga; globs are allowed",
) -> set[Address]:
    """Return the addresses that globs name; UsageError names a glob that matches nothing."""
    found: set[Address] = set()
    exact = {str(address): address for address in universe}
    for pattern in patterns:
        named = {exact[pattern]} if pattern in exact else {each for each in universe if each.matches(pattern)}
        if not named:
            near = nearest_address(pattern, universe)
            raise UsageError(f"{option}{pattern} matches no {noun}", hint=meant(near, hint))
        found |= named
    return found
