"""Adopting live objects: which live object a declared one is, or why it cannot be adopted.

An object is found by id, by annotation or by exact natural key, never by a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from msgspec import Struct

from reconciler.engine.diff import compare
from reconciler.engine.groups import Either, Found, id_order
from reconciler.engine.guards import Identity, shared
from reconciler.engine.identity import Index, alike, distinct_from, index, unread_stranger
from reconciler.errors import ReconcilerError, Refused
from reconciler.model.change import Decision, resolved
from reconciler.model.kind import ADOPT_ID, DISTINCT_FROM, Kind
from reconciler.model.objects import Address, Desired, Fields, Live, Problem, Reading, Record, Ref, Scope
from reconciler.model.patterns import Patterns
from reconciler.model.risk import Risk, risk
from reconciler.model.words import listed

NO_MATCH = "no-match"
"""The code of a problem with an object that no unmanaged live one matches."""

_NAMED = 10
"""How many candidates are listed for one object."""


def scope_of(desired: Desired, ids: Mapping[Address, str], remote_id: str | None) -> Scope:
    """Return what has to be read: the one object, or every object that could be meant.

    The list also shows what else is there, so that none of it counts as a duplicate later.
    """
    fields = resolved(desired.fields, ids)
    if remote_id is not None:
        return Scope(kind=desired.address.kind, ids={remote_id: fields})
    return Scope(kind=desired.address.kind, wanted=(fields,))


def choose(
    kind: Kind,
    desired: Desired,
    reading: Reading,
    taken: Mapping[str, str],
    ids: Mapping[Address, str],
    remote_id: str | None,
) -> Live:
    """Return the object to adopt; ReconcilerError says why there is none, or which ones there are.

    `taken` are ids that are managed already, with their addresses; `ids` of managed objects replace references.
    """
    if remote_id is not None:
        return _by_id(kind, desired, reading, taken, remote_id)
    if reading.listed is None:
        raise ReconcilerError(f"the search for it failed: {reading.failure}")
    matches = match(kind, [desired], reading, taken, ids)
    for problem in matches.problems:
        raise ReconcilerError(f"{desired.address}: {problem.summary}", hint=problem.hint)
    return matches.found[desired.address]


def _by_id(kind: Kind, desired: Desired, reading: Reading, taken: Mapping[str, str], remote_id: str) -> Live:
    shown = kind.public_id(remote_id)
    if remote_id in taken:
        raise ReconcilerError(f"id {shown} is already managed as {taken[remote_id]}")
    live = reading.live.get(remote_id)
    if live is None:
        why = reading.unreadable.get(remote_id) or reading.expired.get(remote_id, "there is no such object")
        raise ReconcilerError(f"{desired.address} cannot be adopted with id {shown}: {why}")
    return live


def adopted(kind: Kind, desired: Desired, live: Live, ids: Mapping[Address, str], target: str) -> Record:
    """Return the record of an adopted object.

    Where it is as declared, that is what later plans compare with. Otherwise nothing has been applied to it yet.
    """
    fields = resolved(desired.fields, ids)
    comparison = compare(kind, fields, live.fields, {})
    if comparison.edits:
        return desired.record(target, live.remote_id, {})
    return desired.record(target, live.remote_id, fields, comparison.computed)


def shared_by_others(
    records: Iterable[Record], others: Mapping[Identity, tuple[str, ...]], allowed: Collection[str]
) -> dict[Address, Problem]:
    """Say which objects another project in the same state manages, except those that globs in `allowed` name."""
    patterns = Patterns(allowed)
    found = {
        record.address: shared((record.target, record.address.kind, record.remote_id), record.address, others)
        for record in records
        if patterns.first(record.address) is None
    }
    return {address: problem for address, problem in found.items() if problem is not None}


def check_unshared(record: Record, others: Mapping[Identity, tuple[str, ...]]) -> None:
    """Raise Refused where another project or environment in the same state manages the object already."""
    problems = tuple(shared_by_others([record], others, ()).values())
    if problems:
        raise Refused("it is not adopted; nothing was changed", problems=problems)


class Matches(Struct, frozen=True, kw_only=True):
    """Which live objects the declared ones are."""

    found: Mapping[Address, Live] = {}
    problems: tuple[Problem, ...] = ()
    """Why the others have no match."""


def match(
    kind: Kind,
    wanted: Sequence[Desired],
    reading: Reading,
    taken: Mapping[str, str],
    ids: Mapping[Address, str],
) -> Matches:
    """Find the live object of each wanted one of a kind, all on one connection.

    `taken` are ids that are managed already, with their addresses; `ids` of managed objects replace references.
    Two wanted objects never share a live one.
    """
    stranger = unread_stranger(reading, taken)
    unread = reading.why_unlisted(None)
    unknown = unread or ("it was not read" if reading.listed is None else stranger)
    claims = {item.address: item.annotations[ADOPT_ID] for item in wanted if ADOPT_ID in item.annotations}
    claimed = set(claims.values())
    free = [live for live in reading.live.values() if live.remote_id not in taken]
    among = index(kind, [live for live in free if live.remote_id not in claimed])
    near = _Near(kind, free)
    found: dict[Address, Live] = {}
    problems: list[Problem] = []
    for item in sorted(wanted, key=lambda each: str(each.address)):
        if item.address in claims:
            outcome = _claimed(item, claims[item.address], reading, taken)
        else:
            outcome = _by_key(kind, item, among, near, unknown, ids)
        if isinstance(outcome, Live):
            found[item.address] = outcome
        else:
            problems.append(outcome)
    twice = list(_declared_twice(kind, wanted, found))
    for problem in twice:
        if problem.address is not None:
            del found[problem.address]
    return Matches(found=found, problems=(*problems, *twice))


def _claimed(item: Desired, remote_id: str, reading: Reading, taken: Mapping[str, str]) -> Live | Problem:
    """Return the object that an annotation names: it must exist, be of this kind, and not be managed."""
    named = f"its annotation {ADOPT_ID} has id {remote_id}"
    if remote_id in taken:
        return _problem(item, f"{named}, which is already managed as {taken[remote_id]}")
    live = reading.live.get(remote_id)
    if live is not None:
        return live
    why = reading.unreadable.get(remote_id, f"there is no such {item.address.kind}")
    hint = f"correct or remove the annotation, or: `reconciler adopt {item.address} ID`"
    return _problem(item, f"{named}: {why}", hint)


def _by_key(
    kind: Kind,
    item: Desired,
    among: Index,
    free: _Near,
    unknown: str | None,
    ids: Mapping[Address, str],
) -> Live | Problem:
    by_id = f"`reconciler adopt {item.address} ID`"
    fields = resolved(item.fields, ids)
    pending = [value.target for value in fields.values() if isinstance(value, Ref)]
    if pending:
        return _problem(item, f"it refers to {pending[0]}, which is not managed", "adopt that first")
    if not kind.identities(fields):
        what = f"its manifest has no natural key to search for{free.words(fields)}"
        return _problem(item, what, f"give its id: {by_id}")
    candidates = alike(kind, fields, among, without=Either((), distinct_from(item)))
    if unknown is not None:
        # What could not be read may have the same key: one match would be a guess.
        return _problem(item, f"could not determine which object it is: {unknown}", f"try again, or: {by_id}")
    if len(candidates) == 1:
        return candidates.first(1)[0]
    if candidates:
        what = f"{len(candidates)} live objects have its natural key: {_listed(kind, candidates)}"
        return _problem(item, what, f'give its id: {by_id}, or metadata.annotations: {{{ADOPT_ID}: "ID"}}')
    hint = f"if it is another object: {by_id}; if it does not exist, apply creates it"
    what = f"no unmanaged live object has its natural key{free.words(fields)}"
    return replace(_problem(item, what, hint), code=NO_MATCH)


class _Near:
    """Unmanaged live objects by title and by span: an object's first day or resource may differ."""

    def __init__(self, kind: Kind, free: Iterable[Live]) -> None:
        self._kind = kind
        self._found: dict[object, list[Live]] = {}
        for live in sorted(free, key=id_order):
            for key in self._keys(live.fields):
                self._found.setdefault(key, []).append(live)

    def _keys(self, fields: Fields) -> Iterator[object]:
        title, span = self._kind.title(fields), self._kind.span(fields)
        yield from [("title", title)] if title is not None else []
        yield from [("span", span)] if span is not None else []

    def words(self, fields: Fields) -> str:
        """Return the end of a sentence: the objects that are meant perhaps."""
        near = self.to(fields)
        return f"; similar: {_listed(self._kind, near)}" if near else ""

    def to(self, fields: Fields) -> list[Live]:
        """Return the objects of the same title or the same span, ordered by id."""
        found = [lives for key in self._keys(fields) if (lives := self._found.get(key))]
        if len(found) <= 1:
            return found[0] if found else []
        return sorted({live.remote_id: live for lives in found for live in lives}.values(), key=id_order)


