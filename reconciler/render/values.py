"""Field values as text, the same in every format for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from itertools import takewhile
from typing import Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

from reconciler.model import canonical
from reconciler.render.safe import visible

WIDTH = 70
"""Characters of one value that are shown; longer values are shortened."""

_LEAD = 30
"""Characters shown before the first difference of two long values."""

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
    if normalize("NFKC", old) == normalize("NFKC", new):
        old, new = ascii(canonical.plain(before)), ascii(canonical.plain(after))
    shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(old, new, strict=False)))
    return _window(old, shared, width), _window(new, shared, width)


def slot(value: Mapping[str, Any]) -> str:
    """Return a session's slot as `2027-03-08 11:00 (60 min, 4 booked)`."""
    facts = [f"{value['duration']} min"] if value.get("duration") is not None else []
    for field, word in (("spaces_booked", "booked"), ("spaces_reserved", "reserved")):
        if value.get(field):
            facts.append(f"{value[field]} {word}")
    when = " ".join(str(value[part]) for part in ("date", "time") if value.get(part))
    return visible(f"{when} ({', '.join(facts)})" if facts else when)


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
        return visible(json.dumps(value, ensure_ascii=False))
    return visible(str(value))


def _string(value: str, zone: str | None) -> str:
    if _INSTANT.fullmatch(value):
        return _moment(value, zone)
    shown = visible(value)
    # Without quotes an empty text, or a blank at an end, would be invisible.
    return shown if shown and shown == shown.strip() else f'"{shown}"'


def _zone(name: str | None) -> tuple[tzinfo, str]:
    """Return a zone or offset and its name; UTC for an unknown one: a document may hold any text."""
    if name:
        try:
            offset = datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo if name[0] in "+-" else None
            return offset or ZoneInfo(name), name
        except (ValueError, LookupError, OSError):
            pass
    return UTC, "UTC"


def _moment(value: str, zone: str | None) -> str:
    """Return an instant in local time of `zone`; with the offset in an hour that a clock change repeats."""
    moment = datetime.fromisoformat(value)
    known, name = _zone(zone)
    local = moment.astimezone(known)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    clock = local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
    return f"{clock}{local.isoformat()[-6:] if twice else ''} {name}"


def _window(text: str, interest: int, width: int | None) -> str:
    """Cut `text` to `width` so that the place of `interest` stays visible."""
    if width is None or len(text) <= width:
        return text
    if interest < width - _LEAD:
        return text[: width - 1] + "…"
    start = interest - _LEAD
    end = start + width - 2
    return f"…{text[start:end]}" + ("…" if end < len(text) else "")
