"""Live objects that are not managed: what drift reports with `--unmanaged`. Only reads the remote systems."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from shlex import quote

from msgspec.structs import replace

from reconciler.commands import extended, in_environment
from reconciler.engine.ledger import open_calls
from reconciler.engine.recover import explained
from reconciler.engine.snapshot import Place
from reconciler.engine.titles import Titles
from reconciler.errors import ReconcilerError
from reconciler.model.canonical import utc
from reconciler.model.objects import Address, Live
from reconciler.model.patterns import Patterns
from reconciler.model.plan import Selection
from reconciler.model.report import Drifted, Listing
from reconciler.operations.export import ExportRequest, Survey, survey
from reconciler.operations.project import Declared
from reconciler.operations.session import ProjectSession
from reconciler.target import same_target

DAYS = 365
"""Days from today in which objects are listed of a kind that can only be listed for a span of time."""


def unmanaged_objects(
    session: ProjectSession, declared: Declared, selection: Selection, moment: str, *, record: bool
) -> Listing:
    """Return the live objects that neither this project nor another one in the same state manages.

    Only connections that an object of the project uses are listed, and only kinds that can be listed. `record`
    whether the state notes when each of them was first seen.
    """
    records = session.store.records()
    used = {item.connection for item in records.values()} | {item.connection for item in declared.desired.values()}
    used &= session.project.connections.keys()
    places = [
        (name, kind.name)
        for name in sorted(used)
        for kind in session.kinds.values()
        if kind.provider == session.project.connections[name].provider
        and kind.ephemeral is None
        and not session.project.connections[name].settings.reads_only
    ]
    if not places:
        return Listing()
    managed = _managed(session)
    seen = survey(session, declared, ExportRequest(window=_window(moment)), places)
    excluded, targeted = Patterns(selection.excludes), Patterns(selection.targets)
    found = {
        (place, address): live
        for place in places
        for address, live in sorted(seen.found.lives.get(place, {}).items(), key=lambda item: str(item[0]))
        if excluded.first(address) is None and (not selection.targets or targeted.first(address) is not None)
    }
    calls = open_calls(session.store)  # before the records: a call that ends has its record first
    made = explained(calls, session.kinds, session.project.connections, seen.around.snapshot)
    for key, targets in _managed(session).items():  # also what another run created or deleted meanwhile
        managed.setdefault(key, set()).update(targets)
    free = {
        key: live
        for key, live in found.items()
        if live.remote_id not in made.get(key[0], ()) and not _is_managed(session, key[0], live, managed)
    }
    unread = tuple(item for item in seen.problems if item.severity == "error")
    titles = Titles(session.kinds, declared.desired, records)
    since = _since(session, seen, free, moment, record=record and not unread)
    return Listing(
        objects=tuple(
            replace(
                _drifted(session, declared, place, address, live, since),
                title=titles.of(address, live.fields),
                zone=titles.zone(address),
            )
            for (place, address), live in free.items()
        ),
        problems=unread,
    )


def _window(moment: str) -> tuple[str, str]:
    first = datetime.fromisoformat(moment).astimezone(UTC).replace(hour=0, minute=0, second=0)
    return utc(first), utc(first + timedelta(days=DAYS + 1))


def _managed(session: ProjectSession) -> dict[tuple[str, str], set[str]]:
    """Return the targets of all that is managed by a project in this state, by kind and id."""
    found: dict[tuple[str, str], set[str]] = {}
    mine = ((item.target, address.kind, item.remote_id) for address, item in session.store.records().items())
    for target, kind, remote_id in chain(session.store.others(), mine):
        found.setdefault((kind, remote_id), set()).add(target)
    return found


def _is_managed(
    session: ProjectSession, place: Place, live: Live, managed: Mapping[tuple[str, str], Collection[str]]
) -> bool:
    target = session.project.connections[place[0]].target
    return any(same_target(known, target) for known in managed.get((place[1], live.remote_id), ()))


def _drifted(
    session: ProjectSession,
    declared: Declared,
    place: Place,
    address: Address,
    live: Live,
    since: Mapping[tuple[str, str], Mapping[str, str]],
) -> Drifted:
    kind = session.kinds[place[1]]
    target = session.project.connections[place[0]].target
    options = in_environment(session.project.environment)
    adopt = extended(f"reconciler adopt {address} {live.remote_id}", options)
    export = extended(f"reconciler export {address} --out {quote(session.project.manifests[0])}", options)
    return Drifted(
        address=address,
        status="unmanaged",
        shown_id=kind.public_id(live.remote_id),
        reason=kind.describe(live.fields) or kind.title(live.fields),
        since=since.get((target, place[1]), {}).get(live.remote_id),
        adopt=(adopt,) if address in declared.desired else (export, adopt),
    )


def _since(
    session: ProjectSession, seen: Survey, free: Mapping[tuple[Place, Address], Live], moment: str, *, record: bool
) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return when each object was first seen; what the state cannot note now has no day."""
    targets = {name: connection.target for name, connection in session.project.connections.items()}
    ids: dict[tuple[str, str], list[str]] = {(targets[name], kind): [] for name, kind in sorted(seen.found.lives)}
    for (place, _), live in free.items():
        ids[targets[place[0]], place[1]].append(live.remote_id)
    noted: dict[tuple[str, str], dict[str, str]] = {}

    def change(known: Mapping[tuple[str, str], Mapping[str, str]]) -> Mapping[tuple[str, str], Mapping[str, str]]:
        noted.clear()
        for key, present in ids.items():
            earlier = known.get(key, {})
            noted[key] = {remote_id: earlier.get(remote_id, moment) for remote_id in present}
        return noted

    if record:
        with suppress(ReconcilerError):  # a state that can only be read
            if session.store.outside.update_first_seen(change):
                return noted
    return session.store.outside.first_seen()
