"""`--help` without click, whose import alone takes three times as long as the start of Python.

`help.txt` holds the text that click writes for each command, at the usual widths of a terminal, which
tests/unit/cli/test_quick_help.py proves. Any other width and any other command line is left to click.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module
if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = os.path.join(os.path.dirname(__file__), "help.txt")  # noqa: PTH118, PTH120 - pathlib takes as long as the rest

WIDTHS = (80, 100)
"""Columns: of what is no terminal, and the most that help fills."""

FLAGS = ("-h", "--help")


def heading(words: Sequence[str], columns: int) -> bytes:
    """Return the line above the text of a command."""
    return f"\f{' '.join(('reconciler', *words))} {columns}\n".encode()


def printed(arguments: Sequence[str]) -> bool:
    """Print the help that is asked for; return whether that was done."""
    *words, last = arguments or ("",)
    if last not in FLAGS or os.linesep != "\n" or not all(word.replace("-", "").isalpha() for word in words):
        return False
    try:
        with open(FILE, "rb") as file:  # noqa: PTH123 - as above
            _, found, rest = file.read().partition(heading(words, min(_columns(), max(WIDTHS))))
        text = rest.partition(b"\f")[0]
        if not text.isascii():  # its bytes depend on the encoding of stdout
            return False
        while text:
            text = text[os.write(1, text) :]
    except (OSError, ValueError):
        return False  # click says why
    return bool(found)


def _columns() -> int:
    """Return the width of the terminal as click finds it; 0 where that is click's to say."""
    stated = os.environ.get("COLUMNS", "")
    if stated:
        return int(stated) if stated.isascii() and stated.isdigit() else 0
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 80
