"""What happened: derived from outcomes, never from the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.model.change import Action, FieldChange
from reconciler.model.objects import Address

State = Literal["applied", "failed", "blocked", "unknown", "noop"]
STATES: tuple[State, ...] = ("applied", "failed", "blocked", "unknown", "noop")

Sync = Literal["changed", "missing", "expired", "in_sync", "unknown"]
SYNCS: tuple[Sync, ...] = ("changed", "missing", "expired", "in_sync", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A guard that found something against a change, and what overrides it."""

    code: str
    by: str
    """The flag as it was given, or the annotation."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one object's change ended."""

    address: Address
    action: Action
    state: State
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    error: str | None = None
    blocked_by: Address | None = None
    """The dependency whose failure kept this change from starting."""
    calls: int = 0
    """Number of writing calls that were sent."""
    allowed: tuple[Allowance, ...] = ()
    """What overrode the guards."""
    moved_from: Address | None = None
    """The address it had before."""
    forget: bool = False
    """Whether the object is no longer managed and was left as it is."""
    interrupted: bool = False
    """Whether it was left undone, wholly or in part, because the user stopped the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a new plan of everything found after an apply."""

    summary: Mapping[str, int]
    """Number of changes in that plan by action."""
    left: tuple[tuple[Address, str], ...] = ()
    """Each object that is not as declared, with what differs, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an apply did."""

    plan_digest: str
    outcomes: tuple[Outcome, ...]
    """Ordered by address."""
    interrupted: bool = False
    """Whether the user stopped the run before it was done."""
    verified: Verification | None = None
    """None where no verification was asked for."""
    refused: bool = False
    """Whether guards stopped it before its first write."""

    @property
    def summary(self) -> dict[str, int]:
        """Number of outcomes by state, every state named."""
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {state: counts[state] for state in STATES}

    @property
    def clean(self) -> bool:
        """Whether everything was done, and the verification (if any) found nothing left."""
        done = not self.interrupted and all(outcome.state in {"applied", "noop"} for outcome in self.outcomes)
        return done and not (self.verified and self.verified.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """How one managed object compares with what was last applied to it."""

    address: Address
    status: Sync
    fields: tuple[FieldChange, ...] = ()
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    reason: str | None = None
    """Why it is missing or could not be read, in words."""
    verifiable: int = 0
    """Number of applied fields that the remote system returned."""
    total: int = 0
    """Number of applied fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed outside since the last apply."""

    objects: tuple[Drifted, ...]
    """Ordered by address."""

    @property
    def summary(self) -> dict[str, int]:
        """Number of objects by status, every status named."""
        counts = Counter(item.status for item in self.objects)
        return {status: counts[status] for status in SYNCS}

    @property
    def coverage(self) -> dict[str, int]:
        """How many applied fields there are, and how many of them the remote systems answered."""
        return {
            "fields": sum(item.total for item in self.objects),
            "verifiable": sum(item.verifiable for item in self.objects),
        }
