"""Field values as text, the same in every format for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any
from unicodedata import normalize

from reconciler import local_times
from reconciler.model import canonical, days
from reconciler.render.safe import shown_value

WIDTH = 70
"""Characters of one value that are shown; longer values are shortened."""

_LEAD = 30
"""Characters shown before the first difference of two long values."""

_SHAPES = str.maketrans(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0430"
    "\u0441\u0435\u0455\u0456\u0458\u043e\u0440\u0443\u0445\u0501"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
    "\u2010\u2011\u2012\u2013\u2014\u2212"
    "\u00b4\u2018\u2019\u02bc\u2032"
    "\u201c\u201d\u2033",
    "ABESIJKMHOPCTYXacesijopyxdABEZHIKMNOPTYXo------'''''\"\"\"",
)
"""Characters that look like one of ASCII, Cyrillic and Greek letters among them."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def words(value: Any, *, width: int | None = WIDTH, zone: str | None = None) -> str:
    """Return one value as one harmless line, shortened to `width` characters (None: never).

    An instant is shown in `zone` (IANA name or offset; None: UTC).
    """
    return _window(_spelled(value, zone), 0, width)


def pair(before: Any, after: Any, *, width: int | None = WIDTH, zone: str | None = None) -> tuple[str, str]:
    """Return two values that differ, so that the difference is visible.

    Long values are cut around their first difference; values that look the same (a non-breaking
    space, `5` and `"5"`) are written in ASCII.
    """
    old, new = _spelled(before, zone), _spelled(after, zone)
    if _same_shape(old, new):
        old, new = (shown_value(ascii(canonical.plain(side))) for side in (before, after))
    shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(old, new, strict=False)))
    return _window(old, shared, width), _window(new, shared, width)


def _same_shape(left: str, right: str) -> bool:
    """Whether two texts look the same: compatible characters, dashes, quotes, or letters of two scripts."""
    return normalize("NFKC", left).translate(_SHAPES) == normalize("NFKC", right).translate(_SHAPES)


def slot(value: Mapping[str, Any]) -> str:
    """Return a session's slot as `Mon 8 Mar 2027, 11:00 (60 min, 4 booked)`."""
    facts = [f"{value['duration']} min"] if value.get("duration") is not None else []
    for field, word in (("spaces_booked", "booked"), ("spaces_reserved", "reserved")):
        if value.get(field):
            facts.append(f"{value[field]} {word}")
    when = ", ".join(days.shown_text(value[part]) for part in ("date", "time") if value.get(part))
    return shown_value(f"{when} ({', '.join(facts)})" if facts else when)


def _spelled(value: Any, zone: str | None) -> str:
    value = canonical.plain(value)
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _string(value, zone)
    if isinstance(value, list) and value and not any(isinstance(item, (list, dict)) for item in value):
        return ", ".join(_spelled(item, zone) for item in value)
    if isinstance(value, (list, dict)):
        return shown_value(json.dumps(value, ensure_ascii=False))
    return shown_value(str(value))


def _string(value: str, zone: str | None) -> str:
    if _INSTANT.fullmatch(value):
        return local_times.shown(value, zone)
    if _DAY.fullmatch(value):
        return days.shown_text(value)
    shown = shown_value(value)
    # Without quotes an empty text, or a blank at an end, would be invisible.
    return shown if shown and shown == shown.strip() else f'"{shown}"'


def _window(text: str, interest: int, width: int | None) -> str:
    """Cut `text` to `width` so that the place of `interest` stays visible."""
    if width is None or len(text) <= width:
        return text
    if interest < width - _LEAD:
        return text[: width - 1] + "…"
    start = interest - _LEAD
    end = start + width - 2
    return f"…{text[start:end]}" + ("…" if end < len(text) else "")
