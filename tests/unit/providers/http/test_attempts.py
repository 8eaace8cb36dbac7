"""What is sent again and what is not, and what several attempts of one call come to."""

import httpx
import pytest
from provider_script import Script, call, change, connection, edit, open_client, xml

from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.bookingbug_admin import handlers as bookingbug_admin_handlers
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.bookingbug_sessions import wire as bookingbug_sessions_wire
from reconciler.providers.bookingbug_sessions.provider import Sessions
from reconciler.providers.checkfront import wire as checkfront_wire
from reconciler.providers.http import ATTEMPTS
from reconciler.providers.notice import noticed

OK = httpx.Response(200, content=b"fine")
BROKEN = [httpx.ReadError("x"), httpx.WriteError("x"), httpx.CloseError("x"), httpx.RemoteProtocolError("x")]
FAILURES = [httpx.Response(500), httpx.Response(502), httpx.Response(503), *BROKEN]
ADMIN = connection(settings=AdminSettings(company_id=37048))


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_repeatable_call_is_sent_again(method, failure):
    script = Script({f"{method} /a": [failure, failure, OK]})
    with open_client(script) as http:
        assert http.write(method, "/a", repeatable=True).status == 200
    assert len(script.seen) == 3


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_what_is_not_repeatable_is_sent_once(failure):
    script = Script({"POST /a": [failure, OK]})
    with open_client(script) as http, pytest.raises(OutcomeUnknown):
        http.write("POST", "/a")
    assert len(script.seen) == 1


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("x"), httpx.WriteTimeout("x"), httpx.Response(504)], ids=repr)
def test_nothing_is_repeated_while_the_server_may_be_at_it(failure):
    script = Script({"PUT /a": [failure, OK]})
    with open_client(script) as http, pytest.raises(OutcomeUnknown) as caught:
        http.write("PUT", "/a", repeatable=True)
    assert len(script.seen) == 1
    assert caught.value.pending


@pytest.mark.parametrize(
    ("failure", "ended"),
    [
        *[(httpx.Response(status), True) for status in (500, 503, 302, 303)],
        *[(httpx.Response(status), False) for status in (408, 502, 504, 520, 522, 524)],
        *[(error, False) for error in (*BROKEN, httpx.ReadTimeout("x"), httpx.WriteTimeout("x"))],
    ],
    ids=repr,
)
def test_only_the_servers_own_answer_proves_that_a_call_has_ended(failure, ended):
    with open_client(Script({"POST /a": failure})) as http, pytest.raises(OutcomeUnknown) as caught:
        http.write("POST", "/a")
    assert caught.value.ended is ended


def test_a_repeatable_call_stays_unknown_when_no_attempt_succeeds():
    script = Script({"PUT /a": httpx.Response(502)})
    with (
        open_client(script) as http,
        pytest.raises(OutcomeUnknown, match="502: Bad Gateway; it may have been") as caught,
    ):
        http.write("PUT", "/a", repeatable=True)
    assert len(script.seen) == ATTEMPTS
    assert not caught.value.pending


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (httpx.Response(422, json={"error": "no"}), "then 422"),
        (httpx.Response(404), "then 404"),
        (httpx.Response(401), "then 401"),
        (httpx.Response(429), "then 429"),
        (httpx.Response(301, headers={"Location": "/b"}), "then: PUT .*301"),
        (httpx.ConnectError("x"), "then: PUT .*cannot connect"),
    ],
)
def test_a_later_refusal_does_not_prove_that_an_earlier_attempt_did_nothing(then, words):
    script = Script({"PUT /a": [httpx.ReadError("x"), then]})
    with open_client(script) as http, pytest.raises(OutcomeUnknown, match=words) as caught:
        http.write("PUT", "/a", repeatable=True)
    assert "may have been applied" in str(caught.value)


def test_a_timeout_after_a_broken_attempt_is_pending():
    script = Script({"PUT /a": [httpx.ReadError("x"), httpx.ReadTimeout("x")]})
    with open_client(script) as http, pytest.raises(OutcomeUnknown) as caught:
        http.write("PUT", "/a", repeatable=True)
    assert caught.value.pending


@pytest.mark.parametrize("status", [404, 410])
def test_a_repeated_delete_that_finds_nothing_is_done(status):
    script = Script({"DELETE /api/sessions/1.xml": [httpx.ReadError("x"), xml(status)]})
    with open_client(script, secrets={"username": "u", "password": "p"}) as http:
        call_ = bookingbug_sessions_wire.calls(change("delete", remote_id="1"), connection())[0]
        assert Sessions(connection(), http).send(call_).gone


