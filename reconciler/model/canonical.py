"""Canonical values: one spelling for each meaning, used for what is declared and for what is returned.

Every function returns the canonical value or raises ValueError with a sentence that says what was expected.
Blanks around a value are for servers: the schemas take none in a manifest.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.model import moments
from reconciler.model.objects import Address, Ref

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})\.[0-9]{2}")
"""An amount that is canonical as it is written."""

_DIGITS = 18
"""Digits of the largest whole number taken: `1e999999999` would otherwise be written out."""

_WHOLE = 10**_DIGITS

ATOMS = frozenset({str, int, float, bool, type(None)})
"""The types of values without parts. One look here saves several at abstract classes, for nearly every value."""

_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def text(value: Any) -> str:
    """Return a text in Unicode's composed form (NFC), with line feeds between its lines and none at its end.

    These differences cannot be seen, and servers make them. Blanks and case stay unchanged: they can be meant.
    """
    if value.__class__ is str and value.isascii() and "\r" not in value:
        return value.rstrip("\n")
    return unicodedata.normalize("NFC", str(value).replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")


def spelled_alike(left: Any, right: Any) -> bool:
    """Whether two values are one but for case, blanks, HTML escapes and compatible characters."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(spelled_alike(left[key], right[key]) for key in left)
    if not isinstance(left, str) or not isinstance(right, str):
        return bool(left == right)
    return _folded(left) == _folded(right)


def spellings(value: Any) -> frozenset[Any]:
    """Return what an atom is looked up by: two that mean the same or are spelled alike have one of these in common."""
    return frozenset({text(value), ("folded", _folded(value))} if isinstance(value, str) else {value})


def _folded(value: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", html.unescape(value)).casefold().split())


def word(value: Any, words: tuple[str, ...]) -> str:
    """Return the enumeration word for a word or its wire number (as a number or digits)."""
    if value.__class__ is str and value in words:
        return value
    # A schema takes 6.0 for 6, as JSON does.
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if text in words:
        return text
    if text.isascii() and text.isdigit() and int(text) < len(words):
        return words[int(text)]
    message = f"{value!r} is not one of {', '.join(words)} (or 0 to {len(words) - 1})"
    raise ValueError(message)


def money(value: Any) -> str:
    """Return an amount with two decimals: `35`, `"35.0"` and `"35.00"` are all `"35.00"`."""
    if _AMOUNT.fullmatch(written := str(value)):
        return written
    amount = _decimal(value)
    if not amount.is_finite():
        message = f"{value!r} is not an amount; expected digits such as 35 or 35.00"
        raise ValueError(message)
    try:
        cents = amount.quantize(Decimal("0.01"))
    except InvalidOperation:
        cents = None
    if cents is None or cents != amount:
        message = f"{value!r} is not an amount with at most two decimals"
        raise ValueError(message)
    return str(cents or Decimal("0.00"))


def _decimal(value: Any) -> Decimal:
    """Return a number, NaN for anything else; `1_000` and other scripts' digits are Python's idea, not a number."""
    text = str(value).strip()
    try:
        return Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        return Decimal("NaN")


def clock(value: Any) -> str:
    """Return a time of day as `HH:MM`: `9:30`, `09:30` and `09:30:00` are one."""
    match = _TIME.fullmatch(str(value).strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:  # noqa: PLR2004 - a day's last hour and minute
        wrong = moments.fault(str(value).strip())
        message = f"{value!r} is not a time of day; {wrong or 'expected HH:MM such as 09:30'}"
        raise ValueError(message)
    return f"{int(match[1]):02d}:{match[2]}"


def day(value: Any) -> str:
    """Return a calendar date as `YYYY-MM-DD`."""
    text = str(value).strip()
    return text if moments.is_day(text) else moments.day(text).isoformat()


def utc(moment: datetime) -> str:
    """Return an aware date-time in UTC, to the second, ending in `Z`; ValueError outside the years 1 to 9999."""
    try:
        return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    except OverflowError:
        message = f"{moment.isoformat()!r} is not an instant that UTC can represent; expected a year from 1 to 9999"
        raise ValueError(message) from None


def now() -> str:
    """Return the present instant in UTC, to the second."""
    return utc(datetime.now(UTC))


def whole(value: Any) -> int:
    """Return a whole number from a number or digits: `12`, `"12"` and `"12.0"` are one."""
    if value.__class__ is int and abs(value) < _WHOLE:
        return value
    number = _decimal(value)
    if isinstance(value, bool) or not number.is_finite():
        message = f"{value!r} is not a whole number"
        raise ValueError(message)
    if number.adjusted() > _DIGITS:
        message = f"a whole number of {number.adjusted() + 1} digits is too large; expected at most {_DIGITS + 1}"
        raise ValueError(message)
    if number % 1:
        message = f"{value!r} is not a whole number"
        raise ValueError(message)
    return int(number)


def flag(value: Any) -> bool:
    """Return a boolean from a boolean, `true`/`false` or `1`/`0`."""
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    message = f"{value!r} is not true or false"
    raise ValueError(message)


def plain(value: Any) -> Any:
    """Return a JSON value: references and addresses as `Kind/name`, other tuples as lists, mappings as dicts."""
    if type(value) in ATOMS:
        return value
    if isinstance(value, (Ref, Address)):
        return str(value)
    if isinstance(value, (dict, Mapping)):
        return {key: item if type(item) in ATOMS else plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def lasting(value: Any, volatile: frozenset[str]) -> Any:
    """Return a value without members that change with everyday business, its lists of members sorted."""
    if type(value) in ATOMS:
        return value
    if isinstance(value, (dict, Mapping)):
        return {key: lasting(item, volatile) for key, item in value.items() if key not in volatile}
    if isinstance(value, (list, tuple)):
        items = [lasting(item, volatile) for item in value]
        return sorted(items, key=digest) if all(isinstance(item, dict) for item in items) else items
    return value


def digest(value: Any) -> str:
    """Return `sha256:…` of a value's canonical JSON; independent of key order and hash seed."""
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
