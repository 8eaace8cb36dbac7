"""Comparison: of one object three ways (declared, last applied, live), and of any two nested values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from reconciler.model.canonical import plain, spelled_alike, text
from reconciler.model.change import Edit, FieldChange, Origin
from reconciler.model.kind import Kind, PartRevision
from reconciler.model.objects import STORED, Computed, Fields
from reconciler.model.risk import Risk


class Comparison(Struct, frozen=True, kw_only=True):
    """How an object differs from its desired fields, and the edits that remove the difference."""

    fields: tuple[FieldChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    risks: tuple[Risk, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know about the edits."""
    verified: tuple[str, ...] = ()
    """The desired fields that the API returned."""
    unverified: tuple[str, ...] = ()
    """The desired fields that the API did not return."""
    computed: Computed = {}
    """What the live object shows of values that the remote system computes."""
    information: tuple[str, ...] = ()
    """What a person should know about the live object."""


def compare(
    kind: Kind, desired: Fields, live: Fields, applied: Fields, stored: Mapping[str, Any] | None = None
) -> Comparison:
    """Compare the desired fields with the live ones, or with those last applied where the API does not return them.

    `live` may be empty. Only what the manifest states is compared. The edit of the object itself comes first, then
    one for each member that can be written separately. They are sent before it where it might replace the members.

    `stored` are fields that the remote system spelled in its own way when they were applied: that is no change.
    """
    changes: list[FieldChange] = []
    values: dict[str, Any] = {}
    parts: list[PartRevision] = []
    computed: dict[str, Mapping[str, Any]] = {}
    verified: list[str] = []
    unverified: list[str] = []
    overwritten: list[str] = []
    for name, wanted in desired.items():
        if name in kind.local or name in kind.parts:
            continue
        (verified if name in live else unverified).append(name)
        if (live[name] if name in live else applied.get(name)) == wanted:
            continue  # nearly every field of every plan
        found = tuple(_field_changes(name, wanted, live, applied))
        if found and stored and _as_stored(name, wanted, live, applied, stored):
            computed[STORED] = {**computed.get(STORED, {}), name: stored[name]}
        elif found:
            changes += found
            values[name] = _whole_value(wanted, live.get(name))
            overwritten += [name] if _changed_twice(name, wanted, live, applied) else []
    disturbing = not kind.may_reset.isdisjoint(values)
    for name in sorted(kind.parts.keys() & desired.keys()):
        recreated = next((field for field in sorted(kind.resets.get(name, ())) if field in values), None)
        revision = kind.parts[name](desired[name], live.get(name), applied.get(name), recreated)
        parts.append(revision)
        computed.update({name: revision.computed} if revision.computed else {})
        verified += [f"{name}.{item}" for item in revision.verified]
        unverified += [f"{name}.{item}" for item in revision.unverified]
    for revision in parts:
        changes += revision.fields
        for edit in revision.edits:
            values.update(edit.values if edit.part is None else {})
    whole, members = (Edit(values=values),) if values else (), tuple(_part_edits(parts))
    return Comparison(
        fields=tuple(sorted(changes, key=lambda change: change.path)),
        edits=(*members, *whole) if disturbing else (*whole, *members),
        risks=tuple(risk for revision in parts for risk in revision.risks),
        notes=(*_overwriting(overwritten, applied), *(revision.note for revision in parts if revision.note)),
        verified=tuple(verified),
        unverified=tuple(unverified),
        computed=computed,
        information=tuple(revision.information for revision in parts if revision.information),
    )


def _as_stored(name: str, wanted: Any, live: Fields, applied: Fields, stored: Mapping[str, Any]) -> bool:
    if name not in live or name not in stored or not same(wanted, applied.get(name)):
        return False
    return same(stated_part(wanted, live[name]), stored[name])


def respelled(desired: Fields, live: Fields) -> dict[str, Any]:
    """Return the fields that the live object has in another spelling, as it has them."""
    parts = {name: stated_part(wanted, live[name]) for name, wanted in desired.items() if name in live}
    return {
        name: part
        for name, part in parts.items()
        if isinstance(part, (str, Mapping)) and not same(desired[name], part) and spelled_alike(desired[name], part)
    }


def field_of(path: str) -> str:
    """Return the field that a path leads into: `slots[123].time` is one of `slots`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def stated_part(wanted: Any, live: Any) -> Any:
    """Return the parts of a live or recorded value that are stated."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {key: live[key] for key in wanted if key in live}
    return live


def _changed_twice(name: str, wanted: Any, live: Fields, applied: Fields) -> bool:
    """Whether the manifest and an outside change both altered a field since the last apply."""
    if name not in live or name not in applied or isinstance(wanted, Mapping):
        return False
    return not same(live[name], applied[name]) and not same(wanted, applied[name])


