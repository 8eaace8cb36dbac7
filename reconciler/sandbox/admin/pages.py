"""Lists: one page of `_embedded` rows with `total_entries` and links (bookingbug API notes §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox.admin.refusals import invalid
from reconciler.sandbox.api import Call

_DEFAULT_SIZES = {"resources": 300, "slots": 100, "bookings": 100}
_GENERAL_SIZE = 30


def page_of(call: Call, name: str, rows: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the requested page of all rows, and its links.

    `page` counts from 1. A page after the last one is empty.
    """
    page = _number(call, "page", 1)
    default = call.options.page_size or _DEFAULT_SIZES.get(name, _GENERAL_SIZE)
    size = min(_number(call, "per_page", default), call.options.max_page_size)
    chosen = list(rows[(page - 1) * size : page * size])
    links = {"self": {"href": f"{call.base_url}{call.path}"}}
    if call.options.next_links == "misleading":
        # The documented sample of slots has both with page=0, although it has one page (notes §3.2).
        links["next"] = links["previous"] = {"href": _url(call, 0, size)}
        return chosen, links
    if page * size < len(rows):
        links["next"] = {"href": _url(call, page + 1, size)}
    if page > 1:
        links["previous"] = {"href": _url(call, page - 1, size)}
    return chosen, links


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if text.isdecimal() and int(text) > 0:
        return int(text)
    if call.options.strict == "strict":
        raise invalid(f"{name} is invalid")
    return default


def _url(call: Call, page: int, size: int) -> str:
    query = {**call.query, "page": str(page), "per_page": str(size)}
    return f"{call.base_url}{call.path}?{urlencode(query)}"
