"""Putting exported manifests into a folder: whole files, and never over somebody's work unless told to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.model.objects import Problem

if TYPE_CHECKING:
    from reconciler import Declared
    from reconciler.engine.export import Choice
    from reconciler.operations.export import Exported
    from reconciler.settings import Project


def elsewhere(
    project: Project, declared: Declared, items: Iterable[Exported], out: Path, choice: Choice
) -> dict[str, str]:
    """Return the objects, by address, that another file of the project declares, with that file.

    Writing them would declare them twice, if the folder is one that the project reads. What an ADDRESS names is
    written all the same.
    """
    if not _read_by(project, out):
        return {}
    found = {}
    for item in items:
        wanted = declared.desired.get(item.address)
        if wanted is None or choice.names(item.address):
            continue
        there = os.path.realpath(project.root / wanted.source.path)
        if there != os.path.realpath(out / item.path):
            found[str(item.address)] = wanted.source.path
    return found


def _read_by(project: Project, out: Path) -> bool:
    """Whether the project's manifests include files in a folder, as far as its paths say; a glob may."""
    folder = Path(os.path.realpath(out))
    for entry in project.manifests:
        fixed = Path(entry[: min((entry.find(char) for char in "*?[" if char in entry), default=len(entry))])
        base = Path(os.path.realpath(project.root / fixed.expanduser()))
        if folder.is_relative_to(base) or base.is_relative_to(folder):
            return True
    return False


def save(out: Path, items: Sequence[Exported], *, force: bool) -> tuple[list[str], int]:
    """Write each manifest to its file, whole or not at all; return the files written and how many were as they are.

    InvalidInput names every file that has another content; then nothing is written.
    """
    files = [(out / item.path, item) for item in items]
    present = {path: _content(path) for path, _ in files}
    in_the_way = [
        Problem(code="file-exists", summary=f"{path} has another content", address=item.address)
        for path, item in files
        if present[path] not in {None, item.text}
    ]
    if in_the_way and not force:
        hint = "compare first (reconciler export ADDRESS), then --force to replace the files, or another --out"
        raise InvalidInput("files stand in the way; nothing was written", in_the_way, hint=hint)
    changed = [(path, item) for path, item in files if present[path] != item.text]
    for path, item in changed:
        _write(path, item.text)
    return [str(path) for path, _ in changed], len(files) - len(changed)


def _content(path: Path) -> str | None:
    """Return a file's text, None where there is no such file; text that is not UTF-8 is another content."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(text.encode("utf-8"))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ReconcilerError(f"cannot write {path}: {error.strerror}") from None
