"""A plan: a finished value, first computed, then printed, saved or carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.model.change import ACTIONS, Change, total
from reconciler.model.objects import Address, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects a command was asked to look at; address globs, empty `targets` meaning all."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether no selection was made."""
        return not self.targets and not self.excludes


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The calls that carrying out a plan would make: `writes`, and the `reads` that feed and confirm them.

    `seconds` is about how long they take through the slowest `connection` at its `per_minute`; all three are
    None where no connection of the plan is given a pace. `at_least`: another one is given none, so that it may
    take longer.
    """

    writes: int = 0
    reads: int = 0
    seconds: float | None = None
    connection: str | None = None
    per_minute: float | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Bookings that the changes of a plan touch.

    `unknown` counts the slots whose bookings are not known (one for an object none of whose slots were
    answered); `booked` and `reserved` are None where nothing is known at all. `amount` is what the places with a
    known price are worth, a decimal string, None where no price is known; `unpriced` counts the other places.
    """

    slots: int
    booked: int | None
    reserved: int | None
    unknown: int
    amount: str | None
    unpriced: int


def _totals(changes: tuple[Change, ...]) -> Totals:
    touched = [item for change in changes for item in change.bookings]
    stakes = [stake for change in changes if (stake := change.at_stake) is not None]
    return Totals(
        slots=sum(item.slot is not None for item in touched),
        booked=total(item.booked for item in touched),
        reserved=total(item.reserved for item in touched),
        unknown=sum(not item.known for item in touched),
        amount=str(sum(Decimal(stake.amount) for stake in stakes)) if stakes else None,
        unpriced=sum(item.places for item in touched) - sum(stake.places for stake in stakes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change: one `Change` for each object in the selection, ordered by address.

    `managed` counts the objects the state holds for this project and environment, `declared` those the
    manifests want to be there, both whatever the selection.
    `purpose` is `apply` or `destroy`: what the plan was made for. `manifests` holds a digest of each declared
    object by address, `targets` the remote system behind each connection that the plan is about; `runs` counts
    the runs that wrote before it was made.
    """

    project: str
    environment: str | None
    tool_version: str
    manifest_digest: str
    live_digest: str
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()
    selection: Selection = field(default_factory=Selection)
    managed: int = 0
    declared: int = 0
    purpose: str = "apply"
    manifests: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)
    runs: int = 0
    currency: str | None = None
    guarded: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    """The codes of the guards that stop each change; an address without any is left out."""

    @property
    def bookings(self) -> Totals:
        """What all its changes touch together."""
        return _totals(self.changes)

    @property
    def summary(self) -> dict[str, int]:
        """Number of changes by action, every action named."""
        counts = Counter(change.action for change in self.changes)
        return {action: counts[action] for action in ACTIONS}

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes that do something."""
        return tuple(change for change in self.changes if change.writes)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid carrying it out."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def change(self, address: Address) -> Change:
        """Return the change of one address; KeyError where it is not in the plan."""
        for change in self.changes:
            if change.address == address:
                return change
        raise KeyError(str(address))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan that was read back from its document: it is compared with a new one, and never applied itself."""

    plan: Plan
    digest: str
    """The digest in the document."""
    intact: bool
    """Whether that is the digest of the document's content."""
