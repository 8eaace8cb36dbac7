"""What an object *is*: the pure facts and functions of one kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from reconciler.model.bookings import BookingQuery
from reconciler.model.change import Action, Decision, Edit, FieldChange, SlotBookings
from reconciler.model.characters import NOWHERE
from reconciler.model.field import Default
from reconciler.model.objects import Fields, Live, Manifest, Problem
from reconciler.model.risk import Risk

Marks = Mapping[str, frozenset[Any]]
IdentityKey = tuple[str, ...]

Span = tuple[str, str]
"""The first and last instant of one time span, in UTC."""

ADOPT_ID = "adopt-id"
"""The annotation that names the live object a manifest is about, where its natural key is not enough."""

DISTINCT_FROM = "distinct-from"
"""The annotation that names live objects with the same natural key that a manifest is not about."""


class Reference(Struct, frozen=True, kw_only=True):
    """A spec field that names another object: `resource: court-1` becomes the canonical `resource_id`."""

    spec_field: str
    """The field of the manifest."""
    field: str
    """The canonical field, which holds the other object's id."""
    kind: str
    """The kind of the other object."""


class PartRevision(Struct, frozen=True, kw_only=True):
    """How one collection inside an object (a session's slots) gets from live to desired."""

    fields: tuple[FieldChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    risks: tuple[Risk, ...] = ()
    note: str | None = None
    """What a person should know about the way the change is made."""
    verified: tuple[str, ...] = ()
    """The attributes that the answer held."""
    unverified: tuple[str, ...] = ()
    """The attributes that the answer did not hold."""
    computed: Mapping[str, Any] = {}
    """Values that the system computed, by member."""
    information: str | None = None
    """Other facts in the answer; never compared."""


class PartComparison(Protocol):
    """Compares one collection: desired, live or None, last applied or None → how to get from live to desired.

    `reset_by` names a changed field that makes the remote system replace the whole collection.
    """

    def __call__(self, desired: Any, live: Any, applied: Any, reset_by: str | None = None) -> PartRevision:
        """Return the revision, an empty one where nothing changes."""
        ...


_SHOWN_OF_SECRET = 4
"""Characters of an id that is a credential: enough to distinguish two of them in a log."""

OnExpiry = Literal["report", "recreate", "forget"]


class Ephemeral(Struct, frozen=True, kw_only=True):
    """Marks a kind whose objects expire by themselves after a while, and cannot be listed or searched."""

    on_expiry: Callable[[Fields], OnExpiry]
    """What the fields of an object ask for once it has expired."""
    settles_after: int
    """Seconds after which an object that a create without a known result may have made has certainly expired."""


class Statement(Struct, frozen=True, kw_only=True):
    """What a manifest of a live object states."""

    fields: Fields
    """The canonical fields that it states."""
    left_out: Mapping[str, str] = {}
    """Why other fields are not stated."""
    remarks: Mapping[str, str] = {}
    """What a person should know about stated fields."""


def described(fields: Fields, *names: str) -> str:
    """Return `name 'Court 1', email 'a@example.com'`: those of the named fields that have a value."""
    return ", ".join(f"{name} {fields[name]!r}" for name in names if fields.get(name) not in {None, ""})


def _no_title(_: Fields) -> str | None:
    return None


def _no_timing(_fields: Fields, _names: Mapping[str, str], _zone: str | None) -> str | None:
    return None


def _no_description(_: Fields) -> str:
    return ""


def _no_span(_: Fields) -> Span | None:
    return None


def _all_answered(live: Fields, _applied: Fields) -> Statement:
    return Statement(fields=live)


def _no_problems(_: Manifest) -> Iterable[Problem]:
    return ()


def _no_cross_problems(_: Sequence[Manifest]) -> Iterable[Problem]:
    return ()


def _never_apart(_fields: Fields, _other: Fields) -> bool:
    return False


def _no_marks(_fields: Fields) -> tuple[Marks, Marks]:
    return {}, {}


def _in_utc(_: Mapping[str, Any]) -> None:
    return None


def _nothing_missing(_: Fields) -> tuple[str, ...]:
    return ()


def _no_defaults(_: Fields) -> tuple[Default, ...]:
    return ()


def _never_over(_fields: Fields, _day: str) -> None:
    return None


def _no_risks(
    _action: Action, _fields: Sequence[FieldChange], _live: Live | None, _applied: Fields
) -> tuple[Risk, ...]:
    return ()


def _touches_nothing(_: Decision) -> tuple[SlotBookings, ...]:
    return ()


def _asks_nothing(_change: Decision, _now: str) -> BookingQuery | None:
    return None


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of object, as data and pure functions. `Fields` are canonical fields, of either side."""

    name: str
    provider: str
    """The provider that reads and writes its objects."""
    schema: str
    """The schema of a manifest's spec."""

    # What it is called
    title: Callable[[Fields], str | None] = _no_title
    """Its own name, which people call it by; None where it has none."""
    timing: Callable[[Fields, Mapping[str, str], str | None], str | None] = _no_timing
    """When it is, and where: from its fields, the names of the objects it refers to, by field, and its zone."""
    describe: Callable[[Fields], str] = _no_description
    """The values that a person knows it by, in one line."""
    span: Callable[[Fields], Span | None] = _no_span
    """The time that it takes; None where that is not one span, or unknown."""
    secret_id: bool = False
    """Whether its id is a credential, which is shown masked."""

    # What a manifest states
    unwritable: re.Pattern[str] = NOWHERE
    """The characters that its API cannot take in a text."""
    canonical: Callable[[Mapping[str, Any]], Fields]
    """Turns a manifest's spec, without its references, into canonical fields."""
    references: tuple[Reference, ...] = ()
    called: Mapping[str, str] = {}
    """By name that its API has for a field, the name in a manifest, where that is another one."""
    zone: Callable[[Mapping[str, Any]], str | None] = _in_utc
    """The zone (IANA name or offset) in which people read the instants of a spec; None for UTC."""
    check: Callable[[Manifest], Iterable[Problem]] = _no_problems
    """The rules for one manifest that a schema cannot state."""
    check_together: Callable[[Sequence[Manifest]], Iterable[Problem]] = _no_cross_problems
    """The rules for all manifests of the kind together."""
    missing_to_create: Callable[[Fields], tuple[str, ...]] = _nothing_missing
    """What a create needs and the fields do not have, as sentences."""
    defaults: Callable[[Fields], tuple[Default, ...]] = _no_defaults
    """What its API sets of a new object where the fields state nothing, as far as the API documents it."""
    over: Callable[[Fields, str], str | None] = _never_over
    """What of a new object is in the past on a day, as the predicate of a sentence; None where nothing is."""
    statement: Callable[[Fields, Fields], Statement] = _all_answered
    """What a manifest of a live object states, from its live and its last applied fields."""

    # Which live object it is
    identities: Callable[[Fields], tuple[IdentityKey, ...]]
    """Its natural keys, strongest first."""
    apart: Callable[[Fields, Fields], bool] = _never_apart
    """Whether two objects of one natural key cannot be the same, by values that both sides state."""
    marks: Callable[[Fields], tuple[Marks, Marks]] = _no_marks
    """What `apart` looks at: what an object asks of others, and what it shows to others that ask, by name.

    Two are apart exactly where both sides of a name have members, and none in common. So thousands are looked up.
    """
    recognised_by: tuple[str, ...] = ()
    """The fields that people recognise it by: where all of them differ, an id most likely has another object now."""
    unique: tuple[str, ...] = ()
    """The fields whose values a system may allow once."""
    listed_whole: bool = True
    """Whether a reading lists every live object of the kind, or only those in a window of time."""
    ephemeral: Ephemeral | None = None
    """Set where its objects expire by themselves."""

    # How two sides are compared
    parts: Mapping[str, PartComparison] = {}
    """The fields that are collections, each with its own comparison."""
    part_keys: Mapping[str, str] = {}
    """By part, the name of a value that each member has, whichever side it is from.

    Where the members of two sides have other values of that name, the part is compared as different.
    """
    resets: Mapping[str, frozenset[str]] = {}
    """By part, the fields whose change makes the remote system replace all members of the part."""
    may_reset: frozenset[str] = frozenset()
    """Fields whose change might do so: members of parts are written first, while their ids are certainly right."""
    volatile: frozenset[str] = frozenset()
    """Values, at any depth, that change with everyday business (places booked): they make no plan stale."""
    shared: Mapping[str, str] = {}
    """By field that several live objects may use together, the risk of changing it for the others."""
    local: frozenset[str] = frozenset()
    """Fields for this program only, which are never compared."""
    unanswered: tuple[str, ...] = ()
    """Facts about an object that its API never returns, counted as not verifiable."""

    # Which bookings a change touches
    risks: Callable[[Action, Sequence[FieldChange], Live | None, Fields], tuple[Risk, ...]] = _no_risks
    """What a change of the object itself does to bookings."""
    touches: Callable[[Decision], tuple[SlotBookings, ...]] = _touches_nothing
    """The slots that a change touches, with their bookings."""
    price_field: str | None = None
    """The field with the price of one place."""
    booking_query: Callable[[Decision, str], BookingQuery | None] = _asks_nothing
    """The bookings of resources that a change has to know of, at an instant."""

    def public_id(self, remote_id: str | None) -> str | None:
        """Return an id as it may be shown: whole, or only its beginning where it is a credential."""
        if remote_id is None or not self.secret_id:
            return remote_id
        return f"{remote_id[:_SHOWN_OF_SECRET]}…"
