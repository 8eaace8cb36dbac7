"""The answer of a remote system as plain data, and its words as people may see them.

It needs only the standard library, so that the pure half of a provider can use it at no cost.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

from reconciler.errors import RemoteError
from reconciler.model import canonical
from reconciler.redaction import redacted

WORDS_LIMIT = 120
"""Maximum length of a remote system's own words in a message."""

DEEPEST = 40
"""Maximum nesting of an answer; no documented one has ten levels."""

_SNIFFED = 20_000
"""Bytes of a failed answer that are searched for its message."""

_XML_ERROR = re.compile(r"<error\b[^>]*>([^<]*)</error>")
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,18}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id", "x-amzn-requestid", "x-amz-request-id", "cf-ray")
_HALF = re.compile("[\ud800-\udfff]")
_ERROR_KEYS = ("error", "message", "errors", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    url_path: str = ""
    """The requested path, below `base_url` and without its query."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004 - HTTP's class of success

    @property
    def text(self) -> str:
        """The first part of the body, for messages only: bytes that are not UTF-8 are replaced."""
        return self.body[:_SNIFFED].decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        """Whether it is an HTML page: of a proxy, a login, an error."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in {"text/html", "application/xhtml+xml"} or _HTML.match(self.text) is not None


def error_words(answer: Answer) -> str:
    """Return the message of a failed answer, in one short sentence that is safe to print.

    It looks for `<errors><error>` (bookingbug API notes §2.4), then for JSON's `error`, `message`,
    `errors` and `detail` (§3.8), then takes the beginning of the text.
    """
    if answer.is_html:
        return "an HTML page"
    found = _XML_ERROR.findall(answer.text)
    words = "; ".join(html.unescape(item) for item in found) if found else _json_words(answer.body)
    return neutral(words or answer.text) or _phrase(answer.status)


def request_id(answer: Answer) -> str | None:
    """Return the id that the server or a proxy gave this request, for its operators."""
    found = next((value for name in _REQUEST_IDS if (value := answer.headers.get(name, "").strip())), "")
    return neutral(found, 64) or None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no message"


def _json_words(body: bytes) -> str:
    if len(body) > _SNIFFED:
        return ""
    try:
        return _said(json.loads(body), depth=0)
    except (ValueError, RecursionError):
        return ""


def _said(value: Any, *, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth > 3:  # noqa: PLR2004 - a message is nested no deeper than {"errors": [{"message": …}]}
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_said(item, depth=depth + 1) for item in value[:5])))
    if isinstance(value, dict):
        known = [value[key] for key in _ERROR_KEYS if value.get(key)]
        if known:
            return _said(known[0], depth=depth + 1)
        if depth:  # {"errors": {"name": ["is missing"]}}
            pairs = ((key, _said(item, depth=depth + 1)) for key, item in list(value.items())[:5])
            return "; ".join(f"{key}: {said}" for key, said in pairs if said)
    return ""


def neutral(text: str, limit: int = WORDS_LIMIT) -> str:
    """Return foreign text on one line, without control characters and secrets, cut at `limit`."""
    # Masked before it is cut: half a password must not be shown.
    shown = "".join(char if char.isprintable() else " " for char in redacted(text)[: limit * 8])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object with exact decimals; ValueError with a message for anything else.

    It also refuses what Python accepts: NaN, a repeated key, half a surrogate pair (which no file or terminal takes),
    and nesting so deep that processing it could end the program.
    """
    try:
        value = json.loads(body, parse_float=_decimal, parse_constant=_no_number, object_pairs_hook=_unambiguous)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"text that is not JSON: {neutral(str(error), 80)}") from None
    if not isinstance(value, dict):
        raise ValueError("JSON that is not an object")  # noqa: TRY004 - the answer is wrong, not an argument
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [child for item in level for child in _children(item) if isinstance(child, (dict, list))]
    if level:
        raise ValueError("JSON that is nested too deeply")
    if b"\\ud" in body.lower() and _HALF.search(json.dumps(value, ensure_ascii=False, default=str)) is not None:
        raise ValueError("JSON with half a surrogate pair")
    return value


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {neutral(text, 40)} is too large") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def is_identifier(value: object) -> bool:
    """Whether a value is an id of these systems: digits only."""
    return isinstance(value, str) and _DIGITS.fullmatch(value) is not None


def identifier(value: object) -> str:
    """Return an id that is safe in a path; RemoteError for anything but digits (`../admin`)."""
    if not isinstance(value, str) or not is_identifier(value):
        raise RemoteError(f"{neutral(repr(value), 40)} is not an id of this system; expected digits such as 123")
    return value


def whole(value: object) -> int:
    """Return a whole number of an answer. An exponent is refused: a few bytes could make a number that fills memory."""
    text = str(value).strip()
    if isinstance(value, bool) or _WHOLE.fullmatch(text) is None:
        message = f"{text!r} is not a whole number"
        raise ValueError(message)
    return canonical.whole(text)


def basic(username: str, password: str) -> str:
    """Return the `Authorization` header of HTTP Basic authentication, in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
