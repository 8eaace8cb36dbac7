"""What was seen to change outside, and when: the sightings of each field of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.model.change import FieldChange

IGNORE_UNUSED = "drift-ignore-unused"
"""The code of a note about an entry of drift.ignore that covers nothing: for those who ask for more words."""

WHOLE = ""
"""The path of the whole object, which was missing or expired."""


class Sighting(Struct, frozen=True, kw_only=True):
    """A span of time in which a field had a value from outside."""

    since: str
    """When it was first seen: an instant in UTC."""
    applied: Any
    """The value that was last applied then, shortened (`brief`)."""
    live: Any
    """The value from outside that was seen last, shortened; of a whole object its status."""
    run_id: str | None = None
    """The run that had last written the object."""
    until: str | None = None
    """When it was first seen that the value from outside no longer exists; None where it is still there."""

    @property
    def is_open(self) -> bool:
        """Whether the value from outside was there when it was last looked at."""
        return self.until is None


Sightings = Mapping[str, tuple[Sighting, ...]]
"""The sightings of one object by path, oldest first."""


class Ignored(Struct, frozen=True, kw_only=True):
    """An entry of `drift.ignore` that covers a change."""

    reason: str
    until: str | None = None
    """The last day on which it holds; None for ever."""


class Fight(Struct, frozen=True, kw_only=True):
    """A field that is applied and changed outside again and again: two sides set it."""

    changes: int
    """How often the value changed, applies included."""
    since: str
    """When the first change from outside was seen."""
    applied: Any
    """What this project sets."""
    live: Any
    """What the other side sets."""


class LastApplied(Struct, frozen=True, kw_only=True):
    """The run that last wrote an object."""

    at: str
    """An instant in UTC."""
    run_id: str | None = None
    command: str | None = None
    """The command of the run; None where that is not recorded."""
    context: Mapping[str, str] = {}
    """Who started the run and where, by name, as `PastRun` has it."""


class DriftedField(FieldChange, frozen=True, kw_only=True):
    """A field that changed outside: `before` was last applied, `after` is live."""

    since: str | None = None
    """When the change was first seen; None where that is not known."""
    ignored: Ignored | None = None
    declared: bool = False
    """Whether the manifest already declares the live value: the next apply records it."""
    fight: Fight | None = None
