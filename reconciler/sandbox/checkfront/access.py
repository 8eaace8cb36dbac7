"""Authentication: the key and secret as HTTP Basic (checkfront API notes §3)."""

from __future__ import annotations

import base64
import hmac

from reconciler.sandbox.api import Call, Handler, Refusal, Reply
from reconciler.sandbox.checkfront import envelope


def authenticated(handler: Handler) -> Handler:
    """Accept a call only with the right key and secret.

    X-On-Behalf is accepted and has no effect: the only staff account sees everything (notes §3).
    """

    def guard(call: Call) -> Reply:
        check(call)
        return handler(call)

    return guard


def check(call: Call) -> None:
    """Refuse missing, malformed and wrong credentials with the documented messages (notes §1.6, §3)."""
    header = call.headers.get("authorization")
    if header is None:
        raise _denied("invalid_request", "The access token was not found.")
    scheme, _, given = header.partition(" ")
    try:
        decoded = base64.b64decode(given, validate=True)
    except ValueError:
        decoded = b""
    if scheme.lower() != "basic" or b":" not in decoded:
        raise _denied("invalid_request", "Malformed auth header.")
    expected = f"{call.options.checkfront_key}:{call.options.checkfront_secret}".encode()
    if not hmac.compare_digest(decoded, expected):
        raise _denied("invalid_grant", "The access token provided is invalid.")


def _denied(error: str, description: str) -> Refusal:
    return envelope.critical(envelope.UNAUTHORIZED, error, description)
