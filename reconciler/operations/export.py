"""Exporting: what is live is read once, drafted, and written as manifests that pass validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.engine.export import Addressed, Choice, Surroundings, addressed, draft, kebab, needs_id, with_id
from reconciler.engine.homes import Homes, at_home
from reconciler.engine.identity import Index, index
from reconciler.engine.ledger import Memory
from reconciler.engine.snapshot import Place, Snapshot, take
from reconciler.errors import UsageError
from reconciler.manifests.write import Written, write
from reconciler.model.canonical import utc
from reconciler.model.draft import Draft
from reconciler.model.kind import Kind
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Address, Problem, Record, Scope, problem_order
from reconciler.operations.project import Declared, declare
from reconciler.operations.select import matching
from reconciler.operations.session import ProjectSession


class ExportRequest(Struct, frozen=True, kw_only=True):
    """What to export."""

    window: tuple[str, str] = field(default_factory=lambda: next_days(365))
    """Two instants in UTC: objects that can only be listed for a time span are those between them. Default: a year."""
    addresses: tuple[str, ...] = ()
    """Only these addresses (globs)."""
    matches: tuple[str, ...] = ()
    """Only objects whose live name or address one of these globs matches."""
    connections: tuple[str, ...] = ()
    """Only from these connections."""
    kinds: tuple[str, ...] = ()
    """Only of these kinds."""
    ids: tuple[str, ...] = ()
    """Objects of kinds that cannot be listed, by id."""

    @property
    def choice(self) -> Choice:
        """Which of the listed objects to write."""
        return Choice(addresses=self.addresses, matches=self.matches)


class Exported(Struct, frozen=True, kw_only=True):
    """One manifest."""

    address: Address
    path: str
    """Its place in a folder of manifests."""
    text: str
    known: bool
    """Whether its address is that of a managed or declared object, not a new one."""
    complete: bool = True
    """Whether it declares the object; otherwise all of it is a comment."""


class Export(Struct, frozen=True, kw_only=True):
    """What an export returns."""

    manifests: tuple[Exported, ...] = ()
    """In address order."""
    problems: tuple[Problem, ...] = ()
    """Errors name what could not be read, warnings what a manifest cannot state."""
    windowed: bool = False
    """Whether some objects could only be listed for a time span."""

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for could be read."""
        return not any(problem.severity == "error" for problem in self.problems)


