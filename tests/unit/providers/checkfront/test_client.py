"""What the client of the booking/session API does beside the call that it is asked for."""

import httpx
import pytest
from provider_script import Script, connection, open_client

from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.checkfront import wire
from reconciler.providers.checkfront.client import Client, SessionOver
from reconciler.providers.checkfront.settings import CheckfrontSettings
from reconciler.providers.notice import noticed


def test_a_session_that_may_not_be_ended_any_more_does_not_hide_what_was_sent():
    """The server started a session of its own, and meanwhile this run lost the state lock."""
    body = {"booking": {"session": {"id": "another1", "item": {}}}}
    script = Script({f"POST {wire.SESSION}": httpx.Response(200, json=body)})

    def may_start(_):
        if script.seen:
            raise ReconcilerError("this run no longer holds the state lock")

    settings = {"settings": CheckfrontSettings()}
    with open_client(script, secrets={"key": "k", "secret": "s"}, settings=settings) as http, noticed(may_start):
        client = Client(connection(**settings), http)
        with pytest.raises(SessionOver):
            client.post(wire.SESSION, wire.form("mine1", ["slip"]), "mine1")
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (httpx.Response(409, text="409 Conflict"), RemoteError, "409: 409 Conflict"),
        (httpx.Response(404, html="<html><p>No such page</p></html>"), RemoteError, "404: an HTML page"),
        (httpx.Response(200, html="<html><p>Back soon</p></html>"), OutcomeUnknown, "an HTML page; the call may have"),
        (httpx.Response(200, text="queued"), OutcomeUnknown, "text that is not JSON: Expecting value"),
    ],
)
def test_an_answer_that_is_not_json_says_whether_the_call_may_have_been_applied(answer, kind, words):
    script = Script({f"POST {wire.SESSION}": answer})
    settings = {"settings": CheckfrontSettings()}
    with open_client(script, secrets={"key": "k", "secret": "s"}, settings=settings) as http:
        client = Client(connection(**settings), http)
        with pytest.raises(RemoteError) as caught:
            client.post(wire.SESSION, wire.form(None, ["slip"]), None)
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert ("may have been applied" in caught.value.message) == (kind is OutcomeUnknown)
