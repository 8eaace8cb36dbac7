"""The answer of a remote system as plain data, and its words as people may see them.

It needs only the standard library, so that the pure half of a provider can use it at no cost.
"""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
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

_DENSEST = 8
"""Bytes of an answer for each of its values, at least: a value of two bytes takes a hundred in memory."""

_FEW = 65_536
"""Values that any answer may have."""

_SNIFFED = 20_000
"""Bytes of a failed answer that are searched for its message."""

_XML_ERROR = re.compile(r"<errors?\b[^<>]*+>\s*+([^<\s][^<]*)</errors?>")
_PROLOG = r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+"
_XML_FAILURE = re.compile(_PROLOG + r"<(?:errors?|fault|exception)\b[^>]*+>(?!\s*</)", re.DOTALL)
_HTML = re.compile(_PROLOG + r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8"),
)
"""Byte order marks that name an encoding."""

_DECLARATION = re.compile(rb"\s*<\?xml\b[^>]*\?>")
_SAYS_UTF8 = re.compile(rb"\s*(?:[\[{]|<\?xml\b[^>]*encoding\s*=\s*[\"']utf-?8)", re.IGNORECASE)
"""A document that says itself that it is UTF-8: JSON always is (RFC 8259), XML by its declaration."""

_OWN_CODECS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""Python's own encodings: no server uses them, and some take time by the square of the size."""

_YES = re.compile(
    r"[\W_]*+(?:(?<!-)(?:2\d\d|1)\b[\W_]*+)?+(?:(?:ok|true|yes|null|success|successful|successfully|done|saved|created|updated"
    r"|deleted|accepted|no\s+content|status|result|response|message|session|slot|resource|block|has|been|was)\b[\W_]*+"
    r"(?:(?<!-)(?:2\d\d|1)\b[\W_]*+)?+)*+",
    re.IGNORECASE,
)
"""A body that says no more than the status does, such as `200 OK`; `<result>0</result>` says something else."""

_ERRORS = {"error", "errors", "errormessage", "exception", "fault"}
_VERDICTS = {"success", "ok"}
_NO = {"false", "no", "0"}
_DIGITS = re.compile(r"[0-9]{1,18}")
_ID = re.compile(r'"id"\s*:\s*"?([0-9]{1,18})')
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id", "x-amzn-requestid", "x-amz-request-id", "cf-ray")
_HALF = re.compile("[\ud800-\udfff]")
_ERROR_KEYS = ("error", "message", "errors", "detail")
_TITLE_KEYS = ("title", "details", "error_description")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""
    url_path: str = ""
    """The requested path, below `base_url` and without its query."""
    hold: object = field(default=None, repr=False, compare=False)
    """What lasts as long as the answer: its place in the budget of memory."""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004 - HTTP's class of success

    @property
    def content(self) -> bytes:
        """The body in UTF-8, where a mark or the header's charset says what it is in (RFC 7303); else as it came.

        A charset that does not fit the bytes does not count. Nor does one for a document that says itself that it
        is UTF-8, and is: servers add a default charset to what they did not write.
        """
        mark = next((name for start, name in _MARKS if self.body.startswith(start)), None)
        found = _CHARSET.search(self.headers.get("content-type", ""))
        charset = mark or (found[1].lower() if found else None)
        if charset is None or (mark is None and _SAYS_UTF8.match(self.body) and _decoded(self.body, "utf-8")):
            return self.body
        text = _decoded(self.body, charset)
        if text is None:
            return self.body
        recoded = text.removeprefix("\ufeff").encode()
        return recoded[declared.end() :] if (declared := _DECLARATION.match(recoded)) else recoded

    @property
    def text(self) -> str:
        """The first part of the body, for messages only: bytes that are not UTF-8 are replaced."""
        return self.content[:_SNIFFED].decode("utf-8", "replace").removeprefix("\ufeff")

    @property
    def is_html(self) -> bool:
        """Whether it is an HTML page: of a proxy, a login, an error."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in {"text/html", "application/xhtml+xml"} or _HTML.match(self.text) is not None


def _decoded(body: bytes, charset: str) -> str | None:
    try:
        return None if codecs.lookup(charset).name in _OWN_CODECS else body.decode(charset)
    except (LookupError, ValueError):  # not an encoding of text, or not that of this body
        return None


def says_yes(answer: Answer) -> bool:
    """Whether a body adds nothing to the status of a success: it is empty, or a word such as `OK`."""
    return len(answer.body) < 100 and _YES.fullmatch(answer.text) is not None  # noqa: PLR2004 - a word is shorter


def unusable(answer: Answer, error: ValueError | str) -> str:
    """Say why a successful answer cannot be used: an HTML page, the refusal that it holds, or `error`."""
    if answer.is_html:
        return "invalid response: an HTML page"
    said = reported(answer)
    return f"invalid response: {error if said is None else f'the server reported an error: {said}'}"


def doubtful(answer: Answer, error: ValueError | str) -> str:
    """Say why the answer to a write leaves its result open, with the server's own words; a long body is an object."""
    short = not answer.is_html and len(answer.body) <= 2 * WORDS_LIMIT
    said = f"; the server said: {error_words(answer)}" if short else ""
    return f"{unusable(answer, error)}{said}"


