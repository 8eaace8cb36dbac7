"""What happened: derived from outcomes, never from the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.model.change import Action, Change, FieldChange, RecordCode
from reconciler.model.context import Context, Execution
from reconciler.model.objects import Address, Problem
from reconciler.model.sighting import IGNORE_UNUSED, DriftedField, Ignored, LastApplied

State = Literal["applied", "failed", "blocked", "unknown", "noop"]
STATES: tuple[State, ...] = ("applied", "failed", "blocked", "unknown", "noop")

COMPLETE: frozenset[State] = frozenset({"applied", "noop"})
"""States of a change that left nothing to do."""

Sync = Literal["changed", "missing", "expired", "in_sync", "unknown", "ignored", "unmanaged"]
SYNCS: tuple[Sync, ...] = ("changed", "missing", "expired", "in_sync", "unknown", "ignored", "unmanaged")

ASIDE: frozenset[Sync] = frozenset({"ignored", "unmanaged"})
"""States that only a run has which was asked for them: a document counts them where there are some."""

QUIET: frozenset[Sync] = frozenset({"in_sync", "ignored"})
"""States of an object about which no one has to do anything."""


class Allowance(Struct, frozen=True, kw_only=True):
    """A guard that would have blocked a change, and the override that allowed it."""

    code: str
    """The guard's code."""
    by: str
    """The override: a flag as the user gave it, or an annotation."""
    message: str
    """What the guard would have reported."""


class Outcome(Struct, frozen=True, kw_only=True, gc=False):
    """How one object's change ended."""

    address: Address
    action: Action
    state: State
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    error: str | None = None
    """Why it failed, is blocked or is unknown, for people; of an applied change, what the server stores otherwise."""
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
    record: tuple[RecordCode, ...] = ()
    """What the change alters of what is remembered, except what follows from its calls."""
    interrupted: bool = False
    """Whether it was not completed because the user stopped the run."""
    title: str | None = None
    """What customers know the object by; None where nothing is known."""
    fields: tuple[FieldChange, ...] = ()
    """What the change alters, as in the plan; of one that was not applied, what it was to alter."""
    zone: str | None = None
    """The zone that people read its instants in (None: UTC)."""
    rejected: tuple[Problem, ...] = ()
    """One for each field of the manifest that the server refuses."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do: what depends on the object may start."""
        return self.state in COMPLETE

    def of(self, change: Change) -> Outcome:
        """Return the outcome with what its change says of the object, and of what it alters."""
        return replace(self, title=change.title, fields=change.fields, zone=change.zone)


class Verification(Struct, frozen=True, kw_only=True):
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


class Report(Struct, frozen=True, kw_only=True):
    """What an apply did."""

    plan_digest: str
    """Digest of the document of the plan that was applied."""
    outcomes: tuple[Outcome, ...]
    """One for each object that the run reached, ordered by address."""
    interrupted: bool = False
    """Whether the user stopped the run, also where its calls in flight were the last ones."""
    verified: Verification | None = None
    """What was found after the apply; None where it was not requested."""
    refused: bool = False
    """Whether guards refused the plan before the first write."""
    problems: tuple[Problem, ...] = ()
    """What may exist twice: no change was stopped by it, and the run does not end as if all was well. And which fields
    of failed objects a server refused."""
    context: Context = field(default_factory=Context)
    """From what and where the run was started."""
    run: Execution | None = None
    """When and where it took place; None in a document of an older version."""

    @property
    def summary(self) -> dict[str, int]:
        """Number of outcomes by state, every state named."""
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {state: counts[state] for state in STATES}

    @property
    def clean(self) -> bool:
        """Whether every change was applied, is as declared as far as it was verified, and nothing may exist twice."""
        done = not self.interrupted and all(outcome.complete for outcome in self.outcomes)
        return done and not self.problems and not (self.verified and self.verified.left)


class Drifted(Struct, frozen=True, kw_only=True):
    """How one managed object compares with what was last applied to it, or a live object that is not managed.

    An unmanaged object has the address that an export gives it.
    """

    address: Address
    status: Sync
    fields: tuple[DriftedField, ...] = ()
    """What changed: `before` was last applied, `after` is live."""
    since: str | None = None
    """When a change of it, or that it was missing, was first seen and not ignored; None where that is not known."""
    applied: LastApplied | None = None
    """Who last wrote it; None where that is not known."""
    ignored: Ignored | None = None
    """Why no one has to do anything about a missing or expired object, or an unmanaged one."""
    adopt: tuple[str, ...] = ()
    """The commands that take an unmanaged object under management."""
    shown_id: str | None = None
    """The id as it may be shown: masked where it is a credential."""
    reason: str | None = None
    """Why the object is missing, could not be read, or may be another one, for people."""
    verifiable: int = 0
    """Number of applied fields that the remote system returned."""
    total: int = 0
    """Number of applied fields."""
    title: str | None = None
    """What customers know the object by; None where nothing is known."""
    zone: str | None = None
    """The zone that people read its instants in (None: UTC)."""

    @property
    def coverage(self) -> dict[str, int]:
        """Number of applied fields, and of those that the remote system returned."""
        return {"fields": self.total, "verifiable": self.verifiable}


class Listing(Struct, frozen=True, kw_only=True):
    """The live objects that are not managed."""

    objects: tuple[Drifted, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What could not be listed."""


class Drift(Struct, frozen=True, kw_only=True):
    """What changed outside reconciler since the last apply."""

    objects: tuple[Drifted, ...]
    """Every selected object that is managed or has a call with an unknown result, ordered by address."""
    declared: int = 0
    """Number of objects that the manifests declare; 0 where they were not read."""
    problems: tuple[Problem, ...] = ()
    """What may exist twice."""
    project: str = ""
    """The project's name; empty in a document of an older version."""
    environment: str | None = None
    context: Context = field(default_factory=Context)
    """From what and where the check was started."""
    run: Execution | None = None
    """When and where it took place; None in a document of an older version."""
    notes: tuple[Problem, ...] = ()
    """What is to be said about the settings of drift: warnings, and hints for those who ask for more words."""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The notes that everyone has to see."""
        return tuple(note for note in self.notes if note.code != IGNORE_UNUSED)

    @property
    def nothing_managed(self) -> bool:
        """Whether manifests declare objects and nothing is managed: the state may be lost."""
        managed = any(item.status != "unmanaged" for item in self.objects)
        return self.declared > 0 and not managed and not self.problems

    @property
    def news(self) -> bool:
        """Whether someone has to do something: an object drifted, may exist twice, or the state may be lost."""
        drifted = any(item.status not in QUIET for item in self.objects)
        return drifted or bool(self.problems) or self.nothing_managed

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
