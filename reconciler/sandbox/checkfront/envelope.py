"""The envelope around every answer, and the error formats (seed 004, checkfront API notes §1.3, §1.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.api import Call, Refusal, Reply, json_reply
from reconciler.sandbox.checkfront.inventory import CURRENCY, SYMBOL
from reconciler.sandbox.options import Options

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404
INVALID = "validation_error"
SESSION_GONE = "invalid_session"
"""This id is invented: no published document shows an error about a session."""


def answer(
    call: Call, content: Mapping[str, Any], *, records: int = 0, headers: Mapping[str, str] | None = None
) -> Reply:
    """Answer 200 with the envelope around the content."""
    return json_reply(OK, {**_envelope(call, "OK", records), **content}, headers)


def refusal(call: Call, error_id: str, title: str, *, status: int = OK) -> Refusal:
    """Make an error in the body. Its HTTP status is probably 200 (notes §1.6)."""
    return Refusal(json_reply(status, _error(call, error_id, title)))


def refusal_with(refused: Refusal, content: Mapping[str, Any]) -> Reply:
    """Answer an error that shows more, so that the call keeps what it did before."""
    return json_reply(refused.reply.status, {**json.loads(refused.reply.body), **content})


def _error(call: Call, error_id: str, title: str) -> dict[str, Any]:
    if call.options.error_shape == "envelope":
        shape = _envelope(call, "ERROR", 0)
        shape["request"]["error"] = {"id": error_id, "title": title, "details": title}
        return shape
    stated: dict[str, dict[str, Any]] = {
        "object": {"error": {"id": error_id, "title": title}},
        "text": {"error": title},
        "list": {"errors": [{"code": error_id, "message": title}]},
    }
    return {**_envelope(call, "OK", 0), **stated[call.options.error_shape]}


def invalid(call: Call, title: str) -> Refusal:
    """Make the error for an invalid request."""
    return refusal(call, INVALID, title)


def session_gone(call: Call) -> Refusal:
    """Make the error for an unknown or expired session. An option sets its status."""
    words = call.options.session_error
    error_id = SESSION_GONE if words == Options().session_error else "error"
    return refusal(call, error_id, words, status=call.options.session_error_status)


def critical(status: int, error: str, description: str) -> Refusal:
    """Make an error without envelope, as documented for credentials (notes §1.6)."""
    headers = {"WWW-Authenticate": 'Basic realm="Checkfront API"'} if status == UNAUTHORIZED else {}
    return Refusal(json_reply(status, {"error": error, "error_description": description}, headers))


def money(call: Call, cents: int) -> str:
    """Write an amount as a decimal string. A client has also seen formatted amounts (notes §1.3)."""
    text = f"{cents // 100}.{cents % 100:02d}"
    return f"{SYMBOL}{text}" if call.options.money_style == "symbol" else text


def _envelope(call: Call, status: str, records: int) -> dict[str, Any]:
    # resource and id are the first parts of the path. The short paths of 2014 omit "booking".
    steps = [step for step in call.path.split("/") if step][2:]
    if steps[:1] == ["session"]:
        steps.insert(0, "booking")
    resource, own_id, *_ = [*steps, "", ""]
    return {
        "version": "3.0",
        "account_id": 1,
        "host_id": "your-company.checkfront.com",
        "name": "Your Company",
        "locale": {"id": "en_US", "lang": "_en", "currency": CURRENCY},
        "request": {
            "status": status,
            "resource": resource,
            "id": own_id,
            "method": call.method.lower(),
            "records": records,
            "limit": 0,
            "page": 1,
            "pages": 1,
            "time": 0.0066,
        },
    }
