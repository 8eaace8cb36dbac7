"""Errors in answers of the booking/session API, and whether one means that a session is over.

A 200 proves nothing: errors are in the body (checkfront API notes §1.6). No error about a session is documented, so
structure decides where it can: the status, the part of the API that answered, an answer without any session. Words
decide only where they are about the session itself. In doubt the session is not over, and what is not known ends when
the session must have expired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.providers.answer import neutral, refusal_words

_OAUTH = frozenset(
    {
        "access_denied",
        "insufficient_scope",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_token",
        "unauthorized",
        "unauthorized_client",
    }
)
"""Top-level errors about the credentials (RFC 6749, RFC 6750); two of them are documented (notes §1.6)."""

_FINE = frozenset({"", "OK", "SUCCESS", "SUCCESSFUL", "200", "201"})
_TROUBLE = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})
_ID_KEYS = ("id", "code", "type", "name")

_SESSION = r"\b(?:session|cart|basket)(?: ?ids?)?\b"
_ENDED = (
    r"(?:\b(?:(?:not|cannot|can't) (?:be )?(?:found|located|valid|recogni[sz]ed|active)|lapsed|expired"
    r"|(?<!has )(?<!have )(?:unknown|invalid|inactive)"
    r"|time[sd]?[ -]?out|ended|closed|terminated|destroyed|over(?=[.,;!]|$))\b"
    r"|(?:\bnot|n't|\bno longer) (?:exist(?:s|ed)?|valid|active|open)\b|\bno longer available\b)"
)
_BETWEEN = (
    r"(?:[\s:=#\"'()\[\]*…-]|\b[a-z0-9]{20,}\b|\b(?:does|is|was|could|did)(?=n't)|\b(?:has|have"
    r"|had|is|was|been|be|could|can|does|did|do|now|already|which|that|you|id|requested|sent|given|supplied|provided|specified|with|this|the|either|or|and|your|booking"
    r"|shopping|unknown|invalid|expired)\b)*"
)
_OVER = re.compile(
    rf"{_SESSION}{_BETWEEN}{_ENDED}"
    rf"|\b(?:unknown|invalid|inactive|expired|no such|no active){_BETWEEN}{_SESSION}"
    r"|\b(?:your|this|the) (?:booking|reservation|hold) (?:has |is |was )?(?:now )?(?:expired|timed[ -]?out)\b"
    r"|^(?:it )?(?:has )?expired\b",
    re.IGNORECASE,
)
_NOT_OVER = re.compile(
    r"\b(log ?in|access|permission|api (?:key|user|token)|token|temporar\w*|maintenance|busy|storage|later|may not"
    r"|requests? (?:has )?timed|server (?:is|was|error)|gateway|database|(?<!longer )(?:un)?available"
    r"|(?:could not|cannot)(?! be (?:found|located|recogni[sz]ed)))\b",
    re.IGNORECASE,
)
_TRY_AGAIN = re.compile(r"^(?!.*\b(?:expired|time[sd]?[ -]?out|start again|begin again)\b).*\bagain\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(resource|path|route|page|url|endpoint|method|item|account|company|host)\b", re.IGNORECASE)


class Refused(Struct, frozen=True, kw_only=True):
    """The error that an answer holds."""

    words: str
    marks: str = ""
    """The ids of the error, as words."""
    critical: bool = False
    """Whether it is about the credentials, not about the object."""
    by_session: bool = False
    """Whether the answer says that it is from booking/session, so that a 404 is about the session."""

    def is_over(self, status: int) -> bool:
        """Whether the server does not know the session.

        A failing server, or a refusal for another reason, must never count as an expired session.
        """
        if self.critical or status >= 500 or status in _TROUBLE:  # noqa: PLR2004 - the server's own failures
            return False
        said = f"{self.words}; {self.marks}".replace("_", " ")
        if _NOT_OVER.search(said) is not None or _TRY_AGAIN.search(said) is not None:
            return False
        if status in _GONE and _ELSEWHERE.search(said) is None and (self.by_session or "not found" in said.lower()):
            return True
        return any(_OVER.search(text.replace("_", " ")) is not None for text in (self.words, self.marks))


def refused(data: Mapping[str, Any]) -> Refused | None:
    """Return the error in an answer of any HTTP status; None where there is none."""
    request, booking = _map(data.get("request")), _map(data.get("booking"))
    parts = (request, data, booking, _map(booking.get("session")))
    words = next((said for part in parts if (said := refusal_words(part)) is not None), None)
    status = str(request.get("status", "")).strip()
    if words is None and status.upper() in _FINE:
        return None
    return Refused(
        words=neutral(f"status {status}, no message") if words in {None, "no message"} and status else str(words),
        marks=neutral(" ".join(_marks(parts))),
        critical=not request and data.get("error") in _OAUTH,
        by_session=from_session(data),
    )


def from_session(data: Mapping[str, Any]) -> bool:
    """Whether an answer's envelope says that booking/session answered (seed 004)."""
    request = _map(data.get("request"))
    return (request.get("resource"), request.get("id")) == ("booking", "session")


def shows_no_session(data: Mapping[str, Any]) -> bool:
    """Whether booking/session answers OK and shows no session at all: it knows none with the id that was sent."""
    status = str(_map(data.get("request")).get("status", "")).strip().upper()
    booking = data.get("booking")
    empty = not booking or (isinstance(booking, dict) and not booking.get("session") and booking.get("session") != 0)
    return from_session(data) and status in _FINE - {""} and empty


def _marks(parts: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for part in parts:
        error = part.get("error")
        if isinstance(error, str):
            yield error
        for key in _ID_KEYS:
            mark = _map(error).get(key)
            if isinstance(mark, str):
                yield mark


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
