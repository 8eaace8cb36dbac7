"""Answers of the admin API, as far as they are the same for every kind: pages, ids, links, single values. No I/O.

Shapes are from seed 002 ("Resources") and, for lists and slots, the bookingbug API notes §3.2 to
§3.5. Every function raises ValueError with a message for what cannot be understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.model import canonical
from reconciler.providers.answer import is_identifier, json_object, neutral, refusal_words, whole

_SLOT_LINK = re.compile(r".*/slots/([0-9]+)")


class Page(Struct, frozen=True, kw_only=True):
    """One page of a list."""

    total: int
    """Number of objects in the whole list."""
    items: Mapping[str, Mapping[str, Any]]
    """The objects of this page, by id."""


def decode_page(body: bytes, name: str) -> Page:
    """Return a page of the collection `name` (seed 002: `total_entries`, `_embedded`); its links are not used."""
    data = _no_refusal(json_object(body, tolerant=True))
    total = read_value("total_entries", whole, data.get("total_entries"))
    embedded = data.get("_embedded")
    rows = embedded.get(name) if isinstance(embedded, dict) else None
    if rows is None and total == 0:
        rows = []
    if total < 0 or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = f"a page without a list of {name}"
        raise ValueError(message)
    return Page(total=total, items={_row_id(row, number): row for number, row in enumerate(rows, start=1)})


def _row_id(row: Mapping[str, Any], number: int) -> str:
    try:
        return remote_id(row)
    except ValueError as error:
        names = [neutral(repr(row[key]), 40) for key in ("name", "full_describe") if row.get(key)]
        message = f"object {number} of the page{f' (name {names[0]})' if names else ''}: {error}"
        raise ValueError(message) from None


def decode_one(body: bytes, asked: str) -> dict[str, Any]:
    """Return the object with the id `asked`."""
    data = _no_refusal(json_object(body, tolerant=True))
    if remote_id(data) != asked:
        message = f"returned {remote_id(data)} instead"
        raise ValueError(message)
    return data


def _no_refusal(data: dict[str, Any]) -> dict[str, Any]:
    said = refusal_words(data)
    if said is not None:
        message = f"the server reported an error: {said}"
        raise ValueError(message)
    return data


def remote_id(data: Mapping[str, Any]) -> str:
    """Return a returned object's id; ValueError where it has none."""
    found = data.get("id")
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not is_identifier(text):
        given = "without an id" if found is None else f"with the id {neutral(repr(found), 40)}; expected a number"
        message = f"an object {given}"
        raise ValueError(message)
    return text


def link(data: Mapping[str, Any], name: str) -> str | None:
    """Return the address that a HAL link leads to; None where there is no such link."""
    links = data.get("_links")
    found = links.get(name) if isinstance(links, dict) else None
    href = found.get("href") if isinstance(found, dict) else None
    return href if isinstance(href, str) else None


def created_id(data: Mapping[str, Any]) -> str | None:
    """Return the id that a create returned; for a booking that represents a block, the slot's (notes §1.2)."""
    if "/bookings/" in (link(data, "self") or ""):
        match = _SLOT_LINK.fullmatch(link(data, "slot") or "")
        return match[1] if match else None
    try:
        return remote_id(data)
    except ValueError:
        return None


def check_answered(body: bytes, path: str, *, read_back: bool) -> None:
    """Check that the answer to a call about the object at `path` is about it.

    Where the effect is `read_back` in any case, a body that is no object proves nothing and does not matter.
    """
    asked = path.rpartition("/")[2]
    try:
        data = json_object(body)
        found = created_id(data) or remote_id(data)
    except ValueError:
        if read_back:
            return
        raise
    if found != asked:
        message = f"returned {found} instead of {asked}"
        raise ValueError(message)


def id_text(value: Any) -> str:
    """Return a returned id as digits."""
    found = str(value)
    if isinstance(value, bool) or not is_identifier(found):
        message = f"{value!r} is not an id"
        raise ValueError(message)
    return found


def read_value(key: str, reader: Callable[[Any], Any], value: Any) -> Any:
    """Return `reader(value)`; a ValueError names the field."""
    try:
        return reader(value)
    except (ValueError, OverflowError) as error:
        message = f"field `{key}`: {neutral(str(error))}"
        raise ValueError(message) from None


def text(key: str, value: Any) -> str:
    """Return a returned text; null is an empty one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return canonical.text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # an external reference of digits may come back as a number
    message = f"field `{key}`: {neutral(repr(value), 40)} is not text"
    raise ValueError(message)
