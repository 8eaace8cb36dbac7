"""Change windows: when `policy.windows` lets a run write to a remote system.

A window applies in spans of time: from each start that a cron line gives, for a duration, or in one range of dates.
Without any `allow` window every moment outside the `deny` windows is open; with some, only moments inside one of them.
`deny` always wins. Starts are local times, read as Debian's cron does: a start in an hour that a clock change skips
moves to the end of that hour, a start in a repeated hour happens once, the first time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from msgspec import Struct

from reconciler import zones
from reconciler.model import moments
from reconciler.model.objects import SourceRef

HORIZON = timedelta(days=2 * 366)
"""How far ahead the next change from closed to open, or back, is searched."""

_HOPS = 400
"""How many ends and starts of windows that search passes at most."""

_SHIFT = timedelta(hours=3)
"""No clock change shifts by more: so near to one, local times alone do not tell which start was first."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_LONGEST = timedelta(days=31)
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One entry of `policy.windows`."""

    allows: bool
    """Whether runs may write in it; otherwise they may not."""
    name: str
    """What it is for, in the words of the project file."""
    zone: ZoneInfo
    cron: str | None = None
    """When it starts; None for a range."""
    duration: timedelta = timedelta()
    """How long it lasts after each start of `cron`, in real time."""
    first: datetime | None = None
    """The start of a range, in UTC; None for no start."""
    last: datetime | None = None
    """The first moment after a range, in UTC; None for no end."""
    where: SourceRef | None = field(default=None, compare=False)
    """Where the project file states it."""

    @classmethod
    def parse(cls, stated: Mapping[str, Any], where: SourceRef | None = None) -> Window:
        """Return the window that a valid entry states; ValueError says what its schema cannot check."""
        zone = zones.zone(stated["timezone"])
        allows = "allow" in stated
        duration = _duration(stated["duration"]) if "cron" in stated else timedelta()
        window = cls(
            allows=allows,
            name=stated["allow" if allows else "deny"],
            zone=zone,
            cron=stated.get("cron"),
            duration=duration,
            first=_edge(stated["from"], zone) if "from" in stated else None,
            last=_edge(stated["until"], zone, after=True) if "until" in stated else None,
            where=where,
        )
        if window.cron is not None:
            window._check_cron(window.cron)
        elif window.first is not None and window.last is not None and window.last <= window.first:
            raise ValueError(f"until {stated['until']} is not after from {stated['from']}; expected a later time")
        return window

    def __str__(self) -> str:
        return f"{'allow' if self.allows else 'deny'} {self.name!r}"

    def end_of_span(self, at: datetime) -> datetime | None:
        """Return when the span that contains a moment ends, `datetime.max` for never; None outside of all spans."""
        if self.cron is None:
            inside = (self.first is None or self.first <= at) and (self.last is None or at < self.last)
            return (self.last or datetime.max.replace(tzinfo=UTC)) if inside else None
        start = self._latest_start(at)
        end = at if start is None else start + self.duration
        return end if end > at else None

    def next_start(self, at: datetime) -> datetime | None:
        """Return the next start after a moment; None if there is none."""
        if self.cron is None:
            return self.first if self.first is not None and self.first > at else None
        slack = self._slack(at)
        starts = CronSim(self.cron, (at - slack).astimezone(self.zone))
        return next((start for item in starts if (start := item.astimezone(UTC)) > at), None)

    def shown(self, moment: datetime) -> str:
        """Return a moment as people write it, in the zone of the window."""
        local = moment.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b %Y}, {local:%H:%M} {local.tzname()}"

    def _latest_start(self, at: datetime) -> datetime | None:
        slack = self._slack(at) + _INSTANT
        starts = CronSim(self.cron or "", (at + slack).astimezone(self.zone), reverse=True)
        return next((start for item in starts if (start := item.astimezone(UTC)) <= at), None)

    def _slack(self, at: datetime) -> timedelta:
        offsets = {(at + shift).astimezone(self.zone).utcoffset() for shift in (-_SHIFT, timedelta(), _SHIFT)}
        return _SHIFT if len(offsets) > 1 else timedelta()

    def _check_cron(self, cron: str) -> None:
        try:
            starts = CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC))
            next(starts)
        except CronSimError as error:
            message = f"cron {cron!r} cannot be read ({error}); expected a line such as '0 22 * * MON-FRI'"
            raise ValueError(message) from None
        except StopIteration:
            raise ValueError(f"cron {cron!r} names a day that never comes; expected a day that exists") from None


class Gate(Struct, frozen=True, kw_only=True):
    """Whether a moment lies inside the change windows."""

    open: bool
    window: Window | None = None
    """The `deny` window that closes it, or the first `allow` window that does not contain it; None where it is open."""
    changes_at: datetime | None = None
    """When it opens or closes next; None where it does not within `HORIZON`."""


def gate(windows: Sequence[Window], at: datetime) -> Gate:
    """Return whether runs may write at a moment, and until when that is so."""
    at = at.astimezone(UTC)
    by = _closed_by(windows, at)
    return Gate(open=by is None, window=by, changes_at=_next_change(windows, at, closed=by is not None))


def _closed_by(windows: Sequence[Window], at: datetime) -> Window | None:
    inside = [window for window in windows if window.end_of_span(at) is not None]
    denying = next((window for window in inside if not window.allows), None)
    if denying is not None:
        return denying
    allowing = [window for window in windows if window.allows]
    return allowing[0] if allowing and not any(window.allows for window in inside) else None


def _next_change(windows: Sequence[Window], at: datetime, *, closed: bool) -> datetime | None:
    """Return the first moment after `at` that is open where `at` is closed, or the other way round."""
    moment = at
    for _ in range(_HOPS):
        found = [edge for window in windows if (edge := window.end_of_span(moment) or window.next_start(moment))]
        if not found:
            return None
        moment = min(found)
        if moment - at > HORIZON:
            return None
        if (_closed_by(windows, moment) is not None) is not closed:
            return moment
    return None


def _duration(text: str) -> timedelta:
    days, hours, minutes = (int(part or 0) for part in _matched(text))
    length = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta() < length <= _LONGEST:
        raise ValueError(f"duration {text} is not between 1m and {_LONGEST.days}d; for longer: from and until")
    return length


def _matched(text: str) -> tuple[str | None, ...]:
    found = _DURATION.fullmatch(text)
    return found.groups() if found is not None else (None, None, None)


def _edge(text: str, zone: ZoneInfo, *, after: bool = False) -> datetime:
    """Return a moment in UTC. A date is its first moment, or with `after` the first one behind it."""
    if moments.is_day(text):
        day = moments.day(text) + timedelta(days=1 if after else 0)
        return datetime.combine(day, clock_time(), tzinfo=zone).astimezone(UTC)
    value = moments.moment(text)
    return (value if value.tzinfo is not None else zones.in_zone(value, zone, text)).astimezone(UTC)
