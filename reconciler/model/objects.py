"""What is declared, what is live and what is recorded: the values from which a plan is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from sys import intern
from typing import Any, Literal, NamedTuple, Protocol

from msgspec import Struct

from reconciler.model.source import Range
from reconciler.model.source import SourceRef as SourceRef  # noqa: PLC0414 - every room imports it from here

Fields = Mapping[str, Any]
"""Canonical fields of one object: JSON values only (and `Ref`), keyed by the kind's field names.

Canonical means that equal meaning is equal value, for every source: a price is the string
`"35.00"`, a time `"09:05"`, a date `"2027-03-01"`, an instant `"2027-03-01T09:00:00Z"`, an
enumeration its word, an id a string, a flag a bool, a count an int.
"""

Computed = Mapping[str, Mapping[str, Any]]
"""Values that a remote system computed, by part and member: `{"items": {"room": {"slip": "17.2027…"}}}`.

In the answer to a call, a member that is None no longer exists.
"""

STORED = "@stored"
"""The part of computed values that holds how the remote system spells what was last applied, by field."""

_ADDRESS = re.compile(r"(?P<kind>[A-Z][A-Za-z]*)/(?P<name>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)")


class Address(NamedTuple):
    """The name of one object in this project: `Kind/name`.

    A named tuple, because it is the key of nearly every table.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    def matches(self, pattern: str) -> bool:
        """Whether a glob, such as `Session/*`, names this address; case counts."""
        return fnmatchcase(str(self), pattern)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `Kind/name`; ValueError says what is wrong with anything else."""
        match = _ADDRESS.fullmatch(text)
        if match is None:
            name = "; a name is lowercase letters, digits and hyphens" if "/" in text else ""
            message = f"{text!r} is not an address; expected KIND/NAME, such as Session/spring-yoga{name}"
            raise ValueError(message)
        return cls(intern(match["kind"]), intern(match["name"]))


def is_address(text: str) -> bool:
    """Whether a text is the address of an object."""
    return _ADDRESS.fullmatch(text) is not None


Severity = Literal["error", "warning"]

POSSIBLE_DUPLICATE = "possible-duplicate"
"""The code of a problem with a live object that may exist twice. It stops no change, and no run calls it clean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with the input or the plan, for a person to fix."""

    code: str
    summary: str
    """The whole sentence: what is wrong; what was expected."""
    severity: Severity = "error"
    hint: str | None = None
    """What to do."""
    where: SourceRef | None = None
    address: Address | None = None
    range: Range | None = field(default=None, compare=False)
    """What it is about, as a document says; None for what `where` says."""
    other: Address | None = field(default=None, compare=False)
    """The second object that it is about."""

    def __str__(self) -> str:
        """`FILE:LINE:COLUMN: KIND/NAME: what is wrong`, as the contract prints it."""
        parts = [str(part) for part in (self.where, self.address) if part is not None]
        return ": ".join([*parts, self.summary])


def problem_order(problem: Problem) -> tuple[Any, ...]:
    """Sort key: by place in the files, problems without a place first; independent of the hash seed."""
    where = problem.where
    place = (where.path, where.line, where.column) if where else ("", 0, 0)
    return (*place, str(problem.address or ""), problem.code, problem.summary)


class Ref(Struct, frozen=True):
    """Another object's remote id, known at the latest when that object has been created."""

    target: Address

    def __str__(self) -> str:
        return str(self.target)


class Positions(Protocol):
    """The place of each value of one document in its file."""

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> SourceRef:
        """Return the place of the value at `path` (or of its key), else that of its nearest parent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One YAML document that passed its schema."""

    address: Address
    spec: Mapping[str, Any]
    """As written; scalars are read by JSON-like rules."""
    positions: Positions
    connection: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    moved_from: tuple[str, ...] = ()
    forget: bool = False
    _fields: Fields | None = field(default=None, init=False, repr=False, compare=False)

    def canonical(self, compute: Callable[[Mapping[str, Any]], Fields]) -> Fields:
        """Return the spec in canonical values, which its kind computes once for all who ask."""
        if self._fields is None:
            object.__setattr__(self, "_fields", compute(self.spec))
        return self._fields  # type: ignore[return-value] # it was set

    @property
    def source(self) -> SourceRef:
        """The first line of the document's content."""
        return self.positions.locate(())

    def where(self, *path: str | int, key: bool = False) -> SourceRef:
        """Return the place of a value inside `spec`."""
        return self.positions.locate(("spec", *path), key=key)

    def problem(
        self,
        code: str,
        summary: str,
        *path: str | int,
        hint: str | None = None,
        where: SourceRef | None = None,
        severity: Severity = "error",
    ) -> Problem:
        """Return a problem with the value at a path inside `spec`, or at another place in the file."""
        where = where or self.where(*path)
        return Problem(code=code, summary=summary, severity=severity, hint=hint, where=where, address=self.address)


class Removed(Struct, frozen=True, kw_only=True):
    """One object that is no longer managed and stays as it is."""

    address: Address
    where: SourceRef
    """The place in the manifests that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a manifest declares, canonical, with references resolved to addresses."""

    address: Address
    connection: str
    fields: Fields
    source: SourceRef
    depends_on: tuple[Address, ...] = ()
    protect: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    moved_from: tuple[Address, ...] = ()
    """The addresses it had before."""
    moved_at: SourceRef | None = None
    """The place of `metadata.moved_from`."""
    forget: bool = False
    """Whether it is no longer managed and stays as it is."""
    zone: str | None = None
    """The zone that people read its instants in (None: UTC)."""
    positions: Positions | None = field(default=None, compare=False, repr=False)
    """The place of each of its values."""

    def record(self, target: str, remote_id: str, fields: Fields, computed: Computed | None = None) -> Record:
        """Return what the state holds once these fields are applied to the object."""
        return Record(
            address=self.address,
            connection=self.connection,
            target=target,
            remote_id=remote_id,
            fields=fields,
            computed=computed or {},
            protect=self.protect,
            depends_on=self.depends_on,
        )


