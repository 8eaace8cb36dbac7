"""The calls on a booking session (seed 004, checkfront API notes §1.1)."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.api import Call, Refusal, Reply
from reconciler.sandbox.checkfront import changes, envelope, forms, holds, shapes
from reconciler.sandbox.checkfront.forms import COOKIE
from reconciler.sandbox.database import Row


class _NoSessionError(Exception):
    """The call names an unknown or expired session, and `session_expired` is `absent`."""


def serve(call: Call) -> Reply:
    """GET and POST /api/3.0/booking/session: apply the changes and return the whole session.

    A GET with slips or alterations changes the session too, as in one documented sample (notes §1.1).
    """
    stated = forms.session(call)
    try:
        hold = _hold(call, stated.session_id)
    except _NoSessionError:
        return envelope.answer(call, {"booking": []})
    try:
        changes.apply(call, hold, stated)
    except Refusal as refused:
        if stated.session_id or call.options.refused_start == "rolled_back":
            raise
        if call.options.refused_start == "named":
            holds.clear(call.company, hold)
        shown = {"booking": {"session": shapes.session(call, holds.reread(call.company, hold["id"]))}}
        return envelope.refusal_with(refused, shown)
    if call.method == "POST" or stated.is_change or call.options.get_extends == "yes":
        holds.touch(call.company, hold)
    return _shown(call, hold)


def clear(call: Call) -> Reply:
    """POST and GET /api/3.0/booking/session/clear: remove all lines and keep the id."""
    try:
        hold = _hold(call, forms.session(call).session_id)
    except _NoSessionError:
        return envelope.answer(call, {"booking": []})
    holds.clear(call.company, hold)
    holds.touch(call.company, hold)
    return envelope.answer(call, {}) if call.options.clear_answer == "envelope" else _shown(call, hold)


def end(call: Call) -> Reply:
    """POST and GET /api/3.0/booking/session/end: remove the session. Answering the envelope is a guess (notes §7.5)."""
    session_id = forms.session(call).session_id
    hold = holds.find(call.company, session_id)
    over = hold is None or holds.has_expired(call.company, hold)
    if over and call.options.end_again == "error":
        raise envelope.session_gone(call)
    if hold is not None:
        holds.end(call.company, hold)
    return envelope.answer(call, {}, headers=_cookie(call, "", "; Max-Age=0"))


def _hold(call: Call, session_id: str) -> Row:
    """Find the session, or start one if none is named. `session_expired` handles expired ones (notes §1.5)."""
    if not session_id:
        return holds.create(call.company)
    hold = holds.find(call.company, session_id)
    if hold is not None and not holds.has_expired(call.company, hold):
        return hold
    if call.options.session_expired == "error":
        raise envelope.session_gone(call)
    if call.options.session_expired == "absent":
        raise _NoSessionError
    if call.options.session_expired == "new_id":
        return holds.create(call.company)
    return holds.adopt(call.company, session_id)


def _shown(call: Call, hold: Row) -> Reply:
    shape: dict[str, Any] = shapes.session(call, holds.reread(call.company, hold["id"]))
    headers = _cookie(call, shape["id"], "")
    return envelope.answer(call, {"booking": {"session": shape}}, records=shapes.records(call, shape), headers=headers)


def _cookie(call: Call, value: str, attributes: str) -> dict[str, str]:
    if call.options.session_cookie == "no":
        return {}
    return {"Set-Cookie": f"{COOKIE}={value}; Path=/{attributes}"}
