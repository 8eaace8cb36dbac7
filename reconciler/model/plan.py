"""A plan: a finished value, first computed, then printed, saved or applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model.canonical import digest
from reconciler.model.change import ACTIONS, Change, total
from reconciler.model.comparison import EnvironmentComparison
from reconciler.model.context import Context
from reconciler.model.objects import POSSIBLE_DUPLICATE, Address, Problem


class Selection(Struct, frozen=True, kw_only=True):
    """Which objects a command is limited to."""

    targets: tuple[str, ...] = ()
    """Globs of addresses to include; empty means all."""
    excludes: tuple[str, ...] = ()
    """Globs of addresses to leave out."""
    changed_since: str | None = None
    """From which commit on what changed is selected: then no targets means no objects."""

    @property
    def everything(self) -> bool:
        """Whether nothing limits it."""
        return not self.targets and not self.excludes and self.changed_since is None


class Forecast(Struct, frozen=True, kw_only=True):
    """The calls that applying a plan would make."""

    writes: int = 0
    reads: int = 0
    """Reads whose answers the writes need, and reads that confirm them."""
    seconds: float | None = None
    """About how long the calls take; None where no connection of the plan has `requests_per_second`."""
    connection: str | None = None
    """The slowest connection."""
    per_minute: float | None = None
    """That connection's requests per minute."""
    at_least: bool = False
    """Whether it may take longer, because another connection has no `requests_per_second`."""


class Totals(Struct, frozen=True, kw_only=True):
    """Bookings that the changes of a plan touch together."""

    slots: int
    """Number of slots, and of bookings of resources."""
    booked: int | None
    """Places booked; None where nothing is known."""
    reserved: int | None
    """Places reserved; None where nothing is known."""
    unknown: int
    """Slots whose bookings are not known; 1 for an object for which the API returned no slots."""
    amount: str | None
    """Value of the places with a known price, a decimal string; None where no price is known."""
    currency: str | None = None
    """Currency of `amount`; None where the project states none."""
    unpriced: int
    """Places without a known price."""


def _totals(changes: tuple[Change, ...], currency: str | None) -> Totals:
    touched = [item for change in changes for item in change.bookings]
    stakes = [stake for change in changes if (stake := change.at_stake) is not None]
    return Totals(
        slots=sum(item.slot is not None for item in touched),
        booked=total(item.booked for item in touched),
        reserved=total(item.reserved for item in touched),
        unknown=sum(not item.known for item in touched),
        amount=str(sum(Decimal(stake.amount) for stake in stakes)) if stakes else None,
        currency=currency,
        unpriced=sum(item.places for item in touched) - sum(stake.places for stake in stakes),
    )


class Plan(Struct, frozen=True, kw_only=True):
    """What would change."""

    project: str
    environment: str | None
    tool_version: str
    """The version of reconciler that made it."""
    changes: tuple[Change, ...]
    """One for each object in the selection, ordered by address."""
    problems: tuple[Problem, ...] = ()
    selection: Selection = field(default_factory=Selection)
    managed: int = 0
    """Number of objects that the state holds for this project and environment, inside and outside the selection."""
    declared: int = 0
    """Number of objects that the manifests declare, inside and outside the selection."""
    purpose: str = "apply"
    """What the plan was made for: `apply` or `destroy`."""
    manifests: Mapping[str, str] = {}
    """Digest of each declared object, by address."""
    targets: Mapping[str, str] = {}
    """The remote system behind each connection of the plan."""
    present: Mapping[str, int] = {}
    """Number of managed objects that still exist, by connection; of those in the selection that could be read."""
    forecast: Forecast = field(default_factory=Forecast)
    runs: int = 0
    """Number of runs that wrote before the plan was made."""
    currency: str | None = None
    guarded: Mapping[Address, tuple[str, ...]] = {}
    """The codes of the guards that stop each change; an address without any is left out."""
    context: Context = field(default_factory=Context)
    """From what and where it was made. Pages show it; its document holds it only with `made_at`."""
    made_at: str | None = None
    """When it was made, an instant in UTC; None where the plan is not stamped, so that its bytes stay the same."""
    saved_manifest_digest: str | None = None
    """What `manifest_digest` was in the document that the plan was read from."""
    saved_live_digest: str | None = None
    """What `live_digest` was there."""

    comparison: EnvironmentComparison | None = None
    """How the environment compares with another one, where that was asked for."""

    @property
    def manifest_digest(self) -> str:
        """Digest of what the manifests declare; computed where a document or a comparison needs it."""
        return digest(self.manifests) if self.saved_manifest_digest is None else self.saved_manifest_digest

    @property
    def live_digest(self) -> str:
        """Digest of what the remote systems returned."""
        if self.saved_live_digest is not None:
            return self.saved_live_digest
        return digest(
            [[str(item.address), item.action == "unknown", item.shown_id, item.live_digest] for item in self.changes]
        )

    @property
    def bookings(self) -> Totals:
        """Bookings that all changes touch together."""
        return _totals(self.changes, self.currency)

    @property
    def summary(self) -> dict[str, int]:
        """Number of changes by action, every action named; `record` counts those that only alter the record."""
        counts = Counter(change.action for change in self.changes)
        recorded = sum(change.action == "noop" and change.bookkeeping for change in self.changes)
        return {**{action: counts[action] for action in ACTIONS}, "record": recorded}

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes that do something."""
        return tuple(change for change in self.changes if change.writes)

    @property
    def possible_duplicates(self) -> tuple[Problem, ...]:
        """What may exist twice."""
        return tuple(problem for problem in self.problems if problem.code == POSSIBLE_DUPLICATE)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid applying it."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


class SavedPlan(Struct, frozen=True, kw_only=True):
    """A plan that was read back from its document: it is compared with a new one, and never applied itself."""

    head: Plan
    """All of the plan but its changes."""
    changes: Iterable[Change]
    """Its changes. They may be read again each time."""
    digest: str
    """The digest in the document."""
    intact: bool
    """Whether that is the digest of the document's content."""
    signature: str | None = None
    """The signature in the document, which nothing has checked yet; None where it has none."""

    @property
    def plan(self) -> Plan:
        """The whole plan."""
        return replace(self.head, changes=tuple(self.changes))
