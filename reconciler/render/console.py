"""How every line of text is written: harmless, and as the place where it is shown can show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from reconciler import commands
from reconciler.render.safe import fitting, harmless, visible

if TYPE_CHECKING:
    from rich.console import Console as Terminal

Console: TypeAlias = "Terminal | Plain"
"""Where text is written."""

Piece = str | tuple[str, str]
"""Words, or words and their style."""


ENDLESS = 1 << 30
"""The width of what is not on a screen: nothing is wrapped there."""


class Plain(Struct, frozen=True, kw_only=True):
    """A file, a pipe or the log of a CI system: text without colors that nothing wraps.

    It does without rich, which takes a sixteenth of the start of a plan.
    """

    file: IO[str]
    width: int = ENDLESS
    color_system: None = None
    is_terminal: Literal[False] = False

    @property
    def encoding(self) -> str:
        """The encoding of the file."""
        return (getattr(self.file, "encoding", None) or "utf-8").lower()


def say(console: Console, *pieces: Piece) -> None:
    """Write one line made of words and (words, style) pairs.

    Text from outside is neutralised, and the line keeps to what the output's encoding can carry. On a terminal it wraps
    between words; in a file, a pipe or the log of a CI system it is never cut or wrapped, so that a search finds it.
    """
    parts = safe(console, pieces)
    # On a rich console without styles either: they would take most of the time of an apply.
    if isinstance(console, Plain) or (console.color_system is None and not console.is_terminal):
        console.file.write("".join([*(part for part, _ in parts), "\n"]))
        return
    from reconciler.render.wrapping import show  # noqa: PLC0415 - rich: 20 ms that only a terminal needs

    show(console, parts)


def safe(console: Console, pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    """Return pieces as (words, style) pairs that are harmless and fit the encoding of the output."""
    parts: list[tuple[str, str]] = []
    begun = False
    for piece in pieces:
        words, style = (piece, "") if isinstance(piece, str) else piece
        shown = visible(words) if begun else harmless(words)
        shown = shown if shown.isascii() else fitting(commands.written(shown), console.encoding)
        begun = begun or bool(shown.strip())
        parts.append((shown, style))
    return parts
