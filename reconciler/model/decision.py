"""Who allowed what affects bookings, as the pipeline found it in the pull request."""

from __future__ import annotations

from msgspec import Struct


class Decision(Struct, frozen=True, kw_only=True):
    """One object whose change is allowed despite booked places."""

    address: str
    """The object, by its exact address."""
    by: str
    """Who decided: the user name at the forge."""
    url: str
    """Where: the pull request."""

    @property
    def words(self) -> str:
        """Who decided, and where."""
        return f"decided by {self.by} in {self.url}"
