"""A deletion and a creation that look like one object under two names: most likely a rename.

It is only ever a warning: which of two alike objects was meant, nobody but a person can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.model.change import Change
from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Problem

PAIRS = 2_500
"""How many pairs of one kind are compared field by field; in larger plans only natural keys are."""

_MANY = 3
"""Equal fields from which on two objects may look alike though some of their fields differ."""


def renames(changes: Iterable[Change], kinds: Mapping[str, Kind], *, destroying: bool) -> list[Problem]:
    """Return a warning for both sides of each likely rename; each object belongs to at most one."""
    if destroying:
        return []
    problems: list[Problem] = []
    by_kind: dict[str, tuple[list[Change], list[Change]]] = {}
    for change in sorted(changes, key=lambda change: str(change.address)):
        going, coming = by_kind.setdefault(change.address.kind, ([], []))
        if change.action == "delete" and change.live is not None and change.desired is None:
            going.append(change)
        elif change.action == "create" and change.record is None:
            coming.append(change)
    for name, (going, coming) in sorted(by_kind.items()):
        for old, new in _pairs(kinds[name], going, coming):
            problems += _warnings(old, new)
    return problems


def _pairs(kind: Kind, going: Sequence[Change], coming: Sequence[Change]) -> list[tuple[Change, Change]]:
    """Pair by natural key, then the rest by how much is equal; the same pairs whatever the order of a set."""
    keys: dict[IdentityKey, list[Change]] = {}
    for old in going:
        for key in kind.identities(_fields(old)):
            keys.setdefault(key, []).append(old)
    pairs: list[tuple[Change, Change]] = []
    taken: set[int] = set()
    for new in coming:
        candidates = (old for key in kind.identities(_fields(new)) for old in keys.get(key, ()))
        found = next((old for old in candidates if id(old) not in taken), None)
        if found is not None:
            pairs.append((found, new))
            taken |= {id(found), id(new)}
    left, right = ([change for change in side if id(change) not in taken] for side in (going, coming))
    if len(left) * len(right) > PAIRS:
        return pairs
    scored = [
        (-_likeness(kind, old, new), str(new.address), str(old.address), old, new) for old in left for new in right
    ]
    for score, _, _, old, new in sorted(scored, key=lambda item: item[:3]):
        if score < 0 and id(old) not in taken and id(new) not in taken:
            pairs.append((old, new))
            taken |= {id(old), id(new)}
    return pairs


def _fields(change: Change) -> Fields:
    if change.desired is not None:
        return change.desired.fields
    recorded = change.record.fields if change.record else {}
    return {**recorded, **(change.live.fields if change.live else {})}


def _likeness(kind: Kind, old: Change, new: Change) -> float:
    """Return the share of the declared fields that are equal, 0 where they are too few to mean anything."""
    before, after = _fields(old), _fields(new)
    stated = [name for name in after if name not in kind.local and name in before]
    equal = sum(before[name] == after[name] for name in stated if name not in kind.parts)
    equal += sum(_same_members(kind, name, old, after) for name in stated if name in kind.parts)
    total = sum(name not in kind.local for name in after)
    return equal / total if equal >= _MANY and equal * 3 >= total * 2 else 0


def _same_members(kind: Kind, name: str, old: Change, after: Fields) -> bool:
    """Whether a part's live members are those wanted; what was applied stands in for what is not answered of them."""
    if old.live is None or old.live.fields.get(name) is None:
        return False
    applied = old.record.fields.get(name) if old.record else None
    return not kind.parts[name](after[name], old.live.fields[name], applied).edits


def _warnings(old: Change, new: Change) -> tuple[Problem, Problem]:
    hint = (
        f"if {new.address} is a new name for it, say so in its manifest, metadata.moved_from: {old.address.name}, "
        f"or run: reconciler state mv {old.address} {new.address}"
    )
    place = f" ({new.source.path}:{new.source.line})" if new.source else ""
    return (
        Problem(
            code="looks-renamed",
            severity="warning",
            summary=f"would be deleted, while {new.address}{place}, which looks the same, would be created",
            hint=hint,
            address=old.address,
        ),
        Problem(
            code="looks-renamed",
            severity="warning",
            summary=f"would be created, while {old.address}, which looks the same, would be deleted",
            hint=hint,
            where=new.source,
            address=new.address,
        ),
    )
