"""What files were read as, kept outside of every checkout, so that what has not changed need not be read again.

It only saves time: an entry is found by the digest of a file's whole content, by this very program. Places and excerpts
are not kept but read from the file itself, and each rule across manifests runs every time. Anything that is not as this
program wrote it is ignored and written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reconciler.files import read_regular
from reconciler.folders import cache_folder, is_own_file
from reconciler.manifests.cache_files import write_own
from reconciler.manifests.scalars import Spelled
from reconciler.version import __version__

WORTH = 100
"""Fewer documents are not kept: reading them takes less than 10 ms."""
LARGEST = 200_000_000
"""Bytes of one file of the cache that are read at most: more than 100,000 manifests take."""
_CHANGED = 20
"""Written again where one of so many documents is new: writing all of them costs as much as reading those."""
_ROOMS = frozenset(
    {"kinds", "session", "booking_session", "manifests", "model", "codes", "operations", "providers"}
    | {"bookingbug_admin", "bookingbug_sessions", "checkfront", "http"}
)
"""Folders of the modules that read and judge a manifest."""
_LIBRARIES = {
    "yaml": "pyyaml-",
    "jsonschema_rs": "jsonschema_rs-",
    "tzdata": "tzdata-",
    "jinja2": "jinja2-",
    "markupsafe": "markupsafe-",
}
"""The libraries that read and judge a manifest, with how the folder begins that has the version in its name."""

Entry = list[Any]
"""[where the document begins, whether its schema accepts it, its data, the numbers that know their spelling]"""


class Cache:
    """The documents of one project's files, by the digest of each file's content."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._verdict = file.with_name(f"valid-{file.name}")
        self._used: dict[str, list[Entry]] = {}
        self._new: dict[str, list[Entry]] = {}

    @classmethod
    def of(cls, project_file: Path | None, folders: Sequence[str]) -> Cache | None:
        """Return the cache of a project; None where it is off, or would be inside the checkout (one of `folders`)."""
        folder = None if project_file is None else cache_folder(folders)
        if project_file is None or folder is None:
            return None
        name = hashlib.blake2b(os.fsencode(os.path.realpath(project_file)), digest_size=16).hexdigest()
        return cls(Path(folder, f"{name}.json"))

    @cached_property
    def _known(self) -> Mapping[str, list[Entry]]:
        return _read(self._file)

    def valid(self, key: str) -> int | None:
        """Return the number of documents in files that were all valid together; None where they were not the last ones.

        It only spares `validate` the rules: who needs an object reads it by all of them.
        """
        found = _read(self._verdict)
        return found["documents"] if found.get("key") == key else None

    def approve(self, key: str, documents: int) -> None:
        """Remember that nothing is wrong with files."""
        if documents >= WORTH:
            self._write(self._verdict, {"key": key, "documents": documents})

    def find(self, digest: str) -> list[Entry] | None:
        """Return the documents of a file; None where they are not known."""
        found = self._known.get(digest)
        if found is not None:
            self._used[digest] = found
        return found

    def add(self, digest: str, found: list[Entry]) -> None:
        """Remember the documents of a file; `keep` writes them."""
        self._new[digest] = found

    def wants(self, new: int) -> bool:
        """Whether so many new documents are worth writing all that this run used."""
        whole = sum(map(len, self._used.values())) + new
        return whole >= WORTH and new * _CHANGED >= whole

    def keep(self) -> None:
        """Write what this run used. What cannot be written is not kept."""
        self._write(self._file, {**self._used, **self._new})

    def _write(self, file: Path, data: Mapping[str, Any]) -> None:
        with suppress(OSError, ValueError, RecursionError):
            body = json.dumps(data, separators=(",", ":"), check_circular=False).encode()
            if len(body) < LARGEST:
                write_own(file, _head(body) + body, self._file)


def digest_of(content: bytes) -> str:
    """Return what a file's content is known by."""
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def entry(mark: int, data: Any, *, accepted: bool) -> Entry:
    """Return what is kept of a document."""
    spelled: list[list[Any]] = []
    _find_spelled(data, [], spelled)
    return [mark, accepted, data, spelled]


def data_of(entry: Entry) -> Any:
    """Return the data of a document, with the numbers that know their spelling."""
    data = entry[2]
    for *path, last, written in entry[3]:
        inner = data
        for step in path:
            inner = inner[step]
        inner[last] = Spelled(written)
    return data


def _find_spelled(value: Any, path: list[str | int], found: list[list[Any]]) -> None:
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        kind = item.__class__
        if kind is Spelled:
            found.append([*path, step, item.written])
        elif kind is dict or kind is list:
            _find_spelled(item, [*path, step], found)


def _read(file: Path) -> Mapping[str, Any]:
    """Return what a file of the cache has, nothing where it is not one that this program wrote for itself."""
    with suppress(OSError, ValueError, RecursionError):
        if is_own_file(str(file)):
            content, _ = read_regular(file, LARGEST)
            head, end, body = content.partition(b"\n")
            del content  # of a large cache, each copy counts
            if head + end == _head(body):
                known: dict[str, Any] = json.loads(body)
                return known
    return {}


def _head(body: bytes) -> bytes:
    """Return the first line of a file: by which program it was made, and the digest of the rest."""
    return json.dumps({"reconciler": _program(), "digest": digest_of(body)}).encode() + b"\n"


@cache
def _program() -> str:
    """Return what identifies this program, its schemas, and the libraries that read and judge a manifest."""
    here = Path(__file__).parents[1]
    parts = [__version__, sys.version, *(part for each in _LIBRARIES for part in _versions(each))]
    waiting = [here, here / "_data" / "schemas", here.parent / "schemas"]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for each in entries:
                if each.is_dir(follow_symlinks=False):
                    waiting += [Path(each.path)] if each.name in _ROOMS else []
                elif each.name.endswith((".py", ".json")):
                    found = each.stat()
                    parts.append(f"{each.path} {found.st_size} {found.st_mtime_ns}")
    return digest_of("\n".join(sorted(parts)).encode("utf-8", "surrogateescape"))


def _versions(module: str) -> list[str]:
    """Return the versions of a library, as folders are named. The usual way to ask takes ten times as long."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    names = [each for each in os.listdir(package.parent) if each.lower().startswith(_LIBRARIES[module])]  # noqa: PTH208
    return [str(package), *names]
