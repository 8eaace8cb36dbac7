"""The files of a user's caches: each is written whole and for this user alone, and all together are bounded."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from reconciler.files import write_whole
from reconciler.folders import is_own_file, is_private

MOST = 400_000_000
"""Bytes of all files together, above which the oldest are removed."""
_OWN = re.compile(
    r"(?:valid-)?[0-9a-f]{32}\.json|names-[0-9a-f]{8}"
    r"|(?P<partial>\.(?:(?:valid-)?[0-9a-f]{32}\.j(?:son)?|names-[0-9a-f]{8})\.[0-9a-f]{16}\.partial)"
)
"""The names of the files of a cache, and of those that are being written. No other file is removed."""
_ABANDONED = 3600.0


def write_own(file: Path, content: bytes, keeping: Path) -> None:
    """Write a file of a cache, and make room without removing another one; OSError if that is not possible."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_private(str(file.parent)):
        if not is_own_file(str(file)):
            file.unlink(missing_ok=True)  # its mode would be kept, and a link would be followed
        write_whole(file, content, private=True)
        _clean_up(keeping)


def _clean_up(own: Path) -> None:
    """Remove the oldest caches where all together are too large, and what runs left that were killed while writing."""
    left, now = MOST, time.time()
    with os.scandir(own.parent) as entries:
        found = [(each.stat(follow_symlinks=False), each.path, _OWN.fullmatch(each.name)) for each in entries]
    for about, path, name in sorted(found, key=lambda item: -item[0].st_mtime):
        if name is None:
            continue
        left -= about.st_size
        unneeded = now - about.st_mtime > _ABANDONED if name["partial"] else left < 0
        if unneeded and path != str(own):
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - a path that scandir returned
