"""A lock that the system releases when its process ends, however it ends, next to the file of a state.

SQLite depends on such locks itself. Where a system or a file system has none, heartbeats decide.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.state.backups import make_folder

if sys.platform != "win32":
    import fcntl

_RUN_ID = re.compile("[A-Za-z0-9-]{1,64}")

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def locked(file: Path | None, run_id: str) -> Iterator[None]:
    """Hold the lock of a run on the state `file` while the block runs, if there can be one."""
    path = _path(file, run_id)
    held = None if path is None else _locked(path)
    try:
        yield
    finally:
        if path is not None and held is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(held)


def ended(file: Path | None, run_id: str) -> bool | None:
    """Return whether the process that held a run's lock has ended; None where there is no such lock."""
    path = _path(file, run_id)
    if path is None or sys.platform == "win32":
        return None
    try:
        found = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: others may ask at the same time
    except BlockingIOError:
        return False
    except OSError:
        return None
    finally:
        os.close(found)
    return True


def forget(file: Path | None, run_id: str) -> None:
    """Remove what a run left behind that was killed."""
    path = _path(file, run_id)
    if path is not None and ended(file, run_id):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _path(file: Path | None, run_id: str) -> Path | None:
    if file is None or not _RUN_ID.fullmatch(run_id):
        return None
    return file.with_name(f"{file.name}-{run_id}.lock")


def _locked(path: Path) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        make_folder(path.parent)  # the first run of a project
        found = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks
        os.close(found)
        with suppress(OSError):
            path.unlink()
        return None
    return found
