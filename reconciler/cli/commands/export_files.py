"""Writing exported manifests into a folder: whole files, and existing work is overwritten only on demand."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler
from reconciler.cli.streams import utf8
from reconciler.errors import InvalidInput, OutputFailed, ReconcilerError
from reconciler.files import write_whole

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
        base = Path(os.path.realpath(project.root / os.path.expanduser(fixed)))  # noqa: PTH111 - keeps an unknown ~user
        if folder.is_relative_to(base) or base.is_relative_to(folder):
            return True
    return False


def check_folder(out: Path) -> None:
    """Raise OutputFailed now if no file can be made in a folder, which need not exist yet."""
    there = next((place for place in (out, *out.parents) if place.exists()), Path())
    reason = None if there.is_dir() else errno.ENOTDIR
    if reason is None and not os.access(there, os.W_OK | os.X_OK):
        reason = errno.EACCES
    if reason is not None:
        raise OutputFailed(f"cannot write {out}: {there}: {os.strerror(reason)}", hint="choose another --out")


def save(out: Path, items: Sequence[Exported], *, force: bool) -> tuple[list[str], int]:
    """Write each manifest to its file, whole or not at all; return the written files and the number of unchanged ones.

    InvalidInput names every file that has different content; then nothing is written.
    """
    files = [(out / item.path, item) for item in items]
    _refuse_links_out(out, files)
    present = {path: _content(path) for path, _ in files}
    conflicts = [
        reconciler.Problem(
            code="file-exists", summary=f"{path} already exists with different content", address=item.address
        )
        for path, item in files
        if present[path] not in {None, item.text}
    ]
    if conflicts and not force:
        hint = "compare them first (`reconciler export ADDRESS`); then use --force to replace them, or another --out"
        raise InvalidInput("refusing to overwrite existing files; nothing was written", conflicts, hint=hint)
    changed = [(path, item) for path, item in files if present[path] != item.text]
    for path, item in changed:
        _write(path, item.text)
    return [str(path) for path, _ in changed], len(files) - len(changed)


def _refuse_links_out(out: Path, files: Iterable[tuple[Path, Exported]]) -> None:
    """Raise InvalidInput for each file that is a symbolic link out of the folder: it is never written through."""
    inside = Path(os.path.realpath(out))
    problems = [
        reconciler.Problem(
            code="leads-out", summary=f"{path} is a symbolic link to a place outside {out}", address=item.address
        )
        for path, item in files
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside)
    ]
    if problems:
        hint = "remove the links, or choose another --out"
        raise InvalidInput("refusing to write outside the folder; nothing was written", problems, hint=hint)


def _content(path: Path) -> str | None:
    """Return a file's text, None where there is no such file; text that is not UTF-8 counts as different.

    So does all that is not a regular file: reading a pipe may never end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            return ""
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReconcilerError(f"cannot read {path}: {error.strerror}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, utf8(text))
    except OSError as error:
        raise OutputFailed(f"cannot write {path}: {error.strerror}") from None
