"""Paths to files: the paths that a user names become a sorted list of files to read."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct

from reconciler.folders import is_below
from reconciler.manifests.scalars import shown
from reconciler.manifests.walk import GLOB, Boundless, Search, fixed_part
from reconciler.model.nearest import nearest
from reconciler.model.objects import Problem, SourceRef
from reconciler.model.words import count, listed, plural
from reconciler.reach import Reach

STDIN = "-"
MAX_VISITED = 200_000
"""Maximum number of files and folders visited: more is a mistake, or links that multiply."""

_ANY = "x"
"""A name that stands for that of any file."""

_LISTED = 1_000
_SAME = 0.75
"""How similar two names of files are if one of them is misspelt."""

_NAMED = 5
"""How many files that are not read a message names."""

_SUBMODULE = re.compile(r'^\s*path\s*=\s*"?(.+?)"?\s*$', re.MULTILINE)


class Found(NamedTuple):
    """One input."""

    shown: str
    """Its name in messages."""
    file: str | None
    """Its path; None for standard input."""
    real: str = ""
    """Its real path, where `find` found it."""


class Findings(NamedTuple):
    """What paths name."""

    found: list[Found]
    problems: list[Problem]
    unread: list[Problem]
    """Warnings that name what is beside the manifests and is not read."""


class _Folder(NamedTuple):
    """A folder of files that are no links: what they have in common, computed once and not for each of thousands."""

    real: str
    shown: str
    own: bool
    """Whether no link leads to it."""

    @classmethod
    def of(cls, folder: str, name: Callable[[str], str], allowed: tuple[str, ...]) -> _Folder | None:
        """Return the folder; None where it is outside of the allowed ones."""
        real = os.path.realpath(folder)
        if not is_below(real, allowed):
            return None
        shown = name(os.path.join(folder, _ANY)).removesuffix(_ANY)
        return cls(os.path.join(real, ""), shown, os.path.abspath(folder) == real)


class _Finding(Struct):
    """The search for what the paths of one call name."""

    root: Path
    project_root: Path | None
    places: Mapping[str, SourceRef]
    reach: Reach | None
    left: int
    """How many files and folders all paths together may still visit."""
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    unread: list[Problem] = []
    hollow: dict[str, bool] = {}
    """The paths that name a folder without any manifest, and whether it contains nothing at all."""
    searches: list[tuple[str, Search]] = []

    def add(self, path: str) -> None:
        """Search one path."""
        refused = out_of_reach(path, self.root, self.reach, self.places.get(path))
        if refused is not None:
            self.problems.append(refused)
            return
        allowed = within(path, self.root, self.project_root)
        search = Search(allowed, os.path.abspath(self.project_root or self.root), self.left)
        try:
            files = search.files(path, self.root)
        except Boundless:
            first, self.left = self.left == MAX_VISITED, 0
            what = f"{path} contains more than {MAX_VISITED:,} files and folders"
            what += "" if first else ", together with the paths before it"
            self._problem("path-boundless", what, path, "use a folder with fewer files")
            return
        except RecursionError:
            self._problem("path-boundless", f"{path} matches folders that are nested too deeply", path)
            return
        self.left = search.left
        if files is None:
            what = f"{path} matches no file" if GLOB & set(path) else f"{path} does not exist"
            root = shown_path(self.root)
            hint = f"create it or correct the path, which is relative to {'this folder' if root == '.' else root}"
            near = None if GLOB & set(path) else _beside(path, self.root, allowed)
            self._problem("path-missing", what, path, f"did you mean {shown_path(near)}?" if near else hint)
            return
        name = shown_path if self.project_root is None else partial(project_name, root=self.project_root)
        outside = {self._shown(_link(link, allowed)) for link in search.outside}
        folders: dict[str, _Folder | None] = {}
        for file in files:
            index = file.rfind(os.sep) + 1
            start, base = file[:index], file[index:]
            if start not in folders:
                folders[start] = _Folder.of(start, name, allowed)
            folder = folders[start]
            if folder is not None and file not in search.links:
                real, own, shown_as = folder.real + base, folder.own, folder.shown + base
            else:
                real = os.path.realpath(file)
                if not is_below(real, allowed):
                    outside.add(self._shown(_link(file, allowed)))
                    continue
                own, shown_as = os.path.abspath(file) == real, name(file)
            if own or real not in self.found:  # its own name, where links lead to it too
                self.found[real] = Found(shown_as, file, real)
        self.problems += [leads_out(link, self.places.get(path)) for link in sorted(outside)]
        for unreachable, error in sorted(search.unreachable.items()):
            self._unreachable(unreachable, error, path)
        if not (files or outside or search.unreachable):
            self.hollow[path] = bool(search.empty) and not search.unread
        self.searches.append((path, search))

    def _unreachable(self, file: str, error: OSError, path: str) -> None:
        what = f"{self._shown(file)} cannot be read: {error.strerror or type(error).__name__}"
        gone = isinstance(error, FileNotFoundError) and os.path.islink(file)
        hint = "it is a symbolic link that leads nowhere: remove it, or restore its target" if gone else None
        self._problem("unreadable-path", what, path, hint)

    def _not_read(self, path: str, search: Search) -> None:
        """Name the submodules that were not fetched, and what is not read."""
        unread = [file for file in search.unread if os.path.realpath(file) not in self.found]  # another path may do so
        missing = _submodules(self.project_root or self.root) if search.empty else frozenset()
        for folder, notable in search.empty.items():
            if os.path.realpath(folder) in missing:
                what = f"{self._shown(folder)} is a Git submodule that was not fetched; expected its files"
                self._problem("path-empty", what, path, "run: git submodule update --init --recursive")
                self.hollow.pop(path, None)
            elif notable and path not in self.hollow:
                unread.append(os.path.join(folder, ""))
        if unread:
            names = sorted({self._shown(each) + ("/" if each.endswith("/") else "") for each in unread})
            noun = ("file or folder", "files or folders") if any(each.endswith("/") for each in names) else ("file",)
            verb = plural(len(names), "was", "were")
            what = f"{count(len(names), *noun)} in {path} {verb} not read: {listed(names, _NAMED)}"
            hint = "only .yaml, .yml and .json files are read, and no hidden or empty ones: rename or move the others"
            if GLOB & set(path):
                hint = "only what the path matches is read: rename or move the others, or name them in spec.manifests"
            self._warning("files-not-read", what, path, hint)

    def finish(self) -> Findings:
        """Report the folders without any manifest: beside others, one that contains nothing is a mistake."""
        for path, search in self.searches:
            self._not_read(path, search)
        for path, empty in self.hollow.items():
            if empty and self.found:
                what = f"{path} is an empty folder; expected manifests"
                self._problem("path-empty", what, path, "restore its files, or remove it from spec.manifests")
            else:
                self._warning("path-empty", f"{path} contains no manifests", path)
        ordered = sorted(self.found.values(), key=lambda each: (each.file is not None, each.shown))
        return Findings(ordered, self.problems, self.unread)

    def _problem(self, code: str, summary: str, path: str, hint: str | None = None) -> None:
        self.problems.append(Problem(code=code, summary=summary, hint=hint, where=self.places.get(path)))

    def _warning(self, code: str, summary: str, path: str, hint: str | None = None) -> None:
        place = self.places.get(path)
        self.unread.append(Problem(code=code, summary=summary, hint=hint, severity="warning", where=place))

    def _shown(self, path: str) -> str:
        return (
            shown_path(path) if self.project_root is None else os.path.relpath(os.path.abspath(path), self.project_root)
        )


def _beside(path: str, root: Path, allowed: tuple[str, ...]) -> str | None:
    """Return the path with a similar name in the same folder; None where there is none, or the folder leads outside."""
    folder, name = os.path.split(os.path.normpath(path))
    try:
        if not is_below(os.path.realpath(root / folder), allowed):
            return None
        with os.scandir(root / folder) as entries:
            near = nearest(name, [entry.name for entry in islice(entries, _LISTED)], closeness=_SAME)
    except (OSError, ValueError):
        return None
    return None if near is None else os.path.join(folder, near)


def find(
    paths: Sequence[str],
    *,
    root: Path,
    project_root: Path | None = None,
    places: Mapping[str, SourceRef] = MappingProxyType({}),
    reach: Reach | None = None,
) -> Findings:
    """Return the files that `paths` name, each once, relative paths starting at `root`.

    A folder means all its YAML and JSON files, recursively, without hidden ones; linked folders of the project are
    followed. What cannot be reached is a problem: a path that matches nothing, a folder that cannot be listed, a
    symbolic link that leads nowhere or out of the project. What is beside the manifests and not read is a warning. In
    a project, names start at its folder, so that a plan is the same on every machine. `places` are the places where
    the paths were written; those outside of `reach` are refused.
    """
    finding = _Finding(root, project_root, places, reach, MAX_VISITED)
    for path in dict.fromkeys(paths):
        if path == STDIN:
            finding.found.setdefault(STDIN, Found("<stdin>", None))
        else:
            finding.add(path)
    return finding.finish()


def _submodules(root: Path) -> frozenset[str]:
    """Return the real folders of the Git submodules of the repository that contains `root`."""
    here = Path(os.path.realpath(root))
    for folder in (here, *here.parents):
        try:
            text = (folder / ".gitmodules").read_text(encoding="utf-8", errors="replace")
        except OSError:
            if (folder / ".git").exists():
                break
            continue
        return frozenset(os.path.realpath(folder / path) for path in _SUBMODULE.findall(text))
    return frozenset()


def within(path: str, root: Path, project_root: Path | None) -> tuple[str, ...]:
    """Return the real folders in which the files of a path may be: the project, or what the path names outside of it.

    Otherwise a pull request could replace a folder of manifests by a link, and a runner would read any file of its
    machine and quote it in messages.
    """
    own = os.path.abspath(project_root or root)  # also takes `..` as it is written
    if "\0" in path:
        return (os.path.realpath(own),)
    whole = os.path.abspath(fixed_part(path, root))
    return (os.path.realpath(own),) if is_below(whole, (own,)) else (os.path.realpath(own), os.path.realpath(whole))


def out_of_reach(path: str, root: Path, reach: Reach | None, where: SourceRef | None) -> Problem | None:
    """Return the problem of a path that a project file must not name; it does not say whether anything is there.

    A link inside of the project is not followed out of it anyway, which another problem says.
    """
    if reach is None or "\0" in path:
        return None
    fixed = fixed_part(path, root)
    whole = os.path.abspath(fixed)
    own = os.path.abspath(root)
    if (is_below(whole, (own,)) and reach.contains(own)) or (reach.contains(fixed) and reach.contains(whole)):
        return None
    summary = f"{shown(path)} is outside the {reach.noun}; expected a path inside it"
    hint = f"to read it anyway: --allow-path {shlex.quote(whole)}"
    return Problem(code="path-outside", summary=summary, hint=hint, where=where)


def leads_out(link: str, where: SourceRef | None) -> Problem:
    """Return the problem of a symbolic link that leads out of the project; it does not say where the link leads."""
    summary = f"{link} is a symbolic link to a place outside the project; expected a file in the project"
    hint = "move the file into the project, or add its real path to the project file"
    return Problem(code="path-outside", summary=summary, hint=hint, where=where)


def project_name(path: Path | str, root: Path) -> str:
    """Return the name of a file in the project at `root`: its path from there, if it is inside."""
    given, text, folder = os.fspath(path), os.path.normpath(path), os.path.normpath(root)
    if given.startswith(os.path.join(root, "")):  # also where `..` leads out again
        return os.path.relpath(text, folder)
    folder = os.path.join(folder, "")
    if not text.startswith(folder):
        # One of the two may have been reached through a link.
        real, folder = os.path.realpath(path), os.path.join(os.path.realpath(root), "")
        text = real if real.startswith(folder) else text
    return text.removeprefix(folder)


def shown_path(path: Path | str) -> str:
    """Return a path for messages: relative to the current folder if it is below it."""
    text = os.path.normpath(path)
    try:
        here = os.getcwd() + os.sep  # string work: this runs for each of thousands of files
    except OSError:  # the current folder was deleted
        return text
    return text.removeprefix(here) if text != here.rstrip(os.sep) else "."


def _link(file: str, allowed: tuple[str, ...]) -> str:
    """Return the link that leads out. What is behind it is not named."""
    link = file
    for parent in map(str, Path(file).parents):
        if is_below(os.path.realpath(parent), allowed):
            break
        link = parent
    return link
