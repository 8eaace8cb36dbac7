"""Characters that cannot be sent or stored."""

from __future__ import annotations

import re
import unicodedata

NOWHERE = re.compile("[\0\ud800-\udfff]")
"""Characters that no system takes: databases refuse NUL, and half a surrogate pair has no UTF-8."""

NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # its complement takes 3 ms to compile
"""Characters that XML 1.0 does not allow, not even as a reference."""

_RANGES = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode 17: what a program that cannot draw it shows as nothing at all."""

UNSEEN = re.compile(f"[{_RANGES}\u2800\U0001d159]")
"""Characters of which a reader sees nothing: those of Unicode's property, and two whose drawing is empty."""

_SELECTORS = "\ufe0e\ufe0f"
_JOINERS = "\u200c\u200d"
_KEYCAP = "\u20e3"
_SIGNS = frozenset({"So", "Sm"})
_OTHER_SIGNS = "\u203c\u2049\u3030"
"""Emoji that are punctuation to Unicode."""


def storable(text: str) -> str:
    """Return a text without characters that no system takes: what the environment says may not even be UTF-8."""
    return NOWHERE.sub("\ufffd", text)


def unseen(text: str) -> frozenset[int]:
    """Return the positions of the characters of a text that a reader would miss.

    Emoji need selectors and joiners, and several scripts need joiners. Elsewhere they only hide a difference.
    """
    found: set[int] = set()
    for match in UNSEEN.finditer(text):
        index = match.start()
        before = "" if index - 1 in found else text[index - 1 : index]
        if not _is_needed(match[0], before, text[index + 1 : index + 2]):
            found.add(index)
    return frozenset(found)


def _is_needed(char: str, before: str, after: str) -> bool:
    """Whether a selector or joiner has an effect between what is shown on either side."""
    if not before:
        return False
    if char in _SELECTORS:
        return _is_sign(before) or (before in "0123456789#*" and after == _KEYCAP)
    joins = (before in _SELECTORS or _can_join(before)) and after != "" and _can_join(after)
    return char in _JOINERS and joins


def _is_sign(char: str) -> bool:
    emoji = char >= "\u2000" or char in "\u00a9\u00ae"
    return emoji and (unicodedata.category(char) in _SIGNS or char in _OTHER_SIGNS)


def _can_join(char: str) -> bool:
    """Whether a joiner may matter next to a character: not to one of ASCII, or of a script with capital letters."""
    return not char.isascii() and char.lower() == char.upper() and UNSEEN.match(char) is None and char.isprintable()
