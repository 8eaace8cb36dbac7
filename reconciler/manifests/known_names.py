"""The addresses that completion has read, for as long as nothing that they come from has changed.

They are kept in the user's cache: by file, with the size, the times and the number of that file as the system has them,
and so is each folder that was searched. Only builtin modules are imported, because completion waits for each.
"""

from __future__ import annotations

import os
import zlib

from reconciler.folders import cache_folder, is_own_file, repository_around

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Stated = str | os.PathLike[str] | None

PROJECT_FILE = "reconciler.yaml"

_LARGEST = 10_000_000
"""Bytes of a file of the cache: 20,000 manifests take half of it."""
_HARMLESS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/ "
"""What addresses consist of, and what separates them."""
_SETTLED = 2_000_000_000
"""Nanoseconds: a second change within the resolution of the clock would leave no trace."""
_MODULES = ("known_names.py", "outline.py", "walk.py", "../state/names.py")
_PROGRAM = tuple(os.path.join(os.path.dirname(__file__), name) for name in _MODULES)
"""The modules that decide which addresses a project has."""


def project_file(stated: Stated) -> str | None:
    """Return the project file: the FILE or the DIR stated, or the nearest one from the current folder upwards."""
    here = os.path.join(os.getcwd(), os.path.expanduser(stated or ""))
    if stated and not os.path.isdir(here):
        return here if os.path.isfile(here) else None
    while not os.path.isfile(file := os.path.join(here, PROJECT_FILE)):
        above = os.path.dirname(here)
        if stated or above == here:
            return None
        here = above
    return file


def known(project: str, environment: str | None) -> tuple[dict[str, list[str]], bool]:
    """Return the addresses by the file that they come from, where it has not changed, and whether nothing has."""
    try:
        entries = _read(*_place(project, environment))
    except (OSError, ValueError):
        return {}, False
    unchanged = {path: names.split() for path, then, names in entries if _signature(path) == then}
    return unchanged, 0 < len(entries) == len(unchanged)


def keep(project: str, environment: str | None, names: Mapping[str, Sequence[str] | None], began: int) -> None:
    """Keep addresses by the file that they come from, read since `began`; OSError if that is not possible.

    What was only looked at has no addresses. What has None, or may have changed since, will be read again.
    """
    from pathlib import Path  # noqa: PLC0415 - only here

    from reconciler.manifests.cache_files import write_own  # noqa: PLC0415 - as above

    place, fields = _place(project, environment)
    for path, found in [*names.items(), *((path, ()) for path in _PROGRAM)]:
        then = _signature(path, began - _SETTLED)
        fields += (path, "?" if found is None or (found and not then) else then, " ".join(found or ()))
    content = os.fsencode("\0".join(fields))
    if place is not None and len(content) < _LARGEST:
        write_own(Path(place), _checksum(content) + content, Path(place))


def _place(project: str, environment: str | None) -> tuple[str | None, list[str]]:
    """Return the file of the cache, and what it begins with."""
    about = [__file__, project, "" if environment is None else f"={environment}"]
    root = os.path.realpath(os.path.dirname(project))
    folder = cache_folder(filter(None, (root, repository_around(root))))
    name = f"names-{_checksum(os.fsencode(''.join(about))).decode()}"
    return None if folder is None else os.path.join(folder, name), about


def _read(place: str | None, about: list[str]) -> list[tuple[str, str, str]]:
    """Return (path, signature, addresses) as they were kept; nothing where the file is not as this program wrote it."""
    if place is None or not is_own_file(place):
        return []
    with open(place, "rb") as stream:
        content = stream.read(_LARGEST)
    if content[:8] != _checksum(content[8:]):
        return []
    fields = os.fsdecode(content[8:]).split("\0")
    if fields[:3] != about or "".join(fields[5::3]).encode().translate(None, _HARMLESS):
        return []
    return [*zip(fields[3::3], fields[4::3], fields[5::3], strict=True)]


def _checksum(content: bytes) -> bytes:
    return b"%08x" % zlib.crc32(content)


def _signature(path: str, settled: int | None = None) -> str:
    """Return what changes with a file or folder, nothing where there is none; `?` if it changed after `settled`."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    if settled is not None and max(found.st_mtime_ns, found.st_ctime_ns) > settled:
        return "?"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
