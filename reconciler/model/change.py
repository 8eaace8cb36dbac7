"""What is to be done to one object, and the exact calls that do it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from reconciler.model.objects import Address, Computed, Desired, Fields, Live, Record, Ref, SourceRef
from reconciler.model.risk import Risk

Action = Literal["create", "update", "replace", "delete", "adopt", "noop", "unknown"]
ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "delete", "adopt", "noop", "unknown")
IDLE: frozenset[str] = frozenset({"noop", "unknown"})
"""Actions that do nothing to a live object."""

Origin = Literal["manifest", "drift"]
Effect = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field's step from `before` to `after` (JSON values).

    `origin` is drift where the manifest still says what was last applied and the live side moved.
    `verifiable` is False where the API does not answer the field: `before` is then what was last applied.
    """

    path: str
    before: Any
    after: Any
    origin: Origin
    verifiable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One write to one object or to one part of it, in canonical values; the provider words it.

    Without `part` it is the object itself. With `part` and `part_id` it is one member of a
    collection (`slots`, `123456`) that can be changed on its own; `replaces` is what that member was,
    `effect` whether the member comes, changes or goes, `changed` which of its values differ.
    """

    values: Mapping[str, Any]
    part: str | None = None
    part_id: str | None = None
    replaces: Mapping[str, Any] | None = None
    effect: Effect = "update"
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBookings:
    """What is booked on one slot that a change touches; for a resource, one booking.

    None is what the API did not answer, which is never taken for nobody; without `slot` it answered none at all.
    """

    slot: str | None
    when: str | None
    booked: int | None = None
    reserved: int | None = None

    @property
    def known(self) -> bool:
        """Whether both counts were answered."""
        return self.booked is not None and self.reserved is not None

    @property
    def places(self) -> int:
        """Places that somebody surely has."""
        return (self.booked or 0) + (self.reserved or 0)


def total(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the counts that are known, None where there are some and none of them is."""
    given = tuple(counts)
    known = [count for count in given if count is not None]
    return sum(known) if known or not given else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """Places times the price of one, as decimal strings."""

    places: int
    price: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One writing call, fully worded but for ids not known yet.

    `path` and `body` may hold `Ref`s: in the path as `{Resource/court-1}`, in the body as values.
    `body` is a structure of plain values; `encoding` says how the provider puts it on the wire.
    `reads` are paths whose answers the call needs first (a rated query that gives a slip).
    `repeatable`: carried out twice, it leaves what carried out once leaves, so that it may be sent again.
    `remote_id` and `computed` say which object it is about and what the system worked out for it so
    far; they are filled in when it is sent, so that a plan holds neither.
    """

    address: Address
    connection: str
    effect: Effect
    method: str
    path: str
    body: Any = None
    encoding: Literal["json", "xml", "form", "none"] = "none"
    needs: tuple[Address, ...] = ()
    reads: tuple[str, ...] = ()
    repeatable: bool = False
    remote_id: str | None = None
    computed: Computed = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a remote system said to a writing call; `remote_id` is None where a create did not tell it.

    `gone` is True where a delete found nothing left to delete. `fields` are what a create really made,
    where its answer shows less than was asked for; `computed` is what the system worked out.
    """

    status: int
    remote_id: str | None = None
    live: Live | None = None
    gone: bool = False
    fields: Fields = field(default_factory=dict)
    computed: Computed = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a plan shows it."""

    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one object and why.

    `fields` is for people and programs to read, `edits` is what the provider turns into `calls`.
    `lasting` is everything the live object answered, but for what its kind calls volatile, whatever the order
    of its answer; `live_digest` stands for it.
    `moved_from` is the name it had before, `forget` that it is managed no more: both concern the record
    alone, whatever the action does to the live object.
    `zone` is the one that its manifest's instants are read in (None: UTC).
    `unsettled` is True where an earlier writing call to the object has no recorded result, `expired`
    where the live object is over by itself. `computed` is what the answer shows of values that the
    system works out. `bookings` are those it touches, `price` what one place costs where that is known;
    `guarded` are the codes of the guards that stop it. `digest` is what its document states, in a plan that was
    read back. `name` is what people call the object, where nothing else
    tells: in a plan that was read back.
    """

    address: Address
    connection: str
    action: Action
    reason: str
    remote_id: str | None = None
    source: SourceRef | None = None
    fields: tuple[FieldChange, ...] = ()
    edits: tuple[Edit, ...] = ()
    risks: tuple[Risk, ...] = ()
    calls: tuple[Call, ...] = ()
    unverified: tuple[str, ...] = ()
    lasting: Fields | None = None
    live_digest: str | None = None
    digest: str | None = None
    desired: Desired | None = None
    record: Record | None = None
    live: Live | None = None
    unsettled: bool = False
    expired: bool = False
    computed: Computed = field(default_factory=dict)
    bookings: tuple[SlotBookings, ...] = ()
    price: str | None = None
    guarded: tuple[str, ...] = ()
    name: str | None = None
    moved_from: Address | None = None
    forget: bool = False
    zone: str | None = None

    @property
    def label(self) -> str:
        """What people call the object: its live name, else the applied, the declared, the one in its address."""
        if self.name is not None:
            return self.name
        sources = (self.live, self.record, self.desired)
        names = [source.fields.get("name") for source in sources if source is not None]
        return next((name for name in names if isinstance(name, str) and name), self.address.name)

    @property
    def at_stake(self) -> Stake | None:
        """What the places it touches are worth; None where there are none or their price is not known."""
        places = sum(item.places for item in self.bookings)
        if not places or self.price is None:
            return None
        return Stake(places=places, price=self.price, amount=str(places * Decimal(self.price)))

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return the calls with the reads that feed them, in the order they are sent."""
        return tuple(
            request
            for call in self.calls
            for request in (*(Request("GET", path) for path in call.reads), Request(call.method, call.path))
        )

    @property
    def writes(self) -> bool:
        """Whether carrying it out sends anything or changes which objects are managed, and under which name."""
        return self.action not in IDLE or self.bookkeeping

    @property
    def bookkeeping(self) -> bool:
        """Whether the record changes and nothing is done to the live object."""
        return self.action in IDLE and (self.forget or self.moved_from is not None)

    @property
    def depends_on(self) -> tuple[Address, ...]:
        """Addresses this object refers to, as declared, or as recorded once the manifest is gone."""
        if self.desired is not None:
            return self.desired.depends_on
        return self.record.depends_on if self.record is not None else ()


def merged(computed: Computed, news: Computed) -> Computed:
    """Return computed values with what a call's answer adds, changes or (None) takes away."""
    result = {part: dict(members) for part, members in computed.items()}
    for part, members in news.items():
        whole = {**result.get(part, {}), **members}
        result[part] = {name: facts for name, facts in whole.items() if facts is not None}
    return result


def bind(value: Any, ids: Mapping[Address, str]) -> Any:
    """Replace every `Ref` in a structure by the remote id of its target; KeyError where it is unknown."""
    if isinstance(value, Ref):
        return ids[value.target]
    if isinstance(value, Mapping):
        return {key: bind(item, ids) for key, item in value.items()}
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