class Users(Struct, frozen=True, kw_only=True):
    """Who uses a value, such as a postal address, together."""

    names: Mapping[str, str] = {}
    """The names of the live objects that use it, by remote id; one mapping for all of them."""
    failure: str | None = None
    """Why they are not known."""


class Live(Struct, frozen=True, kw_only=True, gc=False):
    """One object as a remote system returned it."""

    remote_id: str
    fields: Fields
    """Only the fields that were in the answer."""
    kept: Fields = {}
    """Values that an update sends again as they were returned, where the manifest states no other."""
    shared: Mapping[str, Users] = {}
    """By field, the other objects whose value changes along with that of this one."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """What the state holds of one managed object."""

    address: Address
    connection: str
    target: str
    """The remote system that the id belongs to: an id is never used against another one."""
    remote_id: str
    fields: Fields
    """The canonical fields last applied, with references as remote ids."""
    computed: Computed = {}
    """What the remote system computed; no manifest contains it."""
    protect: bool = False
    depends_on: tuple[Address, ...] = ()
    created_at: str = ""
    updated_at: str = ""
    written_by: str | None = None
    """The run that last wrote it; None where that is not known."""


def remote_ids(records: Mapping[Address, Record], *, without: Collection[Address] = ()) -> dict[Address, str]:
    """Return the id of every managed object, except those in `without`."""
    return {address: record.remote_id for address, record in records.items() if address not in without}


class Intent(Struct, frozen=True, kw_only=True):
    """A writing call that was about to be sent and whose result is not recorded yet."""

    run_id: str
    address: Address
    connection: str
    target: str
    effect: str
    fields: Fields
    """What a create sends, or what an update may overwrite (`engine.intents.overwritten`)."""
    started_at: str
    """An instant in UTC."""
    pending_until: str = ""
    """Until when the remote system may still process it; empty where the call has ended."""
    confirmed: bool = False
    """Whether the server confirmed the call; no read has shown its effect yet."""


class Lease(Struct, frozen=True, kw_only=True):
    """Who may write to a project's systems right now. Times are Unix times by the state's clock."""

    run_id: str
    holder: str
    host: str
    pid: int
    since: str
    beat: float
    """Time of the last heartbeat."""
    expires: float = 0.0
    """Time after which the next heartbeat is overdue."""
    machine: str = ""
    """Shows whether `pid` is a process that this one could see, and when it started."""


class PastRun(Struct, frozen=True, kw_only=True):
    """A run that wrote or is writing: which command, from which plan, and how it ended."""

    run_id: str
    command: str
    plan_digest: str | None
    started_at: str
    ended_at: str | None = None
    ended: str | None = None
    """`done`, `incomplete` (objects failed, blocked or unknown), `interrupted` or `failed`.

    None where the run is in progress or was killed.
    """
    context: Mapping[str, str] = {}
    """Who started it and where, by name: `holder` and `host`, and what a pipeline states."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a provider is asked to read of one kind."""

    kind: str
    ids: Mapping[str, Fields] = {}
    """Remote ids to read, with the fields last applied to each (they give a window of dates)."""
    wanted: tuple[Fields, ...] = ()
    """Fields of objects that have no id yet; every object that could be one of them is read in full."""
    listing: bool = True
    """Whether to read the kind's list, which also proves that an object is absent."""
    computed: Mapping[str, Computed] = {}
    """By remote id, what the remote system had computed when the object was last applied."""
    whole: bool = False
    """Whether to read every object in the list in full."""
    window: tuple[str, str] | None = None
    """Two instants in UTC: what to list of a kind that can only be listed by time."""
    similar: tuple[Fields, ...] = ()
    """Fields of managed objects: a listed object that could be one of them a second time is read in full."""
    familiar: frozenset[str] = frozenset()
    """Ids that need no such read: they are managed, or were there before."""
    already_read: frozenset[str] = frozenset()
    """Ids that an earlier read returned, or that are not searched for: nothing is asked about them."""

    @property
    def searches(self) -> bool:
        """Whether an object that the list misses would be overlooked; one with a known id is asked for by it."""
        return self.whole or bool(self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A provider's answer to a `Scope`. Keys are remote ids.

    An id is in exactly one of `live`, `absent`, `expired` and `unreadable`.
    """

    live: Mapping[str, Live] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    """Proved to be gone."""
    expired: Mapping[str, str] = field(default_factory=dict)
    """Ended by itself, with what shows it."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Not readable, with the reason."""
    refused: frozenset[str] = frozenset()
    """Those of `unreadable` that the system answered about, with an error or without the object."""
    listed: frozenset[str] | None = None
    """Every id in the list; None where the list was not read or failed."""
    failure: str | None = None
    """Why the list failed."""
    gaps: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The spans of time in the scope whose part of the list failed, with the reason."""
    unjudged: Mapping[str, str] = field(default_factory=dict)
    """Listed ids that could be one of `Scope.similar` a second time and could not be read, with the reason."""
    memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was derived from it once for all who ask."""

    def why_unlisted(self, span: tuple[str, str] | None) -> str | None:
        """Say why it is not known what else is live (in a span of time); None where it is."""
        if self.listed is None:
            return self.failure
        return self.gaps.get(span) if span is not None else next(iter(self.gaps.values()), None)
