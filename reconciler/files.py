"""Files: reading a file that this program did not write, and writing a file completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PASSED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell passes an open pipe: `validate <(jsonnet …)`."""


def read_regular(path: Path | str, limit: int) -> tuple[bytes, int]:
    """Return at most `limit` bytes of a file, and its mode.

    OSError for a folder, a device or a pipe: opening or reading one may never end. A pipe that the shell passed is
    read.
    """
    passed = os.fspath(path).startswith(_PASSED)
    # Without O_NONBLOCK, opening a pipe waits until another program writes to it.
    flags = os.O_RDONLY if passed else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or (passed and stat.S_ISFIFO(mode))):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return file.read(limit), mode


def write_whole(
    path: Path, content: bytes, *, private: bool = False, durable: bool = False, follow_link: bool = True
) -> None:
    """Write a file whole or not at all; OSError if it cannot be written.

    A device or pipe (`/dev/null`) is written to, never replaced. A symbolic link stays one and its target is written;
    without `follow_link` the file replaces the link. `private`: only the owner can read the file. `durable`: it
    survives a power failure.
    """
    if _is_special(path):
        path.write_bytes(content)
        return
    with _partial(path, private=private, follow_link=follow_link) as (partial, target):
        with partial.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(target)


def check_writable(path: Path) -> None:
    """Raise the OSError now that a later `write_whole` would raise."""
    if _is_special(path):
        return
    with _partial(path, private=True, follow_link=True):
        pass


def _is_special(path: Path) -> bool:
    """Whether there is something at a path that a file must not replace; OSError for a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    return not stat.S_ISREG(mode)


@contextmanager
def _partial(path: Path, *, private: bool, follow_link: bool) -> Iterator[tuple[Path, Path]]:
    """Make an empty file next to the one to be written, and remove it at the end if it is still there."""
    target = Path(os.path.realpath(path)) if follow_link and path.is_symlink() else path
    if not target.name:
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666))
    try:
        yield partial, target
    finally:
        partial.unlink(missing_ok=True)
