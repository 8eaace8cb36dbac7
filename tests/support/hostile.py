"""Every parser of a remote answer behind one name, and answers made to hurt it."""

import contextlib
import copy
from collections.abc import Callable, Iterator

from admin_samples import BLOCK, RESOURCE
from provider_script import connection

from reconciler.errors import RemoteError
from reconciler.model.objects import Live
from reconciler.providers.answer import Answer, error_words, json_object, request_id
from reconciler.providers.bookingbug_admin import answers as admin
from reconciler.providers.bookingbug_admin import block_wire, blocks, resource_wire, resources
from reconciler.providers.bookingbug_sessions import wire as sessions
from reconciler.providers.checkfront import answers as checkfront
from reconciler.providers.checkfront import lines, rating, refusals
from reconciler.providers.http.links import local_path

__all__ = ["PARSERS", "SAMPLES", "allowed", "connection", "replaced"]


def _resource(body: bytes) -> object:
    data = json_object(body)
    resources._deleted(data)
    resources._names(data)
    admin.created_id(data)
    resource_wire.decode_address(data)
    return resources._resource(data)


def _block(body: bytes) -> object:
    data = json_object(body)
    blocks._is_block(data)
    block_wire.hinted_owner(data)
    admin.created_id(data)
    return blocks._block(data)


def _pages(body: bytes) -> object:
    found = []
    for name in ("resources", "slots"):
        with contextlib.suppress(ValueError):
            found.append(admin.decode_page(body, name))
    return found


ASKED = {
    "item_id": "7",
    "start_date": "2027-03-01",
    "end_date": "2027-03-02",
    "start_time": "09:00",
    "params": {"guests": 2},
    "quantity": 1,
    "discount_code": "X",
}
"""An item that an answer is compared with."""


def _held(body: bytes) -> object:
    data = checkfront.decode(body)
    refused = refusals.refused(data)
    refusals.shows_no_session(data)
    checkfront.named_session(data, {})
    if refused is not None:
        refused.is_over(404)
    shown = checkfront.session(data, {"set-cookie": body[:200].decode("latin-1")})
    return lines.named(shown.lines, lines.assign(shown.lines, {"a": "b"}, {"a": {"c": "d"}}), {"a": {}})


def _rated(body: bytes) -> object:
    found = rating.rated(checkfront.decode(body))
    return found, [*rating.differences(ASKED, found, "qty"), *rating.unknown_params(ASKED, found)]


def _words(body: bytes) -> object:
    answer = Answer(status=500, body=body, headers={"x-request-id": body[:300].decode("latin-1")})
    local_path(body[:300].decode("latin-1"), "https://uk.bookingbug.com/bb")
    return request_id(answer), error_words(answer), answer.is_html


PARSERS: dict[str, Callable[[bytes], object]] = {
    "resource": _resource,
    "block": _block,
    "page": _pages,
    "session": sessions.decode_session,
    "sessions": sessions.decode_list,
    "held": _held,
    "rated": _rated,
    "words": _words,
}

_SESSION = b"""<?xml version="1.0" encoding="UTF-8"?><session id="12"><name>Yoga &amp; more</name><type>0</type>
<start_date>2027-03-01</start_date><end_date>2027-06-01</end_date><duration>60</duration><time>18:30</time>
<group>Classes</group><description/><spaces>12</spaces><price>8.50</price><max_num_bookings>1</max_num_bookings>
<repeat>1</repeat><disabled>false</disabled><min_cancel>24</min_cancel><max_advance>90</max_advance>
<ask_address>true</ask_address><ticket_type>0</ticket_type><slots><slot id="1"><date>2027-03-01</date><time>18:30</time>
<duration>60</duration><spaces_booked>3</spaces_booked><spaces_reserved>0</spaces_reserved></slot></slots></session>"""
_HELD = {
    "version": "3.0",
    "request": {"status": "OK"},
    "booking": {
        "session": {
            "id": "abc123",
            "item": {
                "1": {
                    "item_id": 7,
                    "slip": "7.20270301X1-guests.2",
                    "name": "Kayak",
                    "available": 3,
                    "rate": {"qty": 2, "item_total": "20.00"},
                    "date": {"start_date": "20270301", "end_date": "20270301", "summary": "Mon Mar 1, 2027"},
                },
                "1.1": {"item_id": 9, "opt": "out"},
            },
        }
    },
}
_RATED = {
    "request": {"status": "OK"},
    "item": {
        "item_id": 7,
        "param": {"guests": {"qty": 2}},
        "rate": {"status": "AVAILABLE", "slip": "7.20270301X1-guests.2", "error": {"id": "x", "title": "y"}},
    },
}
_PAGE = {"total_entries": 2, "_embedded": {"resources": [RESOURCE], "slots": [BLOCK]}}
_ERRORS = {"errors": {"name": ["is missing"]}}
_NUMBERED = {**RESOURCE, "price": 35, "count": 1, "max_book": 2, "position": 3, "never_booked": True, "api_ref": "r1"}

SAMPLES = {
    "resource": _NUMBERED,
    "block": {**BLOCK, "resource_id": 5},
    "page": _PAGE,
    "held": _HELD,
    "rated": _RATED,
    "words": _ERRORS,
    "session": _SESSION,
    "sessions": b"<sessions>" + _SESSION.partition(b"?>")[2] + b"</sessions>",
}


def replaced(value: object, other: object) -> Iterator[object]:
    """Yield copies of a JSON value in each of which one thing, at any depth, is `other` instead."""
    yield other
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in steps:
        for changed in replaced(child, other):
            whole = copy.copy(value)
            whole[key] = changed
            yield whole


def allowed(name: str, body: bytes) -> object:
    """Return what a parser makes of a body, or the error that it may raise; anything else is a defect."""
    try:
        result = PARSERS[name](body)
    except (ValueError, RemoteError) as error:
        return error
    if isinstance(result, Live):
        assert result.remote_id.isascii()
        assert result.remote_id.isdigit()
        for key, value in result.fields.items():
            assert isinstance(value, str | int | bool | list | dict), (key, value)
        str(result.fields).encode()
    return result
