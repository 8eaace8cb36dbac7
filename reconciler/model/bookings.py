"""Bookings of a resource in a window of time: which ones a change needs to know, and what was read."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from reconciler.model.canonical import utc


class Window(Struct, frozen=True, kw_only=True, order=True):
    """A part of a resource's time, instants in UTC, canonical."""

    resource_id: str
    start: str
    end: str
    """Not part of the window."""


class Booking(Struct, frozen=True, kw_only=True):
    """One booking of a resource, instants in UTC. A block of time is not a booking."""

    id: str
    start: str
    end: str
    before: int = 0
    """Minutes that the resource is occupied before its start, such as for setting up."""
    after: int = 0
    """Minutes that the resource is occupied after its end."""
    booked: int = 1
    reserved: int = 0

    def overlaps(self, window: Window) -> bool:
        """Whether a part of the time that it occupies is in the window; touching the edge is not enough."""
        return _moved(self.start, -self.before) < window.end and _moved(self.end, self.after) > window.start


def _moved(instant: str, minutes: int) -> str:
    return utc(datetime.fromisoformat(instant) + timedelta(minutes=minutes)) if minutes else instant


class Occupancy(Struct, frozen=True, kw_only=True):
    """What was read of one window."""

    bookings: tuple[Booking, ...] = ()
    failure: str | None = None
    """Why it could not be read, which never means that there are no bookings."""


class BookingQuery(Struct, frozen=True, kw_only=True):
    """Which bookings a change could harm, and the risk if there are any."""

    code: str
    """The code of the risk."""
    what: str
    """The change as text, such as `disabling the resource`."""
    connection: str
    windows: tuple[Window, ...]
