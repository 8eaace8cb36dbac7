"""A delete and a create that look like one object under two addresses: most likely a rename.

This is only a warning: a person knows which of two similar objects is meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from reconciler.model.change import Decision
from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Problem

PAIRS = 2_500
"""How many pairs of one kind are compared field by field. Larger plans compare only natural keys."""

_MANY = 3
"""The least number of equal fields with which two objects count as similar although other fields differ."""


def renames(changes: Iterable[Decision], kinds: Mapping[str, Kind], *, destroying: bool) -> list[Problem]:
    """Return a warning for both sides of each likely rename; each object belongs to at most one."""
    if destroying:
        return []
    problems: list[Problem] = []
    by_kind: dict[str, tuple[list[Decision], list[Decision]]] = {}
    for change in sorted(changes, key=lambda change: str(change.address)):
        going, coming = by_kind.setdefault(change.address.kind, ([], []))
        if change.action == "delete" and change.live is not None and change.desired is None:
            going.append(change)
        elif change.action == "create" and change.record is None and not change.unsettled:
            coming.append(change)
    for name, (going, coming) in sorted(by_kind.items()):
        for old, new in _pairs(kinds[name], going, coming):
            problems += _warnings(old, new)
    return problems


def _pairs(kind: Kind, going: Sequence[Decision], coming: Sequence[Decision]) -> list[tuple[Decision, Decision]]:
    """Pair by natural key, then by how many fields are equal. The pairs do not depend on the order of a set."""
    keys: dict[IdentityKey, deque[Decision]] = {}
    for old in going:
        for key in kind.identities(_fields(old)):
            keys.setdefault(key, deque()).append(old)
    pairs: list[tuple[Decision, Decision]] = []
    taken: set[int] = set()
    for new in coming:
        candidates = (_first_free(keys.get(key), taken) for key in kind.identities(_fields(new)))
        found = next((old for old in candidates if old is not None), None)
        if found is not None:
            pairs.append((found, new))
            taken |= {id(found), id(new)}
    left, right = ([change for change in side if id(change) not in taken] for side in (going, coming))
    if len(left) * len(right) > PAIRS:
        return pairs
    scored = [
        (-_similarity(kind, old, new), str(new.address), str(old.address), old, new) for old in left for new in right
    ]
    for score, _, _, old, new in sorted(scored, key=lambda item: item[:3]):
        if score < 0 and id(old) not in taken and id(new) not in taken:
            pairs.append((old, new))
            taken |= {id(old), id(new)}
    return pairs


def _first_free(waiting: deque[Decision] | None, taken: Collection[int]) -> Decision | None:
    """Return the first that is not taken, and drop those before it: thousands may have one key."""
    while waiting and id(waiting[0]) in taken:
        waiting.popleft()
    return waiting[0] if waiting else None


def _fields(change: Decision) -> Fields:
    if change.desired is not None:
        return change.desired.fields
    recorded = change.record.fields if change.record else {}
    return {**recorded, **(change.live.fields if change.live else {})}


def _similarity(kind: Kind, old: Decision, new: Decision) -> float:
    """Return the share of the declared fields that are equal, 0 where there are too few to compare."""
    before, after = _fields(old), _fields(new)
    stated = [name for name in after if name not in kind.local and name in before]
    equal = sum(before[name] == after[name] for name in stated if name not in kind.parts)
    equal += sum(_same_members(kind, name, old, after) for name in stated if name in kind.parts)
    total = sum(name not in kind.local for name in after)
    return equal / total if equal >= _MANY and equal * 3 >= total * 2 else 0


def _same_members(kind: Kind, name: str, old: Decision, after: Fields) -> bool:
    """Whether a part's live members are those wanted; what the API does not return is taken from what was applied."""
    if old.live is None or old.live.fields.get(name) is None:
        return False
    applied = old.record.fields.get(name) if old.record else None
    return not kind.parts[name](after[name], old.live.fields[name], applied).edits


def _warnings(old: Decision, new: Decision) -> tuple[Problem, Problem]:
    hint = (
        f"if {new.address} is its new name, set metadata.moved_from: {old.address.name} in its manifest, "
        f"or run: `reconciler state mv {old.address} {new.address}`"
    )
    place = f" ({new.source.path}:{new.source.line})" if new.source else ""
    return (
        Problem(
            code="looks-renamed",
            severity="warning",
            summary=f"would be deleted, and {new.address}{place}, which looks like the same object, would be created",
            hint=hint,
            address=old.address,
        ),
        Problem(
            code="looks-renamed",
            severity="warning",
            summary=f"would be created, and {old.address}, which looks like the same object, would be deleted",
            hint=hint,
            where=new.source,
            address=new.address,
        ),
    )
