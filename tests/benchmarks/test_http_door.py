"""What a GET costs in counts that no machine changes: calls of functions, and connections opened."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager

import pytest
from provider_script import connection, raw_server, whole_request

from reconciler.errors import RemoteError
from reconciler.providers.http import HttpClient

HEADERS = {"Accept": "application/xml", "Authorization": "Basic c2VjcmV0"}
BODY = b"<session>" + b"<name>Yoga</name>" * 60 + b"</session>"
MOST = 270
"""Calls of Python functions for one GET: 240 when this was measured, and 943 through `httpx.Client` and its pool."""


def answer(status=200, body=BODY, more=b""):
    head = b"HTTP/1.1 %d X\r\nServer: s\r\nX-Request-Id: 1\r\n%bContent-Length: %d\r\n\r\n"
    return head % (status, more, len(body)) + body


@contextmanager
def opened(replies, **settings):
    """Yield a client, and the numbers of the connections of its requests; `replies` answers each path."""
    log = []

    def talk(peer, number):
        while request := whole_request(peer):
            log.append(number)
            reply = replies(request.split()[1].decode())
            if reply is None:  # an end without an answer
                return
            peer.sendall(reply)

    with raw_server(talk) as url:
        given = connection(base_url=url, timeout=30, **settings)
        with closing(HttpClient(given, writes=True, secrets={}, backoff=0)) as http:
            yield http, log


def test_a_get_takes_few_calls_of_functions():
    number = 0

    def count(_frame, event, _argument):
        nonlocal number
        number += event == "call"

    with opened(lambda _: answer(), max_concurrency=1) as (http, _):
        for _ in range(5):  # imports, caches and the connection
            http.get("/api/sessions/123456.xml", headers=HEADERS)
        sys.setprofile(count)
        try:
            for _ in range(20):
                http.get("/api/sessions/123456.xml", headers=HEADERS)
        finally:
            sys.setprofile(None)
    assert number / 20 < MOST


def test_n_requests_open_as_many_connections_as_may_be_used_at_once():
    with opened(lambda _: answer(), max_concurrency=4) as (http, log):
        assert {answered.body for answered in http.gather(lambda number: http.get(f"/{number}"), range(200))} == {BODY}
    assert len(log) == 200
    assert len(set(log)) <= 4


@pytest.mark.parametrize(
    "reply",
    [
        answer(404),
        answer(500),
        answer(302, b"", b"Location: /x\r\n"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(),
    ],
    ids=["not found", "failed", "redirected", "nothing", "chunked", "announced"],
)
def test_an_answer_of_any_kind_keeps_its_connection(reply):
    with opened(lambda path: reply if path == "/odd" else answer(), max_concurrency=1) as (http, log):
        for path in ("/a", "/odd", "/a", "/odd", "/a"):
            try:
                http.get(path)
            except RemoteError:
                assert b" 302 " in reply
        http.write("PUT", "/a", content=b"x")
    assert set(log) == {1}


@pytest.mark.parametrize(
    "reply",
    [None, answer(more=b"Connection: close\r\n"), answer() + b"more", b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ids=["no answer", "closing", "more", "old"],
)
def test_an_answer_that_ends_or_breaks_a_connection_costs_one_new_connection(reply):
    odd = [reply]
    with opened(lambda path: odd.pop() if path == "/odd" and odd else answer(), max_concurrency=1) as (http, log):
        for path in ("/a", "/a", "/odd", "/a", "/a"):
            http.get(path)
    assert log[:3] == [1, 1, 1]
    assert set(log[3:]) == {2}
