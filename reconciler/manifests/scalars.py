"""The meaning of a scalar without quotes, by the rules of JSON, not of YAML 1.1.

A plain YAML 1.1 reader turns `11:00` into 660, `No` into false, `2027-03-01` into a date and `010` into 8.
Here only what JSON itself would read as a number, `true`, `false` or `null` is not a string.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Self

from reconciler.model.characters import unseen

Scalar = str | int | float | bool | None


class Spelled(float):
    """A number that could be written shorter: `7.50`, `1e5`, `2.0`. As text it stays as written."""

    __slots__ = ("written",)

    def __new__(cls, written: str) -> Self:
        """Read a number."""
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str

    def __str__(self) -> str:
        return self.written


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
    if match[1] is None and match[2] is None and text != "-0":
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return text
    form = repr(number)
    # Without an exponent, the rules of decimal numbers are not needed.
    alike = spelled(number) == text if "e" in form else form == text and not form.endswith(".0")
    return number if alike else Spelled(text)


def is_digits(text: str) -> bool:
    """Whether a text is a number that is too large to be read as one."""
    return isinstance(plain_scalar(text), str) and _NUMBER.fullmatch(text) is not None


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


def spelled(value: object) -> str:
    """Return a value as YAML and JSON write it, never as Python does: `7.50` as it was written, `true`, `null`."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not isinstance(value, Spelled) and math.isfinite(value):
        return format(Decimal(repr(value)).normalize(), "f")
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (dict, list, tuple)):
        inner = (
            [f"{_quoted(key)}: {_quoted(item)}" for key, item in value.items()]
            if isinstance(value, dict)
            else [_quoted(item) for item in value]
        )
        return f"{{{', '.join(inner)}}}" if isinstance(value, dict) else f"[{', '.join(inner)}]"
    return str(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else spelled(value)


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
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    if not isinstance(value, str):
        return text
    # Control characters, newlines and lone surrogates must not break the line or the terminal.
    return f'"{spelled_out(text)}"'


def spelled_out(text: str) -> str:
    """Return a text with an escape for each character that a reader would miss or that would break the line."""
    missed = unseen(text)
    return "".join(
        char if char.isprintable() and index not in missed else char.encode("unicode_escape").decode()
        for index, char in enumerate(text)
    )
