"""What an object *is*: the pure facts and functions that one kind brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from reconciler.model.change import Action, Decision, Edit, FieldChange, SlotBookings
from reconciler.model.objects import Fields, Live, Manifest, Problem
from reconciler.model.occupancy import BookingQuery
from reconciler.model.risk import Risk

IdentityKey = tuple[str, ...]

ADOPT_ID = "adopt-id"
"""The annotation that says which live object a manifest is about, where its natural key cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A spec field that names another object: `resource: court-1` becomes the canonical `resource_id`."""

    spec_field: str
    field: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRevision:
    """How one collection inside an object (a session's slots) gets from live to desired.

    `verified` and `unverified` name the attributes that the answer did and did not hold. `computed`
    are, by member, values that the system worked out; `information` is worth knowing and never compared.
    """

    fields: tuple[FieldChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    risks: tuple[Risk, ...] = ()
    note: str | None = None
    verified: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    computed: Mapping[str, Any] = field(default_factory=dict)
    information: str | None = None


class PartComparison(Protocol):
    """How one collection is compared: desired, live or None, last applied or None → how to get there.

    `anew` names a field whose change makes the remote system lay the collection out anew.
    """

    def __call__(self, desired: Any, live: Any, applied: Any, anew: str | None = None) -> PartRevision:
        """Return the revision, an empty one where nothing changes."""
        ...


_SHOWN_OF_SECRET = 4
"""Characters of an id that is a credential: enough to tell two of them apart in a log."""

OnExpiry = Literal["report", "recreate", "forget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ephemeral:
    """That objects of a kind are over by themselves after a while, and cannot be listed or searched.

    `on_expiry` says what the fields of one want then. A creation without a known result cannot be
    looked for: after `settles_after` seconds what it may have made is certainly over.
    """

    on_expiry: Callable[[Fields], OnExpiry]
    settles_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a manifest of a live object states, canonical; `left_out` says of other fields why they are not."""

    fields: Fields
    left_out: Mapping[str, str] = field(default_factory=dict)


def _all_answered(live: Fields, _applied: Fields) -> Statement:
    return Statement(fields=live)


def _no_problems(_: Manifest) -> Iterable[Problem]:
    return ()


def _no_cross_problems(_: Sequence[Manifest]) -> Iterable[Problem]:
    return ()


def _in_utc(_: Mapping[str, Any]) -> None:
    return None


def _nothing_missing(_: Fields) -> tuple[str, ...]:
    return ()


def _no_risks(
    _action: Action, _fields: Sequence[FieldChange], _live: Live | None, _applied: Fields
) -> tuple[Risk, ...]:
    return ()


def _touches_nothing(_: Decision) -> tuple[SlotBookings, ...]:
    return ()


def _asks_nothing(_decision: Decision, _now: str) -> BookingQuery | None:
    return None


def _own_name(fields: Fields) -> str | None:
    name = fields.get("name")
    return name if isinstance(name, str) and name else None


def _own_span(fields: Fields) -> tuple[str, str] | None:
    start, end = fields.get("start"), fields.get("end")
    return (start, end) if isinstance(start, str) and isinstance(end, str) else None


_DESCRIBING = ("name", "group", "api_ref", "email", "resource_id", "start_date", "end_date", "time", "start", "end")


def _own_description(fields: Fields) -> str:
    first = min((slot["date"] for slot in fields.get("slots") or ()), default=None)
    known = [f"{name} {fields[name]!r}" for name in _DESCRIBING if fields.get(name) not in {None, ""}]
    return ", ".join([*known, *([f"first slot {first}"] if first and "start_date" not in fields else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object, as data and pure functions.

    `canonical` turns a manifest's spec (without its references) into canonical fields;
    `identities` gives an object's natural keys, strongest first, from canonical fields of either side;
    `tells_apart` names a field by which two objects that state different values of it are never one, whatever
    else they share;
    `zone` says in which zone (IANA name or offset) people read the instants of a spec, None for UTC;
    `volatile` names values, at any depth, that change with everyday business (places booked): their
    change alone does not make a plan stale;
    `listed_whole` says whether a reading lists every live object of the kind, or only a window of them;
    `lays_anew` names, by part, the fields whose change makes its members be laid out anew, `may_lay_anew`
    those whose change might: the members are written before them, while their ids are surely right;
    `missing_to_create` names what a creation would need and the fields do not have, as sentences.
    `statement` says what a manifest of a live object states, given what was last applied to it.
    `risks` says what a change of the object itself does to bookings, `touches` on which slots, and
    `price_field` names the field with the price of one place; `booking_query` says, at an instant, which bookings
    of resources a change has to know of.
    `describe` gives the values that a person knows an object by, `title` its name, `span` its start and end.
    `local` fields are for this program only and never compared; `unanswered` are facts about an object
    that its API never tells, counted as not verifiable. `secret_id`: an id is a credential, shown masked.
    """

    name: str
    provider: str
    schema: str
    canonical: Callable[[Mapping[str, Any]], Fields]
    identities: Callable[[Fields], tuple[IdentityKey, ...]]
    tells_apart: str | None = None
    references: tuple[Reference, ...] = ()
    listed_whole: bool = True
    lays_anew: Mapping[str, frozenset[str]] = field(default_factory=dict)
    may_lay_anew: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()
    unanswered: tuple[str, ...] = ()
    ephemeral: Ephemeral | None = None
    secret_id: bool = False
    parts: Mapping[str, PartComparison] = field(default_factory=dict)
    zone: Callable[[Mapping[str, Any]], str | None] = _in_utc
    check: Callable[[Manifest], Iterable[Problem]] = _no_problems
    check_together: Callable[[Sequence[Manifest]], Iterable[Problem]] = _no_cross_problems
    missing_to_create: Callable[[Fields], tuple[str, ...]] = _nothing_missing
    statement: Callable[[Fields, Fields], Statement] = _all_answered
    risks: Callable[[Action, Sequence[FieldChange], Live | None, Fields], tuple[Risk, ...]] = _no_risks
    touches: Callable[[Decision], tuple[SlotBookings, ...]] = _touches_nothing
    price_field: str | None = None
    booking_query: Callable[[Decision, str], BookingQuery | None] = _asks_nothing
    describe: Callable[[Fields], str] = _own_description
    title: Callable[[Fields], str | None] = _own_name
    span: Callable[[Fields], tuple[str, str] | None] = _own_span

    def public_id(self, remote_id: str | None) -> str | None:
        """Return an id as it may be shown: whole, or only its beginning where it is a credential."""
        if remote_id is None or not self.secret_id:
            return remote_id
        return f"{remote_id[:_SHOWN_OF_SECRET]}…"
