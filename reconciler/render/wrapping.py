"""How every line of text is written: harmless, in readable colors, and on a terminal broken between words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reconciler.render.safe import fitting, harmless, visible

Piece = str | tuple[str, str]
"""Words, or words and their style."""

SHADES = {"red": 160, "green": 28, "yellow": 130, "blue": 32, "magenta": 133, "cyan": 30, "dim": 243}
"""Colors of the 256 that every terminal shows alike. The first eight are what the user's theme makes of them: yellow is
often not readable on white, blue on black, and dim on neither."""

NARROWEST = 40
"""Width below which nothing is wrapped: the terminal does it better."""

_HANG = 2
_PART = re.compile(r"\S+(?: (?!· )\S+)*\s*")
"""What belongs together: up to two blanks, or a sign that separates."""
_WORD = re.compile(r"\S+\s*")


def say(console: Console, *pieces: Piece) -> None:
    """Write one line made of words and (words, style) pairs.

    Text from outside is neutralised, and the line keeps to what the output's encoding can carry. On a terminal it wraps
    between words; in a file, a pipe or the log of a CI system it is never cut or wrapped, so that a search finds it.
    """
    parts = safe(console, pieces)
    if console.color_system is None and not console.is_terminal:  # most of the time of an apply would go into styles
        console.file.write("".join([*(part for part, _ in parts), "\n"]))
        return
    said = Text.assemble(*((part, shade(console, style)) for part, style in parts))
    for line in wrapped(said, console.width) if console.is_terminal else (said,):
        console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)


def fitted(console: Console, *pieces: Piece) -> Text:
    """Return one line that is cut where the screen ends, for what is shown only for a while."""
    line = Text.assemble(*((part, shade(console, style)) for part, style in safe(console, pieces)))
    line.truncate(console.width - 1, overflow="crop")
    return line


def safe(console: Console, pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    """Return pieces as (words, style) pairs that are harmless and fit the encoding of the output."""
    parts: list[tuple[str, str]] = []
    begun = False
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        shown = visible(words) if begun else harmless(words)
        shown = shown if shown.isascii() else fitting(shown, console.encoding)
        begun = begun or bool(shown.strip())
        parts.append((shown, style))
    return parts


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
