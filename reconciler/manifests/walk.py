"""Below one path: the files to read, what is left out beside them, and what cannot be reached.

Nothing is passed over in silence: an object whose manifest was not read would be deleted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from msgspec import Struct

from reconciler.folders import is_below

SUFFIXES = (".yaml", ".yml", ".json")
GLOB = frozenset("*?[")
_YAML = (".yaml", ".yml")
_NOTES = (".md", "thumbs.db")
"""Endings of files of notes that people keep beside manifests."""


class Boundless(Exception):
    """A path names more files and folders than are searched."""


class Search(Struct):
    """One search for files."""

    allowed: tuple[str, ...]
    """The folders in which the real files may be."""
    top: str
    """The folder of the project, which holds other files than manifests."""
    left: int
    """How many entries it may still visit."""
    unread: list[str] = []
    """What lies beside the manifests and is not read; a folder ends in a slash."""
    empty: dict[str, bool] = {}
    """Folders without any entry, and whether that is worth a word: a Git submodule that was not fetched looks so."""
    unreachable: dict[str, OSError] = {}
    """What cannot be read, with the reason."""
    outside: set[str] = set()
    """Links that lead out of the allowed folders."""
    links: set[str] = set()
    """Files that are links, or may be: any other file really is where its folder is."""
    looked: set[str] = set()
    """Folders that were searched, and what a path names: where one changes, there may be other files."""
    _entered: set[tuple[str, tuple[str, ...]]] = set()

    def files(self, path: str, root: Path) -> list[str] | None:
        """Return the files that a path names; None if there is nothing."""
        if "\0" in path:
            return None
        whole = os.path.join(root, os.path.expanduser(path))  # keeps `..` and symbolic links as given
        if self._leads_out(fixed_part(path, root)):
            return []
        is_folder = self._is_folder(whole, expected=False)
        if is_folder is None and whole in self.unreachable:
            return []
        if is_folder is not None:
            self.links.add(whole)
            return list(self._walk(whole)) if is_folder else [whole]
        if not GLOB & set(path):
            return None
        matches: list[str] = []
        for match in self._matching(fixed_part(path, root), _pattern(path)):
            if self._is_folder(match):
                # `**` matches every folder and every file; files are added by their own match.
                matches += [] if "**" in path else self._walk(match)
            elif match.lower().endswith(SUFFIXES):
                matches.append(match)
            else:
                self._leave_out(match)
        return matches or ([] if self.unreachable or self.outside else None)

    def _leads_out(self, path: str) -> bool:
        """Whether a path leads out of the allowed folders, which is noted: nothing there is listed."""
        self.looked.add(path)
        if is_below(os.path.realpath(path), self.allowed):
            return False
        self.outside.add(path)
        return True

    def _visit(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Boundless

    def _is_folder(self, path: str, *, expected: bool = True) -> bool | None:
        """Whether there is a folder or something else; None if nothing can be found there, which is noted.

        Nothing at all is noted only where it was `expected`.
        """
        self.looked.add(path)
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError) as error:
            if expected or os.path.islink(path):
                self.unreachable.setdefault(path, error)
        except OSError as error:
            self.unreachable.setdefault(path, error)
        return None

    def _linked(self, link: str) -> bool | None:
        """Note a link, and say whether it leads to a folder, as `_is_folder` does."""
        self.links.add(link)
        return self._is_folder(link)

    def _may_enter(self, folder: str, steps: tuple[str, ...] = ()) -> bool:
        """Whether a linked folder is inside and new: links can form a circle, and two can lead to one folder."""
        real, here = os.path.realpath(folder), os.path.realpath(os.path.dirname(folder))
        if not is_below(real, self.allowed):
            self.outside.add(folder)
            return False
        if is_below(here, (real,)) or (real, steps) in self._entered:
            return False
        self._entered.add((real, steps))
        return True

    def _entries(self, folder: str) -> list[tuple[str, bool | None, bool]]:
        """Return (name, whether it is a folder, whether it is a link) for what a folder contains, sorted."""
        found: list[tuple[str, bool | None, bool]] = []
        self.looked.add(folder)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._visit()
                    link = entry.is_symlink()
                    found.append((entry.name, None if link else entry.is_dir(follow_symlinks=False), link))
        except OSError as error:
            self.unreachable[folder] = error
            return []
        if not found:
            self.empty[folder] = os.path.dirname(os.path.normpath(folder)) != self.top
        return sorted(found, key=lambda entry: entry[0])

    def _walk(self, folder: str) -> Iterator[str]:
        self._entered.add((os.path.realpath(folder), ()))
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            start = os.path.join(here, "")
            for name, is_folder, is_link in self._entries(here):
                path = start + name
                if name.startswith("."):
                    self._leave_out(path)
                    continue
                # A link to nowhere is noted here; a pipe or device is found out when it is read, without waiting.
                kind = self._linked(path) if is_link else is_folder
                if kind:
                    waiting += [path] if not is_link or self._may_enter(path) else []
                elif kind is not None and name.lower().endswith(SUFFIXES):
                    yield path
                elif kind is not None:
                    self._leave_out(path)

    def _matching(self, place: str, steps: tuple[str, ...]) -> Iterator[str]:
        """Yield what the steps of a pattern match below a folder; hidden names only if they are written out.

        Python's own `glob` cannot be stopped: a few links that lead back make it visit more than any disk holds.
        It also says nothing of a folder that it cannot read.
        """
        if not steps:
            yield place
            return
        step, rest = steps[0], steps[1:]
        if step == "**":
            yield from self._matching(place, rest) if rest else ()
        elif not GLOB & set(step):
            yield from self._named(os.path.join(place, step), rest)
            return
        if not self._is_folder(place, expected=False):
            return
        for name, is_folder, is_link in self._entries(place):
            inner = os.path.join(place, name)
            fits = step == "**" or fnmatchcase(name.lower(), step.lower())
            if not fits or (name.startswith(".") and not step.startswith(".")):
                if not rest and (fits or (_fits_otherwise(name, step) and not os.path.isdir(inner))):
                    self._leave_out(inner)
                continue
            kind = self._linked(inner) if is_link else is_folder
            if kind and is_link and not self._may_enter(inner, steps):
                continue
            if step != "**":
                yield from self._matching(inner, rest) if kind is not None and (kind or not rest) else ()
            elif kind:
                yield from self._matching(inner, steps)
            elif kind is not None and not rest:
                yield inner

    def _named(self, path: str, rest: tuple[str, ...]) -> Iterator[str]:
        """Yield what the rest of a pattern matches below a name that is written out, which may be `..` or a link."""
        self._visit()
        self.links.add(path)
        if not self._leads_out(path) and self._is_folder(path, expected=False) is not None:
            yield from self._matching(path, rest)

    def _leave_out(self, path: str) -> None:
        """Note what is not read, unless it is certainly no manifest."""
        folder, name = os.path.split(os.path.normpath(path))
        alike = any(suffix in name.lower() for suffix in SUFFIXES)
        if os.path.isdir(path):
            if name != ".git" and folder != self.top and _holds_yaml(path):
                self.unread.append(os.path.join(path, ""))
        elif alike or not (name.startswith(".") or name.lower().endswith(_NOTES) or folder == self.top):
            self.unread.append(path)


def _fits_otherwise(name: str, step: str) -> bool:
    """Whether only its ending keeps a file from what a pattern such as `*.yaml` matches."""
    ending = os.path.splitext(step.lower())[1]
    return ending in SUFFIXES and fnmatchcase(os.path.splitext(name.lower())[0] + ending, step.lower())


def _holds_yaml(folder: str) -> bool:
    try:
        return any(name.lower().endswith(_YAML) for name in os.listdir(folder))
    except OSError:
        return False


def _pattern(path: str) -> tuple[str, ...]:
    """Return the steps of a path from its first pattern on."""
    steps = Path(path).parts
    return steps[len(list(takewhile(lambda step: not GLOB & set(step), steps))) :]


def fixed_part(path: str, root: Path) -> str:
    """Return the part of a path before its first pattern, from `root`."""
    whole = os.path.join(root, os.path.expanduser(path))
    if os.path.lexists(whole) or not GLOB & set(path):
        return whole
    steps: Sequence[str] = Path(os.path.expanduser(path)).parts
    return os.path.join(root, *takewhile(lambda step: not GLOB & set(step), steps))
