"""What one run allows beyond the project's policy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import asdict

from reconciler.model.decision import Decision
from reconciler.model.nearest import meant, nearest, nearest_address
from reconciler.model.objects import Address
from reconciler.model.patterns import Patterns
from reconciler.model.risk import BOOKED

MISSING = "--allow-missing"


class Overrides(Struct, frozen=True, kw_only=True):
    """What one run allows beyond the project's policy. Each field is an option of the same name."""

    allow_booked: tuple[str, ...] = ()
    """Objects (globs) whose risks to bookings are accepted."""
    allow_shared: tuple[str, ...] = ()
    """Objects (globs) that may be written although another project manages them, or other objects share a value."""
    allow_missing: tuple[str, ...] = ()
    """Connections (globs) of which every managed object may be missing."""
    allow_unknown: tuple[str, ...] = ()
    """Objects (globs) that may be left out of the run because they could not be read."""
    max_deletes: int | None = None
    """Replaces `policy.max_deletes`."""
    max_change_percent: float | None = None
    """Replaces `policy.max_change_percent`."""
    allow_empty: bool = False
    """Accept that the manifests declare no objects."""
    override_window: str | None = None
    """Why the run may write outside of `policy.windows`."""

    decisions: tuple[Decision, ...] = ()
    """Objects whose risks to bookings people accepted in a pull request. An address may be of no object of the plan."""

    def decided(self) -> dict[str, str]:
        """Return, for each address, the decision that allows its object's risks to bookings: the first one."""
        return {item.address: f"{BOOKED} {item.address}, {item.words}" for item in reversed(self.decisions)}

    def flags(self) -> tuple[str, ...]:
        """Return the overrides as a user would type them: a saved plan does not contain them."""
        found: list[str] = []
        for name, value in self._given():
            if isinstance(value, str):
                found.append(f"{name} {shlex.quote(value)}")
            elif isinstance(value, tuple):
                found += [f"{name} {shlex.quote(pattern)}" for pattern in value]
            else:
                found.append(name if value is True else f"{name} {value:.15g}")
        return tuple(found)

    def unmatched(self, addresses: Iterable[Address], connections: Iterable[str] = ()) -> tuple[str, str] | None:
        """Return what is wrong with the first glob that matches nothing, and a hint; None if each matches."""
        given = [*self._given()]
        objects, names = set(map(str, addresses)) if given else set(), tuple(connections)
        for name, value in given:
            what, known = ("connection", names) if name == MISSING else ("object", objects)
            pattern = Patterns(value).unmatched(known) if isinstance(value, tuple) else None
            if pattern is not None:
                near = (nearest if name == MISSING else nearest_address)(pattern, known)
                return f"{name} {pattern} matches no {what} of this plan", meant(near, "check the name")
        return None

    def _given(self) -> Iterator[tuple[str, tuple[str, ...] | float | str]]:
        for name, value in asdict(self).items():
            if name != "decisions" and value is not None and value is not False:
                yield f"--{name.replace('_', '-')}", value
