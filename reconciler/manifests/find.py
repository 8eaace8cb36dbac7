"""Paths to files: what a user names becomes a sorted list of files to read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from reconciler.model.objects import Problem, SourceRef

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """One input: a file, or standard input where `file` is None; `shown` is its name in messages."""

    shown: str
    file: Path | None


def find(
    paths: Sequence[str],
    *,
    root: Path,
    project_root: Path | None = None,
    places: Mapping[str, SourceRef] = MappingProxyType({}),
) -> tuple[list[Found], list[Problem]]:
    """Return the files that `paths` name, each once, relative paths starting at `root`.

    A folder gives all its YAML and JSON files, recursively, without hidden ones; an empty folder gives
    none. A file or glob that matches nothing is a problem. In a project, names start at its folder: the
    plan holds them, and it is to be the same wherever it is made. `places` say where a path was written.
    """
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    name = shown_path if project_root is None else partial(project_name, root=project_root)
    for path in paths:
        if path == STDIN:
            found.setdefault(STDIN, Found("<stdin>", None))
            continue
        files = _files(path, root)
        if files is None:
            summary = f"{path} matches no file" if _GLOB & set(path) else f"{path} does not exist"
            hint = f"paths are relative to {shown_path(root)}"
            problems.append(Problem(code="path-missing", summary=summary, hint=hint, where=places.get(path)))
            continue
        for file in files:
            found.setdefault(os.path.realpath(file), Found(name(file), Path(file)))
    return sorted(found.values(), key=lambda each: (each.file is not None, each.shown)), problems


def project_name(path: Path | str, root: Path) -> str:
    """Return a file's name in the project at `root`: its path from there, unless it lies elsewhere and was named so."""
    given, text, folder = os.fspath(path), os.path.normpath(path), os.path.normpath(root)
    if given.startswith(os.path.join(root, "")):  # noqa: PTH118 - also where `..` leads out again
        return os.path.relpath(text, folder)
    folder = os.path.join(folder, "")  # noqa: PTH118
    if not text.startswith(folder):
        # One of both may have been reached by a link.
        real, folder = os.path.realpath(path), os.path.join(os.path.realpath(root), "")  # noqa: PTH118
        text = real if real.startswith(folder) else text
    return text.removeprefix(folder)


def shown_path(path: Path | str) -> str:
    """Return a path as messages name it: relative to the current folder where it is below it."""
    text = os.path.normpath(path)
    here = os.getcwd() + os.sep  # noqa: PTH109 - string work: this runs for each of thousands of files
    return text.removeprefix(here) if text != here.rstrip(os.sep) else "."


def _files(path: str, root: Path) -> list[str] | None:
    if "\0" in path:
        return None
    whole = os.path.join(root, Path(path).expanduser())  # noqa: PTH118 - keeps `..` and symbolic links as given
    if os.path.isdir(whole):  # noqa: PTH112
        return list(_walk(whole))
    if os.path.lexists(whole):
        return [whole]
    if not _GLOB & set(path):
        return None
    pattern = path if Path(path).is_absolute() else os.path.join(glob.escape(str(root)), path)  # noqa: PTH118
    matches: list[str] = []
    for match in glob.glob(pattern, recursive=True):  # noqa: PTH207 - Path.glob takes hidden files along
        if os.path.isdir(match):  # noqa: PTH112
            # `**` names every folder and every file in it; files are taken by their own match.
            matches += [] if "**" in path else _walk(match)
        elif match.endswith(SUFFIXES):
            matches.append(match)
    return matches or None


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(parent, name)  # noqa: PTH118 - thousands of files
            if name.startswith(".") or not name.endswith(SUFFIXES):
                continue
            if os.path.isfile(file) or not os.path.exists(file):  # noqa: PTH110, PTH113
                # A link to nowhere is kept, to be reported; a pipe or device would block.
                yield file
