"""Lists: one page of `_embedded` rows with `total_entries` and links (bookingbug API notes §3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox.admin.refusals import invalid
from reconciler.sandbox.api import Call

_DEFAULT_SIZES = {"resources": 300, "slots": 100, "bookings": 100}
_GENERAL_SIZE = 30
_ORDER = ("start_date", "end_date", "date", "resource_id", "service_id", "person_id", "slot_id", "include_cancelled")
"""The order of the filters in links: that of the templates in a company's links. Others follow by name."""


def page_of(
    call: Call, name: str, rows: Sequence[Any], filled: Mapping[str, str] | None = None
) -> tuple[list[Any], dict[str, Any]]:
    """Return the requested page of all rows, and its links. `filled` are filters in their canonical form.

    `page` counts from 1. A page after the last one is empty.
    """
    page = _number(call, "page", 1)
    default = call.options.page_size or _DEFAULT_SIZES.get(name, _GENERAL_SIZE)
    size = min(_number(call, "per_page", default), call.options.max_page_size)
    filters = _filters({**call.query, **(filled or {})})
    # The list of resources calls itself by its plural, also where it was asked for in the singular (seed 002).
    address = f"{call.base_url}{call.path}{'s' if call.path.endswith('/resource') else ''}"

    def link(number: int) -> dict[str, str]:
        return {"href": f"{address}?{urlencode([*filters, ('page', number), ('per_page', size)])}"}

    is_part = bool(filters) or page > 1 or size < len(rows)
    # Official clients store an answer under its self link, so two windows or pages must not share one. The list of
    # seed 002, which is whole, has no query in it.
    has_query = call.options.self_query == "always" or (is_part and call.options.self_query == "parts")
    links = {"self": link(page) if has_query else {"href": address}}
    if call.options.next_links == "misleading":
        # The documented sample of slots has both with page=0, although it has one page (notes §3.2).
        links["next"] = links["previous"] = link(0)
    else:
        if page * size < len(rows):
            links["next"] = link(page + 1)
        if page > 1:
            links["previous"] = link(page - 1)
    return list(rows[(page - 1) * size : page * size]), links


def _filters(query: Mapping[str, str]) -> list[tuple[str, str]]:
    names = sorted(query.keys() - {"page", "per_page"})
    known = [name for name in _ORDER if name in names]
    return [(name, query[name]) for name in [*known, *(name for name in names if name not in _ORDER)]]


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if text.isdecimal() and int(text) > 0:
        return int(text)
    if text == "0" and call.options.next_links == "misleading":
        return default  # a server that links to page 0 answers it
    if call.options.strict == "strict":
        raise invalid(f"{name} is invalid")
    return default
