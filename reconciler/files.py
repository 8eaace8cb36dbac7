"""Reading a file that somebody else may have put there: only a regular one, and no more of it than is wanted."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_PASSED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell passes a pipe that is open already: `validate <(jsonnet …)`."""


def read_regular(path: Path | str, limit: int) -> tuple[bytes, int]:
    """Return at most `limit` bytes of a file, and its mode.

    OSError for a directory, a device or a pipe: to open or read one may never end. A pipe that was passed by the
    shell is read.
    """
    passed = os.fspath(path).startswith(_PASSED)
    # Without O_NONBLOCK to open a pipe waits until somebody writes into it.
    flags = os.O_RDONLY if passed else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or (passed and stat.S_ISFIFO(mode))):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return file.read(limit), mode
