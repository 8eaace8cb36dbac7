"""Manifests to desired objects: which connection, canonical fields, references as addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.manifests.moves import moved_at, old_names
from reconciler.manifests.scalars import shown
from reconciler.model.field import FieldError
from reconciler.model.kind import ADOPT_ID, Kind
from reconciler.model.nearest import Names
from reconciler.model.objects import Address, Desired, Manifest, Problem, Ref
from reconciler.model.sharing import shared
from reconciler.model.words import listed
from reconciler.settings import Connection, Project
from reconciler.target import Target

_TWO_BY_ID = f"if two live objects share it, name them: metadata.annotations: {{{ADOPT_ID}: ID}}"

_COMPARED = 100
"""Maximum number of objects with one natural key that one more is compared with, for a warning."""
_SHOWN = 10
"""Names of connections that a message shows."""


class _Choices:
    """The connections of a project, looked up for many objects."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self.connections = connections
        self.names = Names(connections)
        self._fitting: dict[str, list[str]] = {}
        for name, connection in sorted(connections.items()):
            self._fitting.setdefault(connection.provider, []).append(name)

    def fitting(self, kind: Kind) -> Sequence[str]:
        """Return the names of those that a kind can use."""
        return self._fitting.get(kind.provider, ())


def resolve(
    manifests: Sequence[Manifest], project: Project, kinds: Mapping[str, Kind], *, beside: Sequence[Manifest] = ()
) -> tuple[list[Desired], list[Problem]]:
    """Return the desired objects in the order of the manifests, and the problems.

    `beside` are other manifests of the project: references need their connections.
    """
    problems: list[Problem] = []
    chosen: dict[Address, str] = {}
    usable: list[tuple[Manifest, str]] = []
    choices = _Choices(project.connections)
    for manifest in beside:
        choice = _connection(manifest, kinds[manifest.address.kind], choices)
        if not isinstance(choice, Problem):
            chosen[manifest.address] = choice
    for manifest in manifests:
        choice = _connection(manifest, kinds[manifest.address.kind], choices)
        if isinstance(choice, Problem):
            problems.append(choice)
        else:
            chosen[manifest.address] = choice
            usable.append((manifest, choice))
    desired: list[Desired] = []
    for manifest, connection in usable:
        kind = kinds[manifest.address.kind]
        wrong = list(_foreign_references(manifest, kind, connection, chosen)) if kind.references else []
        wanted = _desired(manifest, kind, connection)
        if isinstance(wanted, Problem):
            wrong.append(wanted)
        elif not wrong:
            desired.append(wanted)
        problems += wrong
    others = [
        _desired(each, kinds[each.address.kind], chosen[each.address]) for each in beside if each.address in chosen
    ]
    everything = [*(each for each in others if not isinstance(each, Problem)), *desired]
    twice = list(_twice(everything, (*beside, *manifests), kinds, project.connections))
    own = {manifest.address for manifest in manifests} if twice else set()
    return desired, [*problems, *(problem for problem in twice if problem.address in own)]


def _twice(
    desired: Sequence[Desired],
    manifests: Sequence[Manifest],
    kinds: Mapping[str, Kind],
    connections: Mapping[str, Connection],
) -> Iterable[Problem]:
    """Name every object that has a unique value or the natural key of an earlier one in the same system."""
    values: dict[tuple[str, ...], Desired] = {}
    keys: dict[tuple[str, ...], list[Desired]] = {}
    by_address: dict[Address, Manifest] = {}
    systems: dict[str, tuple[str, ...]] = {}
    for item in (each for each in desired if not each.forget):
        if item.connection not in systems:
            systems[item.connection] = _system(connections[item.connection])
        kind, place = kinds[item.address.kind], (*systems[item.connection], item.address.kind)
        stated = [name for name in kind.unique if item.fields.get(name)]
        for name in stated:
            first = values.setdefault((*place, name, item.fields[name]), item)
            if first is not item and not _two_by_id(item, first):
                words = f"{name} {item.fields[name]!r} is also that of {first.address} ({first.source})"
                by_address = by_address or {manifest.address: manifest for manifest in manifests}
                yield by_address[item.address].problem(
                    "declared-twice", f"{words}; expected another one", name, hint=_TWO_BY_ID
                )
        for key in kind.identities(item.fields):
            others = keys.setdefault((*place, *key), [])
            if not others:
                others.append(item)
                continue
            twins = (other for other in others[:_COMPARED] if not kind.apart(item.fields, other.fields))
            alike = next((twin for twin in twins if not _two_by_id(item, twin)), None)
            others.append(item)
            if alike is not None and not any(item.fields[name] == alike.fields.get(name) for name in stated):
                yield Problem(
                    code="same-natural-key",
                    severity="warning",
                    summary=f"has the same natural key as {alike.address} ({alike.source}), so a search finds either",
                    hint="make sure that these are two objects; once both are created, their ids tell them apart",
                    where=item.source,
                    address=item.address,
                    other=alike.address,
                )
                break


