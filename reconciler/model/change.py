"""The action for one object, and the exact calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from reconciler.model.canonical import ATOMS, digest, lasting
from reconciler.model.field import Default
from reconciler.model.objects import Address, Computed, Desired, Fields, Live, Record, Ref, SourceRef
from reconciler.model.risk import Risk

Action = Literal["create", "update", "replace", "delete", "adopt", "noop", "unknown"]
ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "delete", "adopt", "noop", "unknown")

IDLE: frozenset[Action] = frozenset({"noop", "unknown"})
"""Actions that do nothing to a live object."""

CREATING: frozenset[Action] = frozenset({"create", "replace"})
"""Actions that make a live object, with a new id."""

DESTRUCTIVE: frozenset[Action] = frozenset({"delete", "replace"})
"""Actions that delete a live object."""

EDITING: frozenset[Action] = frozenset({"update", "adopt"})
"""Actions that change a live object and keep its id."""

INDEPENDENT: frozenset[Action] = frozenset({"noop", "delete"})
"""Actions that need none of the objects that the manifest refers to."""

RecordCode = Literal["protect", "baseline", "undeclared", "settled", "moved", "forgotten"]
RECORD_CODES: tuple[RecordCode, ...] = ("protect", "baseline", "undeclared", "settled", "moved", "forgotten")
"""What a change can alter of what is remembered: the protection, the values that later plans compare with, fields that
are no longer stated, calls without a recorded result, the address or the connection, and whether it is remembered.
"""

Origin = Literal["manifest", "drift"]
Effect = Literal["create", "update", "delete"]


class FieldChange(Struct, frozen=True, kw_only=True, gc=False):
    """One field's step from `before` to `after` (JSON values)."""

    path: str
    before: Any
    after: Any
    origin: Origin
    """`drift` where the manifest still states what was last applied and the live object changed."""
    verifiable: bool = True
    """False where the API does not return the field: `before` is then what was last applied."""


class Edit(Struct, frozen=True, kw_only=True):
    """One write to one object or to one member of it, in canonical values; the provider words it."""

    values: Mapping[str, Any]
    part: str | None = None
    """The collection (`slots`) of the member; None for the object itself."""
    part_id: str | None = None
    """The member's id, where it exists already."""
    replaces: Mapping[str, Any] | None = None
    """What the member was before."""
    effect: Effect = "update"
    """Whether the member is created, changed or deleted."""
    changed: tuple[str, ...] = ()
    """The values of the member that differ."""
    keeps: Mapping[str, Any] = {}
    """Values that the live member has and no one stated, where the write would otherwise reset them."""


class SlotBookings(Struct, frozen=True, kw_only=True):
    """What is booked on one slot that a change touches; for a resource, one booking.

    None is a count that the API did not return, which never means zero.
    """

    slot: str | None
    """The id of the slot; None where the API returned no slot at all."""
    when: str | None
    booked: int | None = None
    reserved: int | None = None

    @property
    def known(self) -> bool:
        """Whether the API returned both counts."""
        return self.booked is not None and self.reserved is not None

    @property
    def places(self) -> int:
        """The places that are certainly taken."""
        return (self.booked or 0) + (self.reserved or 0)


def total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the known counts, None where there are counts and none of them is known."""
    given = tuple(counts)
    known = [count for count in given if count is not None]
    return sum(known) if known or not given else None


class Stake(Struct, frozen=True, kw_only=True):
    """Places times the price of one, as decimal strings."""

    places: int
    price: str
    amount: str


class Call(Struct, frozen=True, kw_only=True, gc=False):
    """One writing call. It is complete except for ids that are not known yet."""

    address: Address
    connection: str
    effect: Effect
    method: str
    path: str
    """May hold references as `{Resource/court-1}`."""
    body: Any = None
    """Plain values and references (`Ref`); the provider decides how they go on the wire."""
    needs: tuple[Address, ...] = ()
    """The objects whose ids the path and the body need."""
    reads: tuple[str, ...] = ()
    """Paths that are read first because the call needs their answers, such as a rated query that gives a slip."""
    repeatable: bool = False
    """Whether sending it twice has the same result as sending it once."""
    remote_id: str | None = None
    """The object it is about. Set when the call is sent, so that a plan does not hold it."""
    computed: Computed = {}
    """What the remote system computed for the object so far. Set when the call is sent."""


class Receipt(Struct, frozen=True, kw_only=True):
    """The remote system's answer to a writing call."""

    remote_id: str | None = None
    """The new object's id; None where the answer to a create does not hold it."""
    words: str | None = None
    """What the answer to a create says instead of an id."""
    gone: bool = False
    """Whether a delete found nothing to delete."""
    fields: Fields = {}
    """What a create really made, where that is less than the call asked for."""
    computed: Computed = {}
    """What the remote system computed."""


