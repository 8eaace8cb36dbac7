"""The meaning of a scalar without quotes, by the rules of JSON, not of YAML 1.1.

A plain YAML 1.1 reader turns `11:00` into 660, `No` into false, `2027-03-01` into a date and `010` into 8.
Here only what JSON itself would read as a number, `true`, `false` or `null` is not a string.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_MAX_DIGITS = 400
"""Longer strings of digits are text: no field needs them, and Python refuses to convert some."""

SPECIAL_STARTS = frozenset("-0123456789~ntf")
"""A scalar that begins with any other character is a string, so that the loader can skip the rules."""


def plain_scalar(text: str) -> Scalar:
    """Return the value of a scalar without quotes and tag."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in SPECIAL_STARTS or len(text) > _MAX_DIGITS:
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    if match[1] is None and match[2] is None:
        return int(text)
    number = float(text)
    return text if number in (float("inf"), float("-inf")) else number


def tagged_scalar(text: str, tag: str) -> Scalar:
    """Return the value of a scalar under one of YAML's own tags (`str`, `int`, …).

    ValueError names what the tag promises where the text is not that.
    """
    if tag == "str":
        return text
    value = plain_scalar(text)
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (float, int),
        "bool": (bool,),
        "null": (type(None),),
    }
    if not isinstance(value, kinds[tag]) or (tag in {"int", "float"} and isinstance(value, bool)):
        # The text is not shown, because it may be a credential in the wrong place.
        message = f"the value does not match its tag !!{tag}; expected plain YAML"
        raise ValueError(message)
    return float(value) if tag == "float" and isinstance(value, int) else value


def shown(value: object, limit: int = 60) -> str:
    """Return a value for a message: like JSON, on one line, shortened."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if not isinstance(value, str):
        return str(value)
    text = value if len(value) <= limit else value[: limit - 1] + "…"
    # Control characters, newlines and lone surrogates must not break the line or the terminal.
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + '"'