def _two_by_id(one: Desired, other: Desired) -> bool:
    """Whether both manifests name a live object by id, and not the same one: an export of look-alikes does."""
    first, second = (item.annotations.get(ADOPT_ID) for item in (one, other))
    return first is not None and second is not None and first != second


def _system(connection: Connection) -> tuple[str, ...]:
    """Return what is equal for two connections of one system; the source of the credentials where they choose it."""
    if Target.parse(connection.target).account:
        return (connection.target,)
    return (connection.target, *(f"{name}={item.shown}" for name, item in sorted(connection.auth.items())))


def _connection(manifest: Manifest, kind: Kind, choices: _Choices) -> str | Problem:
    """Return the name of the connection of an object, or why there is none."""
    fitting = choices.fitting(kind)
    name = manifest.connection
    if name is None and len(fitting) == 1:
        name = fitting[0]
    connection = None if name is None else choices.connections.get(name)
    if name is not None and connection is not None:
        fits = connection.provider == kind.provider and not connection.settings.reads_only
        return name if fits else _unfit(manifest, kind, connection, fitting)
    expected = f"expected one of {listed(fitting, _SHOWN)}"
    where = manifest.positions.locate(("metadata", "connection" if name is not None else "name"))
    if name is not None:
        near = choices.names.did_you_mean(name)
        what = f"connection {shown(name)} is not in the project file{f'; {expected}' if fitting else ''}{near}"
        return manifest.problem("unknown-connection", what, where=where)
    if fitting:
        what = f"metadata.connection is missing; {expected}"
        return manifest.problem("which-connection", what, where=where)
    what = f"no connection of the project has provider {kind.provider}, which a {kind.name} needs"
    return manifest.problem("no-connection", what, where=where)


def _unfit(manifest: Manifest, kind: Kind, connection: Connection, fitting: Sequence[str]) -> Problem:
    """Say why a connection that exists cannot be used."""
    name, stated = connection.name, manifest.connection is not None
    where = manifest.positions.locate(("metadata", "connection" if stated else "name"))
    if connection.provider != kind.provider:
        fits = f"; expected one of {listed(fitting, _SHOWN)}" if fitting else ""
        what = f'connection "{name}" has provider {connection.provider}, but a {kind.name} needs {kind.provider}{fits}'
        return manifest.problem("wrong-connection", what, where=where)
    what = f'connection "{name}" only reads; expected a connection that can write'
    return manifest.problem("read-only-connection", what, where=where)


def _foreign_references(manifest: Manifest, kind: Kind, own: str, chosen: Mapping[Address, str]) -> Iterable[Problem]:
    for reference in kind.references:
        name = manifest.spec.get(reference.spec_field)
        other = None if name is None else chosen.get(Address(reference.kind, name))
        if other is not None and other != own:
            what = (
                f'{reference.spec_field} names {reference.kind}/{name} on connection "{other}"; '
                f'expected one on connection "{own}"'
            )
            yield manifest.problem("foreign-reference", what, reference.spec_field)


def _desired(manifest: Manifest, kind: Kind, connection: str) -> Desired | Problem:
    stated = manifest.spec
    references = (
        {each.spec_field: each for each in kind.references if each.spec_field in stated} if kind.references else {}
    )
    try:
        if references:
            own = {name: value for name, value in manifest.spec.items() if name not in references}
            fields = dict(kind.canonical(own))
        else:
            fields = dict(manifest.canonical(kind.canonical))
    except FieldError as error:
        return manifest.problem("bad-value", f"{error.field}: {error}", error.field)
    except ValueError as error:  # from a kind of another package
        return manifest.problem("bad-value", str(error))
    targets = []
    for spec_field, reference in references.items():
        target = Address(reference.kind, manifest.spec[spec_field])
        fields[reference.field] = Ref(target)
        targets.append(target)
    return Desired(
        address=manifest.address,
        connection=connection,
        fields=shared(fields),
        source=manifest.source,
        depends_on=tuple(sorted(set(targets))) if targets else (),
        protect=manifest.protect,
        labels=manifest.labels,
        annotations=manifest.annotations,
        moved_from=old_names(manifest) if manifest.moved_from else (),
        moved_at=moved_at(manifest) if manifest.moved_from else None,
        forget=manifest.forget,
        zone=kind.zone(manifest.spec),
        positions=manifest.positions,
    )