def _declared_twice(kind: Kind, wanted: Sequence[Desired], found: Mapping[Address, Live]) -> Iterable[Problem]:
    """Name every declared object whose live object is also that of another one."""
    owners: dict[str, list[Desired]] = {}
    for item in wanted:
        if item.address in found:
            owners.setdefault(found[item.address].remote_id, []).append(item)
    for remote_id, items in sorted(owners.items()):
        names = sorted(str(item.address) for item in items)
        for item in sorted(items, key=lambda each: str(each.address)) if len(items) > 1 else ():
            named = [name for name in names[: _NAMED + 1] if name != str(item.address)]
            others = listed(named, _NAMED, len(names) - 1)
            words = kind.describe(found[item.address].fields)
            what = f"is declared twice: {others} is also id {remote_id}, {words}"
            yield _problem(item, what, f"remove one of the manifests, or: `reconciler adopt {item.address} ID`")


def _listed(kind: Kind, lives: Collection[Live]) -> str:
    """Return candidates in one sentence, with the values that tell them apart."""
    named = [f"id {live.remote_id} ({kind.describe(live.fields)})" for live in islice(lives, _NAMED)]
    return listed(named, _NAMED, len(lives))


def _problem(item: Desired, what: str, hint: str | None = None) -> Problem:
    return Problem(code="not-adopted", summary=what, hint=hint, where=item.source, address=item.address)


