"""Error answers of the JSON API (bookingbug API notes §3.8), and parsing of JSON bodies."""

from __future__ import annotations

import json
from typing import Any

from reconciler.sandbox import form_data
from reconciler.sandbox.api import Call, Refusal, json_reply

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, BAD_REQUEST = 401, 403, 404, 409, 400
_UNSUPPORTED = 415


def refusal(status: int, message: str) -> Refusal:
    """Make a refusal with the body `{"error": message}`."""
    return Refusal(json_reply(status, {"error": message}))


def unauthorized() -> Refusal:
    """Make the answer to a bad or missing App-Id or token."""
    return refusal(UNAUTHORIZED, "401 Unauthorized")


def forbidden() -> Refusal:
    """Make the answer to a request that this login is not allowed to make."""
    return refusal(FORBIDDEN, "403 Forbidden")


def not_found() -> Refusal:
    """Make the answer to an unknown id or path."""
    return refusal(NOT_FOUND, "Not Found")


def invalid(message: str) -> Refusal:
    """Make the answer to an invalid request."""
    return refusal(BAD_REQUEST, message)


def conflict(message: str) -> Refusal:
    """Make the answer to a request that conflicts with the current state, as documented for 409."""
    return Refusal(json_reply(CONFLICT, {"status": CONFLICT, "message": message, "error": message}))


def read_object(call: Call) -> dict[str, Any]:
    """Return the JSON object of the body. Form bodies are accepted (notes §3.1), with `a[b]` for nesting."""
    if form_data.is_form(call):
        try:
            return form_data.read(call)
        except ValueError as error:
            raise invalid(str(error)) from error
    if call.options.strict == "strict" and call.media_type != "application/json":
        raise refusal(_UNSUPPORTED, "The provided content-type is not supported")
    try:
        value = json.loads(call.body or b"{}")
    except ValueError as error:
        raise refusal(call.options.malformed_json_status, "message body does not match declared format") from error
    if not isinstance(value, dict):
        raise invalid("a JSON object is expected")
    return value
