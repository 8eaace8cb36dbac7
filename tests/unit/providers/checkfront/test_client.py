"""What the client of the booking/session API does beside the call that it is asked for."""

import httpx
import pytest
from provider_script import Script, connection, open_client

from reconciler.errors import ReconcilerError
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
