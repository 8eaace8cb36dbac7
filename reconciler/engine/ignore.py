"""What the project asks drift to ignore. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.objects import Address, Problem
from reconciler.model.patterns import Patterns
from reconciler.model.report import QUIET, Drifted
from reconciler.model.sighting import IGNORE_UNUSED, WHOLE, Ignored
from reconciler.settings import DriftIgnore

EXPIRED = "drift-ignore-expired"


class Judged(Struct, frozen=True, kw_only=True):
    """Objects with what is ignored of them."""

    objects: tuple[Drifted, ...]
    notes: tuple[Problem, ...]
    """About the entries: those that are past their day, and those that cover nothing."""


def judge(objects: Iterable[Drifted], entries: Sequence[DriftIgnore], today: str) -> Judged:
    """Return objects with the changes marked that an entry covers; `today` is a date."""
    in_force = [entry for entry in entries if entry.until is None or entry.until >= today]
    used: set[int] = set()
    by_pattern: dict[str, list[tuple[int, DriftIgnore]]] = {}
    for place, entry in enumerate(in_force):
        by_pattern.setdefault(entry.address, []).append((place, entry))
    patterns = Patterns(by_pattern)

    def about(address: Address) -> list[DriftIgnore]:
        found = (item for pattern in patterns.every(address) for item in by_pattern[pattern])
        return [entry for _, entry in sorted(found, key=itemgetter(0))]

    judged = tuple(_judged(item, about, used) for item in objects)
    return Judged(objects=judged, notes=tuple(_note(entry, today) for entry in entries if id(entry) not in used))


def _note(entry: DriftIgnore, today: str) -> Problem:
    covers = entry.address + (f" {entry.field}" if entry.field else "")
    if entry.until is not None and entry.until < today:
        return Problem(
            code=EXPIRED,
            severity="warning",
            summary=f"drift.ignore: the entry for {covers} ended on {entry.until} and ignores nothing",
            hint="remove the entry, or set a later day in `until`",
            where=entry.where,
        )
    return Problem(
        code=IGNORE_UNUSED,
        severity="warning",
        summary=f"drift.ignore: the entry for {covers} covers no change at the moment",
        hint="remove it if it is no longer needed",
        where=entry.where,
    )


def _judged(item: Drifted, about: Callable[[Address], Sequence[DriftIgnore]], used: set[int]) -> Drifted:
    if item.status in QUIET or item.status == "unknown":
        return item
    entries = about(item.address)
    if item.status != "changed":
        ignored = covered(item.address, WHOLE, entries, used)
        return item if ignored is None else replace(item, status="ignored", ignored=ignored, reason=_said(item))
    fields = tuple(replace(each, ignored=covered(item.address, each.path, entries, used)) for each in item.fields)
    all_ignored = bool(fields) and all(each.ignored is not None for each in fields)
    return replace(item, fields=fields, status="ignored" if all_ignored else item.status)


def _said(item: Drifted) -> str:
    return f"{item.status}: {item.reason}" if item.reason else item.status


def covered(
    address: Address, path: str, entries: Iterable[DriftIgnore], used: set[int] | None = None
) -> Ignored | None:
    """Return the first entry that covers a change; an empty path is the whole object. Its number goes to `used`."""
    for entry in entries:
        if address.matches(entry.address) and (entry.field is None or _below(path, entry.field)):
            if used is not None:
                used.add(id(entry))
            return Ignored(reason=entry.reason, until=entry.until)
    return None


def _below(path: str, pattern: str) -> bool:
    """Whether a path is the one of a pattern, or leads below it: `address` covers `address.postcode`."""
    glob = pattern.replace("[", "[[]")  # a bracket names a member: `slots[2027-03-08 11:00]`
    return bool(path) and any(fnmatchcase(path, f"{glob}{rest}") for rest in ("", ".*", "[[]*"))
