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

COMPLETE: frozenset[State] = frozenset({"applied", "noop"})
"""States of a change that left nothing to do."""

Sync = Literal["changed", "missing", "expired", "in_sync", "unknown"]
SYNCS: tuple[Sync, ...] = ("changed", "missing", "expired", "in_sync", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A guard that would have blocked a change, and the override that allowed it."""

    code: str
    """The guard's code."""
    by: str
    """The override: a flag as the user gave it, or an annotation."""
    message: str
    """What the guard would have reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one object's change ended."""

    address: Address
    action: Action
    state: State
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    error: str | None = None
    """Why it failed, is blocked or is unknown, for people."""
    blocked_by: Address | None = None
    """The dependency whose failure kept this change from starting."""
    calls: int = 0
    """Number of writing calls that were sent."""
    allowed: tuple[Allowance, ...] = ()
    """Guards that an override disabled for this change."""
    moved_from: Address | None = None
    """The address that the object had before."""
    forget: bool = False
    """Whether the object is no longer managed; the remote object is unchanged."""
    interrupted: bool = False
    """Whether it was not completed because the user stopped the run."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do: what depends on the object may start."""
        return self.state in COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a new plan of the whole project found after an apply."""

    summary: Mapping[str, int]
    """Number of changes by action."""
    left: tuple[tuple[Address, str], ...] = ()
    """Each object that is not as declared, with its differences as text."""

    @property
    def changes(self) -> tuple[Address, ...]:
        """The objects that are not as declared."""
        return tuple(address for address, _ in self.left)

    @property
    def words(self) -> tuple[str, ...]:
        """What differs in each of `changes`."""
        return tuple(words for _, words in self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an apply did."""

    plan_digest: str
    """Digest of the document of the plan that was applied."""
    outcomes: tuple[Outcome, ...]
    """One for each object that the run reached, ordered by address."""
    interrupted: bool = False
    """Whether the run stopped before it reached every object."""
    verified: Verification | None = None
    """What was found after the apply; None where it was not requested."""
    refused: bool = False
    """Whether guards refused the plan before the first write."""

    @property
    def summary(self) -> dict[str, int]:
        """Number of outcomes by state, every state named."""
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {state: counts[state] for state in STATES}

    @property
    def clean(self) -> bool:
        """Whether every change was applied, and is as declared as far as it was verified."""
        done = not self.interrupted and all(outcome.complete for outcome in self.outcomes)
        return done and not (self.verified and self.verified.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """How one managed object compares with what was last applied to it."""

    address: Address
    status: Sync
    fields: tuple[FieldChange, ...] = ()
    """What changed: `before` was last applied, `after` is live."""
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    reason: str | None = None
    """Why the object is missing or could not be read, for people."""
    verifiable: int = 0
    """Number of applied fields that the remote system returned."""
    total: int = 0
    """Number of applied fields."""

    @property
    def coverage(self) -> dict[str, int]:
        """Number of applied fields, and of those that the remote system returned."""
        return {"fields": self.total, "verifiable": self.verifiable}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed outside reconciler since the last apply."""

    objects: tuple[Drifted, ...]
    """Every managed object in the selection, ordered by address."""

    @property
    def summary(self) -> dict[str, int]:
        """Number of objects by status, every status named."""
        counts = Counter(item.status for item in self.objects)
        return {status: counts[status] for status in SYNCS}

    @property
    def coverage(self) -> dict[str, int]:
        """Number of applied fields, and of those that the remote systems returned."""
        return {
            "fields": sum(item.total for item in self.objects),
            "verifiable": sum(item.verifiable for item in self.objects),
        }
