"""Where a problem is in the repository: what a forge or an editor marks."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.objects import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A range of one line of a file. Lines and columns count from 1, columns in characters."""

    file: str
    """Path from the top folder of the repository, with `/`."""
    line: int
    column: int
    end_column: int
    """The column after the last character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A problem and its place."""

    problem: Problem
    place: Place | None
    """None where it is in no file."""
