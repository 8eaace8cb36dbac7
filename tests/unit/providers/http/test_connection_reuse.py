"""An answer never comes from what an earlier one left behind: proved over real sockets."""

from contextlib import closing, contextmanager

import pytest
from provider_script import connection, raw_server, whole_request

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.http import HttpClient

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
FORGED = OK + b"evil"
TAILS = {
    "a whole answer": FORGED,
    "half an answer": b"HTTP/1.1 201 Created\r\nX-Forged: ",
    "garbage": b"garbage",
    "a line's end": b"\r\n",
}


@contextmanager
def answering(*answers):
    """A server that answers each request, over however many connections, with the next of `answers`; yields its log."""
    todo, log = list(answers), []

    def talk(peer, number):
        while todo and whole_request(peer):
            log.append(number)
            peer.sendall(todo.pop(0))

    with raw_server(talk) as url:
        yield url, log


def a_client(url, **settings):
    return closing(HttpClient(connection(base_url=url, timeout=10, **settings), writes=True, secrets={}, backoff=0))


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_what_follows_an_answer_is_no_answer_to_the_next_request(tail):
    with answering(OK + b"true" + tail, OK + b"next") as (url, log), a_client(url, max_concurrency=1) as http:
        assert http.get("/a").body == b"true"
        assert http.write("POST", "/b", content=b"x").body == b"next"
    assert log == [1, 2]


def test_the_same_behind_a_proxy(monkeypatch):
    answers = (OK + b"true" + FORGED, OK + b"next")
    with answering(*answers) as (url, log):
        monkeypatch.setenv("http_proxy", url)
        with a_client("http://far.example", max_concurrency=1, allow_http=True) as http:
            assert http.get("/a").body == b"true"
            assert http.write("POST", "/b", content=b"x").body == b"next"
    assert log == [1, 2]


def test_a_connection_without_leftovers_is_kept():
    with answering(OK + b"true", OK + b"next") as (url, log), a_client(url, max_concurrency=1) as http:
        assert [http.get("/a").body, http.get("/b").body] == [b"true", b"next"]
    assert log == [1, 1]


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 4\r\n\r\ntrueHTTP",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + FORGED,
    ],
    ids=["two lengths", "not gzip", "no chunk"],
)
def test_a_connection_with_a_broken_answer_is_not_used_again(broken):
    with answering(broken, OK + b"next") as (url, log), a_client(url, max_concurrency=1) as http:
        with pytest.raises(RemoteError) as caught:
            http.write("POST", "/a", content=b"x")
        assert isinstance(caught.value, OutcomeUnknown)
        assert http.get("/b").body == b"next"
    assert log == [1, 2]
