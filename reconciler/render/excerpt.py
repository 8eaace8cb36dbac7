"""Source lines with a caret under each value that a message is about, as compilers of programs show them.

No library does this for what a terminal must not be steered by: `rich.syntax` numbers lines, but does not mark a range;
`annotate-snippets` is a library of Rust; `pygments` colors. The line here may hold secrets and hostile characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from reconciler.model.source import SourceRef, Span
from reconciler.redaction import MASK, redacted
from reconciler.render.safe import fitting, literal

WIDEST = 160
"""Cells of a source line where no terminal limits them."""
NARROWEST = 20

_TAB = "    "
_LONGEST = 20_000
"""Characters around a place that are looked at: a file may be one line."""


class _Cell(Struct, frozen=True):
    text: str
    width: int
    mark: int = 0
    """The number of the place that it belongs to, from 1."""


def excerpt(places: Sequence[SourceRef], width: int, encoding: str) -> tuple[tuple[str, str], ...]:
    """Return the line that these places share, with its number, and a row of carets: (gutter, text) each.

    Where the line is too long to show all places at once, it is repeated from place to place.
    """
    where = places[0]
    line = where.quote
    if where.text is None or line is None:
        return ()
    gutter = f"{where.line} | "
    cut = max(0, where.column - _LONGEST // 2)
    spans = [(place.column - 1 - cut, place.end_column - 1 - cut) for place in places]
    hidden = [(start - cut, end - cut) for start, end in where.text.secrets(where.line)]
    cells = _cells(line[cut : cut + _LONGEST], spans, hidden, encoding)
    rows: list[tuple[str, str]] = []
    room, dots = max(NARROWEST, width - len(gutter)), fitting("…", encoding)
    while True:
        shown, end = _window(cells, room, dots)
        rows.append((gutter, "".join(cell.text for cell in shown).rstrip()))
        carets = "".join(("^" if cell.mark else " ") * cell.width for cell in shown).rstrip()
        rows += [(" " * (len(gutter) - 2) + "| ", carets)] if carets else []
        seen = {cell.mark for cell in cells[:end]}
        cells = [replace(cell, mark=0) if cell.mark in seen else cell for cell in cells]
        if not any(cell.mark for cell in cells):
            return tuple(rows)


def _cells(line: str, spans: Sequence[Span], hidden: Sequence[Span], encoding: str) -> list[_Cell]:
    """Return what is shown of a line, character by character."""
    parts = list(_parts(line, spans, hidden))
    shown = [_shown(text, encoding) for text, _ in parts]
    whole = _shown("".join(text for text, _ in parts), encoding)
    if "".join(shown) != whole:  # a secret or a sign of several characters lies across the end of a range
        return [_Cell(char, cell_len(char)) for char in whole]
    cells = [_Cell(char, cell_len(char), mark) for (_, mark), text in zip(parts, shown, strict=True) for char in text]
    beyond = next((mark for mark, (start, _) in enumerate(spans, 1) if start >= len(line)), 0)
    return [*cells, _Cell(" ", 1, beyond)] if beyond else cells


def _parts(line: str, spans: Sequence[Span], hidden: Sequence[Span]) -> Iterator[tuple[str, int]]:
    """Yield the parts of a line, and which place each belongs to (from 1); what is hidden is masked."""
    edges = {min(max(edge, 0), len(line)) for span in (*spans, *hidden) for edge in span}
    for start, end in pairwise(sorted({0, len(line), *edges})):
        mark = next((rank for rank, (first, last) in enumerate(spans, 1) if first <= start and end <= last), 0)
        if not any(first <= start and end <= last for first, last in hidden):
            yield line[start:end], mark
        elif not any(first < start <= last for first, last in hidden):
            yield MASK, mark


def _shown(text: str, encoding: str) -> str:
    return fitting(literal(redacted(text).replace("\t", _TAB)), encoding)


def _window(cells: list[_Cell], width: int, dots: str) -> tuple[list[_Cell], int]:
    """Return the part of a line that fits, around the first mark, and the number of the first cell after it."""
    if sum(cell.width for cell in cells) <= width:
        return cells, len(cells)
    room = width - 2 * len(dots)
    first = next((index for index, cell in enumerate(cells) if cell.mark), 0)
    before = 0
    start = first
    while start > 0 and before + cells[start - 1].width <= room // 3:
        start -= 1
        before += cells[start].width
    if start <= len(dots):
        start = 0
    end, used = start, 0
    while end < len(cells) and used + cells[end].width <= room:
        used += cells[end].width
        end += 1
    cut = [_Cell(char, 1) for char in dots]
    return [*(cut if start else ()), *cells[start:end], *(cut if end < len(cells) else ())], end
