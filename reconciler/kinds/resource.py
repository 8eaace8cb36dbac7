"""Resource: a room, a court, a piece of equipment that can be booked or blocked (seed 002)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.model.bookings import BookingQuery, Window
from reconciler.model.canonical import utc
from reconciler.model.change import Decision
from reconciler.model.field import Default, Field, FieldTable, canonical_fields
from reconciler.model.kind import IdentityKey, Kind, Marks, Statement, described
from reconciler.model.objects import Fields

FIELDS: FieldTable = {
    "name": Field("text"),
    "description": Field("text"),
    "email": Field("text"),
    "disabled": Field("flag"),
    "price": Field("money"),
    "position": Field("whole"),
    "never_booked": Field("flag"),
    "count": Field("whole"),
    "max_book": Field("whole"),
    "api_ref": Field("text"),
    "address": Field("texts"),
    "address_id": Field("id"),
}
"""A resource's fields as seed 002 lists them (its `disbaled` is a slip: the samples say `disabled`)."""

_DEFAULTS = {"disabled": False}
"""What the API sets of a new resource (seed 002)."""

_OUT_OF_USE: Mapping[str, Any] = {"disabled": True, "never_booked": True, "count": 0, "max_book": 0}
"""Values that make a resource impossible to book."""

AHEAD_DAYS = 730
"""How far ahead bookings are looked for: two years."""


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return a resource's spec in canonical values."""
    return canonical_fields(FIELDS, spec)


def statement(live: Fields, applied: Fields) -> Statement:
    """Return what to state of a live resource: no defaults, and its address instead of the address's id."""
    del applied
    fields = {name: value for name, value in live.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
    address = {part: text for part, text in fields.pop("address", {}).items() if text}
    if address:
        fields.pop("address_id", None)
        fields["address"] = address
    return Statement(fields=fields)


def defaults(fields: Fields) -> tuple[Default, ...]:
    """Return what the API sets of a new resource."""
    return tuple(Default(path=name, value=value) for name, value in _DEFAULTS.items() if name not in fields)


def identities(fields: Fields) -> tuple[IdentityKey, ...]:
    """Return the natural keys: the external reference, then the name."""
    return tuple((name, fields[name]) for name in ("api_ref", "name") if fields.get(name))


def apart(fields: Fields, other: Fields) -> bool:
    """Whether both have an external reference, and the two differ."""
    stated, answered = fields.get("api_ref"), other.get("api_ref")
    return bool(stated and answered and stated != answered)


def marks(fields: Fields) -> tuple[Marks, Marks]:
    """Return what `apart` looks at."""
    reference = fields.get("api_ref")
    own = {"api_ref": frozenset([reference] if reference else ())}
    return own, own


def title(fields: Fields) -> str | None:
    """Return the resource's name; a damaged record may hold anything."""
    name = fields.get("name")
    return name if isinstance(name, str) else None


def describe(fields: Fields) -> str:
    """Return name, external reference and email."""
    return described(fields, "name", "api_ref", "email")


def booking_query(change: Decision, now: str) -> BookingQuery | None:
    """Query the bookings of a resource that is deleted or taken out of use, from now on, two years ahead."""
    if change.live is None:
        return None
    if change.destroys:
        code, what = "booked-resource-deleted", "deleting"
    elif change.edits and (taken := _out_of_use(change)) is not None:
        code, what = "booked-resource-disabled", taken
    else:
        return None
    end = utc(datetime.fromisoformat(now) + timedelta(days=AHEAD_DAYS))
    return BookingQuery(
        code=code,
        what=f"{what} the resource (bookings of the next two years)",
        connection=change.record.connection if change.record is not None else change.connection,
        windows=(Window(resource_id=change.live.remote_id, start=now, end=end),),
    )


def _out_of_use(change: Decision) -> str | None:
    """Return how a change takes a resource out of use; None where it does not."""
    values = {item.path: item.after for item in change.fields if _OUT_OF_USE.get(item.path) == item.after}
    if "disabled" in values:
        return "disabling"
    words = ", ".join(f"{name} {str(value).lower()}" for name, value in sorted(values.items()))
    return f"setting {words} of" if values else None


KIND = Kind(
    name="Resource",
    provider="bookingbug-admin",
    schema="resource",
    title=title,
    describe=describe,
    canonical=canonical,
    identities=identities,
    apart=apart,
    marks=marks,
    recognised_by=("name", "api_ref"),
    unique=("api_ref",),
    defaults=defaults,
    statement=statement,
    shared={"address": "shared-address-changed"},
    booking_query=booking_query,
)
