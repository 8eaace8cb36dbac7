"""Which live object each of many declared ones is: by exact natural key or by an annotation, never a guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.identity import Index, alike, id_order, index
from reconciler.engine.plan import bound
from reconciler.engine.recover import unread_stranger
from reconciler.model.kind import ADOPT_ID, Kind
from reconciler.model.objects import Address, Desired, Fields, Live, Problem, Reading, Ref

_NAMED = 10
"""How many candidates are listed for one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Declared objects with the live object each of them is, and what keeps the others from having one."""

    found: Mapping[Address, Live] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def match(
    kind: Kind,
    wanted: Sequence[Desired],
    reading: Reading,
    taken: Mapping[str, str],
    ids: Mapping[Address, str],
) -> Matches:
    """Find the live object of each wanted one of a kind, all on one connection.

    `taken` are ids that are managed already, with whose they are, in words; `ids` of managed objects stand for
    references. Two wanted objects never share a live one.
    """
    stranger = unread_stranger(reading, taken)
    unknown = reading.failure or "it was not read" if reading.listed is None else stranger
    claims = {item.address: item.annotations[ADOPT_ID] for item in wanted if ADOPT_ID in item.annotations}
    free = [live for live in reading.live.values() if live.remote_id not in taken]
    among = index(kind, [live for live in free if live.remote_id not in claims.values()])
    found: dict[Address, Live] = {}
    problems: list[Problem] = []
    for item in sorted(wanted, key=lambda each: str(each.address)):
        if item.address in claims:
            outcome = _claimed(item, claims[item.address], reading, taken)
        else:
            outcome = _by_key(kind, item, among, free, unknown, ids)
        if isinstance(outcome, Live):
            found[item.address] = outcome
        else:
            problems.append(outcome)
    shared = list(_shared(kind, wanted, found))
    for problem in shared:
        if problem.address is not None:
            del found[problem.address]
    return Matches(found=found, problems=(*problems, *shared))


def _claimed(item: Desired, remote_id: str, reading: Reading, taken: Mapping[str, str]) -> Live | Problem:
    """Return the object that an annotation names: it must be there, of this kind, and nobody's."""
    if remote_id in taken:
        return _problem(item, f"its annotation {ADOPT_ID} names id {remote_id}, which is managed as {taken[remote_id]}")
    live = reading.live.get(remote_id)
    if live is not None:
        return live
    why = reading.unreadable.get(remote_id, f"there is no such {item.address.kind}")
    hint = f"correct or remove the annotation, or: reconciler adopt {item.address} ID"
    return _problem(item, f"its annotation {ADOPT_ID} names id {remote_id}: {why}", hint)


def _by_key(
    kind: Kind,
    item: Desired,
    among: Index,
    free: Sequence[Live],
    unknown: str | None,
    ids: Mapping[Address, str],
) -> Live | Problem:
    by_id = f"reconciler adopt {item.address} ID"
    fields = bound(item.fields, ids)
    pending = [value.target for value in fields.values() if isinstance(value, Ref)]
    if pending:
        return _problem(
            item, f"its {pending[0]} is not managed, so what it belongs to is not known", "adopt that first"
        )
    if not kind.identities(fields):
        return _problem(item, "its manifest states no natural key to look for", f"say which object it is: {by_id}")
    candidates = alike(kind, fields, among)
    if unknown is not None:
        # What could not be read may have the same key: one match would be a guess.
        return _problem(item, f"could not tell which object it is: {unknown}", f"try again, or: {by_id}")
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        what = f"{len(candidates)} live objects have its natural key: {listed(kind, candidates)}"
        return _problem(item, what, f'say which one: {by_id}, or metadata.annotations: {{{ADOPT_ID}: "ID"}}')
    near = _near(kind, fields, free)
    others = f"; nearly alike: {listed(kind, near)}" if near else ""
    hint = f"if it is another one: {by_id}; if it is yet to be made, leave it to apply"
    return _problem(item, f"no live object that is not managed has its natural key{others}", hint)


def _near(kind: Kind, fields: Fields, free: Iterable[Live]) -> list[Live]:
    """Return the live objects of the same name or the same time: another first day or resource sets them apart."""
    title, span = kind.title(fields), kind.span(fields)
    return sorted(
        (
            live
            for live in free
            if (title is not None and kind.title(live.fields) == title)
            or (span is not None and kind.span(live.fields) == span)
        ),
        key=id_order,
    )


def _shared(kind: Kind, wanted: Sequence[Desired], found: Mapping[Address, Live]) -> Iterable[Problem]:
    """Name every declared object whose live one another declared object is, too."""
    owners: dict[str, list[Desired]] = {}
    for item in wanted:
        if item.address in found:
            owners.setdefault(found[item.address].remote_id, []).append(item)
    for remote_id, items in sorted(owners.items()):
        for item in sorted(items, key=lambda each: str(each.address)) if len(items) > 1 else ():
            others = ", ".join(sorted(str(other.address) for other in items if other is not item))
            what = f"is declared twice: {others} is id {remote_id} as well, {kind.describe(found[item.address].fields)}"
            yield _problem(item, what, f"remove one of the manifests, or: reconciler adopt {item.address} ID")


def listed(kind: Kind, lives: Sequence[Live]) -> str:
    """Return candidates in one sentence, with what a person can tell them apart by."""
    more = len(lives) - _NAMED
    words = [f"id {live.remote_id} ({kind.describe(live.fields)})" for live in lives[:_NAMED]]
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def _problem(item: Desired, what: str, hint: str | None = None) -> Problem:
    return Problem(code="not-adopted", summary=what, hint=hint, where=item.source, address=item.address)
