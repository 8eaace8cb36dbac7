"""Read requests in every encoding that clients send (checkfront API notes §1.2).

Values may be in the query, a form body, a JSON body or a cookie. Names are read like in PHP:
`slip[]=a&slip[]=b` and `slip[0]=a&slip[1]=b` are lists; `slip=a&slip=b` keeps the last value. The answers of
the service suggest that it is written in PHP (notes §1.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from msgspec import Struct

from reconciler.sandbox import form_data
from reconciler.sandbox.api import Call
from reconciler.sandbox.checkfront import envelope

COOKIE = "session_id"
_KNOWN = frozenset({"session_id", "slip", "alter", "line_id"})


class Stated(Struct, frozen=True, kw_only=True):
    """What a session call requests."""

    session_id: str = ""
    """Empty if the call names no session."""

    slips: tuple[str, ...] = ()
    """Slips to add. With `line_id`, the first one replaces that line."""

    alter: Mapping[str, str] = {}
    """The alteration of each line, by line id."""

    line_id: str = ""
    """The line to replace."""

    @property
    def is_change(self) -> bool:
        """Whether the call changes something."""
        return bool(self.slips or self.alter or self.line_id)


def parameters(call: Call) -> dict[str, Any]:
    """Return the parameters of query and body. The body wins; this is not documented (notes §7.9)."""
    values = form_data.from_query(call.query_string)
    if call.method == "GET" or not call.body:
        return values
    if form_data.is_form(call):
        try:
            return values | form_data.read(call)
        except ValueError as error:
            raise envelope.invalid(call, str(error)) from error
    if call.media_type.endswith("json"):
        return values | _document(call)
    if call.options.strict == "strict":
        raise envelope.invalid(call, f"a body of type {call.media_type or 'unknown'} is not read")
    return values


def refuse_unknown(call: Call, values: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse undocumented parameters, if `foreign_parameters` says so."""
    unknown = sorted(values.keys() - known)
    if unknown and call.options.foreign_parameters == "error":
        raise envelope.invalid(call, f"{unknown[0]} is not a known parameter")


def session(call: Call) -> Stated:
    """Read a session call. A parameter wins over the cookie; this is not documented (notes §7.9)."""
    values = parameters(call)
    refuse_unknown(call, values, _KNOWN)
    return Stated(
        session_id=_scalar(call, values, "session_id") or _cookie(call),
        slips=tuple(_listed(call, values, "slip")),
        alter=_mapped(call, values, "alter"),
        line_id=_scalar(call, values, "line_id"),
    )


def mapping_of(value: object) -> dict[str, Any]:
    """Return a parameter of the form `name[key]=value`, or an empty mapping."""
    return dict(value) if isinstance(value, dict) else {}


def _document(call: Call) -> dict[str, Any]:
    try:
        value = json.loads(call.body)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
    except ValueError as error:
        raise envelope.invalid(call, "the body is not JSON") from error
    if not isinstance(value, dict):
        raise envelope.invalid(call, "a JSON object is expected")
    return value


def _cookie(call: Call) -> str:
    try:
        jar = SimpleCookie(call.headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def _scalar(call: Call, values: Mapping[str, Any], name: str) -> str:
    """Read text or a whole number. A front end sends null on its first call (notes §1.2)."""
    return _text(call, name, "" if values.get(name) is None else values[name])


def _listed(call: Call, values: Mapping[str, Any], name: str) -> list[str]:
    value = values.get(name)
    if value is None:
        return []
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [_text(call, name, item) for item in items]


def _mapped(call: Call, values: Mapping[str, Any], name: str) -> dict[str, str]:
    value = values.get(name)
    # PHP writes and reads an empty map as [].
    if value in (None, [], {}):
        return {}
    if not isinstance(value, dict):
        _refuse(call, name)
    return {str(key): _text(call, name, item) for key, item in mapping_of(value).items()}


def _text(call: Call, name: str, value: object) -> str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    _refuse(call, name)
    return ""


def _refuse(call: Call, name: str) -> None:
    if call.options.strict == "strict":
        raise envelope.invalid(call, f"{name} is invalid")
