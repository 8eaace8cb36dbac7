"""A run that is asked to stop sleeps no more: neither for its turn, nor for a pause that a server asked for."""

import threading
import time

import httpx
import pytest
from provider_script import Script, connection, open_client

from reconciler.errors import Interrupted, NotStarted, OutcomeUnknown, RemoteError
from reconciler.model.objects import Scope
from reconciler.providers.bookingbug_admin import SPEC as ADMIN
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.bookingbug_sessions import SPEC as SESSIONS
from reconciler.providers.checkfront import SPEC as CHECKFRONT
from reconciler.providers.checkfront.settings import CheckfrontSettings
from reconciler.providers.http import Limiter

LATER = httpx.Response(429, headers={"Retry-After": "60"})
BUSY = httpx.Response(503, headers={"Retry-After": "60"})
OK = httpx.Response(200, content=b"ok")
FAR_LESS = 20.0
"""Seconds on a busy machine; a single pause would be sixty."""


def stopped(script, work, *, settings=None):
    """Return how `work` on a client ended that is asked to stop once it was answered for the first time."""
    limiter, ended = Limiter(4, None), []
    with open_client(script, limiter=limiter, settings=settings) as http:

        def run():
            try:
                ended.append(work(http))
            except RemoteError as error:
                ended.append(error)

        began = time.monotonic()
        thread = threading.Thread(target=run)
        thread.start()
        while not script.seen:
            assert time.monotonic() - began < FAR_LESS
            time.sleep(0.01)
        limiter.stop.set()
        thread.join(FAR_LESS)
        assert not thread.is_alive()
        assert time.monotonic() - began < FAR_LESS
    return ended[0]


def test_a_write_that_was_refused_for_now_is_not_sent_again():
    script = Script({"POST /a": LATER})
    error = stopped(script, lambda http: http.write("POST", "/a"))
    assert isinstance(error, NotStarted)
    assert isinstance(error, Interrupted)
    assert "because the run was interrupted" in error.message
    assert len(script.seen) == 1


def test_a_write_of_unknown_outcome_stays_unknown():
    script = Script({"PUT /a": [BUSY, OK]})
    error = stopped(script, lambda http: http.write("PUT", "/a", repeatable=True))
    assert isinstance(error, OutcomeUnknown)
    assert error.interrupted
    assert "because the run was interrupted" in error.message
    assert len(script.seen) == 1


def test_a_read_sleeps_no_longer_either():
    script = Script({"GET /a": LATER})
    assert isinstance(stopped(script, lambda http: http.get("/a")), NotStarted)
    assert len(script.seen) == 1


def test_those_who_wait_behind_a_pause_are_stopped_too():
    script = Script({"GET /a": LATER, "GET /b": OK})

    def work(http):
        return http.gather(lambda number: http.get("/a" if not number else "/b"), range(4))

    assert isinstance(stopped(script, work), NotStarted)


def test_once_stopped_nothing_more_is_written_but_what_was_written_is_read_back():
    limiter = Limiter(1, None)
    limiter.stop.set()
    script = Script({"GET /a": OK})
    with open_client(script, limiter=limiter) as http:
        with pytest.raises(NotStarted):
            http.write("POST", "/a")
        assert http.get("/a").body == b"ok"
    assert script.asked == ["GET /a"]


def test_a_short_wait_for_a_turn_is_no_reason_to_leave_a_read_out():
    limiter = Limiter(1, 5.0)
    limiter.stop.set()
    script = Script({"GET /a": OK})
    with open_client(script, limiter=limiter) as http:
        assert [http.get("/a").status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("spec", "kind", "settings", "secrets"),
    [
        (SESSIONS, "Session", {}, {"username": "owner", "password": "correct horse"}),
        (
            ADMIN,
            "Resource",
            {"settings": AdminSettings(company_id=37004)},
            {"app_id": "a1b2", "auth_token": "c3d4e5f6"},
        ),
        (CHECKFRONT, "BookingSession", {"settings": CheckfrontSettings()}, {"key": "k1k2", "secret": "s3s4s5s6"}),
    ],
    ids=["sessions", "admin", "checkfront"],
)
def test_an_object_that_was_not_asked_for_any_more_does_not_count_as_unreadable(spec, kind, settings, secrets):
    """What an apply reads back last: only this error says that the user, not the system, is the reason."""
    limiter = Limiter(1, None)
    limiter.pace.hold(60)
    limiter.stop.set()
    script = Script({})
    http = open_client(script, limiter=limiter, secrets=secrets, settings=settings)
    provider = spec.open(connection(**settings), http)
    with pytest.raises(NotStarted):
        provider.read(Scope(kind=kind, ids={"123": {}}, listing=False))
    provider.close()
    assert script.seen == []
