"""How a server changes texts that it stores: none of it is documented, and each of it is seen in the wild."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Change = Callable[[str, str], str]
"""Takes the name of a field and its text, and returns the text that is stored."""

CHANGES: Mapping[str, Change] = {
    "strip": lambda _, text: text.rstrip("\r\n"),
    "trim": lambda _, text: text.strip(),
    "crlf": lambda _, text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    "lf": lambda _, text: text.replace("\r\n", "\n"),
    "nfc": lambda _, text: unicodedata.normalize("NFC", text),
    "nfd": lambda _, text: unicodedata.normalize("NFD", text),
    "escape": lambda _, text: html.escape(text),
    "lower": lambda name, text: text.lower() if name == "email" else text,
}
"""The changes by the name that the option `spells` gives them."""


def changed(name: str, value: Any, changes: Sequence[Change]) -> Any:
    """Return a value after every change; only texts change."""
    for change in changes if isinstance(value, str) else ():
        value = change(name, value)
    return value
