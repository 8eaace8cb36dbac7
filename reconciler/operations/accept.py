"""Accepting drift: the live values go into the manifests or the values files; nothing is written anywhere else.

The edit is proved before a file is written: with it the project must declare what is live, and all else as before.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler import files
from reconciler.engine.diff import compare, field_of
from reconciler.engine.ignore import judge
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.manifests.edit import CannotEdit, Step, edited_documents
from reconciler.manifests.load import MAX_BYTES, Document
from reconciler.manifests.origins import Sources, named, origin
from reconciler.manifests.overlay import merged
from reconciler.manifests.positions import Path
from reconciler.manifests.revise import local_time, revise
from reconciler.manifests.template import render
from reconciler.manifests.write import stated_value
from reconciler.model.canonical import now
from reconciler.model.change import resolved
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Live, Problem, Record, SourceRef, problem_order, remote_ids
from reconciler.model.plan import Selection
from reconciler.model.report import Drifted
from reconciler.operations.drift import Looked, compared, look
from reconciler.operations.edits import unified
from reconciler.operations.project import Declared, check
from reconciler.operations.session import ProjectSession
from reconciler.redaction import redacted_data

CODE = "cannot-accept"
_NAMED = 5
"""How many other users of a value are named."""

_BOM = b"\xef\xbb\xbf"


class Accepted(Struct, frozen=True, kw_only=True):
    """A field whose live value goes into a file."""

    address: Address
    path: str
    before: Any
    after: Any
    where: SourceRef
    """The place of the value before the edit."""
    zone: str | None
    """The zone in which people read its instants; None for UTC."""


class FileEdit(Struct, frozen=True, kw_only=True):
    """One file before and after."""

    file: FilePath
    shown: str
    before: bytes
    after: bytes

    @property
    def diff(self) -> str:
        """The edit as a unified diff."""
        return unified(self.shown, self.before, self.after)


class Acceptance(Struct, frozen=True, kw_only=True):
    """What is accepted, and the files that change."""

    accepted: tuple[Accepted, ...] = ()
    edits: tuple[FileEdit, ...] = ()

    def write(self) -> None:
        """Write the files, each whole or not at all; ReconcilerError where one has changed meanwhile."""
        for each in self.edits:
            if _content(each.file) != each.before:
                raise ReconcilerError(f"{each.shown} changed while drift ran; nothing was written", hint="run it again")
            _checked(files.check_writable, each)
        for each in self.edits:
            _checked(lambda file, content=each.after: files.write_whole(file, content), each)


def _checked(work: Any, each: FileEdit) -> None:
    try:
        work(each.file)
    except OSError as error:
        raise ReconcilerError(f"cannot write {each.shown}: {error.strerror}") from None


def _content(file: FilePath) -> bytes:
    try:
        return files.read_regular(file, MAX_BYTES + 1)[0]
    except OSError as error:
        raise ReconcilerError(f"cannot read {file}: {error.strerror}") from None


Spot = tuple[str, int]
"""A file, as messages name it, and the line at which a document begins."""


class _Case(Struct, kw_only=True):
    """All that is needed to accept the drift of the chosen objects."""

    session: ProjectSession
    declared: Declared
    looked: Looked
    sources: Sources
    names: Mapping[str, object]
    steps: dict[Spot, list[tuple[Step, str]]] = {}
    """Each with the object and field that it is for."""
    accepted: list[Accepted] = []
    problems: list[Problem] = []
    wanted: dict[Address, set[str]] = {}
    """The fields that are accepted, by object."""
    owners: Mapping[tuple[str, str, str], Address]
    """The managed objects by connection, kind and id: what is referred to is on the same connection."""

    def refuse(self, address: Address, why: str, where: SourceRef | None, hint: str) -> None:
        self.problems.append(Problem(code=CODE, summary=why, hint=hint, where=where, address=address))


def accept(session: ProjectSession, declared: Declared, patterns: Sequence[str]) -> Acceptance:
    """Return the edits that make the manifests declare what is live; nothing is written yet.

    InvalidInput lists every object and field that cannot be accepted; then there is no edit at all.
    """
    looked = look(session, Selection(targets=tuple(patterns)), declared, option="--accept ")
    if looked is None:
        raise InvalidInput(
            "nothing is managed, so there is no drift to accept", [], hint="apply the project, or adopt its objects"
        )
    looked, found = compared(session, looked, declared)
    project = session.project
    case = _Case(
        session=session,
        declared=declared,
        looked=looked,
        sources=Sources.of(project),
        names={"values": project.values, "environment": project.environment, "project": project.name},
        owners={
            (item.connection, address.kind, item.remote_id): address for address, item in looked.world.records.items()
        },
    )
    for item in judge(found, project.drift.ignore, now()[:10]).objects:
        _object(case, item)
    edits = _edits(case) if not case.problems else ()
    if edits:
        _prove(case, edits)
    if case.problems:
        raise InvalidInput(
            "not all of this drift can be accepted; no file was changed", sorted(case.problems, key=problem_order)
        )
    return Acceptance(accepted=tuple(case.accepted), edits=edits)


def _object(case: _Case, item: Drifted) -> None:
    desired = case.declared.desired.get(item.address)
    where = desired.source if desired is not None else None
    if item.status == "unknown":
        case.refuse(item.address, f"is unknown: {item.reason}", where, "fix what could not be read, and run it again")
    elif item.status in {"missing", "expired"}:
        hint = (
            f"to manage it no longer: remove its manifest, and run `reconciler state rm {item.address}`; "
            f"to create it again: `reconciler apply --target {item.address}`"
        )
        case.refuse(item.address, f"is {item.status}, so there is no live value to accept", where, hint)
    elif item.status == "changed":
        if desired is None:
            hint = "the next plan deletes it; to keep it: restore its manifest"
            case.refuse(item.address, "no manifest declares it", None, hint)
            return
        record = case.looked.world.records[item.address]
        reading = case.looked.snapshot.reading(record.connection, item.address.kind)
        live = reading.live[record.remote_id]
        names = {field_of(each.path) for each in item.fields if each.ignored is None}
        for name in sorted(names):
            _field(case, desired, record, live, name)


def _field(case: _Case, desired: Desired, record: Record, live: Live, name: str) -> None:
    """Add the steps that make a manifest declare one live field."""
    kind = case.session.kinds[desired.address.kind]
    document = case.sources.manifest(desired.source)
    spec_name = next((each.spec_field for each in kind.references if each.field == name), name)
    raw = document.data.get("spec", {}) if document is not None else {}
    stated = spec_name if spec_name in raw else name
    path: Path = ("spec", stated)
    if document is None or stated not in raw:
        hint = "add the field to the manifest, and run it again"
        case.refuse(desired.address, f"{stated} is not in the manifest", desired.source, hint)
        return
    where = document.positions.locate(path)
    new = _new_value(case, kind, record, live, name, as_reference=stated != name)
    if isinstance(new, Problem):
        case.problems.append(dataclasses.replace(new, where=where, address=desired.address))
        return
    if redacted_data(new) != new:
        why = f"the live value of {stated} contains a credential of this project, which must not be in a file"
        case.refuse(desired.address, why, where, "correct the live value")
        return
    shown = render(document, case.names)[0].data["spec"]
    try:
        steps = list(_steps(case, kind, document, path, shown, _local(kind, shown, stated, new), live.fields.get(name)))
    except CannotEdit as error:
        case.refuse(desired.address, f"{stated}: {error}", where, _BY_HAND)
        return
    if case.problems:
        return
    case.wanted.setdefault(desired.address, set()).add(name)
    case.accepted.append(
        Accepted(
            address=desired.address,
            path=stated,
            before=shown[stated],
            after=new,
            where=steps[0][1] if steps else where,
            zone=kind.zone(shown),
        )
    )
    for spot, _, step in steps:
        case.steps.setdefault(spot, []).append((step, f"{desired.address} {stated}"))


_BY_HAND = "change the file by hand"


def _new_value(case: _Case, kind: Kind, record: Record, live: Live, name: str, *, as_reference: bool) -> Any:
    """Return the live value of a field as a manifest states it, or why none can."""
    said = kind.statement({**record.fields, **live.fields}, record.fields)  # what is not returned is as applied
    if name in said.left_out:
        return Problem(code=CODE, summary=f"{name} cannot be stated: {said.left_out[name]}", hint=_BY_HAND)
    value = said.fields.get(name, live.fields.get(name))
    if isinstance(value, Mapping) and isinstance(live.fields.get(name), Mapping):
        value = live.fields[name]
    if as_reference:
        places = ((record.connection, each.kind, value) for each in kind.references if each.field == name)
        owner = next((case.owners[place] for place in places if place in case.owners), None)
        if owner is None:
            return Problem(
                code=CODE,
                summary=f"{name}: the live object refers to id {value}, which this project does not manage",
                hint="declare and adopt that object first",
            )
        return owner.name
    return stated_value(kind, name, value)


def _local(kind: Kind, shown: Mapping[str, Any], name: str, new: Any) -> Any:
    """Return an instant in the zone in which the manifest states it."""
    old = shown[name]
    zone = kind.zone(shown)
    if zone is None or not isinstance(new, str) or not isinstance(old, str):
        return new
    return local_time(old, new, zone)


def _steps(
    case: _Case, kind: Kind, document: Document, path: Path, shown: Mapping[str, Any], new: Any, live: Any
) -> Iterator[tuple[Spot, SourceRef, Step]]:
    """Yield each step with the file and document that it changes, through templates that are one value."""
    name = str(path[-1])
    references = {each.spec_field for each in kind.references}
    others = {key: value for key, value in shown.items() if key not in references}

    def canonical(item: Any) -> Any:
        return kind.canonical({**others, name: [item]})[name][0]

    members = live if isinstance(live, list) else ()
    for step in revise(shown[name], new, path, canonical, members):
        source, place = _written_in(case, document, step.path)
        yield (source.path, source.positions.locate(()).line), source.positions.locate(place), replace(step, path=place)


def _written_in(case: _Case, document: Document, path: Path) -> tuple[Document, Path]:
    """Return where a value of a manifest is written: there, or in a values file; CannotEdit says why it is neither."""
    data = document.data
    for depth, key in enumerate(path):
        if isinstance(data, str) or (isinstance(data, Mapping) and key not in data):
            break
        data = data[key]
        if isinstance(data, str) and "{{" in data:
            return _value_of(case, document, path[: depth + 1], data, path[depth + 1 :])
    return document, path


def _value_of(case: _Case, document: Document, place: Path, text: str, rest: Path) -> tuple[Document, Path]:
    value = origin(text)
    if value is None:
        at_place = document.positions.locate(place)
        raise CannotEdit(
            place, f"its template ({at_place}) computes the value; only {{{{ values.NAME }}}} can be followed"
        )
    used = case.sources.users(value)
    others = islice((each for each in used if each != (document, place)), _NAMED)
    if names := ", ".join(named(other, where) for other, where in others):
        more = f" and {len(used) - 1 - _NAMED} more" if len(used) - 1 > _NAMED else ""
        raise CannotEdit(place, f"values.{'.'.join(map(str, value))} is also used by {names}{more}")
    source = case.sources.set_by(value)
    if source is None:
        raise CannotEdit(place, f"no values file sets values.{'.'.join(map(str, value))}")
    return source, (*value, *rest)


def _edits(case: _Case) -> tuple[FileEdit, ...]:
    """Return the edits of all files; what cannot be edited is a problem."""
    root = case.session.project.root
    found = []
    asked: dict[str, dict[int, list[Step]]] = {}
    for (shown, line), steps in sorted(case.steps.items(), key=lambda item: item[0]):
        asked.setdefault(shown, {})[line] = [step for step, _ in steps]
    for shown, documents in asked.items():
        file = root / shown
        before = _content(file)
        text, refused = edited_documents(before.decode("utf-8-sig"), documents)
        for line, error in refused.items():
            pairs = case.steps[shown, line]
            about = next((words for step, words in pairs if step.path[: len(error.path)] == error.path), pairs[0][1])
            where = _place(case, shown, line, error.path)
            case.problems.append(Problem(code=CODE, summary=f"{about}: {error}", where=where, hint=_BY_HAND))
        after = (_BOM if before.startswith(_BOM) else b"") + text.encode("utf-8")
        if after != before:
            found.append(FileEdit(file=file, shown=shown, before=before, after=after))
    return tuple(found)


def _place(case: _Case, shown: str, line: int, path: Path) -> SourceRef:
    document = case.sources.at_line(shown, line)
    return SourceRef(shown, line) if document is None else document.positions.locate(path)


def _prove(case: _Case, edits: Sequence[FileEdit]) -> None:
    """Add a problem for each object that the edited files would not declare as it should be."""
    project = case.session.project
    with files.as_edited({os.path.realpath(each.file): each.after for each in edits}):
        values: dict[str, object] = {}
        for document in Sources.of(project).values:
            values = merged(values, document.data)
        again = check(replace(project, values=values))
    case.problems += again.errors
    ids = remote_ids(case.looked.world.records)
    for address in sorted({*case.declared.desired, *again.desired}, key=str):
        before, after = case.declared.desired.get(address), again.desired.get(address)
        names = case.wanted.get(address, set())
        if after is None or before is None or _others(before, names) != _others(after, names):
            case.refuse(address, "the edit would change more than it should", None, _BY_HAND)
        elif names:
            record = case.looked.world.records[address]
            live = case.looked.snapshot.reading(record.connection, address.kind).live[record.remote_id]
            wanted = resolved(after.fields, ids)
            left = compare(case.session.kinds[address.kind], wanted, live.fields, record.fields).fields
            for each in left:
                if field_of(each.path) in names:
                    why = f"{each.path} would still differ from the live value after the edit"
                    case.refuse(address, why, before.source, _BY_HAND)


def _others(item: Desired, names: set[str]) -> Desired:
    """Return what is declared except some fields, and without places, which an edit moves."""
    kept = {name: value for name, value in item.fields.items() if name not in names}
    depends = () if names else item.depends_on
    return dataclasses.replace(item, fields=kept, source=SourceRef("", 1), moved_at=None, depends_on=depends)
