"""Reading a paged list to its end, or failing: an incomplete list looks like deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.providers.bookingbug_admin.answers import Page

MOST_PAGES = 2_000
"""Pages of one list at most: a list that always contains something new would never end."""

MOST_READS = 4
"""How often a list of several pages is read at most, until two readings in a row agree."""

Rows = dict[str, Mapping[str, Any]]
Gather = Callable[[Callable[[int], Page], Iterable[int]], list[Page]]


class _Moved(Exception):
    """The list changed while it was read, or is incomplete; the message says how it showed."""


def collect(page: Callable[[int], Page], gather: Gather, width: int, *, once: bool = False) -> Rows:
    """Return every object of a list by id, counted to `total_entries`, never by links (notes §3.2).

    `page` gets one page, from 1; `gather` gets several at once, at most `width`. The page size the
    server really gives is taken from its first page.

    While pages are read one after another, an object may go and another come: the pages move by one, an object falls
    between two of them, and the length shows nothing. So a list of several pages is read until two readings in a row
    hold the same ids, unless an object that falls out does no harm (`once`). ValueError: it is incomplete, or never
    stayed the same.
    """
    before: Rows | None = None
    trouble = ""
    for _ in range(MOST_READS):
        try:
            found, pages = _collect(page, gather, width)
        except _Moved as moved:
            if str(moved) == trouble:
                break
            before, trouble = None, str(moved)
            continue
        if once or pages == 1 or (before is not None and before.keys() == found.keys()):
            return found
        before, trouble = found, "the list kept changing while it was read"
    raise ValueError(trouble)


def _collect(page: Callable[[int], Page], gather: Gather, width: int) -> tuple[Rows, int]:
    """Read a list once; return its objects and how many pages it has."""
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
                message = "the list kept changing while it was read"
                raise _Moved(message)
            if len(found) < first.total and following.items.keys() <= found.keys():
                raise _incomplete(found, first.total, number)
            found.update(following.items)
        read = numbers[-1]
    return found, read


def _incomplete(found: Rows, total: int, number: int) -> _Moved:
    return _Moved(f"an incomplete list: {len(found)} of {total} objects, and page {number} has no new ones")