def next_days(number: int) -> tuple[str, str]:
    """Return the window of `number` days from the start of today, in UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0)
    return utc(today), utc(today + timedelta(days=number))


def export(session: ProjectSession, declared: Declared | None = None, request: ExportRequest | None = None) -> Export:
    """Read what is live and return it as manifests. Only reads, by construction.

    Objects that the project already declares keep their addresses. Without `declared`, the manifests are read.
    """
    declared, request = declared or declare(session.project), request or ExportRequest()
    places = _places(session, request)
    seen = survey(session, declared, request, places)
    if not any(problem.severity == "error" for problem in seen.problems):
        _check_choice(seen.found, places, request.choice)
    manifests, problems = _manifests(session, seen.around, seen.found, places, request.choice)
    return Export(
        manifests=tuple(sorted(manifests, key=lambda item: str(item.address))),
        problems=tuple(sorted([*problems, *seen.problems], key=problem_order)),
        windowed=seen.windowed,
    )


class Survey(Struct, frozen=True, kw_only=True):
    """All that is live at some connections, with an address for each object."""

    around: Surroundings
    found: Addressed
    problems: tuple[Problem, ...]
    """What could not be read."""
    windowed: bool
    """Whether some objects could only be listed for a time span."""


def survey(session: ProjectSession, declared: Declared, request: ExportRequest, places: Sequence[Place]) -> Survey:
    """Read the live objects of connections and kinds, and those that they refer to."""
    session.resolve_credentials({connection for connection, _ in places})
    homes = Homes(kinds=session.kinds, connections=session.project.connections, desired=declared.desired)
    records = at_home(Memory(records=session.store.records()), homes).records
    scopes = {place: _scope(session, place, records, request) for place in _with_referred(session, places)}
    snapshot = take(scopes, session.reader)
    around = Surroundings(
        kinds=session.kinds,
        targets={name: connection.target for name, connection in session.project.connections.items()},
        snapshot=snapshot,
        records=records,
        desired=declared.desired,
        window=request.window,
    )
    found = addressed(around)
    return Survey(
        around=around,
        found=found,
        problems=tuple(_unread(session, snapshot, places, records, request)),
        windowed=any(scopes[place].window is not None for place in places),
    )


def _places(session: ProjectSession, request: ExportRequest) -> list[Place]:
    """Return the connections and kinds to write; UsageError if the choice leaves nothing."""
    connections, kinds = session.project.connections, session.kinds
    for name, known, option in (
        *((name, connections, "--connection") for name in request.connections),
        *((name, kinds, "--kind") for name in request.kinds),
    ):
        if name not in known:
            near = did_you_mean(name, known)
            raise UsageError(f"{option} {name} is unknown; expected one of {', '.join(sorted(known))}{near}")
    chosen = {pattern.partition("/")[0] for pattern in request.choice.addresses}
    wanted = [
        (name, kind.name)
        for name, connection in sorted(connections.items())
        for kind in kinds.values()
        if kind.provider == connection.provider
        and (not request.connections or name in request.connections)
        and (not request.kinds or kind.name in request.kinds)
        and (not chosen or any(fnmatchcase(kind.name, pattern) for pattern in chosen))
    ]
    places = [place for place in wanted if not connections[place[0]].settings.reads_only]
    if request.ids and not any(kinds[kind].ephemeral is not None for _, kind in places):
        raise UsageError("--id names a held booking, but no selected connection has any")
    if not places:
        why = "public access is read-only, so no object can be managed" if wanted else "no connection has such objects"
        raise UsageError(f"nothing to export: {why}")
    return places


def _with_referred(session: ProjectSession, places: Iterable[Place]) -> list[Place]:
    """Add the kinds that others refer to: a reference is written by name."""
    every = set(places)
    for connection, kind in places:
        every |= {(connection, reference.kind) for reference in session.kinds[kind].references}
    return sorted(every)


def _scope(session: ProjectSession, place: Place, records: Mapping[Address, Record], request: ExportRequest) -> Scope:
    """Read everything; of kinds that cannot be listed, only managed or named objects."""
    kind = session.kinds[place[1]]
    mine = [record for address, record in records.items() if (record.connection, address.kind) == place]
    if kind.ephemeral is not None:
        ids = {**{name: {} for name in request.ids}, **{record.remote_id: record.fields for record in mine}}
        computed = {record.remote_id: record.computed for record in mine}
        return Scope(kind=kind.name, ids=ids, listing=False, computed=computed)
    if not kind.listed_whole:
        return Scope(kind=kind.name, whole=True, window=request.window)
    return Scope(kind=kind.name, ids={record.remote_id: record.fields for record in mine}, whole=True)


def _check_choice(found: Addressed, places: Iterable[Place], choice: Choice) -> None:
    universe = [address for place in places for address in found.lives.get(place, ())]
    hint = "run export without ADDRESS to see all live objects"
    matching(universe, choice.addresses, noun="live object", hint=hint)


def _manifests(
    session: ProjectSession, around: Surroundings, found: Addressed, places: Iterable[Place], choice: Choice
) -> tuple[list[Exported], list[Problem]]:
    """Write the chosen objects, those first that others refer to."""
    managed = {(record.connection, address.kind, record.remote_id) for address, record in around.records.items()}
    manifests: list[Exported] = []
    problems: list[Problem] = []
    sound: set[Address] = set(around.desired)
    for place in sorted(places, key=lambda each: (bool(session.kinds[each[1]].references), each)):
        kind = session.kinds[place[1]]
        here = found.lives.get(place, {})
        declared = {
            f"{other[1]} {live.remote_id}": address
            for other, lives in found.lives.items()
            for address, live in (lives.items() if other[0] == place[0] else ())
            if address in sound
        }
        among = index(kind, [live for live in here.values() if (*place, live.remote_id) not in managed])
        for address in sorted(
            (address for address in here if choice.takes(address, kind.title(here[address].fields))), key=str
        ):
            made = draft(around, address, here[address], connection=_stated(session, place), declared=declared)
            alone = (*place, here[address].remote_id) in managed or kind.ephemeral is not None
            written = _written(kind, made, None if alone else among)
            problems += written.problems
            sound |= {address} if written.complete else set()
            manifests.append(
                Exported(
                    address=address,
                    path=f"{kebab(kind.name)}s/{address.name}.yaml",
                    text=written.text,
                    known=address in found.owned,
                    complete=written.complete,
                )
            )
    return manifests, problems


def _written(kind: Kind, made: Draft, among: Index | None) -> Written:
    """Write a draft; with its id where its stated fields do not identify it `among` the live ones."""
    written = write(made, kind)
    if among is None:
        return written
    stated = {name: value for name, value in made.fields.items() if name in written.stated}
    annotations = with_id(made, wanted=needs_id(kind, made, stated, among))
    return written if annotations == made.annotations else write(replace(made, annotations=annotations), kind)


def _stated(session: ProjectSession, place: Place) -> str | None:
    """Return the connection's name where a manifest has to state it: where more than one fits."""
    provider = session.kinds[place[1]].provider
    fitting = [item for item in session.project.connections.values() if item.provider == provider]
    return place[0] if len(fitting) > 1 else None


def _unread(
    session: ProjectSession,
    snapshot: Snapshot,
    places: Iterable[Place],
    records: Mapping[Address, Record],
    request: ExportRequest,
) -> list[Problem]:
    """Say what could not be read, every object by its id: nothing is skipped silently."""
    found: list[Problem] = []
    asked = frozenset(request.ids)
    for name, error in sorted(snapshot.failures.items()):
        found.append(_problem(f"connection {name} could not be read: {error.message}", hint=error.hint))
    for place in places:
        reading = snapshot.readings.get(place)
        if reading is None:
            continue
        kind = session.kinds[place[1]]
        what = f"{kind.name} on connection {place[0]}"
        if reading.failure is not None:
            found.append(_problem(f"the list of every {what} could not be read: {reading.failure}"))
        for remote_id, why in sorted(reading.unreadable.items()):
            found.append(_problem(f"{what}, id {kind.public_id(remote_id)}, could not be read: {why}"))
        gone = {**dict.fromkeys(reading.absent, "it no longer exists"), **reading.expired}
        owners = {record.remote_id: address for address, record in records.items() if address.kind == kind.name}
        for remote_id, why in sorted(gone.items()):
            summary = f"{what}, id {kind.public_id(remote_id)}, cannot be exported: {why}"
            found.append(
                Problem(
                    code="gone",
                    severity="error" if remote_id in asked else "warning",
                    summary=summary,
                    hint="check the id, and name the connection: --connection" if remote_id in asked else None,
                    address=owners.get(remote_id),
                )
            )
    return found


def _problem(summary: str, hint: str | None = None) -> Problem:
    return Problem(code="unreadable", summary=summary, hint=hint or "all other objects are exported; try again")
