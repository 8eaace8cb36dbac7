"""Values that several live objects use together, such as a postal address: a change of one changes it for all.

Such a change gets a risk that names the others. Two declared objects that state different values are a problem.
Where it is not known who else uses a value, it is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.canonical import digest
from reconciler.model.change import EDITING, Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Problem, Record
from reconciler.model.risk import risk
from reconciler.model.words import listed

_NAMED = 5


_User = tuple[int, str, Address | None]
"""Who uses a shared value: its place among all users, and its words and address."""


class _Users(Struct):
    """The users of one value, by what their manifests state for it."""

    own: dict[str, tuple[_User, str]] = {}
    """Each of them by remote id, with the digest of what it states."""
    stated: dict[str, Any] = {}
    """What is stated, by its digest."""
    changing: dict[str, list[_User]] = {}
    """Those that change the value: two that state different ones cannot both be met, since a call sends all of it."""
    others: dict[str, list[_User]] = {}


class Neighbours(Struct, frozen=True, kw_only=True):
    """Everything that is decided and declared around one change."""

    decisions: Mapping[Address, Decision]
    desired: Mapping[Address, Desired]
    managed: Mapping[tuple[str, str, str], Address]
    """The managed objects by target, kind and remote id."""
    _found: dict[tuple[int, str, str, str], _Users] = {}
    """The users of each value: thousands may share one."""

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

    def users(self, names: Mapping[str, str], target: str, kind: str, name: str) -> _Users:
        """Return the users of a value, whose names are the same mapping for all of them."""
        key = (id(names), target, kind, name)
        if key not in self._found:
            found = self._found[key] = _Users()
            for remote_id, title in names.items():
                other = self.managed.get((target, kind, remote_id))
                words = f"{title!r} (id {', '.join([remote_id, *([str(other)] if other else [])])})"
                value, second = _stated(self, other, name), self.decisions.get(other) if other is not None else None
                if second is not None and second.action == "delete":
                    continue
                same, user = digest(value), (len(found.own), words, other)
                found.own[remote_id], found.stated[same] = (user, same), value
                changes = value is not None and second is not None and _changes(second, name)
                (found.changing if changes else found.others).setdefault(same, []).append(user)
        return self._found[key]


def share(decision: Decision, kind: Kind, around: Neighbours) -> tuple[Decision, tuple[Problem, ...]]:
    """Return a decision with what it does to the others that share its values, and the contradictions."""
    problems: list[Problem] = []
    target = decision.record.target if decision.record is not None else ""
    for name, code in kind.shared.items():
        live = decision.live
        users = live.shared.get(name) if live is not None else None
        if live is None or users is None or not _changes(decision, name):
            continue
        if users.failure is not None:
            why = f"it is not known which other objects use its {name}: {users.failure}"
            return replace(decision, action="unknown", reason=why, fields=(), edits=(), risks=()), ()
        found = around.users(users.names, target, kind.name, name)
        mine, (own, owns) = decision.declared[name], found.own.get(live.remote_id, (None, ""))
        same = digest(mine)
        against = [items for value, items in islice(found.changing.items(), _NAMED + 1) if value != same]
        touched: dict[str, list[_User]] = {}
        for value, items in found.others.items():
            if value != same and _contradicts(mine, found.stated[value]):
                against.append(items)
            elif value != same:
                touched[value] = items
        for _, _, other in islice((user for items in against for user in items if user != own), _NAMED):
            problems += _conflict(around, decision, other, name) if other is not None else ()
        few = sorted(user for items in touched.values() for user in items[: _NAMED + 1] if user != own)
        number = sum(map(len, touched.values())) - (owns in touched)
        if number:
            others = listed([words for _, words, _ in few], _NAMED, number)
            words = f"changes {name} also for {others}, because they use the same {name}"
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


def _contradicts(mine: Any, theirs: Any) -> bool:
    """Whether a change of a value contradicts a manifest that states parts of it and changes nothing."""
    if theirs is None:
        return False
    if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
        return True
    return any(mine[part] != theirs[part] for part in mine.keys() & theirs.keys())


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
