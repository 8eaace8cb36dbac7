"""Answers of the booking/session API, decoded: sessions with their lines, rated items, and errors.

Seed 004 and the checkfront API notes §1.3 and §1.6. A 200 proves nothing: errors are in the body, and
PHP writes an empty map as `[]`. Every function raises ValueError with a message for what cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.canonical import day
from reconciler.providers.answer import is_identifier, json_object, neutral
from reconciler.providers.checkfront.slips import is_slip, meaning

_LINE_ID = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_SESSION_ID = re.compile(r"[A-Za-z0-9,_-]{1,200}")
_COOKIE = re.compile(r"(?:^|[,;]\s*)session_id=([A-Za-z0-9,_-]{1,200})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SHOWN_DAY = re.compile(r"\b([A-Z][a-z]{2}) ([0-9]{1,2}),? ([0-9]{4})\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OVER = re.compile(
    r"\bsession(_id)?\b[^.;]{0,60}\b(not (be )?found|unknown|invalid|expired|ended|closed|exist)"
    r"|\b(unknown|invalid|expired|no such)\b[^.;]{0,20}\bsession\b",
    re.IGNORECASE,
)
_NOT_OVER = re.compile(
    r"\b(log ?in|access|permission|api|token|unavailable|again|(could not|cannot)(?! be found)|may not|storage)\b",
    re.IGNORECASE,
)
_TROUBLE = frozenset({408, 425, 429})
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The error that an answer holds."""

    words: str
    critical: bool = False
    """Whether it is about the credentials, not about the object."""

    def is_over(self, status: int) -> bool:
        """Whether the server does not know the session.

        No error id is documented, so the server's words decide; in doubt the answer is no. A failing server, or a
        refusal for another reason, must never count as an expired session.
        """
        if self.critical or status >= 500 or status in _TROUBLE:  # noqa: PLR2004 - the server's own failures
            return False
        if _NOT_OVER.search(self.words) is not None:
            return False
        gone = status in {404, 410} and "resource" not in self.words.lower() and "not found" in self.words.lower()
        return gone or _OVER.search(self.words) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session."""

    session_id: str | None
    """Its id; None where the answer holds none."""
    lines: tuple[dict[str, Any], ...] = ()
    """Its lines by position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A rated item."""

    slip: str | None = None
    error: str | None = None
    """Why there is no slip."""
    params: tuple[str, ...] = ()
    """The names of its parameters."""


def decode(body: bytes) -> dict[str, Any]:
    """Return an answer's JSON object."""
    return json_object(body)


def refused(data: Mapping[str, Any]) -> Refused | None:
    """Return the error in an answer of any HTTP status; None where there is none."""
    if isinstance(data.get("error"), str):
        return Refused(words=_said(data.get("error_description"), data["error"]), critical=True)
    request = mapping(data.get("request"))
    if str(request.get("status", "")).upper() != "ERROR":
        return None
    error = mapping(request.get("error"))
    title, details = (str(error.get(name) or "") for name in ("title", "details"))
    return Refused(words=_said(f"{title}: {details}" if details not in {"", title} else title, error.get("id")))


def _said(*candidates: object) -> str:
    return next((neutral(text) for text in candidates if isinstance(text, str) and text.strip()), "no message")


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object; PHP writes an empty one as `[]`, and one with keys 0, 1, … as a list."""
    if isinstance(value, dict):
        return value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else {}


def cookie_id(headers: Mapping[str, str]) -> str | None:
    """Return the session id that an answer sets as a cookie (seed 004)."""
    found = _COOKIE.search(headers.get("set-cookie", ""))
    return found[1] if found else None


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
    return Session(session_id=named or cookie_id(headers), lines=_lines(mapping(items)))


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
    line.update(_span(mapping(shown.get("date"))))
    meant = meaning(str(slip))
    if meant is not None and all(
        line.setdefault(name, said) == said
        for name, said in (("item_id", meant.item_id), ("start_date", meant.start_date))
    ):
        line["params"] = meant.params
        line.update({"quantity": meant.quantity} if meant.quantity is not None else {})
    rate = mapping(shown.get("rate"))
    facts = {"name": shown.get("name"), "available": shown.get("available"), "total": rate.get("item_total")}
    line.update({name: neutral(str(value), 60) for name, value in facts.items() if value not in (None, "")})
    if is_identifier(str(rate.get("qty", ""))):
        line["rated_quantity"] = int(rate["qty"])
    return line


def _span(date: Mapping[str, Any]) -> dict[str, str]:
    """Return first and last day: "20140408" in seed 004, unix times in 2017, whose zone only the text shows."""
    shown = _SHOWN_DAY.findall(str(date.get("summary", "")))
    span = {}
    for name, index in (("start_date", 0), ("end_date", -1)):
        value = date.get(name)
        compact = _COMPACT.fullmatch(str(value))
        if compact is not None and not isinstance(value, int):
            span[name] = _day(compact[1], compact[2], compact[3])
        elif shown and shown[index][0] in _MONTHS:
            month, number, year = shown[index]
            span[name] = _day(year, f"{_MONTHS.index(month) + 1:02d}", f"{int(number):02d}")
        elif isinstance(value, int) and 0 < value < 2**35:
            # A whole day begins at the company's midnight, less than half a day from that of UTC.
            span[name] = (datetime.fromtimestamp(value, UTC) + _HALF_DAY).date().isoformat()
    return {name: text for name, text in span.items() if text}


def _day(year: str, month: str, number: str) -> str:
    try:
        return day(f"{year}-{month}-{number}")
    except ValueError:
        return ""


def rated(data: Mapping[str, Any]) -> Rated:
    """Return the result of a rated query; the request can be OK and the rate an error (notes §1.6)."""
    item = mapping(data.get("item"))
    rate, params = mapping(item.get("rate")), tuple(mapping(item.get("param")))
    if not item or not rate:
        raise ValueError("no rated item")
    status, slip, error = str(rate.get("status", "")).upper(), rate.get("slip"), mapping(rate.get("error"))
    if status in {"ERROR", "UNAVAILABLE"} or error:
        return Rated(error=_said(error.get("title"), error.get("id"), status), params=params)
    if not is_slip(slip):
        return Rated(error="the server returned no slip", params=params)
    return Rated(slip=str(slip), params=params)
