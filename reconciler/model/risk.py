"""Possible harm of a change to bookings: every risk by code, what it means, and whether it blocks apply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Level = Literal["block", "warn"]

BOOKED, SHARED = "--allow-booked", "--allow-shared"
"""The options that override a risk."""


class Meaning(Struct, frozen=True):
    """What one code means."""

    level: Level
    """The default level."""
    words: str
    override: str | None = BOOKED
    """The option that overrides it; `policy.risks` sets its level. None where nothing allows it."""


RISKS: Mapping[str, Meaning] = {
    "already-exists": Meaning(
        "block", "A live object with the natural key of a new one already exists.", override=None
    ),
    "booked-session-deleted": Meaning("block", "A session with booked or reserved places is deleted."),
    "booked-slot-lost": Meaning("block", "The whole set of slots is replaced although some of them have bookings."),
    "booked-slot-moved": Meaning("block", "A slot with bookings moves, or may move, to another day or start time."),
    "booked-slot-changed": Meaning("warn", "A slot with bookings gets longer or shorter."),
    "booked-spaces-cut": Meaning("block", "`spaces` drops below the booked and reserved places of a slot."),
    "booked-resource-disabled": Meaning(
        "block",
        "A resource with future bookings is disabled, or taken out of use (`never_booked`, `count` or `max_book` 0).",
    ),
    "booked-resource-deleted": Meaning("block", "A resource with future bookings is deleted."),
    "booked-time-blocked": Meaning("block", "A block is created on, or moved over, bookings of its resource."),
    "bookings-unknown": Meaning("block", "The bookings that a change touches could not be read."),
    "expired-or-booked": Meaning("warn", "A held booking is recreated although it may have become a booking."),
    "shared-address-changed": Meaning(
        "block", "A postal address changes that other live resources use as well.", override=SHARED
    ),
}
"""Every risk of this package's own kinds by code, in the order of the documentation."""

CONFIGURABLE = tuple(code for code, meaning in RISKS.items() if meaning.override is not None)


class Risk(Struct, frozen=True, kw_only=True):
    """One risk of one change."""

    code: str
    level: Level
    """`block` blocks apply unless an override allows the change."""
    message: str
    slots: tuple[str, ...] = ()
    """Ids of a session's slots, or of a resource's bookings."""
    booked: int | None = 0
    """Places booked; None means not known, which is never 0."""
    reserved: int | None = 0
    """Places reserved; None means not known, which is never 0."""
    stands_for: str | None = None
    """For unknown bookings: the code that the risk has where there are bookings."""

    @property
    def override(self) -> str | None:
        """The option that overrides it; None where nothing does."""
        meaning = RISKS.get(self.code)
        if meaning is None:
            return BOOKED if self.code.startswith(("booked-", "bookings-")) else None
        return meaning.override

    @property
    def about_bookings(self) -> bool:
        """Whether it is one to bookings."""
        return self.override == BOOKED


def risk(
    code: str, message: str, *, slots: tuple[str, ...] = (), booked: int | None = 0, reserved: int | None = 0
) -> Risk:
    """Return a risk at its default level."""
    return Risk(code=code, level=RISKS[code].level, message=message, slots=slots, booked=booked, reserved=reserved)


def unknown(stands_for: str, message: str, *, slots: tuple[str, ...] = ()) -> Risk:
    """Return the risk of unknown bookings; its level is no higher than that of known ones."""
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
    """Return a risk at the level that the project sets; unknown bookings get no higher level than known ones."""
    if not levels or found.override is None or found.code not in RISKS:
        return found
    weights = [levels.get(code, RISKS[code].level) for code in (found.code, found.stands_for) if code is not None]
    return replace(found, level="warn" if "warn" in weights else "block")
