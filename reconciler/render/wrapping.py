"""How a line is shown on a terminal: in readable colors, and broken between words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reconciler.render.console import Piece, safe

SHADES = {"red": 160, "green": 28, "yellow": 130, "blue": 32, "magenta": 133, "cyan": 30, "dim": 243}
"""Colors of the 256 that every terminal shows alike. The first eight are what the user's theme makes of them: yellow is
often not readable on white, blue on black, and dim on neither."""

NARROWEST = 40
"""Width below which nothing is wrapped: the terminal does it better."""

_HANG = 2
_PART = re.compile(r"\S+(?: (?!· )\S+)*\s*")
"""What belongs together: up to two blanks, or a sign that separates."""
_WORD = re.compile(r"\S+\s*")


def show(console: Console, parts: Iterable[tuple[str, str]]) -> None:
    """Write one line made of (words, style) pairs that are harmless."""
    said = Text.assemble(*((part, shade(console, style)) for part, style in parts))
    for line in wrapped(said, console.width) if console.is_terminal else (said,):
        console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)


def fitted(console: Console, *pieces: Piece) -> Text:
    """Return one line that is cut where the screen ends, for what is shown only for a while."""
    line = Text.assemble(*((part, shade(console, style)) for part, style in safe(console, pieces)))
    line.truncate(console.width - 1, overflow="crop")
    return line


def shade(console: Console, style: str) -> str:
    """Return a style in colors that can be read on light and dark, where the terminal has them."""
    if console.color_system not in {"256", "truecolor"}:
        return style
    return " ".join(f"color({SHADES[word]})" if word in SHADES else word for word in style.split())


def wrapped(line: Text, width: int) -> Iterator[Text]:
    """Yield a line as lines of at most `width` cells.

    A part that fits in one line is not broken. A word that is longer than a line (a path, an address) stays
    whole.
    """
    line.rstrip()
    if width < NARROWEST or cell_len(line.plain) <= width:
        yield line
        return
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    hang = " " * min(indent + _HANG, width // 2)
    for number, part in enumerate(line.divide(_breaks(line.plain, indent, width, width - len(hang)))):
        part.rstrip()
        yield part if number == 0 else Text(hang) + part


def _breaks(text: str, indent: int, width: int, full: int) -> Iterator[int]:
    """Yield where the lines after the first start; each of them has room for `full` cells."""
    room = width - indent
    for part in _PART.finditer(text, indent):
        whole = cell_len(part[0].rstrip()) <= full
        for piece in (part,) if whole else _WORD.finditer(text, part.start(), part.end()):
            needed = cell_len(piece[0].rstrip())
            # A word that fits nowhere stays beside a short one before it: `PUT /a/long/path`.
            if needed > room and piece.start() > indent and (needed <= full or room < full // 2):
                yield piece.start()
                room = full
            room -= cell_len(piece[0])
