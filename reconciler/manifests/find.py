"""Paths to files: the paths that a user names become a sorted list of files to read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType

from reconciler.model.objects import Problem, SourceRef

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"
MAX_VISITED = 200_000
"""Maximum number of files and folders visited for one path: more is a mistake, or links that multiply."""

_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """One input."""

    shown: str
    """Its name in messages."""
    file: Path | None
    """None for standard input."""


class _Boundless(Exception):
    """A path names more files and folders than are searched."""


@dataclass(slots=True)
class _Search:
    """One search for files."""

    allowed: tuple[str, ...]
    """The folders in which the real files may be."""
    left: int
    """How many entries it may still visit."""

    def visit(self, number: int = 1) -> None:
        """Count entries of a folder; _Boundless if there are too many."""
        self.left -= number
        if self.left < 0:
            raise _Boundless

    def may_enter(self, folder: str) -> bool:
        """Whether a linked folder is allowed and does not contain the current one: links can form a circle."""
        real, here = os.path.realpath(folder), os.path.realpath(os.path.dirname(folder))
        return is_below(real, self.allowed) and not is_below(here, (real,))


def find(
    paths: Sequence[str],
    *,
    root: Path,
    project_root: Path | None = None,
    places: Mapping[str, SourceRef] = MappingProxyType({}),
) -> tuple[list[Found], list[Problem]]:
    """Return the files that `paths` name, each once, relative paths starting at `root`.

    A folder means all its YAML and JSON files, recursively, without hidden ones.
    A file or glob that matches nothing is a problem, and so is a symbolic link that leads out of the project. In a
    project, names start at its folder, so that a plan is the same on every machine. `places` are the places where the
    paths were written.
    """
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    name = shown_path if project_root is None else partial(project_name, root=project_root)
    for path in paths:
        if path == STDIN:
            found.setdefault(STDIN, Found("<stdin>", None))
            continue
        allowed = within(path, root, project_root)
        try:
            files = _files(path, root, _Search(allowed, MAX_VISITED))
        except _Boundless:
            summary = f"{path} contains more than {MAX_VISITED:,} files and folders"
            hint = "use a folder with fewer files"
            problems.append(Problem(code="path-boundless", summary=summary, hint=hint, where=places.get(path)))
            continue
        if files is None:
            summary = f"{path} matches no file" if _GLOB & set(path) else f"{path} does not exist"
            hint = f"paths are relative to {shown_path(root)}"
            problems.append(Problem(code="path-missing", summary=summary, hint=hint, where=places.get(path)))
            continue
        outside = set()
        for file in files:
            real = os.path.realpath(file)
            if is_below(real, allowed):
                found.setdefault(real, Found(name(file), Path(file)))
            else:
                outside.add(_link(file, allowed))
        for link in sorted(outside):
            shown = shown_path(link) if project_root is None else os.path.relpath(os.path.abspath(link), project_root)
            problems.append(leads_out(shown, places.get(path)))
    return sorted(found.values(), key=lambda each: (each.file is not None, each.shown)), problems


def within(path: str, root: Path, project_root: Path | None) -> tuple[str, ...]:
    """Return the real folders in which the files of a path may be: the project, or what the path names outside of it.

    Otherwise a pull request could replace a folder of manifests by a link, and a runner would read any file of its
    machine and quote it in messages.
    """
    own = os.path.abspath(project_root or root)  # also takes `..` as it is written
    if "\0" in path:
        return (os.path.realpath(own),)
    whole = os.path.abspath(_fixed(path, root))
    return (os.path.realpath(own),) if is_below(whole, (own,)) else (os.path.realpath(own), os.path.realpath(whole))


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of some folders or inside one."""
    return any(path == folder or path.startswith(os.path.join(folder, "")) for folder in folders)


def leads_out(shown: str, where: SourceRef | None) -> Problem:
    """Return the problem of a symbolic link that leads out of the project; it does not say where the link leads."""
    summary = f"{shown} is a symbolic link to a place outside the project; expected a file in the project"
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
    here = os.getcwd() + os.sep  # string work: this runs for each of thousands of files
    return text.removeprefix(here) if text != here.rstrip(os.sep) else "."


def _link(file: str, allowed: tuple[str, ...]) -> str:
    """Return the link that leads out. What is behind it is not named."""
    link = file
    for parent in map(str, Path(file).parents):
        if is_below(os.path.realpath(parent), allowed):
            break
        link = parent
    return link


def _fixed(path: str, root: Path) -> str:
    """Return the part of a path before its first pattern, from `root`."""
    whole = os.path.join(root, Path(path).expanduser())  # keeps `..` and symbolic links as given
    if os.path.lexists(whole) or not _GLOB & set(path):
        return whole
    return os.path.join(root, *takewhile(lambda step: not _GLOB & set(step), Path(path).parts))


def _files(path: str, root: Path, search: _Search) -> list[str] | None:
    if "\0" in path:
        return None
    whole = os.path.join(root, Path(path).expanduser())  # keeps `..` and symbolic links as given
    if os.path.isdir(whole):
        return list(_walk(whole, search))
    if os.path.lexists(whole):
        return [whole]
    if not _GLOB & set(path):
        return None
    steps = Path(path).parts
    fixed = len(list(takewhile(lambda step: not _GLOB & set(step), steps)))
    matches: list[str] = []
    for match in _matching(_fixed(path, root), steps[fixed:], search):
        if os.path.isdir(match):
            # `**` matches every folder and every file; files are added by their own match.
            matches += [] if "**" in path else _walk(match, search)
        elif match.endswith(SUFFIXES):
            matches.append(match)
    return matches or None


def _matching(place: str, steps: Sequence[str], search: _Search) -> Iterator[str]:
    """Yield what the steps of a pattern match below a folder; hidden names only if they are written out.

    Python's own `glob` cannot be stopped: a few links that lead back make it visit more than any disk holds.
    """
    if not steps:
        yield place
        return
    step, rest = steps[0], steps[1:]
    if step == "**":
        yield from _matching(place, rest, search) if rest else ()
    elif not _GLOB & set(step):
        search.visit()
        named = os.path.join(place, step)
        yield from _matching(named, rest, search) if os.path.lexists(named) else ()
        return
    for name, is_folder, is_link in _entries(place, search):
        if name.startswith(".") and not step.startswith("."):
            continue
        inner = os.path.join(place, name)
        if step != "**":
            yield from _matching(inner, rest, search) if fnmatchcase(name, step) else ()
        elif is_folder and (not is_link or search.may_enter(inner)):
            yield from _matching(inner, steps, search)
        elif not is_folder and not rest:
            yield inner


def _entries(folder: str, search: _Search) -> list[tuple[str, bool, bool]]:
    """Return (name, is it a folder, is it a link) for the entries of a folder; nothing if it cannot be read."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                search.visit()
                # The entry's own `is_dir` fails on a link to itself.
                found.append((entry.name, os.path.isdir(entry.path), entry.is_symlink()))
    except OSError:
        return []
    return sorted(found)


def _walk(folder: str, search: _Search) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        search.visit(len(folders) + len(files))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(parent, name)
            if name.startswith(".") or not name.endswith(SUFFIXES):
                continue
            if os.path.isfile(file) or not os.path.exists(file):
                # A link to nowhere is kept, to be reported; a pipe or device would block.
                yield file
