"""From live objects to drafts of manifests: which objects, under which addresses, with which fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.engine.adopt import match
from reconciler.engine.export_names import LONGEST, fitted, slug, unique
from reconciler.engine.identity import Index, alike
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.model.draft import Draft
from reconciler.model.kind import ADOPT_ID, Kind, Span
from reconciler.model.objects import Address, Desired, Fields, Live, Record, Ref, remote_ids
from reconciler.model.patterns import Patterns
from reconciler.redaction import redacted
from reconciler.target import same_target

_CAPITALS = "".join(chr(number) for number in range(ord("A"), ord("Z") + 1))


class Surroundings(Struct, frozen=True, kw_only=True):
    """What drafts are made from: the live objects, what is managed, and what is declared."""

    kinds: Mapping[str, Kind]
    targets: Mapping[str, str]
    """The remote system of each connection: two connections may lead to one."""
    snapshot: Snapshot
    records: Mapping[Address, Record]
    desired: Mapping[Address, Desired]
    window: tuple[str, str]
    """The two instants between which objects are exported of a kind that is not listed whole."""


class Addressed(Struct, frozen=True, kw_only=True):
    """The live objects with their addresses."""

    lives: Mapping[Place, Mapping[Address, Live]] = {}
    """By connection and kind."""
    owned: frozenset[Address] = frozenset()
    """The addresses that are managed or declared already."""
    ids: Mapping[Address, str] = {}
    """The remote ids by address."""


def kebab(kind: str) -> str:
    """Return a kind's name as a part of a path: `BookingSession` is `booking-session`."""
    return "".join(f"-{char.lower()}" if char in _CAPITALS else char for char in kind).strip("-")


def addressed(around: Surroundings) -> Addressed:
    """Give every live object its address: by record, by declaration, or a new one made from its name.

    Kinds that refer to others come after them: their names and natural keys need those of the others.
    """
    ids = remote_ids(around.records)
    lives: dict[Place, dict[Address, Live]] = {}
    owned: set[Address] = set()
    taken: dict[str, set[str]] = {}
    for address in {*around.records, *around.desired}:
        taken.setdefault(address.kind, set()).add(address.name)
    places = sorted(around.snapshot.readings, key=lambda place: (bool(around.kinds[place[1]].references), place))
    for place in places:
        kind = around.kinds[place[1]]
        found = _present(around, place)
        known = _known(around, place, ids)
        owners = {
            (other[1], live.remote_id): address
            for other, each in lives.items()
            if same_target(around.targets[other[0]], around.targets[place[0]])
            for address, live in each.items()
        }
        slugs = {live.remote_id: _slug(kind, live, owners) for live in found}
        names = unique(
            slugs, slugs.keys() - known.keys(), kebab(kind.name), taken.get(kind.name, ()), secret=kind.secret_id
        )
        here = {known.get(live.remote_id) or Address(kind.name, names[live.remote_id]): live for live in found}
        taken.setdefault(kind.name, set()).update(address.name for address in here)
        ids.update({address: live.remote_id for address, live in here.items()})
        owned.update(here.keys() & set(known.values()))
        lives[place] = here
    return Addressed(lives=lives, owned=frozenset(owned), ids=ids)


def _present(around: Surroundings, place: Place) -> list[Live]:
    """Return what was read at a place; of a kind that is not listed whole, what is in the window.

    What is managed through another connection to the same system belongs to that connection.
    """
    others = {
        record.remote_id
        for address, record in around.records.items()
        if address.kind == place[1]
        and record.connection != place[0]
        and same_target(record.target, around.targets[place[0]])
    }
    found = around.snapshot.readings[place].live
    lives = [found[remote_id] for remote_id in sorted(found.keys() - others)]
    kind = around.kinds[place[1]]
    if kind.listed_whole:
        return lives
    first, last = (datetime.fromisoformat(moment) for moment in around.window)
    return [live for live in lives if _overlaps(kind.span(live.fields), first, last)]


def _overlaps(span: Span | None, first: datetime, last: datetime) -> bool:
    """Whether a time span overlaps a window; an unknown span counts as overlapping."""
    if span is None:
        return True
    start, end = (datetime.fromisoformat(moment) for moment in span)
    return start < last and end > first


