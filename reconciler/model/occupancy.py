"""Bookings of a resource in a stretch of time: what a change has to know of, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """A stretch of a resource's time, from `start` up to and without `end`: instants in UTC, canonical."""

    resource_id: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Somebody's booking of a resource, instants in UTC; a block of time is none."""

    id: str
    start: str
    end: str
    booked: int = 1
    reserved: int = 0

    def hits(self, window: Window) -> bool:
        """Whether it lies in the window, wholly or in part; to touch its edge is not enough."""
        return self.start < window.end and self.end > window.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """What was answered about one window; `failure` says why nothing was, which is never taken for nobody."""

    bookings: tuple[Booking, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """Which bookings a change would harm: where to ask for them, and the risk they would be.

    `code` is the risk's, `what` the change in words (`disabling the resource`).
    """

    code: str
    what: str
    connection: str
    windows: tuple[Window, ...]
