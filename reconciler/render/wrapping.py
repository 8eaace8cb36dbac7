"""Long lines on a terminal: broken between words, with a hanging indent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

NARROWEST = 40
"""Width below which nothing is wrapped: the terminal does it better."""

_HANG = 2
_WORD = re.compile(r"\S+\s*")


def wrapped(line: Text, width: int) -> Iterator[Text]:
    """Yield a line as lines of at most `width` cells. A word that is longer (a path, an address) stays whole."""
    if width < NARROWEST or cell_len(line.plain) <= width:
        yield line
        return
    indent = len(line.plain) - len(line.plain.lstrip(" "))
    hang = " " * min(indent + _HANG, width // 2)
    breaks: list[int] = []
    room = width - indent
    for word in _WORD.finditer(line.plain, indent):
        needed = cell_len(word[0].rstrip())
        if needed > room and word.start() > indent:
            breaks.append(word.start())
            room = width - len(hang)
        room -= cell_len(word[0])
    for number, part in enumerate(line.divide(breaks)):
        part.rstrip()
        yield part if number == 0 else Text(hang) + part
