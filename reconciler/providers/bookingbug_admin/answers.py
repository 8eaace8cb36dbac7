"""What the admin API answers, understood: pages, resources, addresses, blocks. No I/O.

Shapes are from seed 002 ("Resources") and, for lists and slots, the bookingbug API notes §3.2 to
§3.5. Every function raises ValueError, in words, for what cannot be understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.model import canonical
from reconciler.model.objects import Fields, Live
from reconciler.providers.answer import is_identifier, json_object, neutral, whole

BLOCKED = 3
"""The slot status that makes a slot a block (bookingbug API notes §3.4)."""

FREED = frozenset({0, 6})
"""Slot statuses of time that is no longer blocked: available, cancelled."""

STATUSES = (
    "available",
    "enquired",
    "taken",
    "blocked",
    "booked",
    "unavailable",
    "cancelled",
    "not live",
    "waiting",
    "held",
    "queued",
    "created externally",
)

ADDRESS_FIELDS = ("address1", "address2", "address3", "address4", "address5", "postcode", "country")

_RESOURCE_LINK = re.compile(r".*/resources?/([0-9]+)")
_SLOT_LINK = re.compile(r".*/slots/([0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list: how many objects the whole list has, and this page's."""

    total: int
    items: Mapping[str, Mapping[str, Any]]


def decode_page(body: bytes, name: str) -> Page:
    """Return a page of the collection `name` (seed 002: `total_entries`, `_embedded`); its links are not used."""
    data = json_object(body)
    total = _read("total_entries", whole, data.get("total_entries"))
    embedded = data.get("_embedded")
    rows = embedded.get(name) if isinstance(embedded, dict) else None
    if rows is None and total == 0:
        rows = []
    if total < 0 or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = f"a page without a list of {name}"
        raise ValueError(message)
    return Page(total=total, items={remote_id(row): row for row in rows})


def remote_id(data: Mapping[str, Any]) -> str:
    """Return an answered object's id; ValueError where it has none."""
    found = data.get("id")
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not is_identifier(text):
        message = f"an object with the id {neutral(repr(found), 40)}; expected a number"
        raise ValueError(message)
    return text


def is_deleted(data: Mapping[str, Any]) -> bool:
    """Whether a resource is marked as deleted (seed 002; a soft delete, notes §3.6)."""
    return data.get("deleted") is not None and _read("deleted", canonical.flag, data["deleted"]) is True


def decode_resource(data: Mapping[str, Any]) -> Live:
    """Return a resource as answered (seed 002); its address is an object of its own there.

    A null text is "", any other null is not answered. ValueError names what cannot be understood.
    """
    identity = remote_id(data)
    fields: dict[str, Any] = {}
    for key in ("name", "description", "email"):
        if key in data:
            fields[key] = _text(key, data[key])
    if "api_ref" in data or "reference" in data:
        # People and services echo the external reference as `reference` (notes §3.3).
        found = data.get("api_ref")
        fields["api_ref"] = _text("api_ref", data.get("reference") if found is None else found)
    fields.update(_answered(data, _RESOURCE_READERS))
    if "position" not in fields and data.get("order") is not None:
        order = _read("order", whole, data["order"])
        if str(order) != identity:  # equal to the id: the server has no position and falls back to it
            fields["position"] = order
    return Live(kind="Resource", remote_id=identity, fields=fields)


def decode_address(data: Mapping[str, Any]) -> dict[str, str]:
    """Return an address as answered (notes §3.5)."""
    return {key: _text(f"address {key}", data[key]) for key in ADDRESS_FIELDS if key in data}


def decode_block(data: Mapping[str, Any]) -> Live:
    """Return a slot of status 3 as a block (seed 002, notes §3.4); ValueError where its times are unusable."""
    identity = remote_id(data)
    if data.get("datetime") is None:
        what = "is day-based (`date`)" if data.get("date") is not None else "has no `datetime`"
        message = f"slot {identity} {what}, which cannot be compared with an instant"
        raise ValueError(message)
    start = _moment("datetime", data["datetime"])
    if data.get("end_datetime") is not None:
        end = _moment("end_datetime", data["end_datetime"])
    elif data.get("duration") is not None:
        minutes = _read("duration", whole, data["duration"])
        end = _read("duration", lambda duration: start + timedelta(minutes=duration), minutes)
    else:
        message = f"slot {identity} has neither `end_datetime` nor `duration`"
        raise ValueError(message)
    fields: dict[str, Any] = {"start": canonical.utc(start), "end": canonical.utc(end)}
    owner = _block_owner(data)
    if owner is not None:
        fields["resource_id"] = owner
    return Live(kind="Block", remote_id=identity, fields=fields)


