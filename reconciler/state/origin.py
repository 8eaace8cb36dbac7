"""Where the file of a state comes from: one that came with the checkout is a claim, not a record.

The author of a pull request could otherwise name any live object as managed.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.errors import ReconcilerError

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite reads of a database."""

_LARGEST = 512 * 1024 * 1024
"""Maximum size in bytes of an index of Git."""

_ENTRY = 40
"""Bytes of an entry of the index before its object id."""

_IDS = (20, 32)
"""Sizes of an object id: SHA-1, SHA-256."""

_COMPRESSED = 4
"""The version of an index whose names only state how they differ from the one before."""

_EXTENDED = 0x4000
_LONG = 0x0FFF


def check(file: Path, root: Path | None) -> None:
    """Raise ReconcilerError where a state, or a file that SQLite reads with it, came with a checkout.

    `root` is the folder of the project. A path that leads out of it is the user's choice only if it is spelled so.
    """
    with suppress(OSError):  # it is not there, or opening it says why it cannot be read
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ReconcilerError(f"state {file} is not a regular file", hint="set spec.state to the path of a file")
    check_inside(file, root, hint=f"if it leads to your state, write its own path: state: sqlite:///{_real(file)}")
    for suffix in _BESIDE:
        part = file.with_name(file.name + suffix)
        if suffix and _is_link(part):
            raise ReconcilerError(f"state {part} is a symbolic link", hint="remove it: SQLite never makes one")
        if os.path.lexists(part) and is_tracked(part):
            message = f"state {part} is tracked by Git, so a pull request can change what is managed"
            hint = (
                "remove it from the repository, not from the disk (git rm --cached); keep the state of a team in "
                "PostgreSQL (state: postgresql://USER@HOST/DATABASE), that of one runner in a file that Git ignores"
            )
            raise ReconcilerError(message, hint=hint)


def _is_link(part: Path) -> bool:
    with suppress(OSError):  # it cannot be seen: opening it says so
        return part.is_symlink()
    return False


def check_inside(path: Path, root: Path | None, *, hint: str) -> None:
    """Raise ReconcilerError for a path inside the project that a symbolic link leads out of it."""
    if root is None:
        return
    for base in (root, *(folder for folder in root.parents if os.path.lexists(folder / ".git"))):
        if Path(os.path.normpath(path)).is_relative_to(base):
            if not Path(_real(path)).is_relative_to(_real(base)):
                message = f"{path} leads out of the project through a symbolic link: {_real(path)}"
                raise ReconcilerError(message, hint=hint)
            return


def is_tracked(file: Path) -> bool:
    """Return whether a file is part of a Git repository, as its index says.

    Git itself is not run: the settings of a repository can name programs that it starts.
    """
    real = Path(_real(file))
    return any(
        _plain(real.relative_to(folder).as_posix().encode()) in map(_plain, _names(index, real.name.encode()))
        for folder in real.parents
        for index in _indexes(folder / ".git")
    )


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _plain(name: bytes) -> str:
    """Return a name as a file system compares it that ignores case."""
    return unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")).casefold()


def _indexes(git: Path) -> Iterator[bytes]:
    """Return the index of a working tree, and the one that it shares parts of with others."""
    try:
        if git.is_file():  # a worktree or a submodule
            stated = git.read_text(encoding="utf-8", errors="surrogateescape").partition("gitdir:")[2].strip()
            git = git.parent / stated
        for index in (git / "index", *git.glob("sharedindex.*")):
            if index.is_file() and index.stat().st_size <= _LARGEST:
                yield index.read_bytes()
    except (OSError, ValueError):
        return


def _names(index: bytes, sought: bytes) -> Iterator[bytes]:
    """Return the names of an index; none where `sought`, the end of the one that is looked for, is not in it."""
    compressed = int.from_bytes(index[4:8], "big") == _COMPRESSED
    if index[:4] != b"DIRC" or (not compressed and sought.isascii() and sought.lower() not in index.lower()):
        return
    for size in _IDS:
        names: list[bytes] = []
        with suppress(IndexError):  # it ends too early
            names = list(_entries(index, size, compressed=compressed))
        if len(names) == int.from_bytes(index[8:12], "big"):
            yield from names
            return


def _entries(index: bytes, size: int, *, compressed: bool) -> Iterator[bytes]:
    """Return the names of entries whose object ids have a size; fewer than there are where they have another."""
    place, name = 12, b""
    for _ in range(int.from_bytes(index[8:12], "big")):
        flags = int.from_bytes(index[place + _ENTRY + size : place + _ENTRY + size + 2], "big")
        start = place + _ENTRY + size + (4 if flags & _EXTENDED else 2)
        if compressed:
            removed, start = _number(index, start)
            end = index.find(b"\0", start)
            name = name[: len(name) - removed] + index[start:end]
            place = end + 1
        else:
            end = index.find(b"\0", start)
            name = index[start:end]
            place += (end - place + 8) // 8 * 8
        if end < 0 or flags & _LONG != min(len(name), _LONG):
            return
        yield name


def _number(index: bytes, start: int) -> tuple[int, int]:
    """Return a number of variable length and the place after it."""
    value = index[start] & 0x7F
    while index[start] & 0x80:
        start += 1
        value = ((value + 1) << 7) | (index[start] & 0x7F)
    return value, start + 1
