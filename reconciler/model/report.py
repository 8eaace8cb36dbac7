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
    """A guard that would have stopped a change, and what let it through: a flag as it was given, or an annotation."""

    code: str
    by: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one object's change ended.

    `blocked_by` names the dependency whose failure kept this one from starting; `calls` counts the
    writing calls that were sent; `allowed` is what let it past the guards. `moved_from` is the name it had
    before; `forget` says that it is no longer managed, and was left as it is.
    """

    address: Address
    action: Action
    state: State
    remote_id: str | None = None
    error: str | None = None
    blocked_by: Address | None = None
    calls: int = 0
    allowed: tuple[Allowance, ...] = ()
    moved_from: Address | None = None
    forget: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a new plan of everything found after an apply: its counts, and what had not converged.

    `left` holds each address that is not as declared, with what is not, in words.
    """

    summary: Mapping[str, int]
    left: tuple[tuple[Address, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An apply, as it went; outcomes are ordered by address.

    `verified` is None where no one asked for it; `refused`: guards stopped it before its first write.
    """

    plan_digest: str
    outcomes: tuple[Outcome, ...]
    interrupted: bool = False
    verified: Verification | None = None
    refused: bool = False

    @property
    def summary(self) -> dict[str, int]:
        """Number of outcomes by state, every state named."""
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {state: counts[state] for state in STATES}

    @property
    def clean(self) -> bool:
        """Whether everything that was to be done was done, and stayed so as far as it was verified."""
        done = not self.interrupted and all(outcome.state in {"applied", "noop"} for outcome in self.outcomes)
        return done and not (self.verified and self.verified.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """How one managed object compares with what was last applied to it.

    `reason` says, for people, why it is missing or could not be read.
    """

    address: Address
    status: Sync
    fields: tuple[FieldChange, ...] = ()
    remote_id: str | None = None
    reason: str | None = None
    verifiable: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed outside since the last apply; objects are ordered by address."""

    objects: tuple[Drifted, ...]

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
