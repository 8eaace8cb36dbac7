"""BookingSession: a held booking, that is a session on the server that collects items through slips (seed 004)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.booking_session.fields import FIELDS
from reconciler.kinds.booking_session.items import compare_items
from reconciler.kinds.booking_session.lines import QUANTITY
from reconciler.kinds.booking_session.statement import statement
from reconciler.model import days
from reconciler.model.canonical import clock, day
from reconciler.model.field import at_field, canonical_fields
from reconciler.model.kind import Ephemeral, IdentityKey, Kind, OnExpiry
from reconciler.model.objects import Fields, Manifest, Problem
from reconciler.model.words import count

SETTLES_AFTER = 24 * 3600
"""Seconds after which an unknown session has certainly expired. How long one lasts is not documented; clients
assume 30 minutes (checkfront API notes §1.5), so a day is safe."""

_ON_EXPIRY: tuple[OnExpiry, ...] = ("report", "recreate", "forget")


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return a held booking's spec in canonical values; items sorted by key, since their order has no meaning."""
    fields: dict[str, Any] = {}
    if "on_expiry" in spec:
        fields["on_expiry"] = str(spec["on_expiry"])
    with at_field("items"):
        items = [canonical_fields(FIELDS, item) for item in spec["items"]]
    fields["items"] = sorted(items, key=lambda item: str(item["key"]))
    return fields


def identities(_: Fields) -> tuple[IdentityKey, ...]:
    """Return no natural key: sessions cannot be listed, so one cannot be found without its id."""
    return ()


def timing(fields: Fields, _names: Mapping[str, str], _zone: str | None) -> str | None:
    """Return `2 items from Mon 1 Mar 2027`."""
    items = fields.get("items") or ()
    first = min((item["start_date"] for item in items if item.get("start_date")), default=None)
    return f"{count(len(items), 'item')}{f' from {days.shown_text(first)}' if first else ''}" if items else None


def on_expiry(fields: Fields) -> OnExpiry:
    """Return what to do once the session has expired; `report` unless stated."""
    return next((choice for choice in _ON_EXPIRY if choice == fields.get("on_expiry")), "report")


def check(manifest: Manifest) -> Iterator[Problem]:
    """Check keys and dates: what a schema cannot state."""
    seen: dict[str, int] = {}
    items = manifest.spec.get("items")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        key = item["key"]
        if key in seen:
            first = manifest.where("items", seen[key], "key")
            summary = f"item {key} is listed twice; expected each key once"
            hint = f"rename or remove one of them; the first is at line {first.line}"
            yield manifest.problem("duplicate-item", summary, "items", index, "key", hint=hint)
        seen.setdefault(key, index)
        try:
            start, end = (day(item[name]) if name in item else None for name in ("start_date", "end_date"))
        except ValueError:
            continue  # reported by the schema
        if start and end and end < start:
            summary = f"item {key}: end_date {end} is before start_date {start}; expected the same day or later"
            yield manifest.problem("end-before-start", summary, "items", index, "end_date")
        elif start and start == end:
            yield from _times_of_one_day(manifest, item, index)
        if "quantity" in item and QUANTITY in (item.get("params") or {}):
            summary = f"item {key}: params.{QUANTITY} and quantity are the same; expected only one of them"
            yield manifest.problem("quantity-twice", summary, "items", index, "params", QUANTITY)


def _times_of_one_day(manifest: Manifest, item: Mapping[str, Any], index: int) -> Iterator[Problem]:
    try:
        start, end = (clock(item[name]) if name in item else None for name in ("start_time", "end_time"))
    except ValueError:
        return  # reported by the schema
    if start and end and end < start:
        summary = f"item {item['key']}: end_time {end} is before start_time {start} on one day; expected a later time"
        yield manifest.problem("end-before-start", summary, "items", index, "end_time")


KIND = Kind(
    called={QUANTITY: "quantity"},
    name="BookingSession",
    provider="checkfront",
    schema="booking_session",
    timing=timing,
    canonical=canonical,
    identities=identities,
    volatile=frozenset({"available", "total"}),
    local=frozenset({"on_expiry"}),
    unanswered=("owner", "expiry time", "whether stock is held"),
    ephemeral=Ephemeral(on_expiry=on_expiry, settles_after=SETTLES_AFTER),
    secret_id=True,
    parts={"items": compare_items},
    part_keys={"items": "key"},
    check=check,
    statement=statement,
)