def _overwriting(names: list[str], applied: Fields) -> Iterator[str]:
    if names:
        was = ", ".join(f"{name} (last applied: {applied[name]})" for name in names)
        yield f"overwrites a change made outside reconciler: {was}"


def _part_edits(parts: list[PartRevision]) -> Iterator[Edit]:
    for revision in parts:
        yield from (edit for edit in revision.edits if edit.part is not None)


def _field_changes(name: str, wanted: Any, live: Fields, applied: Fields) -> Iterator[FieldChange]:
    verifiable = name in live
    before = live[name] if verifiable else applied.get(name)
    origin: Origin = "drift" if name in applied and same(wanted, applied[name]) else "manifest"
    if isinstance(wanted, Mapping):
        before = _stated_part(wanted, before, applied.get(name))
    if not same(wanted, before):
        for path, old, new in steps(name, before, wanted):
            yield FieldChange(path=path, before=old, after=new, origin=origin, verifiable=verifiable)


def same(left: Any, right: Any) -> bool:
    """Whether two values mean the same; a text that was recorded by an older version may not be canonical."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right or text(left) == text(right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def _stated_part(wanted: Mapping[str, Any], before: Any, applied: Any) -> dict[str, Any]:
    """Keep the parts of a nested value that the manifest sets; applied values replace missing live ones."""
    before = before if isinstance(before, Mapping) else {}
    applied = applied if isinstance(applied, Mapping) else {}
    return {key: before.get(key, applied.get(key)) for key in wanted if key in before or key in applied}


def _whole_value(wanted: Any, live: Any) -> Any:
    """Return what to send: a nested value is sent whole, with the live parts that the manifest does not state."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {**live, **wanted}
    return wanted


class Absent(Enum):
    """Marks a value that one side does not have."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


def differences(before: Any, after: Any) -> list[tuple[tuple[str, ...], Any, Any]]:
    """Return `(path, before, after)` for each nested value that differs, ordered by path; ABSENT: one side lacks it.

    The order of deepdiff depends on the hash seed, hence the sort.
    """
    if before == after:
        return []
    from deepdiff import DeepDiff  # noqa: PLC0415 - 150 ms, needed only where nested values differ
    from deepdiff.helper import notpresent  # noqa: PLC0415 - as above

    def present(value: Any) -> Any:
        return ABSENT if value is notpresent else value

    # Without the threshold it shows a value that shares few keys as one, not key by key.
    tree = DeepDiff(before, after, view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    found = [
        (tuple(map(str, item.path(output_format="list"))), present(item.t1), present(item.t2))
        for items in tree.values()
        for item in items
    ]
    return sorted(found, key=lambda step: step[0])


def by_member(value: Any) -> Any:
    """Return lists of members that have an id or a key as mappings from it, so that members are compared one by one."""
    if isinstance(value, Mapping):
        return {key: by_member(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        names = [str(item.get("id", item.get("key", ""))) for item in value]
        if all(names) and len(set(names)) == len(names):
            return {f"[{name}]": by_member(item) for name, item in zip(names, value, strict=True)}
    return value


def steps(name: str, before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """Return `(path, before, after)` for each value of a field that differs, paths dotted below `name`."""
    old, new = plain(before), plain(after)
    if isinstance(old, (dict, list)) and isinstance(new, (dict, list)):
        found: Iterable[tuple[str, Any, Any]] = (
            (".".join([name, *path]), None if was is ABSENT else was, None if now is ABSENT else now)
            for path, was, now in differences(old, new)
        )
    else:
        found = _leaves(name, old, new)
    return sorted(found, key=lambda step: step[0])


def _leaves(name: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Show a nested value key by key where the other side has none."""
    nested = after if isinstance(after, dict) else before
    if isinstance(nested, dict) and (before is None or after is None):
        for key, value in nested.items():
            yield (f"{name}.{key}", None, value) if before is None else (f"{name}.{key}", value, None)
    else:
        yield name, before, after


def appearance(kind: Kind, fields: Fields, *, coming: bool) -> tuple[FieldChange, ...]:
    """Return every field of an object that is created (`coming`) or deleted, with members of parts one by one."""
    found: list[tuple[str, Any]] = []
    for name, value in fields.items():
        if name in kind.parts:
            revision = kind.parts[name](value, [], [])
            found += [(change.path, change.after) for change in revision.fields]
        elif isinstance(value, Mapping):
            found += [(f"{name}.{key}", item) for key, item in value.items()]
        else:
            found.append((name, value))
    return tuple(
        FieldChange(
            path=path,
            before=None if coming else plain(value),
            after=plain(value) if coming else None,
            origin="manifest",
        )
        for path, value in sorted(found, key=lambda item: item[0])
    )
