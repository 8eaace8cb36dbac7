"""Markdown helpers for the generated pages: prose and tables."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 120


def plain(text: str) -> str:
    """Escape Markdown markup outside of code."""
    parts = text.split("`")
    return "`".join(part if index % 2 else re.sub(r"([<*])", r"\\\1", part) for index, part in enumerate(parts))


def prose(text: str) -> list[str]:
    """Return the wrapped paragraphs of a text, each followed by an empty line."""
    lines: list[str] = []
    for paragraph in inspect.cleandoc(text).replace("\b\n", "").split("\n\n"):
        words = " ".join(paragraph.split())
        lines += [*textwrap.wrap(plain(words), WIDTH, break_long_words=False, break_on_hyphens=False), ""]
    return lines


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table. Markdown requires each row on one line."""
    cells = [
        [" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in (heads, ["---"] * len(heads), *rows)
    ]
    return [*(f"| {' | '.join(row)} |" for row in cells), ""]


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
