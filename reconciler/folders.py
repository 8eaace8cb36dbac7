"""Which folder is inside which, and where a user's caches are. Completion in a shell waits for all that is imported."""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from collections.abc import Iterable

GIT = ".git"
CACHE = "RECONCILER_CACHE"
"""The folder of the cache, or `off`. Unset, it is the user's own, and none where `CI` is set: others may use that."""
OFF = "off"
_FOLDER = "read-manifests"


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of some folders or inside one."""
    return any(path == folder or path.startswith(os.path.join(folder, "")) for folder in folders)


def repository_around(folder: str) -> str | None:
    """Return the repository that a real path is in.

    A home folder that is a repository would make every private file part of the project.
    """
    home = os.path.realpath(os.path.expanduser("~"))
    own = folder
    while not os.path.lexists(os.path.join(folder, GIT)):
        own, folder = folder, os.path.dirname(folder)
        if folder == own or is_below(home, (folder,)):
            return None
    return folder


def cache_folder(checkout: Iterable[str]) -> str | None:
    """Return the folder of caches; None where it is off, would be inside a checkout, or others can use it."""
    base = _base()
    folder = None if base is None else os.path.join(base, _FOLDER)
    if folder is None or is_below(os.path.realpath(folder), map(os.path.realpath, checkout)) or not is_private(folder):
        return None
    return folder


def _base() -> str | None:
    """Return the folder of caches of this user, as each system has it; None where the cache is off."""
    stated = os.environ.get(CACHE)
    if stated:
        try:
            return None if stated.lower() == OFF else os.path.abspath(os.path.expanduser(stated))
        except FileNotFoundError:  # it is relative to a folder that is deleted
            return None
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        return None
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return os.path.join(local, "reconciler", "Cache") if os.path.isabs(local) else None
    shared = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(shared):
        return os.path.join(shared, "reconciler")
    home = os.path.expanduser("~")  # keeps `~` where there is no home
    inner = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    return os.path.join(home, *inner, "reconciler") if os.path.isabs(home) else None


def is_private(path: str) -> bool:
    """Whether only this user can read and write a folder that is there. One that is missing will be made so."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and _is_own(found)


def is_own_file(path: str) -> bool:
    """Whether there is a regular file that only this user can read and write."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and _is_own(found)


def _is_own(found: os.stat_result) -> bool:
    """Whether no one else can write it; Windows protects the folder of a user by itself."""
    return os.name != "posix" or (found.st_uid == os.geteuid() and not found.st_mode & 0o077)
