"""Selecting objects by address: `--target` and `--exclude`, with globs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
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
) -> frozenset[Address]:
    """Return the selected addresses; UsageError names a pattern that matches nothing.

    An object that a selected one refers to is selected too if it does not exist yet, unless it is excluded. Either
    name of a `renamed` object (old address: new one) selects the object, by its new name.
    """
    if not selection.targets:
        chosen = set(universe)
    else:
        chosen = {address for pattern in selection.targets for address in _matching(universe, pattern, "--target")}
    excluded = {address for pattern in selection.excludes for address in _matching(universe, pattern, "--exclude")}
    chosen, excluded = ({renamed.get(address, address) for address in side} for side in (chosen, excluded))
    chosen -= excluded
    waiting = list(chosen)
    while waiting:
        item = desired.get(waiting.pop())
        for target in item.depends_on if item else ():
            if target not in existing and target not in chosen | excluded and target in desired:
                chosen.add(target)
                waiting.append(target)
    return frozenset(chosen)


def _matching(universe: Collection[Address], pattern: str, option: str) -> list[Address]:
    found = [address for address in universe if fnmatchcase(str(address), pattern)]
    if not found:
        near = nearest_address(pattern, universe)
        hint = meant(near, "an address looks like Session/spring-yoga; globs are allowed")
        raise UsageError(f"{option} {pattern} matches no object", hint=hint)
    return found
