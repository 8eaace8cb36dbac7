"""Time zones of the installed `tzdata` package, never of the machine.

The zone files of two machines can differ, and two runs would then plan against each other.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_NO_ZONE = "Factory"
"""What a machine has before its zone is set."""

_USED = re.compile(r"^XX\t\S+\t(?P<zone>\S+)\t[^\n]*?\((?P<names>[A-Za-z]+(?:/[A-Za-z]+)*)\)", re.MULTILINE)
"""A line of the table of today's clocks: one zone for each, with its abbreviations in brackets."""

_OFFSET = re.compile(r"(?:GMT|UTC|Etc/GMT|Etc/UTC)? ?[+-]\d{1,2}(?::?\d{2})?", re.IGNORECASE | re.ASCII)
_CITY = re.compile("(?!Etc/|GMT|UTC)[A-Za-z_]{3,}/")
_COUNTRY = re.compile(r"^([A-Z]{2})\t(.+)$", re.MULTILINE)
_PLACE = re.compile(r"^([A-Z]{2})\t\S+\t(\S+)", re.MULTILINE)
_FEW = 3
"""Countries with more zones are not suggested: their names do not say which."""


@cache
def names() -> frozenset[str]:
    """Return the name of every zone."""
    text = _files().joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split()) - {_NO_ZONE}


@cache
def zone(name: str) -> ZoneInfo:
    """Return a zone; ValueError if the name is unknown."""
    if name not in names():
        message = f"{name!r} is not a time zone; expected an IANA name such as Europe/London"
        raise ValueError(message)
    with _files().joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def in_zone(value: datetime, zone: ZoneInfo, text: str) -> datetime:
    """Return a local date-time, written as `text`, in its zone; ValueError if the zone skips or repeats it."""
    early, late = value.replace(tzinfo=zone, fold=0), value.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    exists = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
    offsets = " or ".join(item.isoformat() for item in (early, late))
    if exists:
        message = f'"{text}" occurs twice in {zone.key}, because the clocks go back; write the offset: {offsets}'
    else:
        message = f'"{text}" does not exist in {zone.key}, because the clocks go forward; expected another time'
    raise ValueError(message)


def meant(name: str) -> tuple[str, ...]:
    """Return the zones that another name may stand for: an abbreviation, a city or a country."""
    known = _other_names()
    text = " ".join(name.replace("_", " ").lower().split())
    return abbreviations().get(text.upper()) or known.get(text) or known.get(text.rpartition("/")[2]) or ()


def is_offset(name: str) -> bool:
    """Whether a name is an offset such as `GMT+1`, which does not follow the clock changes of any place."""
    return _OFFSET.fullmatch(name) is not None


def changing(name: str) -> str | None:
    """Return the zone that is probably meant by a name such as `EST`: a zone itself, but one without summer time."""
    if "/" in name or name not in names() or _changes(name):
        return None
    return next((zone for zone in abbreviations().get(name, ()) if _changes(zone)), None)


def _changes(name: str) -> bool:
    january, july = (datetime(2027, month, 1, tzinfo=zone(name)) for month in (1, 7))
    return january.utcoffset() != july.utcoffset()


@cache
def _other_names() -> dict[str, tuple[str, ...]]:
    """Return the zones of each city and country. A city is named as the zone, and wins over a country of its name."""
    files = _files().joinpath("zoneinfo")
    countries = dict(_COUNTRY.findall(files.joinpath("iso3166.tab").read_text(encoding="utf-8")))
    zones: dict[str, list[str]] = {}
    for code, name in _PLACE.findall(files.joinpath("zone.tab").read_text(encoding="utf-8")):
        zones.setdefault(code, []).append(name)
    found: dict[str, tuple[str, ...]] = {}
    for code, (first, *others) in zones.items():
        for country in (code, *filter(None, re.split(r" \(|\)$", countries.get(code, "")))):
            if len(others) < _FEW and (country == code or country not in countries):  # the Virgin Islands are not "US"
                found.setdefault(country.lower(), (first,))
    cities = {
        name.rpartition("/")[2].replace("_", " ").lower(): (name,) for name in sorted(names()) if _CITY.match(name)
    }
    return found | cities


@cache
def abbreviations() -> dict[str, tuple[str, ...]]:
    """Return a typical zone, or several, for each abbreviation of a clock time: `BST` is that of Europe/London."""
    text = _files().joinpath("zoneinfo", "zonenow.tab").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for line in _USED.finditer(text):
        for name in line["names"].split("/"):
            found[name] = (*found.get(name, ()), line["zone"])
    return found


def _files() -> Traversable:
    from importlib import resources  # noqa: PLC0415 - 3 ms that a plan without times of day needs not

    return resources.files("tzdata")
