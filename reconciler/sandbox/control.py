"""Control endpoints under /_sandbox: the methods of `Sandbox` for a shell or another process.

Bodies and answers are JSON. Control calls need no credentials and are not in the log of calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from sqlite3 import DatabaseError
from typing import Any

from reconciler.sandbox import backdoor
from reconciler.sandbox.api import NO_CONTENT, Api, Call, Handler, Refusal, Reply, json_reply
from reconciler.sandbox.checkfront import backdoor as holds_backdoor
from reconciler.sandbox.company import Company
from reconciler.sandbox.control_bodies import (
    ADDRESS,
    BOOK,
    FAULT,
    FLAT,
    LINE,
    SESSION,
    SLOT,
    STOCK,
    Shape,
    checked,
    row_id,
)
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.seeds import fill

PREFIX = "/_sandbox"
_OK, _CREATED, _BAD_REQUEST, _NOT_FOUND = 200, 201, 400, 404
_DONE = Reply(status=NO_CONTENT)


def _with_error_replies(handler: Handler) -> Handler:
    """Answer 404 for an unknown id and 400 for a wrong value, with the reason in the body."""

    def guard(call: Call) -> Reply:
        try:
            return handler(call)
        except KeyError as error:
            raise Refusal(json_reply(_NOT_FOUND, {"error": str(error.args[0])})) from error
        except ValueError as error:
            raise Refusal(json_reply(_BAD_REQUEST, {"error": str(error)})) from error
        except DatabaseError as error:
            words = "a value does not fit its field: it has the wrong type or is too large"
            raise Refusal(json_reply(_BAD_REQUEST, {"error": words})) from error

    return guard


def _body(call: Call, shape: Shape) -> dict[str, Any]:
    """Return the JSON object of the body, checked against `shape`."""
    return checked(call.body, shape)


def _need(body: dict[str, Any], *names: str) -> list[Any]:
    missing = [name for name in names if name not in body]
    if missing:
        msg = f"{missing[0]} is missing"
        raise ValueError(msg)
    return [body[name] for name in names]


def _index(call: Call) -> Reply:
    end_points = [f"{method} {path}" for method, path, _ in API.routes]
    return json_reply(_OK, {"name": call.company.name, "url": call.base_url, "control": end_points})


def _log(call: Call) -> Reply:
    return json_reply(_OK, call.company.request_log.as_dicts())


def _clear_log(call: Call) -> Reply:
    call.company.request_log.clear()
    return _DONE


def _faults(call: Call) -> Reply:
    return json_reply(_OK, call.company.faults.as_dicts())


def _add_fault(call: Call) -> Reply:
    body = _body(call, FAULT)
    _need(body, "kind")
    call.company.faults.add(Fault.from_json(body))
    return json_reply(_CREATED, call.company.faults.as_dicts())


def _clear_faults(call: Call) -> Reply:
    call.company.faults.clear()
    return _DONE


def _options(call: Call) -> Reply:
    return json_reply(_OK, dataclasses.asdict(call.options))


def _set_options(call: Call) -> Reply:
    call.company.set_options(**_body(call, FLAT))
    return _options(call)


def _book(call: Call) -> Reply:
    body = _body(call, BOOK)
    _need(body, "slot_id")
    backdoor.book(call.company, **body)
    return _DONE


def _reset(call: Call) -> Reply:
    seed = str(_body(call, FLAT).get("seed", "none"))
    call.company.reset()
    fill(call.company, seed)
    return _DONE


def _expire(call: Call) -> Reply:
    call.company.tokens.end_all(call.options)
    return _DONE


def _add_block(call: Call) -> Reply:
    return _id(backdoor.add_block(call.company, *_need(_body(call, SLOT), "resource_id", "start", "end")))


def _add_booking(call: Call) -> Reply:
    body = _body(call, SLOT)
    minutes = {name: body[name] for name in ("pre_time", "post_time") if name in body}
    return _id(backdoor.add_booking(call.company, *_need(body, "resource_id", "start", "end"), **minutes))


def _add_slot(call: Call) -> Reply:
    body = _body(call, SLOT)
    _need(body, "resource_id", "start", "end")
    return _id(backdoor.add_slot(call.company, body))


def _id(row_id: int) -> Reply:
    return json_reply(_CREATED, {"id": row_id})


def _list(read: Callable[[Company], list[dict[str, Any]]]) -> Handler:
    return lambda call: json_reply(_OK, read(call.company))


def _add(add: Callable[[Company, dict[str, Any]], int], shape: Shape) -> Handler:
    return lambda call: _id(add(call.company, _body(call, shape)))


def _edit(edit: Callable[[Company, int, dict[str, Any]], None], shape: Shape) -> Handler:
    def handler(call: Call) -> Reply:
        edit(call.company, row_id(call), _body(call, shape))
        return _DONE

    return handler


def _delete(kind: str) -> Handler:
    def handler(call: Call) -> Reply:
        backdoor.delete(call.company, kind, row_id(call))
        return _DONE

    return handler


def _end_hold(call: Call) -> Reply:
    holds_backdoor.end(call.company, str(call.params["session"]))
    return _DONE


def _expire_hold(call: Call) -> Reply:
    holds_backdoor.expire(call.company, str(call.params["session"]))
    return _DONE


def _expire_holds(call: Call) -> Reply:
    holds_backdoor.expire_all(call.company)
    return _DONE


def _edit_line(call: Call) -> Reply:
    holds_backdoor.edit_line(call.company, str(call.params["session"]), str(call.params["line"]), _body(call, LINE))
    return _DONE


def _remove_line(call: Call) -> Reply:
    holds_backdoor.remove_line(call.company, str(call.params["session"]), str(call.params["line"]))
    return _DONE


def _take_stock(call: Call) -> Reply:
    item_id, day, qty = _need(_body(call, STOCK), "item_id", "date", "qty")
    holds_backdoor.take_stock(call.company, item_id, day, qty)
    return _DONE


def _unknown(_call: Call, status: int) -> Reply:
    return json_reply(status, {"error": f"see GET {PREFIX}"})


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", _index),
    ("GET", "/log", _log),
    ("DELETE", "/log", _clear_log),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/options", _options),
    ("PATCH", "/options", _set_options),
    ("POST", "/book", _book),
    ("POST", "/reset", _reset),
    ("POST", "/expire-tokens", _expire),
    ("GET", "/sessions", _list(backdoor.sessions)),
    ("POST", "/sessions", _add(backdoor.add_session, SESSION)),
    ("PATCH", "/sessions/{id:int}", _edit(backdoor.edit_session, SESSION)),
    ("DELETE", "/sessions/{id:int}", _delete("session")),
    ("GET", "/resources", _list(backdoor.resources)),
    ("POST", "/resources", _add(backdoor.add_resource, ADDRESS)),
    ("PATCH", "/resources/{id:int}", _edit(backdoor.edit_resource, ADDRESS)),
    ("DELETE", "/resources/{id:int}", _delete("resource")),
    ("GET", "/slots", _list(backdoor.slots)),
    ("POST", "/slots", _add_slot),
    ("PATCH", "/slots/{id:int}", _edit(backdoor.edit_slot, SLOT)),
    ("DELETE", "/slots/{id:int}", _delete("slot")),
    ("DELETE", "/addresses/{id:int}", _delete("address")),
    ("POST", "/blocks", _add_block),
    ("GET", "/bookings", _list(backdoor.bookings)),
    ("POST", "/bookings", _add_booking),
    ("GET", "/holds", _list(holds_backdoor.booking_sessions)),
    ("DELETE", "/holds/{session}", _end_hold),
    ("POST", "/holds/{session}/expire", _expire_hold),
    ("POST", "/expire-holds", _expire_holds),
    ("PATCH", "/holds/{session}/lines/{line}", _edit_line),
    ("DELETE", "/holds/{session}/lines/{line}", _remove_line),
    ("POST", "/stock", _take_stock),
)

API = Api(
    name="control",
    prefix=PREFIX,
    routes=tuple((method, PREFIX + path, _with_error_replies(handler)) for method, path, handler in _ROUTES),
    unknown=_unknown,
)
"""The control endpoints, mounted like any other API."""
