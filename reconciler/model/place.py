"""Where a problem is in the repository: what a forge or an editor marks."""

from __future__ import annotations

from msgspec import Struct

from reconciler.model.objects import Problem


class Place(Struct, frozen=True, kw_only=True):
    """A range of one line of a file. Lines and columns count from 1, columns in characters."""

    file: str
    """Path from the top folder of the repository, with `/`."""
    line: int
    column: int
    end_column: int
    """The column after the last character."""


class Placed(Struct, frozen=True, kw_only=True):
    """A problem and its place."""

    problem: Problem
    place: Place | None
    """None where it is in no file."""