def reported(answer: Answer) -> str | None:
    """Return the message of an error that the body of an answer of any status reports; None where it reports none."""
    text = answer.text.lstrip()
    if text.startswith("<"):
        return _xml_words(text)
    try:
        value = json.loads(answer.content) if text.startswith(("{", "[")) else None
    except (ValueError, RecursionError):
        return None
    return refusal_words(value)


def refusal_words(value: Any) -> str | None:
    """Return the message of JSON that is an error; None for any other."""
    return neutral(_said(value, depth=0)) or "no message" if _is_refusal(value) else None


def _is_refusal(value: Any) -> bool:
    """Whether JSON is an error: one under `error` or `errors`, a failing status, or only lists of messages.

    Rails writes the latter: `{"name": ["has already been taken"]}`.
    """
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) or _is_refusal(item) for item in value)
    if not isinstance(value, dict):
        return False
    named = [(str(key).lower().replace("_", ""), item) for key, item in value.items()]
    if any((key in _ERRORS and item) or (key in _VERDICTS and str(item).lower() in _NO) for key, item in named):
        return True
    if "id" in value or not value:
        return False
    status = str(value.get("status", "")).lower()
    failing = status in {"error", "fail", "failed", "failure"} or (status.isdecimal() and int(status) >= 400)  # noqa: PLR2004 - HTTP's failures
    return failing or all(isinstance(item, list) and item and isinstance(item[0], str) for item in value.values())


def error_words(answer: Answer) -> str:
    """Return the message of a failed answer, in one short sentence that is safe to print.

    It looks for `<errors><error>` (bookingbug API notes §2.4), then for JSON's `error`, `message`,
    `errors` and `detail` (§3.8), then takes the beginning of the text.
    """
    if answer.is_html:
        return "an HTML page"
    words = _xml_words(answer.text) or _json_words(answer.content)
    return neutral(words or answer.text) or _phrase(answer.status)


def _xml_words(text: str) -> str | None:
    """Return the message of XML that is or holds an error; None for any other."""
    found = _XML_ERROR.findall(text) or ([_TAG.sub(" ", text)] if _XML_FAILURE.match(text) else [])
    return neutral("; ".join(html.unescape(item) for item in found)) or "no message" if found else None


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
    return _said_of(value, depth) if isinstance(value, dict) else ""


def _said_of(value: Mapping[str, Any], depth: int) -> str:
    """Return the words of `{"title": "…"}`, of `{"error": "…"}` or, in an error, of `{"name": ["is missing"]}`."""
    keys = _TITLE_KEYS if depth else _TITLE_KEYS[-1:]  # at the top, a title is that of the object
    titles = [text for key in keys if isinstance(text := value.get(key), str) and text.strip()]
    if titles:
        return ": ".join(dict.fromkeys(titles))
    known = [said for key in _ERROR_KEYS if (said := _said(value.get(key), depth=depth + 1))]
    if known:
        return known[0]
    if not (depth or _is_refusal(value)):
        return ""
    pairs = ((key, _said(item, depth=depth + 1)) for key, item in list(value.items())[:5])
    return "; ".join(f"{key}: {said}" for key, said in pairs if said)


def neutral(text: str, limit: int = WORDS_LIMIT) -> str:
    """Return foreign text on one line, without control characters and secrets, cut at `limit`."""
    # Masked before it is cut: half a password must not be shown.
    shown = "".join(char if char.isprintable() else " " for char in redacted(text)[: limit * 8])
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def json_object(body: bytes, *, tolerant: bool = False) -> dict[str, Any]:
    """Return a JSON object with exact decimals; ValueError with a message for anything else.

    It also refuses what Python accepts: NaN, a repeated key, half a surrogate pair (which no file or terminal takes),
    and nesting so deep that processing it could end the program. `tolerant` takes a number that is none as NaN, and
    replaces half a pair, so that one such value in a list does not hide the others; whoever reads it refuses it.
    """
    check_density(body, b"[{,")
    number: Callable[[str], Any] = _number if tolerant else _decimal
    constant: Callable[[str], Any] = float if tolerant else _no_number
    try:
        value = json.loads(
            body, parse_float=number, parse_constant=constant, object_pairs_hook=_unambiguous, strict=not tolerant
        )
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    except json.JSONDecodeError as error:
        ids = _ID.findall(error.doc, 0, error.pos)
        near = f" in or after the object with id {ids[-1]}" if len(ids) > 0 else ""
        raise ValueError(f"text that is not JSON{near}: {neutral(str(error), 80)}") from None
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
        if not tolerant:
            raise ValueError("JSON with half a surrogate pair")
        return {key: _whole_pairs(item) for key, item in value.items()}
    return value


def check_density(body: bytes, marks: bytes) -> None:
    """Raise ValueError where a few MB hold so many values that they would fill the memory; each has one of `marks`."""
    if len(body) <= _FEW:
        return
    values = sum(body.count(mark) for mark in marks)
    if values > max(_FEW, len(body) // _DENSEST):
        message = f"{values} values in {len(body)} bytes; expected at most one for each {_DENSEST} bytes"
        raise ValueError(message)


def _whole_pairs(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_whole_pairs(item) for item in value]
    return {key: _whole_pairs(item) for key, item in value.items()} if isinstance(value, dict) else value


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        where = f" in the object with id {neutral(str(found['id']), 20)}" if "id" in found else ""
        raise ValueError(f"a key is repeated{where}")
    return found


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {neutral(text, 40)} is too large") from None


def _number(text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:
        return float("nan")


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
