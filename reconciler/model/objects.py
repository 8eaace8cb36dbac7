"""What is declared, what is live, what is recorded: the values that flow into a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Fields = Mapping[str, Any]
"""Canonical fields of one object: JSON values only (and `Ref`), keyed by the kind's field names.

Canonical means that equal meaning is equal value, whatever the source: a price is the string
`"35.00"`, a time `"09:05"`, a date `"2027-03-01"`, an instant `"2027-03-01T09:00:00Z"`, an
enumeration its word, an id a string, a flag a bool, a count an int.
"""

Computed = Mapping[str, Mapping[str, Any]]
"""Values that a remote system worked out, by part and member: `{"items": {"room": {"slip": "17.2027…"}}}`.

In what is merged into it, a member that is None is no longer there.
"""

_ADDRESS = re.compile(r"(?P<kind>[A-Z][A-Za-z]*)/(?P<name>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The name of one object in this project: `Kind/name`."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `Kind/name`; ValueError says what is wrong with anything else."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            message = f"{text!r} is not an address; expected KIND/NAME, such as Session/spring-yoga"
            raise ValueError(message)
        return cls(match["kind"], match["name"])


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A place in a file; line and column count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with the input or the plan, for a person to mend.

    `summary` is the whole sentence (what is wrong; what was expected), `hint` what to do.
    """

    code: str
    summary: str
    severity: Severity = "error"
    hint: str | None = None
    where: SourceRef | None = None
    address: Address | None = None

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: KIND/NAME: what is wrong`, as the contract prints it."""
        parts = [str(part) for part in (self.where, self.address) if part is not None]
        return ": ".join([*parts, self.summary])


def problem_order(problem: Problem) -> tuple[Any, ...]:
    """Sort key: by place in the files, problems without a place first; independent of the hash seed."""
    where = problem.where
    place = (where.path, where.line, where.column) if where else ("", 0, 0)
    return (*place, str(problem.address or ""), problem.code, problem.summary)


@dataclass(frozen=True, slots=True)
class Ref:
    """Another object's remote id, known at the latest when that object has been created."""

    target: Address

    def __str__(self) -> str:
        return str(self.target)


class Positions(Protocol):
    """Where each value of one document stands in its file."""

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> SourceRef:
        """Return the place of the value at `path` (or of its key); the nearest parent where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One YAML document that passed its schema; `spec` is as written, scalars read by JSON-like rules."""

    address: Address
    spec: Mapping[str, Any]
    positions: Positions
    connection: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    moved_from: tuple[str, ...] = ()
    forget: bool = False

    @property
    def source(self) -> SourceRef:
        """The first line of the document's content."""
        return self.positions.locate(())

    def where(self, *path: str | int, key: bool = False) -> SourceRef:
        """Return the place of a value inside `spec`."""
        return self.positions.locate(("spec", *path), key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One object that is to be managed no more, and left as it is; `where` says so."""

    address: Address
    where: SourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a manifest wants, canonical, with references resolved to addresses.

    `moved_from` are the addresses that it had before, told at `moved_at`; `forget` wants it to be
    managed no more, and left as it is. `zone` is the one that people read its instants in (None: UTC).
    """

    address: Address
    connection: str
    fields: Fields
    source: SourceRef
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    moved_from: tuple[Address, ...] = ()
    moved_at: SourceRef | None = None
    forget: bool = False
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One object as a remote system answered it: only fields that were really in the answer."""

    kind: str
    remote_id: str
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the state remembers of one managed object.

    `fields` are the canonical fields last applied (references as remote ids); `target` names the
    remote system the id belongs to, so that an id is never used against another one. `computed` are
    values that the remote system worked out for members of a part, which no manifest states.
    """

    address: Address
    connection: str
    target: str
    remote_id: str
    fields: Fields
    computed: Computed = field(default_factory=dict)
    protect: bool = False
    depends_on: tuple[Address, ...] = ()
    created_at: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A writing call that was about to be sent and whose result was not yet recorded.

    Until `pending_until` the remote system may still be carrying it out; empty where it surely is not.
    """

    run_id: str
    address: Address
    connection: str
    target: str
    effect: str
    fields: Fields
    started_at: str
    pending_until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may write to a project's systems right now.

    `beat` is the last sign of life and `expires` when there should have been another, in Unix time by the
    state's clock. `machine` tells whether `pid` is a process that this one could see.
    """

    run_id: str
    holder: str
    host: str
    pid: int
    since: str
    beat: float
    expires: float = 0.0
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that wrote, or is writing: which command, from which plan, and how it ended.

    `ended` is `done`, `incomplete` (objects failed, blocked or unknown), `interrupted` or `failed`; None of a run
    that is under way or was killed.
    """

    run_id: str
    command: str
    plan_digest: str | None
    started_at: str
    ended_at: str | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a provider is asked to read of one kind.

    `ids` are remote ids to read, with the fields last applied to each (a date window is taken from
    them); `wanted` are canonical fields of objects that have no id yet, whose possible twins are to
    be read in full; `listing` asks for the kind's list, which is also the proof of absence.
    `computed` holds, by remote id, what the system worked out when the object was last applied.
    `whole` asks for every object that the list names, in full; where only a span of time can be listed,
    `window` is that span, two instants in UTC.
    """

    kind: str
    ids: Mapping[str, Fields] = field(default_factory=dict)
    wanted: tuple[Fields, ...] = ()
    listing: bool = True
    computed: Mapping[str, Computed] = field(default_factory=dict)
    whole: bool = False
    window: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A provider's answer to a `Scope`; keys are remote ids.

    An id is in exactly one of `live`, `absent` (proved gone), `expired` (over by itself, and how that
    was seen) and `unreadable` (why, in words).
    `listed` holds every id the list named, None where the list was not asked for or failed;
    `failure` says why the list failed.
    """

    live: Mapping[str, Live] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    expired: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    listed: frozenset[str] | None = None
    failure: str | None = None
