"""What other packages define for reconciler.

`importlib.metadata` finds it, and takes 4 % of a plan to import. Most installations have no such package: it is not
asked where a look at the same files shows that there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def entry_points(group: str) -> Sequence[EntryPoint]:
    """Return the entry points of a group, as `importlib.metadata` does."""
    if not _possible(group):
        return ()
    from importlib import metadata  # noqa: PLC0415 - 4 ms that only a package of others needs

    return tuple(metadata.entry_points(group=group))


def _possible(group: str) -> bool:
    """Return whether there may be any. True as well for a path that is not a plain folder."""
    if any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path):
        return True
    texts = (_texts(path or os.curdir) for path in sys.path)
    return any(text is None or group.encode() in text for text in texts)


@cache
def _texts(path: str) -> bytes | None:
    """Return all entry points of the packages on a path, as text; None where only `importlib.metadata` can read it."""
    try:
        with os.scandir(path) as entries:
            folders = [entry.path for entry in entries if entry.name.lower().endswith((".dist-info", "egg-info"))]
        return b"\n".join(map(_text, folders))
    except FileNotFoundError:
        return b""
    except OSError:
        return None  # an archive


def _text(folder: str) -> bytes:
    try:
        return Path(folder, "entry_points.txt").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