class Request(Struct, frozen=True, gc=False):
    """One HTTP request as a plan shows it."""

    method: str
    path: str


class Decision(Struct, frozen=True, kw_only=True):
    """What happens to one object and why: the part of a change that follows from the object alone."""

    address: Address
    connection: str
    action: Action
    reason: str
    remote_id: str | None = None
    """The real id. It may be a credential: show `Change.shown_id` instead."""
    source: SourceRef | None = None
    """Where the object is declared."""
    fields: tuple[FieldChange, ...] = ()
    """What changes, for people and programs to read."""
    edits: tuple[Edit, ...] = ()
    """What changes, for the provider to turn into calls."""
    risks: tuple[Risk, ...] = ()
    unverified: tuple[str, ...] = ()
    """Declared fields that the API does not return."""
    desired: Desired | None = None
    record: Record | None = None
    live: Live | None = None
    unsettled: bool = False
    """Whether an earlier writing call to the object has no recorded result."""
    expired: bool = False
    """Whether the live object has ended by itself."""
    gone: bool = False
    """Whether a managed object was deleted outside, as far as is known."""
    computed: Computed = {}
    """What the live object shows of values that the remote system computes."""
    forget: bool = False
    """Whether the object is no longer managed; this only changes the record."""
    absent: bool = False
    """Whether reading proved that the live object does not exist, or that it ended."""
    after: tuple[Address, ...] = ()
    """The objects that first have to give up a value that this one takes."""
    unread: bool = False
    """Whether nothing is done because the live object, or the list that would show it, could not be read."""

    @property
    def creates(self) -> bool:
        """Whether it makes a live object, with a new id."""
        return self.action in CREATING

    @property
    def destroys(self) -> bool:
        """Whether it deletes an object that is live."""
        return self.action in DESTRUCTIVE and self.live is not None

    @property
    def recreates(self) -> bool:
        """Whether it makes a managed object again that is not live any more."""
        return self.creates and self.record is not None and self.live is None

    @property
    def idle(self) -> bool:
        """Whether it does nothing to the live object."""
        return self.action in IDLE

    @property
    def declared(self) -> Fields:
        """Every field that the manifest states; none where no manifest declares the object."""
        return self.desired.fields if self.desired is not None else {}

    @property
    def depends_on(self) -> tuple[Address, ...]:
        """The objects it refers to, as declared, or as recorded where no manifest declares it."""
        if self.desired is not None:
            return self.desired.depends_on
        return self.record.depends_on if self.record is not None else ()


