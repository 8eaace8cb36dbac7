"""The paths of the sessions XML API (seed 000; bookingbug API notes §2)."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Any

from reconciler.sandbox.api import Api, Call, Handler, Refusal, Reply
from reconciler.sandbox.database import Row
from reconciler.sandbox.sessions import forms, markup, rows
from reconciler.sandbox.sessions.fields import CUSTOM, TYPES
from reconciler.sandbox.tables import SESSION, SESSION_SLOT

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_OK, _CREATED = 200, 201
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT = 401, 404, 409
_SESSIONS = "/api/sessions.xml"


def _authenticated(handler: Handler) -> Handler:
    """Accept a call only with the Basic credentials of the company."""

    def guard(call: Call) -> Reply:
        expected = f"{call.options.username}:{call.options.password}".encode()
        scheme, _, given = call.headers.get("authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(given, validate=True)
        except ValueError:
            decoded = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(decoded, expected):
            reply = markup.errors(call, _UNAUTHORIZED, "HTTP Basic: Access denied.")
            challenge = {"WWW-Authenticate": 'Basic realm="Application"'}
            return Reply(status=_UNAUTHORIZED, body=reply.body, headers={**reply.headers, **challenge})
        return handler(call)

    return guard


def _list(call: Call) -> Reply:
    order = "id" if call.options.list_order == "id" else "id DESC"
    sessions = call.company.db.find(SESSION, order=order)
    if call.options.list_shows_disabled == "no":
        sessions = [session for session in sessions if not session["disabled"]]
    return markup.document(call, markup.listing(sessions))


def _show(call: Call) -> Reply:
    return markup.document(call, _shown(call, _session(call)["id"]))


def _create(call: Call) -> Reply:
    stated = forms.session(call, markup.read(call, "session"))
    problems = []
    kind = call.query.get("type", "")
    if kind not in TYPES:
        problems.append(f"type must be one of {', '.join(TYPES)}")
    if not stated.values.get("group"):
        problems.append("group can't be blank")
    _check_slots(call, stated.slots, problems)
    if problems and call.options.strict == "strict":
        raise Refusal(markup.errors(call, call.options.xml_invalid_status, *problems))
    kind = kind if kind in TYPES else "event"
    session_id = rows.create(call.company, kind, stated.values, stated.slots)
    return _created(call, session_id)


def _created(call: Call, session_id: int) -> Reply:
    """Answer 201. Seed 000 only shows the status line, so an option sets body and Location."""
    if call.options.create_answer == "none":
        return Reply(status=_CREATED)
    if call.options.create_answer == "location":
        host = call.base_url if call.options.location_style == "absolute" else ""
        return Reply(status=_CREATED, headers={"Location": f"{host}/api/sessions/{session_id}.xml"})
    return markup.document(call, _shown(call, session_id), _CREATED)


def _update(call: Call) -> Reply:
    session = _session(call)
    stated = forms.session(call, markup.read(call, "session"))
    problems: list[str] = []
    _check_slots(call, stated.slots, problems)
    if problems and call.options.strict == "strict":
        raise Refusal(markup.errors(call, call.options.xml_invalid_status, *problems))
    regenerates = call.options.regenerate == "regenerate" and rows.moves_schedule(session, stated.values)
    if stated.slots is not None or (regenerates and stated.values.get("repeat", session["repeat"]) != CUSTOM):
        _check_bookings(call, session["id"])
    rows.update(call.company, session["id"], stated.values, stated.slots)
    if call.options.update_answer == "none":
        return Reply(status=_OK)
    return markup.document(call, _shown(call, session["id"]))


def _check_slots(call: Call, slots: list[dict[str, Any]] | None, problems: list[str]) -> None:
    for slot in slots or ():
        if not slot.get("date"):
            problems.append("slot date can't be blank")
        if call.options.partial_slot == "refuse":
            problems.extend(f"slot {name} can't be blank" for name in ("time", "duration") if not slot.get(name))


def _check_bookings(call: Call, session_id: int) -> None:
    booked = any(rows.is_booked(slot) for slot in rows.slots_of(call.company, session_id))
    if booked and call.options.booked_delete == "conflict":
        raise Refusal(markup.errors(call, _CONFLICT, "a slot has bookings"))


def _delete(call: Call) -> Reply:
    session_id = int(call.params["id"])
    if call.company.db.get(SESSION, session_id) is None:
        if call.options.delete_again == _OK and call.company.db.was_issued(SESSION, session_id):
            return Reply(status=call.options.delete_answer)
        raise Refusal(_absent(call, session_id))
    _check_bookings(call, session_id)
    if call.options.deletes("session"):
        rows.delete(call.company, session_id)
    return Reply(status=call.options.delete_answer)


def _update_slot(call: Call) -> Reply:
    slot = call.company.db.get(SESSION_SLOT, int(call.params["id"]))
    if slot is None:
        raise Refusal(Reply(status=_NOT_FOUND))
    stated = forms.slot(call, markup.read(call, "slot"))
    empty = [f"slot {name} can't be blank" for name, value in stated.items() if value is None]
    if empty and call.options.strict == "strict":
        raise Refusal(markup.errors(call, call.options.xml_invalid_status, *empty))
    changes = {name: value for name, value in stated.items() if value is not None}
    call.company.db.update(SESSION_SLOT, slot["id"], changes)
    rows.follow_slots(call.company, slot["session_id"])
    if call.options.update_answer == "none":
        return Reply(status=_OK)
    return markup.document(call, markup.slot({**slot, **changes}, call.options))


def _session(call: Call) -> Row:
    session = call.company.db.get(SESSION, int(call.params["id"]))
    if session is None:
        raise Refusal(_absent(call, int(call.params["id"])))
    return session


def _absent(call: Call, session_id: int) -> Reply:
    existed = call.company.db.was_issued(SESSION, session_id)
    return Reply(status=call.options.session_after_delete if existed else _NOT_FOUND)


def _shown(call: Call, session_id: int) -> Element:
    session = call.company.db.get(SESSION, session_id)
    if session is None:
        raise KeyError(session_id)
    return markup.show(session, rows.slots_of(call.company, session_id), call.options)


def _unknown(_call: Call, status: int) -> Reply:
    return Reply(status=status)


API = Api(
    name="sessions",
    prefix="/api/",
    routes=tuple(
        (method, path, _authenticated(handler))
        for method, path, handler in (
            ("GET", _SESSIONS, _list),
            ("POST", _SESSIONS, _create),
            ("GET", "/api/sessions/{id:int}.xml", _show),
            ("PUT", "/api/sessions/{id:int}.xml", _update),
            ("DELETE", "/api/sessions/{id:int}.xml", _delete),
            ("PUT", "/api/slots/{id:int}.xml", _update_slot),
        )
    ),
    unknown=_unknown,
)
"""The sessions XML API."""
