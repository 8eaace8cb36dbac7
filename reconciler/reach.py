"""Which files a project file may name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.folders import GIT, is_below, repository_around


class Quota(Struct):
    """How much may still be read, in files, bytes and documents."""

    files: int = 10_000
    size: int = 50_000_000
    documents: int = 20_000

    def spend(self, size: int, documents: int) -> None:
        """Count one file that was read; ReconcilerError names the limit where it is too much."""
        self.files, self.size, self.documents = self.files - 1, self.size - size, self.documents - documents
        whole = Quota()
        for left, what in (
            (self.files, f"{whole.files:,} files"),
            (self.size, f"{whole.size // 1_000_000} MB"),
            (self.documents, f"{whole.documents:,} documents"),
        ):
            if left < 0:
                raise ReconcilerError(f"the check was stopped: it reads more than {what}", hint="check fewer files")


class Reach(Struct, frozen=True):
    """The files that a project file may name: those of its repository, and what the user allows in addition.

    A project file can come from a pull request, and what a file contains can appear in messages and manifests.
    """

    folders: tuple[str, ...]
    """Real paths of folders or files."""
    noun: str
    """What the first of them is: the repository, or the project where there is none."""
    quota: Quota | None = None
    """How much of them may be read; None for any amount."""

    @classmethod
    def of(cls, root: Path, allowed: Iterable[str | os.PathLike[str]] = (), quota: Quota | None = None) -> Self:
        """Return the reach of a project in the folder `root`; `allowed` are more paths."""
        own = os.path.realpath(root)
        top = repository_around(own)
        return cls((top or own, *map(os.path.realpath, allowed)), "project" if top is None else "repository", quota)

    def contains(self, path: str) -> bool:
        """Return whether a path leads to a file or folder inside. What Git keeps for itself is outside."""
        real = os.path.realpath(path)
        if is_below(real, self.folders[1:]):
            return True
        return is_below(real, self.folders[:1]) and GIT not in Path(real.removeprefix(self.folders[0])).parts
