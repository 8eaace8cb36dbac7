"""Text from outside made harmless: the name of a live object must not steer a terminal or mislead a reader."""

from __future__ import annotations

import re
import unicodedata

from reconciler import commands
from reconciler.redaction import escape_commands, redacted

_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_UNUSUAL = re.compile("[^ -~]")
"""Every character but those of ASCII that are printed."""

_ASCII = {
    "→": "->",
    "←": "<-",
    "…": "...",
    "⏎": "\\n",
    "✓": "ok",
    "✗": "x",
    "⊘": "!",
    "·": "-",
    "–": "-",
}
"""Stand-ins for our own signs where the output's encoding lacks them."""


def visible(text: str) -> str:
    r"""Return one line in which every control, bidi and invisible character is visible.

    A newline becomes `⏎`, anything else its escape (`\x1b`, `\u202e`); a build agent's command is escaped.
    Applying it twice changes nothing. Known secrets are masked here, where the text is still whole and no format has
    escaped it. So are the commands that it names completed.
    """
    text = escape_commands(redacted(commands.shown(text) if commands.START in text else text))
    return text if text.isascii() and text.isprintable() else _seen(text)


def shown_value(text: str) -> str:
    """Return what `visible` does for a value, also where it is part of a message: it names no command."""
    shown = literal(text)
    return commands.kept(shown) if commands.START in shown else shown


def literal(text: str) -> str:
    """Return what `visible` does for a text that no message holds: commands in it stay as they are."""
    text = escape_commands(redacted(text))
    return text if text.isascii() and text.isprintable() else _seen(text)


def _seen(text: str) -> str:
    from reconciler.model.characters import UNSEEN, unseen  # noqa: PLC0415 - `--help` shows nothing but ASCII

    missed, needed = unseen(text), {match.start() for match in UNSEEN.finditer(text)}

    def shown(match: re.Match[str]) -> str:
        char, index = match[0], match.start()
        return escaped(char) if index in missed else char if index in needed else _shown(char)

    return _UNUSUAL.sub(shown, text)


def written(text: str) -> str:
    """Return what `visible` does, as it leaves the program."""
    shown = visible(text)
    return shown if shown.isascii() else commands.written(shown)


def harmless(text: str) -> str:
    """Return a whole line of output as `visible` does, and escape the start of a workflow command."""
    shown = written(text)
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", shown) if "::" in shown else shown


def _shown(char: str) -> str:
    if char == "\n":
        return "⏎"
    return escaped(char) if unicodedata.category(char) in _STEERING else char


def escaped(char: str) -> str:
    r"""Return a character as Python would escape it: `\x1b`, `\u202e`."""
    return char.encode("unicode_escape").decode("ascii")


def fitting(text: str, encoding: str) -> str:
    """Return `text` so that `encoding` can carry it: our signs get stand-ins, the rest is escaped."""
    try:
        text.encode(encoding)
    except LookupError:
        return fitting(text, "ascii")
    except UnicodeEncodeError:
        return "".join(_stand_in(char, encoding) for char in text)
    return text


def _stand_in(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _ASCII.get(char, escaped(char))
    return char
