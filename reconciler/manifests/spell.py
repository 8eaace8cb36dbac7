"""One value as text, written as the value that was there before."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from reconciler.manifests.yaml_text import Digits, inline, is_plain_enough, literal, quoted, under

_HEADER = re.compile(r"[|>][0-9]?(?P<end>[-+]?)[0-9]?(?P<comment>[ \t]+#[^\r\n]*)?")


class Style(Struct, frozen=True, kw_only=True):
    """How the value before was written, and where."""

    written: str = ""
    quote: str | None = None
    """`'`, `"`, `|` or `>`; None for a value without."""
    is_json: bool = False
    in_flow: bool = False
    """Whether it is inside brackets."""
    eol: str = "\n"
    ends_line: bool = False
    """Whether nothing follows it on its line, not even a comment."""
    column: int = 0
    """The indentation of its line."""


def spell(value: Any, style: Style) -> str:
    """Return a scalar in the style of the one before, as far as that can hold it."""
    if style.is_json:
        if isinstance(value, Digits) and style.quote != '"':
            return str(value)
        text = literal(value) if isinstance(value, str) else value
        return json.dumps(str(text) if isinstance(value, Digits) else text, ensure_ascii=style.written.isascii())
    is_number = isinstance(value, (Digits, int, float)) and not isinstance(value, bool)
    if style.quote in {"'", '"'} and (isinstance(value, str) or is_number):
        return quoted(str(value), style.quote)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if is_number:
        return str(value)
    return _text(str(value), style)


def _text(value: str, style: Style) -> str:
    if style.quote is None and style.written and is_plain_enough(style.written) and is_plain_enough(value):
        return value  # the author writes times and dates without quotes
    if style.in_flow:
        return inline(value)
    lines = under(value)
    header = _HEADER.match(style.written) if style.quote in {"|", ">"} else None
    comment = (header["comment"] or "") if header is not None else ""
    if len(lines) == 1:
        return lines[0] + comment
    if not lines[0].startswith("|") or (header is None and not style.ends_line):
        return quoted(value, '"') + comment
    before = re.search(r"[\r\n]+([ ]+)\S", style.written) if header is not None else None
    indent = before[1] if before is not None else " " * (style.column + 2)
    # Whether a line end follows the last line means nothing to the remote systems: that stays as it was written.
    first = f"|{header['end']}" if header is not None else lines[0]
    return style.eol.join([first + comment, *(f"{indent}{line[2:]}" if line else "" for line in lines[1:])])
