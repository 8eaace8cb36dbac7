"""Documents to manifests: every rule that needs no remote system, all problems at once.

First each document alone (envelope, schema of its kind, rules of its kind), then all of them together (two objects
with one address, references to objects that do not exist).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from reconciler.manifests.annotations import annotation_problems
from reconciler.manifests.build import FRAME, MAX_MISTAKES
from reconciler.manifests.characters import character_problems
from reconciler.manifests.explain import schema_problems
from reconciler.manifests.load import Document
from reconciler.manifests.moves import REMOVED, gone_words, move_problems, removed_problems
from reconciler.manifests.scalars import shown, spelled_out
from reconciler.model.characters import NOT_XML, NOWHERE
from reconciler.model.kind import Kind
from reconciler.model.nearest import Names, did_you_mean
from reconciler.model.objects import Address, Manifest, Positions, Problem, Removed, SourceRef
from reconciler.schema import acceptance, load_schema

PROJECT = "Project"
_NEVER_IN_YAML = (NOWHERE, NOT_XML)
"""Characters that the parser of YAML refuses, so that they can only come from an escape or a template."""


def validate(
    documents: Iterable[Document],
    kinds: Mapping[str, Kind],
    removed: Sequence[Removed] = (),
    *,
    project_file: str | None = None,
) -> tuple[list[Manifest], list[Problem]]:
    """Return the usable manifests and all problems.

    The project file among the documents (`manifests: [.]`) is skipped, and so are `Removed` documents, which are read
    elsewhere. In a project (`project_file` is set), another project's file is a problem. Of two objects with one
    address the first is kept.
    """
    manifests: list[Manifest] = []
    problems: list[Problem] = []
    broken_ones: list[Manifest] = []
    declared: dict[Address, Document] = {}
    for document in documents:
        if document.kind in {PROJECT, REMOVED} and document.kind not in kinds:
            if document.kind == PROJECT and project_file not in {None, document.path}:
                problems.append(_foreign_project(document))
            continue
        address = document.address
        found = [] if document.accepted else _own_problems(document, kinds, address)
        if address is not None:
            found += _claim(address, document, declared)
        problems += found
        if not found and address is not None:
            manifests.append(_manifest(document, address))
        elif address is not None and address.kind in kinds:
            broken_ones += _sound_part(document, address, kinds[address.kind])
    problems += [problem for manifest in manifests for problem in annotation_problems(manifest)]
    problems += move_problems(manifests, declared)
    problems += removed_problems(removed, manifests, declared)
    gone = gone_words(manifests, removed, declared)
    problems += _reference_problems([*manifests, *broken_ones], kinds, declared, gone)
    # What a broken manifest does not seem to state may be what is broken: no warnings.
    found_too = (
        problem for part in broken_ones for problem in islice(kinds[part.address.kind].check(part), MAX_MISTAKES)
    )
    problems += [problem for problem in found_too if problem.severity == "error"]
    wrong = _kind_rules(manifests, kinds)
    if wrong:
        # A manifest that breaks the rules of its kind is dropped: the next stage would report the same problem.
        broken = {problem.address for problem in wrong if problem.severity == "error"}
        manifests = [manifest for manifest in manifests if manifest.address not in broken]
    return manifests, problems + wrong


def _own_problems(document: Document, kinds: Mapping[str, Kind], address: Address | None) -> list[Problem]:
    """Return what is wrong with a document alone."""
    found = _document_problems(document, kinds)
    kind = kinds.get(document.kind or "")
    unwritable = NOWHERE if kind is None else kind.unwritable
    if not (document.unescaped and unwritable in _NEVER_IN_YAML):
        known = {problem.where for problem in found}
        mapping = document.data if isinstance(document.data, dict) else {}
        characters = character_problems(mapping, document.positions, unwritable, address)
        found += islice((each for each in characters if each.where not in known), MAX_MISTAKES)
    return found


def _document_problems(document: Document, kinds: Mapping[str, Kind]) -> list[Problem]:
    data = document.data
    kind = kinds.get(data["kind"]) if isinstance(data, dict) and isinstance(data.get("kind"), str) else None
    # The two quick checks come first: they accept nearly every document.
    if kind is not None and acceptance("envelope")(data) and acceptance(kind.schema)(data["spec"]):
        return []
    address = document.address
    if not isinstance(data, dict):
        # Its text is not shown: a file that is no manifest may contain anything.
        what = "a list" if isinstance(data, list) else "one value"
        summary = f"the document is {what}; expected a mapping with apiVersion, kind, metadata and spec"
        return [Problem(code="schema", summary=summary, where=document.positions.locate(()))]
    if not FRAME & data.keys():
        summary = f"the document is not a manifest: it has none of {', '.join(sorted(FRAME))}"
        return [Problem(code="schema", summary=summary, where=document.positions.locate(()))]
    problems = schema_problems("envelope", data, document.positions, address=address)
    if kind is not None and isinstance(data.get("spec"), dict):
        spec = data["spec"]
        problems += schema_problems(kind.schema, spec, document.positions, base=("spec",), address=address)
    elif kind is None and isinstance(data.get("kind"), str):
        # This problem names the kind that was probably meant; the schema of the envelope cannot.
        unknown = _unknown_kind(document, kinds)
        problems = [problem for problem in problems if problem.where != unknown.where] + [unknown]
    return problems


def _foreign_project(document: Document) -> Problem:
    summary = "this is a project file among the manifests of another project; expected only manifests"
    hint = "move it, or leave its folder out of spec.manifests"
    return Problem(code="project-file", summary=summary, where=document.positions.locate(("kind",)), hint=hint)


def _unknown_kind(document: Document, kinds: Mapping[str, Kind]) -> Problem:
    name = document.data["kind"]
    known = sorted({*kinds, REMOVED})
    word = str(name).lower()
    synonym = next((each for each in kinds if word in load_schema(kinds[each].schema).get("synonyms", ())), None)
    near = f'; did you mean "{synonym}"?' if synonym else did_you_mean(name, known)
    summary = f"unknown kind {shown(name)}; expected one of {', '.join(known)}{near}"
    where = document.positions.locate(("kind",))
    return Problem(code="unknown-kind", summary=summary, where=where, address=document.address)


def _claim(address: Address, document: Document, declared: dict[Address, Document]) -> list[Problem]:
    first = declared.setdefault(address, document)
    if first is document:
        return []
    summary = f"is declared twice; the first is at {first.name_at}"
    hint = "give one of them another metadata.name"
    return [Problem(code="duplicate-address", summary=summary, where=document.name_at, address=address, hint=hint)]


_NONE: Mapping[str, str] = {}
"""Of all objects that have no labels or no annotations."""


def _manifest(document: Document, address: Address) -> Manifest:
    metadata = document.data["metadata"]
    return Manifest(
        address=address,
        spec=document.data["spec"],
        positions=document.positions,
        connection=metadata.get("connection"),
        labels=metadata.get("labels") or _NONE,
        annotations=metadata.get("annotations") or _NONE,
        protect=metadata.get("protect", False),
        moved_from=_names(metadata.get("moved_from", ())),
        forget=metadata.get("forget", False),
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _sound_part(document: Document, address: Address, kind: Kind) -> list[Manifest]:
    """Return a broken manifest with its valid fields only, so that the rules across fields are checked too."""
    spec = document.data.get("spec")
    if not isinstance(spec, dict):
        return []
    known = load_schema(kind.schema).get("properties", {})
    sound: dict[str, Any] = {}
    kept: dict[str, Sequence[int]] = {}
    for name, value in spec.items():
        rule = f"{kind.schema}#/properties/{name}"
        if name not in known:
            continue
        if acceptance(rule)(value):
            sound[name] = value
        elif isinstance(value, list) and "items" in known[name]:
            accepts = acceptance(f"{rule}/items")
            kept[name] = [index for index, member in enumerate(value) if accepts(member)]
            sound[name] = [value[index] for index in kept[name]]
    return [Manifest(address=address, spec=sound, positions=_Kept(document.positions, kept))]


class _Kept(Struct, frozen=True):
    """The places of a document whose lists keep only their valid members."""

    positions: Positions
    kept: Mapping[str, Sequence[int]]
    """By list, the indexes that its members have in the document."""

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> SourceRef:
        match path:
            case ("spec", str(name), int(index), *rest) if name in self.kept:
                path = ("spec", name, self.kept[name][index], *rest)
        return self.positions.locate(path, key=key)


def _kind_rules(manifests: Sequence[Manifest], kinds: Mapping[str, Kind]) -> list[Problem]:
    problems: list[Problem] = []
    by_kind: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        problems += islice(kinds[manifest.address.kind].check(manifest), MAX_MISTAKES)
        by_kind.setdefault(manifest.address.kind, []).append(manifest)
    for kind, members in by_kind.items():
        problems += kinds[kind].check_together(members)
    return problems


def _reference_problems(
    manifests: Sequence[Manifest],
    kinds: Mapping[str, Kind],
    declared: Mapping[Address, Document],
    gone: Mapping[Address, str],
) -> list[Problem]:
    """Check that every reference names a declared object, even one with problems.

    `gone` says what happened to objects that are no longer valid.
    """
    problems: list[Problem] = []
    known: dict[str, Names] = {}
    for manifest in manifests:
        for reference in kinds[manifest.address.kind].references:
            name = manifest.spec.get(reference.spec_field)
            if name is None or manifest.forget:
                continue
            named = Address(reference.kind, name)
            if named in declared and named not in gone:
                continue
            if reference.kind not in known:
                known[reference.kind] = Names(address.name for address in declared if address.kind == reference.kind)
            bare = str(name).removeprefix(f"{reference.kind}/")
            near = known[reference.kind].did_you_mean(bare) or f"; expected the metadata.name of a {reference.kind}"
            what = f"is not declared{near}"
            target = f"{reference.kind}/{name}"
            target = target if target == spelled_out(target) else shown(target)
            problems.append(
                Problem(
                    code="unknown-reference",
                    summary=f"{reference.spec_field} names {target}, which {gone.get(named) or what}",
                    where=manifest.where(reference.spec_field),
                    address=manifest.address,
                )
            )
    return problems
