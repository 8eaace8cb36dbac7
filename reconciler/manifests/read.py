"""Find, load, render and validate in one call: what `validate` shows, and the first step of `plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from msgspec import Struct
from msgspec.structs import replace

from reconciler.files import read_regular
from reconciler.manifests.cache import Cache, data_of, digest_of, entry
from reconciler.manifests.find import Findings, Found, find, project_name
from reconciler.manifests.load import MAX_BYTES, Document, Loaded, load_bytes, placed_later
from reconciler.manifests.moves import read_removed
from reconciler.manifests.positions import LatePositions
from reconciler.manifests.validate import PROJECT, validate
from reconciler.model.kind import Kind
from reconciler.model.objects import Manifest, Problem, Removed, SourceRef, problem_order
from reconciler.model.words import count, listed, plural
from reconciler.reach import Quota, Reach

_NAMED = 5
"""How many files without an object a message names."""

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


class Checked(Struct, frozen=True, kw_only=True):
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
    unread: tuple[Problem, ...] = ()
    """Warnings that name what is beside the manifests and is not read."""
    key: str | None = None
    """What all that was read is known by; None where it cannot be known again."""
    final: tuple[Document, ...] = ()
    """The documents with their final values in file order, without those of `beside`, if they are asked for."""
    known_valid: bool = False
    """Whether an earlier run found nothing wrong with exactly this: then it holds no manifests."""


def read_manifests(
    paths: Sequence[str],
    *,
    root: Path,
    kinds: Mapping[str, Kind],
    values: Mapping[str, object] = _NO_VALUES,
    environment: str | None = None,
    project: str | None = None,
    project_root: Path | None = None,
    project_file: Path | None = None,
    beside: Sequence[str] = (),
    stdin: IO[bytes] | None = None,
    places: Mapping[str, SourceRef] = MappingProxyType({}),
    reach: Reach | None = None,
    untrusted: bool = False,
    cache: Cache | None = None,
    facts: str | None = None,
    keep: bool = False,
) -> Checked:
    """Read every manifest that `paths` name. Nothing in a file raises an error.

    Relative paths start at `root`; `-` is `stdin`. Templates see `values`, `environment`, `project`.
    In a project, places are relative to `project_root`, and only `project_file` may be a project file. `beside` are
    more paths from there: their manifests are known for references and addresses, but their problems are not reported.
    `places` are the places where the paths were written. `reach` bounds the paths of the project file: `beside`, and
    without `beside` also `paths`. A path that a person typed is the person's choice, unless the files are `untrusted`.
    `facts` are all else that the result depends on, where it is enough that the `cache` knows it as valid.
    `keep`: the result has the documents too, which take memory.
    """
    bound = reach if untrusted or not beside else None
    asked = find(paths, root=root, project_root=project_root, places=places, reach=bound)
    others = find(beside, root=project_root or root, project_root=project_root, reach=reach)
    files = _Files(stdin, None if reach is None else reach.quota, cache)
    names = {"values": values, "environment": environment, "project": project}
    own_file = None if project_file is None else project_name(project_file, project_root or root)
    key = None
    if cache is not None and facts is not None and not (asked.problems or asked.unread):
        key = files.read(asked.found, others.found, f"{facts} {own_file}")
        documents = None if key is None else cache.valid(key)
        if documents is not None:
            return Checked(
                manifests=(), problems=(), files=len(asked.found), documents=documents, key=key, known_valid=True
            )
    return replace(_checked(asked, others, files, names, kinds, own_file, keep=keep), key=key)


def _checked(
    inputs: Findings,
    others: Findings,
    files: _Files,
    names: Mapping[str, object],
    kinds: Mapping[str, Kind],
    own_file: str | None,
    *,
    keep: bool,
) -> Checked:
    """Load, render and validate the files that were found."""
    found, problems = inputs.found, [*inputs.problems]
    asked, wrong, hollow = files.load(found)
    problems += wrong
    failed: set[SourceRef] = set()
    rendered, template_problems = _render_all(asked, names, failed)
    context = _context(found, rendered, others, names, files)
    # The context comes first, because the second of two objects with one address is reported.
    removed, unusable = read_removed([*context, *rendered], kinds)
    manifests, wrong = validate([*context, *rendered], kinds, removed, project_file=own_file)
    wrong += unusable
    # A value that could not be read, or whose template failed, is not also reported for its type.
    failed |= {each.where for each in problems if each.severity == "error" and each.where is not None}
    own = {each.shown for each in found}
    problems += template_problems
    problems += [each for each in wrong if each.where not in failed and (each.where is None or each.where.path in own)]
    files.keep(manifests, kinds)
    manifests.sort(key=lambda manifest: (manifest.address.kind, manifest.address.name))
    known = [manifest for manifest in manifests if manifest.source.path not in own] if context else []
    return Checked(
        manifests=tuple(manifest for manifest in manifests if manifest.source.path in own)
        if known
        else tuple(manifests),
        problems=tuple(sorted(problems, key=problem_order)),
        files=len(found),
        documents=sum(each.kind != PROJECT or each.path != own_file for each in asked),
        beside=tuple(known),
        removed=tuple(removed),
        unread=(*inputs.unread, *_without_objects(hollow)),
        final=tuple(rendered) if keep else (),
    )


class _Files:
    """The files of one run, of which the cache may have some."""

    def __init__(self, stdin: IO[bytes] | None, quota: Quota | None, cache: Cache | None) -> None:
        self._stdin, self._quota, self._cache = stdin, quota, cache
        self._new: list[tuple[str, tuple[Document, ...]]] = []
        self._contents: dict[str, tuple[bytes, str]] = {}
        """The contents that were read in advance, with the digest of each, by real path."""

    def read(self, asked: Sequence[Found], others: Sequence[Found], facts: str) -> str | None:
        """Read all files, and return what they are known by together; None where one cannot be read, or is a stream."""
        names: list[str] = [facts, str(len(asked))]
        for each in (*asked, *others):
            content, problem = read_content(each, None)
            if each.file is None or problem is not None:
                return None
            digest = digest_of(content)
            self._contents[each.real] = (content, digest)
            names += (each.shown, digest)
        return digest_of("\0".join(names).encode("utf-8", "surrogatepass"))

    def load(self, found: Sequence[Found]) -> tuple[list[Document], list[Problem], list[str]]:
        """Return the documents, the problems, and the files that have neither."""
        documents: list[Document] = []
        problems: list[Problem] = []
        hollow: list[str] = []
        for each in found:
            loaded = (
                load_found(each, self._stdin, self._quota) if self._cache is None else self._kept(each, self._cache)
            )
            documents += loaded.documents
            problems += loaded.problems
            hollow += [] if loaded.documents or loaded.problems else [each.shown]
        return documents, problems, hollow

    def _kept(self, found: Found, cache: Cache) -> Loaded:
        """Return what a file was read as before, if it is the same."""
        content, digest = self._contents.pop(found.real, (b"", ""))
        if not digest:
            content, problem = read_content(found, self._stdin)
            if problem is not None:
                return Loaded((), (problem,))
            digest = digest_of(content)
        known = cache.find(digest)
        if known is not None:
            text = content.decode("utf-8-sig")
            marks = [(data_of(each), each[0]) for each in known]
            return placed_later(marks, text, found.shown, [each[1] for each in known])
        loaded = load_bytes(content, found.shown)
        if loaded.documents and not loaded.problems and isinstance(loaded.documents[0].positions, LatePositions):
            self._new.append((digest, loaded.documents))
        return loaded

    def keep(self, usable: Sequence[Manifest], kinds: Mapping[str, Kind]) -> None:
        """Keep what was read. The schema of another package may change at any time, so that it judges every time."""
        if self._cache is None or not self._cache.wants(sum(len(documents) for _, documents in self._new)):
            return
        accepted = {id(each.positions) for each in usable if ":" not in kinds[each.address.kind].schema}
        for digest, documents in self._new:
            self._cache.add(
                digest,
                [
                    entry(
                        each.positions.mark, each.data, accepted=not each.templated and id(each.positions) in accepted
                    )
                    for each in documents
                    if isinstance(each.positions, LatePositions)
                ],
            )
        self._cache.keep()


def _without_objects(files: Sequence[str]) -> list[Problem]:
    """Name the files that are empty or contain only comments: their objects may have got lost."""
    if not files:
        return []
    verb = plural(len(files), "contains", "contain")
    summary = f"{count(len(files), 'file')} {verb} no object: {listed(files, _NAMED)}"
    return [
        Problem(code="file-empty", summary=summary, severity="warning", hint="restore the content, or remove the file")
    ]


def _context(
    asked: Sequence[Found],
    documents: Sequence[Document],
    beside: Findings,
    names: Mapping[str, object],
    files: _Files,
) -> list[Document]:
    """Return the other documents of the project."""
    project = {each.real: each for each in beside.found}
    members = set()
    for each in asked:
        if each.file is not None and project.pop(each.real, None) is not None:
            members.add(each.shown)
    if not project:
        return []
    others, _ = _render_all(files.load(list(project.values()))[0], names)
    # A draft outside of the project's folders, or an editor's copy on standard input, replaces what the project has
    # under the same address.
    replaced = {document.address for document in documents if document.path not in members}
    return [document for document in others if document.address not in replaced]


def load_found(found: Found, stdin: IO[bytes] | None = None, quota: Quota | None = None) -> Loaded:
    """Read one input; a file that cannot be read is a problem."""
    content, problem = read_content(found, stdin)
    if problem is not None:
        return Loaded((), (problem,))
    loaded = load_bytes(content, found.shown)
    if quota is not None:
        quota.spend(len(content), len(loaded.documents))
    return loaded


def read_content(found: Found, stdin: IO[bytes] | None = None) -> tuple[bytes, Problem | None]:
    """Return the bytes of one input, at most one more than are allowed, or why it cannot be read."""
    try:
        if found.file is not None:
            return read_regular(found.file, MAX_BYTES + 1)[0], None
        if stdin is not None:
            return stdin.read(MAX_BYTES + 1), None
    except OSError as error:
        summary = f"{found.shown} cannot be read: {error.strerror or type(error).__name__}"
        return b"", Problem(code="unreadable-file", summary=summary)
    return b"", Problem(code="path-missing", summary="there is no standard input to read")


def _render_all(
    documents: Sequence[Document], names: Mapping[str, object], failed: set[SourceRef] | None = None
) -> tuple[list[Document], list[Problem]]:
    """Return the rendered documents, and what could not be rendered; add the places of its values to `failed`."""
    if not any(document.templated for document in documents):
        return list(documents), []
    from reconciler.manifests.expressions import Budget  # noqa: PLC0415 - brings jinja2
    from reconciler.manifests.template import render  # noqa: PLC0415 - as above

    rendered: list[Document] = []
    problems: list[Problem] = []
    budget = Budget()
    for document in documents:
        of_use = document.templated and isinstance(document.data, dict)
        result, wrong = render(document, names, budget, failed) if of_use else (document, [])
        rendered.append(result)
        problems += wrong
    return rendered, problems
