"""The places of problems, from the top folder of the repository, with the end of each range."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.model.objects import Problem, SourceRef, problem_order
from reconciler.model.place import Place, Placed
from reconciler.reach import Reach


def placed(problems: Iterable[Problem], root: Path) -> tuple[Placed, ...]:
    """Return problems in their order, each with its place. Files are relative to `root`."""
    top = _top(root)

    def place(where: SourceRef | None) -> Place | None:
        if where is None or where.path.startswith("<"):  # <stdin>
            return None
        file = os.path.normpath(root / where.path)
        shown = os.path.relpath(file, top)
        return Place(file=Path(shown).as_posix(), line=where.line, column=where.column, end_column=where.end_column)

    return tuple(Placed(problem=item, place=place(item.where)) for item in sorted(problems, key=problem_order))


def _top(root: Path) -> str:
    """Return the top folder of the repository; `root` where there is none."""
    reach = Reach.of(root)
    return reach.folders[0] if reach.noun == "repository" else os.path.realpath(root)
