"""Which bookings a change touches: what a kind sees on the live object, and what is read of resources.

The risks of a change are complete only here: `booking_queries` says what has to be read, `read_occupancy` reads it,
and `impact` puts the bookings, the risks and the price of a place together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from reconciler import local_times
from reconciler.errors import RemoteError
from reconciler.model import days
from reconciler.model.bookings import Booking, BookingQuery, Occupancy, Window
from reconciler.model.change import Decision, SlotBookings
from reconciler.model.kind import Kind
from reconciler.model.objects import Address
from reconciler.model.risk import Level, Risk, risk, unknown, weighed
from reconciler.model.words import count, listed
from reconciler.providers.base import Provider, ReadsBookings

_NAMED = 5
_CANNOT = "this provider cannot read bookings"


class Bookings(Struct, frozen=True, kw_only=True):
    """The queries for bookings of resources, and their results."""

    queries: Mapping[Address, BookingQuery] = {}
    occupancy: Mapping[tuple[str, Window], Occupancy] = {}
    """By connection and window."""


class Impact(Struct, frozen=True, kw_only=True):
    """What a change does to bookings."""

    risks: tuple[Risk, ...]
    """Every risk of the change, at the level that the project sets."""
    bookings: tuple[SlotBookings, ...]
    price: str | None
    """What one place costs, where that is known."""


def booking_queries(
    decisions: Mapping[Address, Decision], kinds: Mapping[str, Kind], now: str
) -> dict[Address, BookingQuery]:
    """Return what has to be read before the risks of the decisions are known; `now` is an instant in UTC."""
    found = {address: kinds[address.kind].booking_query(item, now) for address, item in decisions.items()}
    return {address: query for address, query in found.items() if query is not None and query.windows}


def read_occupancy(queries: Mapping[Address, BookingQuery], open_provider: Callable[[str], Provider]) -> Bookings:
    """Read every window once, connections concurrently; a read that fails is a result that says why."""
    windows: dict[str, set[Window]] = {}
    for query in queries.values():
        windows.setdefault(query.connection, set()).update(query.windows)
    occupancy: dict[tuple[str, Window], Occupancy] = {}

    def read(name: str) -> None:
        asked = sorted(windows[name])
        try:
            provider = open_provider(name)
            found = provider.bookings(asked) if isinstance(provider, ReadsBookings) else {}
            failure = _CANNOT
        except RemoteError as error:
            found, failure = {}, error.said
        for window in asked:
            occupancy[name, window] = found.get(window, Occupancy(failure=failure))

    if windows:
        pool = ThreadPoolExecutor(max_workers=len(windows), thread_name_prefix="bookings")
        try:
            list(pool.map(read, sorted(windows)))
        finally:  # an interrupted read waits for no connection: whoever opened them closes them
            pool.shutdown(wait=False, cancel_futures=True)
    return Bookings(queries=queries, occupancy=occupancy)


def impact(
    kind: Kind, decision: Decision, read: Bookings, levels: Mapping[str, Level], zone: str | None = None
) -> Impact:
    """Put together what a decision does to bookings; `levels` are those that the project sets for risks.

    Times are those of `zone`, in which people read those of the object (None: UTC).
    """
    risks, bookings = decision.risks, kind.touches(decision)
    query = read.queries.get(decision.address)
    if query is not None:
        found, failures = _hit(query, read)
        risks = (*risks, *([_risk(query, found, zone)] if found else []), *_unread(query, failures))
        bookings = (
            *bookings,
            *(
                SlotBookings(slot=item.id, when=_when(item, zone), booked=item.booked, reserved=item.reserved)
                for item in found
            ),
            *([SlotBookings(slot=None, when=None)] if failures else []),
        )
    return Impact(risks=tuple(weighed(item, levels) for item in risks), bookings=bookings, price=_price(kind, decision))


def _price(kind: Kind, decision: Decision) -> str | None:
    sources = (decision.live, decision.record, decision.desired)
    prices = [source.fields.get(kind.price_field or "") for source in sources if source is not None]
    return next((price for price in prices if isinstance(price, str)), None)


def _hit(query: BookingQuery, read: Bookings) -> tuple[list[Booking], dict[str, str]]:
    """Return the bookings in the query's windows, and why some could not be read, by resource."""
    hit: dict[str, Booking] = {}
    failures: dict[str, str] = {}
    for window in query.windows:
        answer = read.occupancy[query.connection, window]
        if answer.failure is not None:
            failures[window.resource_id] = answer.failure
        hit.update({item.id: item for item in answer.bookings if item.overlaps(window)})
    return sorted(hit.values(), key=lambda item: (item.start, item.id)), failures


def _risk(query: BookingQuery, found: list[Booking], zone: str | None) -> Risk:
    named = listed([days.spelled(_when(item, zone)) for item in found], _NAMED)
    affected = count(len(found), "booking")
    return risk(
        query.code,
        f"{query.what} affects {affected} of resource {query.windows[0].resource_id} ({named})",
        slots=tuple(item.id for item in found),
        booked=sum(item.booked for item in found),
        reserved=sum(item.reserved for item in found),
    )


def _unread(query: BookingQuery, failures: Mapping[str, str]) -> list[Risk]:
    return [
        unknown(
            query.code,
            f"{query.what}: the bookings of resource {resource} could not be read ({why}), so there may be some",
        )
        for resource, why in sorted(failures.items())
    ]


def _when(item: Booking, zone: str | None) -> str:
    around = [f"{minutes} min {word}" for minutes, word in ((item.before, "before"), (item.after, "after")) if minutes]
    return " ".join([local_times.plain(item.start, zone), *(["with", " and ".join(around)] if around else [])])
