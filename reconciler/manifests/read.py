"""Find, load, render and validate in one call: what `validate` shows, and the first step of `plan`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from reconciler.files import read_regular
from reconciler.manifests.find import Found, find
from reconciler.manifests.load import MAX_BYTES, Document, Loaded, load_bytes
from reconciler.manifests.moves import read_removed
from reconciler.manifests.validate import validate
from reconciler.model.kind import Kind
from reconciler.model.objects import Manifest, Problem, Removed, SourceRef, problem_order

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Everything that the paths hold."""

    manifests: tuple[Manifest, ...]
    """The usable ones."""
    problems: tuple[Problem, ...]
    """All of them, in file order."""
    files: int
    documents: int
    beside: tuple[Manifest, ...] = ()
    """Other manifests of the project, needed for references and addresses."""
    removed: tuple[Removed, ...] = ()
    """Objects that are no longer managed."""


def read_manifests(
    paths: Sequence[str],
    *,
    root: Path,
    kinds: Mapping[str, Kind],
    values: Mapping[str, object] = _NO_VALUES,
    environment: str | None = None,
    project: str | None = None,
    project_root: Path | None = None,
    beside: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
    places: Mapping[str, SourceRef] = MappingProxyType({}),
) -> Checked:
    """Read every manifest that `paths` name. Nothing in a file raises an error.

    Relative paths start at `root`; `-` is `stdin`. Templates see `values`, `environment`, `project`.
    In a project, places are relative to `project_root`. `beside` are more paths from there: their manifests are known
    for references and addresses, but their problems are not reported. `places` are the places where the paths were
    written.
    """
    found, problems = find(paths, root=root, project_root=project_root, places=places)
    asked, wrong = _load_all(found, stdin)
    problems += wrong
    names = {"values": values, "environment": environment, "project": project}
    rendered, template_problems = _render_all(asked, names)
    context = _context(found, rendered, beside, project_root or root, names)
    # The context comes first, because the second of two objects with one address is reported.
    removed, unusable = read_removed([*context, *rendered], kinds)
    manifests, wrong = validate([*context, *rendered], kinds, removed)
    wrong += unusable
    # A field whose template failed is not also reported for its type.
    failed = {problem.where for problem in template_problems}
    own = {each.shown for each in found}
    problems += template_problems
    problems += [each for each in wrong if each.where not in failed and (each.where is None or each.where.path in own)]
    manifests.sort(key=lambda manifest: manifest.address)
    return Checked(
        manifests=tuple(manifest for manifest in manifests if manifest.source.path in own),
        problems=tuple(sorted(problems, key=problem_order)),
        files=len(found),
        documents=len(asked),
        beside=tuple(manifest for manifest in manifests if manifest.source.path not in own),
        removed=tuple(removed),
    )


def _load_all(found: Sequence[Found], stdin: IO[bytes] | None = None) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    for each in found:
        loaded = load_found(each, stdin)
        documents += loaded.documents
        problems += loaded.problems
    return documents, problems


def _context(
    asked: Sequence[Found],
    documents: Sequence[Document],
    beside: Sequence[str],
    root: Path,
    names: Mapping[str, object],
) -> list[Document]:
    """Return the other documents of the project."""
    if not beside:
        return []
    project = {os.path.realpath(each.file): each for each in find(beside, root=root, project_root=root)[0] if each.file}
    members = set()
    for each in asked:
        if each.file is not None and project.pop(os.path.realpath(each.file), None) is not None:
            members.add(each.shown)
    others, _ = _render_all(_load_all(list(project.values()))[0], names)
    # A draft outside of the project's folders, or an editor's copy on standard input, replaces what the project has
    # under the same address.
    replaced = {document.address for document in documents if document.path not in members}
    return [document for document in others if document.address not in replaced]


def load_found(found: Found, stdin: IO[bytes] | None = None) -> Loaded:
    """Read one input; a file that cannot be read is a problem."""
    try:
        if found.file is not None:
            content, _ = read_regular(found.file, MAX_BYTES + 1)
        elif stdin is not None:
            content = stdin.read(MAX_BYTES + 1)
        else:
            return Loaded((), (Problem(code="path-missing", summary="there is no standard input to read"),))
    except OSError as error:
        summary = f"{found.shown} cannot be read: {error.strerror or type(error).__name__}"
        return Loaded((), (Problem(code="unreadable-file", summary=summary),))
    return load_bytes(content, found.shown)


def _render_all(documents: Sequence[Document], names: Mapping[str, object]) -> tuple[list[Document], list[Problem]]:
    rendered: list[Document] = []
    problems: list[Problem] = []
    for document in documents:
        if not document.templated:
            rendered.append(document)
            continue
        from reconciler.manifests.template import render  # noqa: PLC0415 - brings jinja2

        result, wrong = render(document, names)
        rendered.append(result)
        problems += wrong
    return rendered, problems