class Change(Decision, frozen=True, kw_only=True, gc=False):
    """A decision with its calls, its bookings, and how it is shown."""

    calls: tuple[Call, ...] = ()
    defaults: tuple[Default, ...] = ()
    """What the API sets of a new object where the manifest states nothing: shown, never sent or compared."""
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    name: str | None = None
    """The display name of the object; None where it has only the name in its address."""
    title: str | None = None
    """What customers know the object by, such as `"Yoga for all" · Mondays 11:00`; None where nothing is known."""
    zone: str | None = None
    """The zone that people read its instants in (None: UTC)."""
    moved_from: Address | None = None
    """The address it had before; this only changes the record, for every action."""
    remembers: tuple[RecordCode, ...] = ()
    """What it alters of what is remembered, except what follows from its calls."""
    next_record: Record | None = None
    """The record that it leaves, where it sends nothing and the object stays managed."""
    bookings: tuple[SlotBookings, ...] = ()
    """The bookings it touches."""
    price: str | None = None
    """What one place costs, where that is known."""
    volatile: frozenset[str] = frozenset()
    """The live values that change with everyday business."""
    saved_live: Fields | None = None
    """What `lasting` was in the document that the change was read from."""
    saved_digest: str | None = None
    """The digest in the document that the change was read from."""

    @property
    def lasting(self) -> Fields | None:
        """The live object without its volatile values, sorted; computed where a document or a comparison needs it."""
        return self.saved_live if self.live is None else lasting(self.live.fields, self.volatile)

    @property
    def live_digest(self) -> str | None:
        """The digest of `lasting`."""
        found = self.lasting
        return None if found is None else digest(found)

    @property
    def label(self) -> str:
        """The display name of the object."""
        return self.name or self.address.name

    @property
    def at_stake(self) -> Stake | None:
        """What the places it touches are worth; None where there are none or their price is not known."""
        places = sum(item.places for item in self.bookings)
        if not places or self.price is None:
            return None
        return Stake(places=places, price=self.price, amount=str(places * Decimal(self.price)))

    @property
    def requests(self) -> tuple[Request, ...]:
        """The calls and the reads they need, in the order in which they are sent."""
        return tuple(
            request
            for call in self.calls
            for request in (*(Request("GET", path) for path in call.reads), Request(call.method, call.path))
        )

    @property
    def writes(self) -> bool:
        """Whether applying it sends anything or alters what is remembered."""
        return self.action not in IDLE or bool(self.remembers)

    @property
    def bookkeeping(self) -> bool:
        """Whether it alters what is remembered and nothing is done to the live object."""
        return bool(self.remembers) and self.action in IDLE

    @property
    def digest(self) -> str:
        """The digest of what is done and to what; it ignores the reason, the source and the bookings."""
        return self.saved_digest or digest(
            {
                "address": str(self.address),
                "action": self.action,
                "connection": self.connection,
                "remote_id": self.shown_id,
                "fields": [asdict(item) for item in self.fields],
                "desired": self.desired.fields if self.desired is not None else None,
                "live": self.live_digest,
                "risks": [_values(item, _RISK) for item in self.risks],
                "calls": [
                    {
                        **_values(call, _CALL),
                        "address": str(call.address),
                        "needs": [str(address) for address in call.needs],
                        **({"reads": call.reads} if call.reads else {}),
                    }
                    for call in self.calls
                ],
                **({"moved_from": str(self.moved_from)} if self.moved_from is not None else {}),
                **({"forget": True} if self.forget else {}),
                **(
                    {"record": [*self.remembers, _kept(self.record), _kept(self.next_record)]} if self.remembers else {}
                ),
            }
        )


_RISK = ("code", "level", "message", "slots", "booked", "reserved")
_CALL = ("connection", "effect", "method", "path", "body")
_RECORD = ("connection", "target", "fields", "computed", "protect")


def _kept(record: Record | None) -> dict[str, Any] | None:
    """Return what is remembered of an object, without its id, which may be a credential, and without times."""
    if record is None:
        return None
    return {**_values(record, _RECORD), "depends_on": [str(address) for address in record.depends_on]}


def _values(item: Risk | Call | Record, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


def merged(computed: Computed, news: Computed) -> Computed:
    """Return computed values with what a call's answer adds, changes or (None) removes."""
    result = {part: dict(members) for part, members in computed.items()}
    for part, members in news.items():
        whole = {**result.get(part, {}), **members}
        result[part] = {name: facts for name, facts in whole.items() if facts is not None}
    return result


def resolved(fields: Fields, ids: Mapping[Address, str]) -> Fields:
    """Replace each `Ref` by the remote id of its target where that is known; the others stay."""
    if Ref not in map(type, fields.values()):
        return fields
    return {name: ids.get(value.target, value) if isinstance(value, Ref) else value for name, value in fields.items()}


def bind(value: Any, ids: Mapping[Address, str]) -> Any:
    """Replace every `Ref` in a structure by the remote id of its target; KeyError where it is unknown."""
    if type(value) in ATOMS:
        return value
    if isinstance(value, Ref):
        return ids[value.target]
    if isinstance(value, (dict, Mapping)):
        return {key: item if type(item) in ATOMS else bind(item, ids) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bind(item, ids) for item in value]
    return value


def bind_path(path: str, ids: Mapping[Address, str], needs: tuple[Address, ...]) -> str:
    """Replace `{Kind/name}` in a call's path by remote ids; KeyError where one is unknown."""
    for address in needs:
        marker = f"{{{address}}}"
        if marker in path:
            path = path.replace(marker, ids[address])
    return path
