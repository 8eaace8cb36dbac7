"""Writing exported manifests into a folder: whole files, and existing work is overwritten only on demand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.files import write_whole
from reconciler.model.objects import Problem

if TYPE_CHECKING:
    from reconciler import Declared, Project
    from reconciler.engine.export import Choice
    from reconciler.operations.export import Exported


def elsewhere(
    project: Project, declared: Declared, items: Iterable[Exported], out: Path, choice: Choice
) -> dict[str, str]:
    """Return the objects, by address, that another file of the project declares, with that file.

    Writing them would declare them twice, if the project reads the folder. What an ADDRESS names is still written.
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
    """Whether the project may read manifests in a folder: a glob counts as if it did."""
    folder = Path(os.path.realpath(out))
    for entry in project.manifests:
        fixed = Path(entry[: min((entry.find(char) for char in "*?[" if char in entry), default=len(entry))])
        base = Path(os.path.realpath(project.root / fixed.expanduser()))
        if folder.is_relative_to(base) or base.is_relative_to(folder):
            return True
    return False


def save(out: Path, items: Sequence[Exported], *, force: bool) -> tuple[list[str], int]:
    """Write each manifest to its file, whole or not at all; return the written files and the number of unchanged ones.

    InvalidInput names every file that has different content; then nothing is written.
    """
    files = [(out / item.path, item) for item in items]
    present = {path: _content(path) for path, _ in files}
    conflicts = [
        Problem(code="file-exists", summary=f"{path} already exists with different content", address=item.address)
        for path, item in files
        if present[path] not in {None, item.text}
    ]
    if conflicts and not force:
        hint = "compare them first (reconciler export ADDRESS); then use --force to replace the files, or another --out"
        raise InvalidInput("refusing to overwrite existing files; nothing was written", conflicts, hint=hint)
    changed = [(path, item) for path, item in files if present[path] != item.text]
    for path, item in changed:
        _write(path, item.text)
    return [str(path) for path, _ in changed], len(files) - len(changed)


def _content(path: Path) -> str | None:
    """Return a file's text, None where there is no such file; text that is not UTF-8 counts as different."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode("utf-8"), follow_link=False)
    except OSError as error:
        raise ReconcilerError(f"cannot write {path}: {error.strerror}") from None
