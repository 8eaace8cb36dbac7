"""Instants as people read them, in the zone of their object: `Mon 1 Mar 2027, 09:00 Europe/London`."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from reconciler import zones
from reconciler.model import days


def shown(instant: str, name: str | None) -> str:
    """Return an instant in a zone (IANA name or offset; None: UTC).

    With the offset in an hour that a clock change repeats. In UTC for an unknown zone: a document may hold any text.
    """
    moment, where = _local(instant, name)
    twice = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
    clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    return f"{days.shown(moment)}, {clock}{moment.isoformat()[-6:] if twice else ''} {where}"


def plain(instant: str, name: str | None) -> str:
    """Return `2027-03-01 09:00 Europe/London`, which programs can read too."""
    moment, where = _local(instant, name)
    return f"{moment:%Y-%m-%d %H:%M} {where}"


def shown_span(start: str, end: str, name: str | None) -> str:
    """Return `Mon 1 Mar 2027, 09:00–17:00`; the zone is named unless it is that of a place, where people live."""
    (first, where), (last, _) = _local(start, name), _local(end, name)
    suffix = "" if "/" in where else f" {where}"
    if last.time() == time() and last.date() - first.date() == timedelta(days=1):
        return f"{days.shown(first)}, {first:%H:%M}–24:00{suffix}"
    if first.date() == last.date():
        return f"{days.shown(first)}, {first:%H:%M}–{last:%H:%M}{suffix}"
    return f"{days.shown(first)}, {first:%H:%M} – {days.shown(last)}, {last:%H:%M}{suffix}"


def _local(instant: str, name: str | None) -> tuple[datetime, str]:
    zone, where = _zone(name)
    return datetime.fromisoformat(instant).astimezone(zone), where


def _zone(name: str | None) -> tuple[tzinfo, str]:
    """Return a zone or offset and its name; UTC for an unknown one."""
    if name:
        try:
            offset = datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo if name[0] in "+-" else None
            return offset or zones.zone(name), name
        except ValueError:
            pass
    return UTC, "UTC"
