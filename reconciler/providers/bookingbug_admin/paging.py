"""Reading a paged list to its end, or failing: an incomplete list looks like deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.providers.bookingbug_admin.answers import Page

MOST_PAGES = 2_000
"""Pages of one list at most: a list that always contains something new would never end."""

Rows = dict[str, Mapping[str, Any]]


class _Moved(Exception):
    """The list's length changed while it was read."""


def collect(
    page: Callable[[int], Page], gather: Callable[[Callable[[int], Page], Iterable[int]], list[Page]], width: int
) -> Rows:
    """Return every object of a list by id, counted to `total_entries`, never by links (notes §3.2).

    `page` gets one page, from 1; `gather` gets several at once, at most `width`. The page size the
    server really gives is taken from its first page. ValueError: the list is incomplete; or it
    moved, twice, while it was read.
    """
    try:
        return _collect(page, gather, width)
    except _Moved:
        pass
    try:
        return _collect(page, gather, width)
    except _Moved:
        message = "the list kept changing while it was read"
        raise ValueError(message) from None


def _collect(
    page: Callable[[int], Page], gather: Callable[[Callable[[int], Page], Iterable[int]], list[Page]], width: int
) -> Rows:
    first = page(1)
    found: Rows = dict(first.items)
    read = 1
    while len(found) < first.total:
        if not first.items:
            raise _incomplete(found, first.total, 1)
        if read > MOST_PAGES:
            message = f"more than {MOST_PAGES} pages in a list: {len(found)} of {first.total} objects"
            raise ValueError(message)
        missing = -(-(first.total - len(found)) // len(first.items))
        numbers = range(read + 1, read + 1 + min(missing, width))
        for number, following in zip(numbers, gather(page, numbers), strict=True):
            if following.total != first.total:
                raise _Moved
            if len(found) < first.total and following.items.keys() <= found.keys():
                raise _incomplete(found, first.total, number)
            found.update(following.items)
        read = numbers[-1]
    return found


def _incomplete(found: Rows, total: int, number: int) -> ValueError:
    return ValueError(f"an incomplete list: {len(found)} of {total} objects, and page {number} has no new ones")
