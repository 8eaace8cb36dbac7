"""Whether a call may start is checked once more when nothing is left to do but to send it."""

import socket
import threading
import time
from contextlib import closing

import pytest
from connection_kinds import KINDS, served
from provider_script import connection, raw_server, whole_request

from reconciler.errors import NotStarted, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.http import HttpClient, deadline
from reconciler.providers.http.pacing import Limiter
from reconciler.providers.notice import noticed


def a_client(url, timeout=10.0, **more):
    given = connection(base_url=url, timeout=timeout, allow_http=True)
    return closing(HttpClient(given, writes=True, secrets={}, backoff=0, **more))


def posted(requests):
    return [request for request in requests if b"POST /a " in request]


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_may_not_start_any_more_is_not_sent_over_a_connection_that_is_open(kind, monkeypatch, tmp_path):
    """Another run took over while the connection, its proxy and its handshakes took their time."""
    open_, came = threading.Event(), []

    def may_start(_):
        if open_.is_set():
            raise ReconcilerError("this run no longer holds the state lock")

    with served(kind, monkeypatch, tmp_path, opened=open_.set, takes=came.append) as url, a_client(url) as http:
        with noticed(may_start), pytest.raises(ReconcilerError, match="no longer holds the state lock") as caught:
            http.write("POST", "/a", content=b"x")
        assert not isinstance(caught.value, RemoteError)
        open_.clear()
        assert http.get("/b").body == b"ok"
    assert len(came) == 1
    assert posted(came) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_check_comes_after_everything_that_takes_time(kind, monkeypatch, tmp_path):
    steps = []
    with (
        served(kind, monkeypatch, tmp_path, opened=lambda: steps.append("opens"), takes=steps.append) as url,
        a_client(url) as http,
        noticed(lambda _: steps.append("check")),
    ):
        for _ in range(2):  # once on a new connection, once on one that is kept
            http.write("POST", "/a", content=b"x")
    kept = [step if isinstance(step, str) else "sent" for step in steps]
    assert kept == ["check", "opens", "check", "sent", "check", "check", "sent"]


def test_a_slow_look_up_of_a_name_comes_before_the_check(monkeypatch):
    real, steps = socket.getaddrinfo, []

    def looks(host, *more, **named):
        if host != "slow.example":
            return real(host, *more, **named)
        steps.append("looked up")
        return real("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", looks)

    def talk(peer, _):
        steps.append("sent" if whole_request(peer) else "nothing")
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def check(_):
        steps.append("check")

    with raw_server(talk) as url, a_client(url.replace("127.0.0.1", "slow.example")) as http, noticed(check):
        http.write("POST", "/a")
    assert steps == ["check", "looked up", "check", "sent"]


def test_a_deadline_that_passes_before_the_first_byte_is_no_doubt():
    came, checks = [], []

    def slow_state(_):
        checks.append(len(checks))
        if len(checks) == 2:
            time.sleep(2.1)

    with raw_server(lambda peer, _: came.append(whole_request(peer))) as url, a_client(url, 2.0) as http:
        with noticed(slow_state), pytest.raises(RemoteError, match="closed before") as caught:
            http.write("POST", "/a")
        assert isinstance(caught.value, OutcomeUnknown)  # of the second attempt, which was in time
    assert len(posted(came)) == 1


def test_a_machine_that_slept_has_used_up_the_time_of_its_call(monkeypatch):
    came, slept = [], [0.0]
    monkeypatch.setattr(deadline, "asleep", lambda: slept[0])
    with raw_server(lambda peer, _: came.append(whole_request(peer))) as url, a_client(url) as http:

        def sleeps(_):
            slept[0] += 3600

        with noticed(sleeps), pytest.raises(RemoteError, match="not sent within 10 s") as caught:
            http.write("POST", "/a")
        assert not isinstance(caught.value, OutcomeUnknown)
    assert posted(came) == []


def test_a_stop_while_the_connection_opens_keeps_a_call_from_being_sent(monkeypatch, tmp_path):
    limiter, came = Limiter(8, None), []
    with (
        served("TLS", monkeypatch, tmp_path, opened=limiter.stop.set, takes=came.append) as url,
        a_client(url, limiter=limiter) as http,
        pytest.raises(NotStarted),
    ):
        http.write("POST", "/a")
    assert came == []


@pytest.mark.parametrize("proxy", ["silent", "closes", "garbage", "refuses"])
def test_a_proxy_that_opens_no_connection_leaves_no_doubt(proxy, monkeypatch):
    """Nobody waits for a call that a proxy never passed on."""

    def talk(peer, _):
        assert whole_request(peer).startswith(b"CONNECT far.example:443 ")
        if proxy == "silent":
            peer.settimeout(30)
            peer.recv(1)
        elif proxy == "garbage":
            peer.sendall(b"no HTTP at all\r\n\r\n")
        elif proxy == "refuses":
            peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as url, monkeypatch.context() as patched:
        patched.setenv("https_proxy", url)
        with a_client("https://far.example", 0.5) as http, pytest.raises(RemoteError) as caught:
            http.write("POST", "/a")
    assert not isinstance(caught.value, OutcomeUnknown)


def test_every_attempt_is_checked_again_before_its_first_byte():
    """A repeated call, one that waited after a 429, and one that is sent again after a login."""
    answers = [
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ]
    steps = []

    def talk(peer, _):
        while answers and whole_request(peer):
            steps.append("sent")
            peer.sendall(answers.pop(0))

    with raw_server(talk) as url, a_client(url) as http, noticed(lambda _: steps.append("check")):
        http.write("PUT", "/a", repeatable=True)
    assert steps == ["check", "check", "sent"] * 3