def test_a_refused_delete_after_a_lost_one_is_unknown():
    script = Script({"DELETE /a": [httpx.Response(500), httpx.Response(422)]})
    with open_client(script) as http, pytest.raises(OutcomeUnknown):
        http.write("DELETE", "/a", repeatable=True)


def _repeatable(wire, action, **given):
    return [item.repeatable for item in wire.calls(change(action, **given), ADMIN)]


def test_which_calls_say_that_they_are_repeatable():
    sessions, admin = bookingbug_sessions_wire, bookingbug_admin_handlers
    slots = [{"date": "2027-03-01", "time": "09:00", "duration": 60}]
    assert _repeatable(sessions, "create", fields={"name": "x"}) == [False]
    assert _repeatable(sessions, "update", remote_id="1", edits=[edit(name="x")]) == [True]
    assert _repeatable(sessions, "update", remote_id="1", edits=[edit(slots=slots)]) == [False]
    assert _repeatable(sessions, "update", remote_id="1", edits=[edit("slots", "5", time="09:00")]) == [True]
    assert _repeatable(sessions, "delete", remote_id="1") == [True]
    resource = {"kind": "Resource", "fields": {"name": "x"}}
    assert _repeatable(admin, "create", **resource) == [False]
    assert _repeatable(admin, "update", remote_id="1", edits=[edit(name="x")], **resource) == [True]
    homed = {"kind": "Resource", "fields": {"name": "x", "address": {"country": "UK"}}}
    assert _repeatable(admin, "update", remote_id="1", edits=[edit(name="x")], **homed) == [False]
    assert _repeatable(admin, "delete", remote_id="1", kind="Resource") == [True]
    block = {"kind": "Block", "fields": {"start": "2027-03-01T09:00:00Z", "end": "x", "resource_id": "5"}}
    assert _repeatable(admin, "create", **block) == [False]
    assert _repeatable(admin, "update", remote_id="1", edits=[edit(end="y")], **block) == [True]
    assert _repeatable(admin, "delete", remote_id="1", kind="Block") == [True]
    assert _repeatable(checkfront_wire, "delete", remote_id="1", kind="BookingSession") == [False]


def test_every_attempt_of_a_writing_call_is_announced_before_it_is_sent():
    script, told = Script({"PUT /a": [httpx.Response(500), httpx.Response(429), OK], "GET /a": OK}), []
    with open_client(script) as http, noticed(lambda seconds: told.append((seconds, len(script.seen)))):
        http.get("/a")
        http.write("PUT", "/a", repeatable=True)
    assert told == [(30.0, 1), (30.0, 2), (30.0, 3)]


@pytest.mark.parametrize(("sent", "kind"), [(0, ReconcilerError), (1, OutcomeUnknown)])
def test_an_attempt_that_must_not_start_is_not_sent(sent, kind):
    script = Script({"PUT /a": [httpx.Response(500), OK]})

    def notice(_):
        if len(script.seen) == sent:
            raise ReconcilerError("another run has settled it")

    with (
        open_client(script) as http,
        noticed(notice),
        pytest.raises(kind, match="another run has settled it") as caught,
    ):
        http.write("PUT", "/a", repeatable=True)
    assert type(caught.value) is kind
    assert len(script.seen) == sent


@pytest.mark.parametrize("header", ["X-Request-Id", "x-correlation-id", "CF-Ray"])
def test_a_request_id_is_in_what_is_said_about_an_answer(header):
    answer = httpx.Response(422, headers=[(header, "ab-12")], json={"error": "no"})
    lost = httpx.Response(500, headers=[(header.encode(), "e\u0301\x1b[2J".encode() + b"x" * 300)])
    with open_client(Script({"PUT /a": answer, "PUT /b": lost})) as http:
        assert str(http.refusal(http.write("PUT", "/a"), "PUT /a")).endswith("/a: 422: no (request id ab-12)")
        with pytest.raises(OutcomeUnknown, match=r"\(request id .*x…\); it may") as caught:
            http.write("PUT", "/b")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_request_id_that_repeats_a_credential_is_masked():
    answer = httpx.Response(401, headers={"X-Request-Id": "t0psecret"})
    with open_client(Script({"GET /a": answer}), secrets={"password": "t0psecret"}) as http:
        assert "t0psecret" not in str(http.refusal(http.get("/a"), "GET /a"))


def test_a_call_that_is_refused_names_no_other_place():
    script = Script({"PUT /api/sessions/1.xml": xml(301, Location="http://[evil")})
    with (
        open_client(script, secrets={"username": "u", "password": "p"}) as http,
        pytest.raises(RemoteError, match="301"),
    ):
        Sessions(connection(), http).send(call("update", "PUT", "/api/sessions/1.xml", {"name": "x"}))