def already_exists(
    desired: Desired,
    found: Found[Live],
    *,
    unsettled: bool,
    risks: tuple[Risk, ...] = (),
    instead_of: Address | None = None,
) -> Decision:
    """Refuse a create that would make a duplicate, and name the command that adopts what is live.

    `instead_of` is the address under which another live object is managed, which adopting would leave unmanaged.
    """
    few = [live.remote_id for live in found.first(_NAMED)]
    only = few[0] if len(found) == 1 else None
    ids = listed(few, _NAMED, len(found))
    what = f"a live object with the same natural key already exists (id {ids}) and is not managed by this project"
    chosen = desired.annotations.get(ADOPT_ID)
    if only is None and chosen is not None and found.has(chosen):
        only = chosen
    command = f"`reconciler adopt {desired.address} {only or 'ID'}`"
    if only is None:
        command += f", where ID is one of these {len(found)} ids"
    if instead_of is not None:
        command = f"`reconciler state rm {instead_of}`, which leaves the managed one as it is, and {command}"
    others = ", ".join([*sorted(distinct_from(desired)), *few])
    more = f" and the other {len(found) - len(few)} ids" if len(found) > len(few) else ""
    another = (
        f'; to create another one, state in its manifest: metadata.annotations: {{{DISTINCT_FROM}: "{others}"}}{more}'
    )
    return Decision(
        address=desired.address,
        connection=desired.connection,
        action="adopt",
        reason=what,
        remote_id=few[0] if len(found) == 1 and instead_of is None else None,
        source=desired.source,
        risks=(risk("already-exists", f"{what}; to adopt it: {command}{another}"), *risks),
        desired=desired,
        unsettled=unsettled,
    )
