"""Time zones of the installed `tzdata` package, never of the machine.

The zone files of two machines can differ, and two runs would then plan against each other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

_NO_ZONE = "Factory"
"""What a machine has before its zone is set."""

_USED = re.compile(r"^XX\t\S+\t(?P<zone>\S+)\t[^\n]*?\((?P<names>[A-Za-z]+(?:/[A-Za-z]+)*)\)", re.MULTILINE)
"""A line of the table of today's clocks: one zone for each, with its abbreviations in brackets."""


@cache
def names() -> frozenset[str]:
    """Return the name of every zone."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split()) - {_NO_ZONE}


@cache
def zone(name: str) -> ZoneInfo:
    """Return a zone; ValueError if the name is unknown."""
    if name not in names():
        message = f"{name!r} is not a time zone; expected an IANA name such as Europe/London"
        raise ValueError(message)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def in_zone(value: datetime, zone: ZoneInfo, text: str) -> datetime:
    """Return a local date-time, written as `text`, in its zone; ValueError if the zone skips or repeats it."""
    early, late = value.replace(tzinfo=zone, fold=0), value.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    exists = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
    offsets = " or ".join(item.isoformat() for item in (early, late))
    if exists:
        message = f"{text!r} occurs twice in {zone.key}, because the clocks go back; write the offset: {offsets}"
    else:
        message = f"{text!r} does not exist in {zone.key}, because the clocks go forward; expected another time"
    raise ValueError(message)


@cache
def abbreviations() -> dict[str, tuple[str, ...]]:
    """Return a typical zone, or several, for each abbreviation of a clock time: `BST` is that of Europe/London."""
    text = resources.files("tzdata").joinpath("zoneinfo", "zonenow.tab").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for line in _USED.finditer(text):
        for name in line["names"].split("/"):
            found[name] = (*found.get(name, ()), line["zone"])
    return found
