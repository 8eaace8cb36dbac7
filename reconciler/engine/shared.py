"""Values that several live objects use together, such as a postal address: a change of one changes it for all.

Such a change gets a risk that names the others. Two declared objects that state different values are a problem.
Where it is not known who else uses a value, it is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.model.change import EDITING, Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Problem, Record
from reconciler.model.risk import risk
from reconciler.model.words import listed

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Everything that is decided and declared around one change."""

    decisions: Mapping[Address, Decision]
    desired: Mapping[Address, Desired]
    managed: Mapping[tuple[str, str, str], Address]
    """The managed objects by target, kind and remote id."""

    @classmethod
    def of(
        cls,
        decisions: Mapping[Address, Decision],
        desired: Mapping[Address, Desired],
        records: Mapping[Address, Record],
    ) -> Neighbours:
        """Index the managed objects."""
        managed = {(item.target, address.kind, item.remote_id): address for address, item in records.items()}
        return cls(decisions=decisions, desired=desired, managed=managed)


def share(decision: Decision, kind: Kind, around: Neighbours) -> tuple[Decision, tuple[Problem, ...]]:
    """Return a decision with what it does to the others that share its values, and the contradictions."""
    problems: list[Problem] = []
    target = decision.record.target if decision.record is not None else ""
    for name, code in kind.shared.items():
        users = decision.live.shared.get(name) if decision.live is not None else None
        if users is None or not _changes(decision, name):
            continue
        if users.failure is not None:
            why = f"it is not known which other objects use its {name}: {users.failure}"
            return replace(decision, action="unknown", reason=why, fields=(), edits=(), risks=()), ()
        touched = []
        for remote_id, title in users.names.items():
            other = around.managed.get((target, kind.name, remote_id))
            stated = _stated(around, other, name)
            if stated == decision.declared[name]:
                continue
            if other is not None and _contradicts(around, decision, other, name):
                problems += _conflict(around, decision, other, name)
            elif not _goes(around, other):
                touched.append(f"{title!r} (id {', '.join([remote_id, *([str(other)] if other else [])])})")
        if touched:
            words = f"changes {name} also for {listed(touched, _NAMED)}, because they use the same {name}"
            decision = replace(decision, risks=(*decision.risks, risk(code, words)))
    return decision, tuple(problems)


def _changes(decision: Decision, name: str) -> bool:
    """Whether a decision writes another value to a field of its live object."""
    paths = (item.path for item in decision.fields)
    return decision.action in EDITING and any(path == name or path.startswith(f"{name}.") for path in paths)


def _stated(around: Neighbours, address: Address | None, name: str) -> Any:
    """Return what the manifest of an object states for a field; None where it states nothing."""
    desired = around.desired.get(address) if address is not None else None
    return desired.fields.get(name) if desired is not None and not desired.forget else None


def _goes(around: Neighbours, address: Address | None) -> bool:
    """Whether the plan deletes an object."""
    decision = around.decisions.get(address) if address is not None else None
    return decision is not None and decision.action == "delete"


def _contradicts(around: Neighbours, decision: Decision, other: Address, name: str) -> bool:
    """Whether two manifests cannot both be met: they state different parts of one value that both change.

    A call sends the whole value. So of two calls that change different parts, the second undoes the first.
    """
    mine, theirs = decision.declared[name], _stated(around, other, name)
    if theirs is None:
        return False
    if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
        return True
    second = around.decisions.get(other)
    both = second is not None and _changes(second, name)
    return both or any(mine[part] != theirs[part] for part in mine.keys() & theirs.keys())


def _conflict(around: Neighbours, decision: Decision, other: Address, name: str) -> Iterator[Problem]:
    """Name both places."""
    here, there = around.desired[decision.address], around.desired[other]
    for one, two in ((here, there), (there, here)):
        yield Problem(
            code=f"shared-{name}-conflict",
            summary=f"states another {name} than {two.address} ({two.source}), but both use the same one",
            hint=f"state the same {name} in both, or give one of them another address_id",
            where=one.source,
            address=one.address,
        )
