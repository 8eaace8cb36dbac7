"""The places of problems, from the top folder of the repository, with the end of each range."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from reconciler.files import read_regular
from reconciler.model.objects import Problem, SourceRef, problem_order
from reconciler.model.place import Place, Placed
from reconciler.reach import Reach

_LARGEST = 10_000_000
"""Bytes of a file in which the end of a range is looked for: no manifest is larger."""

_VALUE = re.compile(
    r'"(?:\\.|[^"\\])*+"|\'(?:\'\'|[^\'])*+\''  # a text in quotes
    r"|[\[\]{}]|[-?](?=\s)"  # the beginning of a list or mapping
    r"|[^\s:#,\[\]{}]+(?=\s*:(?:\s|$))"  # a key
    r"|(?:[^\s#:]|:(?=\S)|(?<=\S)#|[ \t](?=[^\s#]))+"  # a plain value up to a comment
)


def placed(problems: Iterable[Problem], root: Path) -> tuple[Placed, ...]:
    """Return problems in their order, each with its place. Files are relative to `root`."""
    top = _top(root)

    def place(where: SourceRef | None) -> Place | None:
        if where is None or where.path.startswith("<"):  # <stdin>
            return None
        file = os.path.normpath(root / where.path)
        shown = os.path.relpath(file, top)
        end = _end(_line(file, where.line), where.column)
        return Place(file=Path(shown).as_posix(), line=where.line, column=where.column, end_column=end)

    _lines.cache_clear()
    return tuple(Placed(problem=item, place=place(item.where)) for item in sorted(problems, key=problem_order))


def _top(root: Path) -> str:
    """Return the top folder of the repository; `root` where there is none."""
    reach = Reach.of(root)
    return reach.folders[0] if reach.noun == "repository" else os.path.realpath(root)


def _line(file: str, number: int) -> str:
    lines = _lines(os.path.realpath(file))
    return lines[number - 1] if 0 < number <= len(lines) else ""


@cache
def _lines(file: str) -> tuple[str, ...]:
    """Return the lines of a file; none where it cannot be read: the place is then known without its end."""
    try:
        content, _ = read_regular(file, _LARGEST)
        return tuple(re.split(r"\r\n|[\n\r]", content.decode("utf-8-sig")))
    except (OSError, ValueError):
        return ()


def _end(line: str, column: int) -> int:
    """Return the column after the key or value that begins at a column; at least one character."""
    found = _VALUE.match(line, column - 1)
    return max(column + 1, found.end() + 1 if found is not None else 0)
