"""Text from outside in Markdown: it shows as what it is, and links, mentions and formats nothing.

Names and values are code, which every host leaves alone: no mention, reference, address of a page or emoji is looked
for in it. Sentences are prose, where each character with a meaning is escaped, for Markdown, HTML and the host. Each
text is one line, and starts no line of a page, so that it is no heading, quick action or workflow command.
"""

from __future__ import annotations

import html
import re

from reconciler import commands
from reconciler.render.safe import visible, written

_MEANING = re.compile(r"[&<>`*_\[\]~|\\$]")

_NOTHING = "&#8203;"
"""A character that is not seen, and that ends what the host would recognise."""

_COMMIT = re.compile(r"(?<![&#\w])[0-9a-f]{7,}\b")
"""What GitHub reads as the id of a commit: seven digits at least."""

_REFERENCES = (
    (re.compile(r"(?<!&)#(?=\d)"), f"#{_NOTHING}"),
    (re.compile(r"(?i)(?<=\bGH-)(?=\d)"), _NOTHING),
    (re.compile(r"@"), f"@{_NOTHING}"),
    (re.compile(r"://"), f":{_NOTHING}//"),
    (re.compile(r"(?i)(?<=www)\."), f"{_NOTHING}."),
    (re.compile(r"([!%^]|&#(?:36|38|126);)(?=\S)"), rf"\1{_NOTHING}"),
    (re.compile(r":(?=[\w+-]*[a-z+-][\w+-]*:)"), f":{_NOTHING}"),
)
"""What GitHub and GitLab recognise in running text: issues, people, addresses, labels, emoji."""


def prose(value: object) -> str:
    """Return a value's text as prose that shows it and nothing else: no markup, mention, link or reference.

    The commands that it names are code.
    """
    text = visible(str(value))
    if commands.START not in text:
        return _prose(commands.written(text))
    parts = commands.NAMED.split(text)
    return "".join(code(part) if number % 2 else _prose(commands.written(part)) for number, part in enumerate(parts))


def _prose(text: str) -> str:
    text = _MEANING.sub(lambda match: f"&#{ord(match[0])};", text)
    text = _COMMIT.sub(lambda match: _NOTHING.join(re.findall(".{1,6}", match[0])), text)
    for pattern, stand_in in _REFERENCES:
        text = pattern.sub(stand_in, text)
    return text


def code(value: object) -> str:
    """Return a value's text as code between backticks, more than it holds itself."""
    text = written(str(value))
    ticks = "`" * (_longest_run(text) + 1)
    blank = " " if text[:1] in "` " or text[-1:] in "` " else ""  # Markdown removes one blank at each end
    return f"{ticks}{blank}{text}{blank}{ticks}" if text else ""


def html_code(value: object) -> str:
    """Return a value's text as code in a block of HTML, such as a `<summary>`, where Markdown is not read."""
    return f"<code>{html.escape(written(str(value)))}</code>"


def fence(language: str, lines: list[str]) -> list[str]:
    """Fence lines with more backticks than any of them holds; no block where there are no lines."""
    if not lines:
        return []
    ticks = "`" * max(3, max(map(_longest_run, lines)) + 1)
    return ["\n".join([f"{ticks}{language}", *map(commands.written, lines), ticks])]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