def _known(around: Surroundings, place: Place, ids: Mapping[Address, str]) -> dict[str, Address]:
    """Return the addresses that live objects of a place have already: recorded, or declared and found."""
    managed = {
        record.remote_id: address
        for address, record in around.records.items()
        if address.kind == place[1] and record.connection == place[0]
    }
    declared = [
        item
        for address, item in around.desired.items()
        if (item.connection, address.kind) == place and address not in around.records
    ]
    kind = around.kinds[place[1]]
    if kind.ephemeral is not None:
        return managed
    taken = {remote_id: str(address) for remote_id, address in managed.items()}
    found = match(kind, declared, around.snapshot.readings[place], taken, ids).found
    return {**managed, **{live.remote_id: address for address, live in found.items()}}


def _slug(kind: Kind, live: Live, owners: Mapping[tuple[str, str], Address]) -> str:
    """Return a name made from an object's title, or else from the object it refers to and when it begins.

    `owners` are what it may refer to, by kind and id.
    """
    title, span = kind.title(live.fields), kind.span(live.fields)
    if title is not None or span is None or not kind.references:
        return slug(redacted(title or ""))
    reference = kind.references[0]
    owner = owners.get((reference.kind, live.fields.get(reference.field, "")))
    unnamed = f"{kebab(reference.kind)}-{live.fields.get(reference.field, 'unknown')}"
    day, _, time = span[0].partition("T")
    when = f"{day}-{time[:5].replace(':', '')}"
    return f"{fitted(unnamed if owner is None else owner.name, LONGEST - len(when) - 1)}-{when}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which live objects to write; empty means all."""

    addresses: tuple[str, ...] = ()
    """Globs on the address."""
    matches: tuple[str, ...] = ()
    """Globs on the live name or the address."""
    _addresses: Patterns = field(init=False, repr=False, compare=False)
    _matches: Patterns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_addresses", Patterns(self.addresses))
        object.__setattr__(self, "_matches", Patterns(self.matches))

    def takes(self, address: Address, title: str | None) -> bool:
        """Whether an object with a live name, or without one, is chosen."""
        named = not self.addresses or self.names(address)
        texts = (str(address), address.name, title or "")
        return named and (not self.matches or any(self._matches.first(text) is not None for text in texts))

    def names(self, address: Address) -> bool:
        """Whether an object is chosen by its address itself."""
        return self._addresses.first(address) is not None


def draft(
    around: Surroundings,
    address: Address,
    live: Live,
    *,
    connection: str | None,
    declared: Mapping[str, Address],
) -> Draft:
    """Return the draft of one object; `declared` are the addresses, by kind and id, that it may refer to."""
    kind = around.kinds[address.kind]
    record, item = around.records.get(address), around.desired.get(address)
    said = kind.statement(live.fields, record.fields if record is not None else {})
    fields: dict[str, Any] = dict(said.fields)
    for reference in kind.references:
        target = declared.get(f"{reference.kind} {fields.get(reference.field)}")
        if target is not None:
            fields[reference.field] = Ref(target)
    return Draft(
        address=address,
        live=live,
        fields=fields,
        answered=frozenset(live.fields),
        left_out=said.left_out,
        remarks=said.remarks,
        connection=connection,
        labels=item.labels if item is not None else {},
        annotations=item.annotations if item is not None else {},
        protect=any(each.protect for each in (record, item) if each is not None),
    )


def needs_id(kind: Kind, made: Draft, stated: Mapping[str, Any], among: Index) -> bool:
    """Whether the stated fields of an object do not identify it, and only it, among the live ones."""
    fields: Fields = {
        name: made.live.fields[name] if isinstance(value, Ref) else value for name, value in stated.items()
    }
    found = alike(kind, fields, among)
    return len(found) != 1 or not found.has(made.live.remote_id)


def with_id(made: Draft, wanted: bool) -> dict[str, str]:
    """Return a draft's annotations with the id that chooses it, or without one."""
    others = {name: value for name, value in made.annotations.items() if name != ADOPT_ID}
    return {**others, ADOPT_ID: made.live.remote_id} if wanted else others
