"""Harm a change could do to bookings: every risk by code, what it means, and whether it stops an apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Level = Literal["block", "warn"]
LEVELS: tuple[Level, ...] = ("block", "warn")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code stands for. `configurable`: `policy.risks` sets its level and `--allow-booked` lets it through."""

    level: Level
    words: str
    configurable: bool = True


RISKS: Mapping[str, Meaning] = {
    "already-exists": Meaning(
        "block", "A live object with the natural key of one to be created is there already.", configurable=False
    ),
    "booked-session-deleted": Meaning("block", "A session is deleted on which places are booked or reserved."),
    "booked-slot-lost": Meaning("block", "The whole set of slots is replaced while some of them have bookings."),
    "booked-slot-moved": Meaning("block", "A slot with bookings gets, or may get, another day or start."),
    "booked-slot-changed": Meaning("warn", "A slot with bookings gets longer or shorter."),
    "booked-spaces-cut": Meaning("block", "`spaces` falls below what some slot has booked and reserved."),
    "booked-resource-disabled": Meaning(
        "block",
        "A resource with bookings ahead is disabled, or taken out of use (`never_booked`, `count` or `max_book` 0).",
    ),
    "booked-resource-deleted": Meaning("block", "A resource is deleted that has bookings ahead."),
    "booked-time-blocked": Meaning("block", "A block is made on, or moved over, bookings of its resource."),
    "bookings-unknown": Meaning("block", "Whether anyone has booked what a change touches could not be read."),
    "expired-or-booked": Meaning("warn", "A held booking is recreated although it may have become a booking."),
}
"""Every risk of this package's own kinds by code, in the order they are documented."""

CONFIGURABLE = tuple(code for code, meaning in RISKS.items() if meaning.configurable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One risk of one change. `block` stops an apply unless the address is let through.

    `slots` are ids of what is concerned: a session's slots, or a resource's bookings. `booked` and
    `reserved` are None where they are not known, which is never taken for nobody. `stands_for` is,
    for bookings that are not known, the code the risk would have if somebody had booked.
    """

    code: str
    level: Level
    message: str
    slots: tuple[str, ...] = ()
    booked: int | None = 0
    reserved: int | None = 0
    stands_for: str | None = None

    @property
    def about_bookings(self) -> bool:
        """Whether `--allow-booked` lets it through."""
        meaning = RISKS.get(self.code)
        return self.code.startswith(("booked-", "bookings-")) if meaning is None else meaning.configurable


def risk(
    code: str, message: str, *, slots: tuple[str, ...] = (), booked: int | None = 0, reserved: int | None = 0
) -> Risk:
    """Return a risk at its default level."""
    return Risk(code=code, level=RISKS[code].level, message=message, slots=slots, booked=booked, reserved=reserved)


def unknown(stands_for: str, message: str, *, slots: tuple[str, ...] = ()) -> Risk:
    """Return the risk of bookings that are not known; it is no worse than known ones would be."""
    level = "warn" if RISKS[stands_for].level == "warn" else RISKS["bookings-unknown"].level
    return Risk(
        code="bookings-unknown",
        level=level,
        message=message,
        slots=slots,
        booked=None,
        reserved=None,
        stands_for=stands_for,
    )


def weighed(found: Risk, levels: Mapping[str, Level]) -> Risk:
    """Return a risk at the level a project sets; what is not known weighs no more than what it stands for."""
    if not levels or not found.about_bookings or found.code not in RISKS:
        return found
    weights = [levels.get(code, RISKS[code].level) for code in (found.code, found.stands_for) if code is not None]
    return replace(found, level="warn" if "warn" in weights else "block")
