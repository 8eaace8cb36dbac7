"""Answers of the booking/session API, decoded: sessions with their lines.

Seed 004 and the checkfront API notes §1.3. PHP writes an empty map as `[]`. Every function raises ValueError with a
message for what cannot be read; `refusals` has the errors in a body, `rating` the rated items.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from reconciler.providers.answer import is_identifier, json_object, neutral
from reconciler.providers.checkfront.days import span
from reconciler.providers.checkfront.slips import Meaning, is_slip, meaning, read_time

_LINE_ID = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_SESSION_ID = re.compile(r"[A-Za-z0-9,_-]{1,200}")
_COOKIE = re.compile(r"(?:^|[,;]\s*)session_id=([A-Za-z0-9,_-]{1,200})")
_SHOWN_TIME = re.compile(r"(?<![0-9:])[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s*[AaPp]\.?[Mm]\b)?")


class Session(Struct, frozen=True, kw_only=True):
    """One session."""

    session_id: str | None
    """Its id; None where the answer holds none."""
    lines: tuple[dict[str, Any], ...] = ()
    """Its lines by position."""


def decode(body: bytes) -> dict[str, Any]:
    """Return an answer's JSON object."""
    return json_object(body)


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object; PHP writes an empty one as `[]`, and one with keys 0, 1, … as a list."""
    if isinstance(value, dict):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else {}


def cookie_id(headers: Mapping[str, str]) -> str | None:
    """Return the session id that an answer sets as a cookie (seed 004)."""
    found = _COOKIE.search(headers.get("set-cookie", ""))
    return found[1] if found else None


def named_session(data: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Return the id of the session that an answer names anywhere, even an error."""
    booking = mapping(data.get("booking"))
    shown = (mapping(part.get("session")).get("id") for part in (booking, data))
    ids = (*shown, *(part.get("session_id") for part in (booking, data, mapping(data.get("request")))))
    known = (value for value in ids if isinstance(value, str) and _SESSION_ID.fullmatch(value) is not None)
    return next(known, None) or cookie_id(headers)


def session(data: Mapping[str, Any], headers: Mapping[str, str]) -> Session:
    """Return the session that an answer shows."""
    booking = data.get("booking")
    found = booking.get("session") if isinstance(booking, dict) else None
    if not isinstance(found, dict) or not found:
        raise ValueError("no booking.session")
    items = found.get("item")
    if items is not None and not isinstance(items, (dict, list)):
        raise ValueError("a session without a list of lines")
    named = found.get("id")
    if named is not None and (not isinstance(named, str) or _SESSION_ID.fullmatch(named) is None):
        raise ValueError("a session without a usable id")
    lines = _lines(mapping(items))
    if re.search("[1-9]", str(found.get("discount") or "")) is not None:  # which of the lines, no answer shows
        lines = tuple({**line, "discounted": True} for line in lines)
    return Session(session_id=named or cookie_id(headers), lines=lines)


def _lines(items: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    lines: dict[int, dict[str, Any]] = {}
    add_ons: list[tuple[int, Mapping[str, Any]]] = []
    for line_id, shown in items.items():
        found = _LINE_ID.fullmatch(str(line_id))
        if found is None or not isinstance(shown, dict):
            raise ValueError(f"a line {neutral(repr(line_id), 20)} that is not a line")
        if found[2] is None:
            lines[int(found[1])] = _line(found[1], shown)
        else:
            add_ons.append((int(found[1]), {**shown, "line": line_id}))
    for number, add_on in add_ons:
        if number in lines and "item_id" in add_on:
            item_id = str(add_on["item_id"])
            lines[number]["options"][item_id] = str(add_on.get("opt", ""))
            lines[number]["add_ons"][item_id] = str(add_on["line"])
    return tuple(lines[number] for number in sorted(lines))


def _line(line_id: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line in canonical values; what its slip seems to mean counts only where it fits the rest."""
    slip = shown.get("slip")
    if not is_slip(slip):
        raise ValueError(f"line {line_id} without a slip")
    line: dict[str, Any] = {"line": line_id, "slip": slip, "options": {}, "add_ons": {}}
    if is_identifier(str(shown.get("item_id", ""))):
        line["item_id"] = str(int(shown["item_id"]))
    rate, meant = mapping(shown.get("rate")), meaning(str(slip))
    line.update(span(mapping(shown.get("date")), meant.start_date if meant is not None else None))
    rated = int(rate["qty"]) if is_identifier(str(rate.get("qty", ""))) else None
    if meant is not None and _agree(line, meant, mapping(shown.get("date"))):
        line.update({"params": meant.params, **meant.times})
        line.update(_quantity(meant, rated))
    facts = {"name": shown.get("name"), "available": shown.get("available"), "total": rate.get("item_total")}
    line.update({name: neutral(str(value), 60) for name, value in facts.items() if value not in (None, "")})
    line.update({"rated_quantity": rated} if rated is not None else {})
    return line


def _agree(line: dict[str, Any], meant: Meaning, shown: Mapping[str, Any]) -> bool:
    """Whether a slip fits everything that its line shows, whose missing item and day are then those of the slip."""
    said = (("item_id", meant.item_id), ("start_date", meant.start_date))
    if not all(line.setdefault(name, value) == value for name, value in said):
        return False
    if "end_date" in line:
        nights = (date.fromisoformat(line["end_date"]) - date.fromisoformat(line["start_date"])).days
        if meant.units not in {max(nights, 1), nights + 1}:
            return False
    texts = _SHOWN_TIME.findall(str(shown.get("summary", ""))) if meant.times else []
    spoken = zip(("start_time", "end_time"), (read_time(text) for text in texts), strict=False)
    return all(time is None or meant.times.get(name, time) == time for name, time in spoken)


def _quantity(meant: Meaning, rated: int | None) -> dict[str, int]:
    """Return the quantity of a simple item: what the server charges for counts where the slip was not rewritten."""
    if meant.quantity is None:
        return {}
    is_other = rated is not None and not meant.params and rated != meant.quantity * meant.units
    return {"quantity": rated if is_other and rated is not None else meant.quantity}