def slot_status(data: Mapping[str, Any]) -> int:
    """Return a slot's status; ValueError where there is none."""
    return int(_read("status", whole, data.get("status")))


def is_event(data: Mapping[str, Any]) -> bool:
    """Whether a slot is an occurrence of an event (notes §3.4): deleting one would cancel a class."""
    return data.get("session_id") is not None


def _block_owner(data: Mapping[str, Any]) -> str | None:
    """Return the resource of a block: `resource_id`, else what the `resource` link names."""
    if data.get("resource_id") is not None:
        return str(_read("resource_id", _id_text, data["resource_id"]))
    match = _RESOURCE_LINK.fullmatch(link(data, "resource") or "")
    return match[1] if match else None


def hinted_owner(data: Mapping[str, Any]) -> str | None:
    """Return the resource that a block's `person` link or `person_id` hints at; None where neither is there.

    Seed 002's own sample of a resource's block names no resource: it has a `person_id` and a `person` link to
    `/resource/15288`. That can confirm an owner that is known, yet never tell one.
    """
    match = _RESOURCE_LINK.fullmatch(link(data, "person") or "")
    person = data.get("person_id")
    return match[1] if match else None if person is None else str(person)


def link(data: Mapping[str, Any], name: str) -> str | None:
    """Return the address a HAL link leads to; None where it is not there."""
    links = data.get("_links")
    found = links.get(name) if isinstance(links, dict) else None
    href = found.get("href") if isinstance(found, dict) else None
    return href if isinstance(href, str) else None


def created_id(data: Mapping[str, Any]) -> str | None:
    """Return the id a creation answered with; of a booking that stands for a block, its slot's (notes §1.2)."""
    if "/bookings/" in (link(data, "self") or ""):
        match = _SLOT_LINK.fullmatch(link(data, "slot") or "")
        return match[1] if match else None
    try:
        return remote_id(data)
    except ValueError:
        return None


def block_window(scopes: Iterable[Fields]) -> tuple[date, date] | None:
    """Return the first and last day that hold every block of `scopes`, a day wider at both ends.

    The day more is for the company's time zone, which the API's days are in. None: no block has times.
    """
    times = [fields.get(key) for fields in scopes for key in ("start", "end")]
    days = [datetime.fromisoformat(value).date() for value in times if isinstance(value, str)]
    if not days:
        return None
    one = timedelta(days=1)
    return max(min(days), date.min + one) - one, min(max(days), date.max - one) + one


def _moment(key: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        # Naive times are UTC (notes §3.4: DEV index.md; seed 002's block sample).
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"field `{key}`: {neutral(repr(value), 40)} is not a date-time"
        raise ValueError(message) from None


def _id_text(value: Any) -> str:
    text = str(value)
    if isinstance(value, bool) or not is_identifier(text):
        message = f"{value!r} is not an id"
        raise ValueError(message)
    return text


_RESOURCE_READERS: Mapping[str, Callable[[Any], Any]] = {
    "disabled": canonical.flag,
    "never_booked": canonical.flag,
    "price": canonical.money,
    "position": whole,
    "count": whole,
    "max_book": whole,
    "address_id": _id_text,
}


def _answered(data: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {key: _read(key, reader, data[key]) for key, reader in readers.items() if data.get(key) is not None}


def _read(key: str, reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except (ValueError, OverflowError) as error:
        message = f"field `{key}`: {neutral(str(error))}"
        raise ValueError(message) from None


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # an external reference of digits may come back as a number
    message = f"field `{key}`: {neutral(repr(value), 40)} is not text"
    raise ValueError(message)
