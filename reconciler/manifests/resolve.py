"""Manifests to desired objects: which connection, canonical fields, references as addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.manifests.moves import moved_at, old_names
from reconciler.manifests.scalars import shown
from reconciler.model.field import FieldError
from reconciler.model.kind import Kind
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Address, Desired, Manifest, Problem, Ref
from reconciler.settings import Connection, Project


def resolve(
    manifests: Sequence[Manifest], project: Project, kinds: Mapping[str, Kind], *, beside: Sequence[Manifest] = ()
) -> tuple[list[Desired], list[Problem]]:
    """Return the desired objects in the order of the manifests, and the problems.

    `beside` are other manifests of the project: references need their connections.
    """
    problems: list[Problem] = []
    chosen: dict[Address, str] = {}
    for manifest in beside:
        choice = _connection(manifest, kinds[manifest.address.kind], project.connections)
        if not isinstance(choice, Problem):
            chosen[manifest.address] = choice
    for manifest in manifests:
        choice = _connection(manifest, kinds[manifest.address.kind], project.connections)
        if isinstance(choice, Problem):
            problems.append(choice)
        else:
            chosen[manifest.address] = choice
    desired: list[Desired] = []
    for manifest in manifests:
        if manifest.address not in chosen:
            continue
        wrong = list(_foreign_references(manifest, kinds[manifest.address.kind], chosen))
        wanted = _desired(manifest, kinds[manifest.address.kind], chosen[manifest.address])
        if isinstance(wanted, Problem):
            wrong.append(wanted)
        elif not wrong:
            desired.append(wanted)
        problems += wrong
    return desired, problems


def _connection(manifest: Manifest, kind: Kind, connections: Mapping[str, Connection]) -> str | Problem:
    """Return the name of the connection of an object, or why there is none."""
    fitting = [name for name, connection in sorted(connections.items()) if connection.provider == kind.provider]
    name = manifest.connection
    where = manifest.positions.locate(("metadata", "connection" if name is not None else "name"))
    if name is None:
        if len(fitting) == 1:
            name = fitting[0]
        elif fitting:
            what = f"metadata.connection is missing; expected one of {', '.join(fitting)}"
            return manifest.problem("which-connection", what, where=where)
        else:
            what = f"no connection of the project has provider {kind.provider}, which a {kind.name} needs"
            return manifest.problem("no-connection", what, where=where)
    connection = connections.get(name)
    if connection is None:
        expected = f"; expected one of {', '.join(fitting)}" if fitting else ""
        what = f"connection {shown(name)} is not in the project file{expected}{did_you_mean(name, connections)}"
        return manifest.problem("unknown-connection", what, where=where)
    if connection.provider != kind.provider:
        fits = f"; expected one of {', '.join(fitting)}" if fitting else ""
        what = f'connection "{name}" has provider {connection.provider}, but a {kind.name} needs {kind.provider}{fits}'
        return manifest.problem("wrong-connection", what, where=where)
    if connection.settings.reads_only:
        what = f'connection "{name}" only reads; expected a connection that can write'
        return manifest.problem("read-only-connection", what, where=where)
    return name


def _foreign_references(manifest: Manifest, kind: Kind, chosen: Mapping[Address, str]) -> Iterable[Problem]:
    own = chosen[manifest.address]
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
    references = {
        reference.spec_field: reference for reference in kind.references if reference.spec_field in manifest.spec
    }
    own = {name: value for name, value in manifest.spec.items() if name not in references}
    try:
        fields = dict(kind.canonical(own))
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
        fields=fields,
        source=manifest.source,
        depends_on=tuple(sorted(set(targets))),
        protect=manifest.protect,
        labels=manifest.labels,
        annotations=manifest.annotations,
        moved_from=old_names(manifest),
        moved_at=moved_at(manifest) if manifest.moved_from else None,
        forget=manifest.forget,
        zone=kind.zone(manifest.spec),
    )
