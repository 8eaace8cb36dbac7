"""`--changed-since`: the objects that the difference between a commit and the files touches, and what depends on them.

The commit is the one from which the checked-out branch and REF went separate ways (as in `git diff REF...`), and it is
compared with the files as they are, committed or not. A file counts by what it says: a comment touches no object.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from reconciler.checkout import Checkout, Entry, Git, blob_id, find_checkout
from reconciler.engine.ledger import remembered
from reconciler.errors import ReconcilerError, UsageError
from reconciler.files import read_regular
from reconciler.folders import is_below
from reconciler.manifests.changed import changed_keys, touched, using
from reconciler.manifests.load import MAX_BYTES
from reconciler.manifests.walk import fixed_part
from reconciler.model.objects import Address, Desired, Record
from reconciler.model.plan import Selection
from reconciler.operations.project import Declared
from reconciler.operations.select import matching
from reconciler.operations.session import ProjectSession
from reconciler.settings import Project

TIMEOUT = 120.0
"""Seconds that one call of Git may take: a large repository is read from a cold disk."""

_OPTION = "--changed-since"
_ENDINGS = (".yaml", ".yml", ".json")
_SHORT = 12
_DEEPER = "fetch the history: git fetch --unshallow; in a pipeline: fetch-depth: 0"


def changed_since(
    session: ProjectSession, declared: Declared, ref: str, selection: Selection | None = None
) -> tuple[Selection, str]:
    """Return the selection of what changed since a commit, within another selection, and why it is what it is.

    UsageError where REF names no commit, ReconcilerError where there is no repository or its history ends before.
    """
    selection = selection or Selection()
    project, memory = session.project, remembered(session.store)
    dependents: dict[Address, set[Address]] = defaultdict(set)
    used: list[tuple[Address, Record | Desired]] = [*memory.records.items(), *declared.desired.items()]
    for address, item in used:
        for target in item.depends_on:
            dependents[target].add(address)
    universe = declared.desired.keys() | declared.removed.keys() | memory.known
    checkout, commit = _checkout(project)
    with checkout.opened(commit, timeout=TIMEOUT, refs=True) as git:
        base = _base(git, ref, commit)
        since = f"{ref} ({base[:_SHORT]})"
        comparison = _Comparison(project, declared, checkout, git, base)
        everything = comparison.everything()
        found = set(universe) if everything is not None else comparison.found(universe - declared.desired.keys())
    direct = found & universe
    chosen = _with_dependents(direct, dependents) & universe
    if selection.targets:
        chosen &= matching(universe, selection.targets, option="--target ")
    words = f"{len(chosen)} of {len(universe)} objects selected: {len(direct)} changed since {since}"
    words = f"everything is selected, because {everything} since {since}" if everything is not None else words
    more = len(chosen) - len(direct)
    words += f", and {more} that depend on them" if everything is None and more > 0 else ""
    return replace(selection, targets=tuple(sorted(map(str, chosen))), changed_since=since), words


def _checkout(project: Project) -> tuple[Checkout, str]:
    try:
        checkout = find_checkout(project.root)
        commit = checkout.head()[1] if checkout is not None else None
    except (OSError, ValueError) as error:
        raise ReconcilerError(f"{_OPTION}: the Git repository cannot be read: {error}") from None
    if checkout is None or commit is None:
        what = "is not in a Git repository" if checkout is None else "is in a Git repository without a commit"
        raise ReconcilerError(f"{_OPTION}: {project.root} {what}", hint=f"run without {_OPTION}")
    return checkout, commit


def _base(git: Git, ref: str, commit: str) -> str:
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise UsageError(f"{_OPTION} {ref!r} is not a commit", hint="expected a branch, tag or id, such as origin/main")
    if git.run("version") is None:
        raise ReconcilerError(f"{_OPTION} needs the program git", hint="install git")
    other = git.commit_of(ref)
    if other is None:
        hint = f"fetch it (git fetch origin {ref.removeprefix('origin/')}), or check the name"
        raise UsageError(f"{_OPTION} {ref} names no commit of this repository", hint=hint)
    base = git.merge_base(other, commit)
    if base is None:
        raise ReconcilerError(f"{_OPTION}: the history has no commit in common with {ref}", hint=_DEEPER)
    return base


def _with_dependents(found: Iterable[Address], dependents: Mapping[Address, Iterable[Address]]) -> set[Address]:
    chosen: set[Address] = set()
    waiting = list(found)
    while waiting:
        address = waiting.pop()
        if address not in chosen:
            chosen.add(address)
            waiting += dependents.get(address, ())
    return chosen


class _File(Struct, frozen=True, kw_only=True):
    """A file that declares objects."""

    addresses: set[Address]
    name: str | None = None
    """Its path from the top of the repository; None where it is outside, or behind a link."""
    content: bytes = b""
    before: str | None = None
    """The id of its content in the commit, if that differs."""
    differs: bool = True


@dataclass(slots=True)
class _Comparison:
    """The files of a project now and in a commit."""

    project: Project
    declared: Declared
    checkout: Checkout
    git: Git
    base: str
    tree: Mapping[str, Entry] | None = None
    blobs: dict[str, bytes] = field(default_factory=dict)
    """What was read of the commit, by id."""
    root: str = field(init=False)
    """The folder of the project, without links."""
    roots: tuple[str, ...] = field(init=False)
    """The folders and files that can hold manifests."""

    def __post_init__(self) -> None:
        self.root = os.path.realpath(self.project.root)
        self.roots = tuple(os.path.realpath(fixed_part(path, self.project.root)) for path in self.project.manifests)

    def everything(self) -> str | None:
        """Say what makes a comparison of single objects impossible; None if it is possible."""
        self.tree = self.git.files(self.base)
        if self.tree is None:
            raise ReconcilerError(f"{_OPTION}: the files of commit {self.base[:_SHORT]} cannot be read", hint=_DEEPER)
        file = self.project.file
        if self._differs(str(file)):
            return f"{file.name} changed"
        for path, entry in self.tree.items():
            if not entry.is_file and self._is_manifest(path, folder=True):
                what = "a submodule" if entry.mode.startswith("16") else "a symbolic link"
                return f"{path} is {what} among the manifests, which cannot be compared, and anything may have changed"
        return None

    def found(self, undeclared: Iterable[Address]) -> set[Address]:
        """Return the objects that differ; `undeclared` are those that no manifest declares any more."""
        own: dict[str, set[Address]] = defaultdict(set)
        for address, item in self.declared.desired.items():
            own[item.source.path].add(address)
        for address, where in self.declared.removed.items():
            own[where.path].add(address)
        files = [self._file(path, addresses) for path, addresses in own.items()]
        now = {file.name for file in files}
        gone = [
            (name, entry)
            for name, entry in (self.tree or {}).items()
            if name not in now and entry.is_file and self._is_manifest(name)
        ]
        self._fetch([*(file.before for file in files), *(entry.oid for _, entry in gone)])
        comparable = {file.name: file for file in files if file.name is not None}
        found = {address for file in files if file.name is None for address in file.addresses}
        before = {name: self.blobs[entry.oid] for name, entry in gone}
        before |= {name: self.blobs[file.before] for name, file in comparable.items() if file.before is not None}
        after = {name: file.content for name, file in comparable.items() if file.differs}
        after |= {name: content for name, _ in gone if (content := _content(str(self.checkout.top / name))) is not None}
        results = [touched(before, after)]
        keys = self._changed_values()
        if keys != frozenset():
            results.append(using({name: file.content for name, file in comparable.items()}, keys))
        for result in results:
            found |= result.addresses
            found |= {each for name in result.files & comparable.keys() for each in comparable[name].addresses}
            found |= set(undeclared) if result.nameless else set()
        return found

    def _file(self, path: str, addresses: set[Address]) -> _File:
        """Compare one file of the project with that of the commit, by their ids."""
        written = os.path.normpath(os.path.join(self.root, path))  # noqa: PTH118 - thousands of them
        name = self._name(written)
        content = _content(written) if name is not None else None
        if name is None or content is None or os.path.join(self.checkout.top, name) != written:  # noqa: PTH118 - as above
            return _File(addresses=addresses)
        entry = (self.tree or {}).get(name)
        same = entry is not None and blob_id(content, entry.oid) == entry.oid
        before = None if entry is None or same else entry.oid
        return _File(addresses=addresses, name=name, content=content, before=before, differs=not same)

    def _fetch(self, oids: Iterable[str | None]) -> None:
        """Read contents of the commit, all at once."""
        asked = {oid for oid in oids if oid is not None} - self.blobs.keys()
        found = self.git.contents(sorted(asked)) if asked else {}
        if found is None:
            raise ReconcilerError(f"{_OPTION}: a file of commit {self.base[:_SHORT]} cannot be read", hint=_DEEPER)
        self.blobs |= found

    def _changed_values(self) -> frozenset[str] | None:
        """Return the values that changed; None for any."""
        keys: frozenset[str] = frozenset()
        for file in self.project.values_files:
            content, name = _content(str(file)), self._name(str(file))
            if name is None or content is None:
                return None
            before = self._before(name, content)
            changed = changed_keys(before, content) if before != content else frozenset()
            if changed is None:
                return None
            keys |= changed
        return keys

    def _before(self, name: str, content: bytes) -> bytes | None:
        """Return what a file was; None where it did not exist. What has not changed is not read."""
        entry = (self.tree or {}).get(name)
        if entry is None or not entry.is_file:
            return None
        if blob_id(content, entry.oid) == entry.oid:
            return content
        self._fetch([entry.oid])
        return self.blobs[entry.oid]

    def _differs(self, place: str) -> bool:
        name, content = self._name(place), _content(place)
        return name is None or content is None or self._before(name, content) != content

    def _name(self, place: str) -> str | None:
        """Return the path of a file from the top of the repository; None if it is outside."""
        real, top = os.path.realpath(place), os.path.join(self.checkout.top, "")  # noqa: PTH118 - thousands of them
        return real.removeprefix(top) if real.startswith(top) else None

    def _is_manifest(self, name: str, *, folder: bool = False) -> bool:
        """Whether a path of the commit may be, or may lead to, a manifest of the project."""
        place = os.path.join(self.checkout.top, name)  # noqa: PTH118 - as above
        return (folder or name.lower().endswith(_ENDINGS)) and is_below(place, self.roots)


def _content(place: str) -> bytes | None:
    try:
        return read_regular(Path(place), MAX_BYTES + 1)[0]
    except OSError:
        return None
