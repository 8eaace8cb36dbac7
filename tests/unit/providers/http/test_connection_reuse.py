"""An answer never comes from what an earlier one left behind: proved over real sockets."""

from contextlib import closing, contextmanager

import httpcore
import httpx
import pytest
from provider_script import connection, raw_server, whole_request

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.http import HttpClient
from reconciler.providers.http.deadline import Lane

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


def attribute(owner, name, kind):
    """Return a private attribute of a library that `deadline` relies on; a new version may lack it."""
    where = f"{type(owner).__module__}.{type(owner).__qualname__}.{name}"
    assert hasattr(owner, name), f"{where} is gone: adapt reconciler/providers/http/deadline.py, then raise the bound"
    found = getattr(owner, name)
    assert isinstance(found, kind), f"{where} is now a {type(found).__name__}"
    return found


@pytest.mark.parametrize("proxied", [False, True])
def test_the_libraries_still_have_the_private_attributes_that_we_read(proxied):
    with answering(OK + b"true", OK + b"next") as (url, _):  # so that the first connection stays open
        proxy = httpx.Proxy(url) if proxied else None
        with Lane(httpx.create_ssl_context(), proxy, 5.0) as lane:
            lane.handle_request(httpx.Request("GET", "http://far.example/" if proxied else url)).read()
            plain = attribute(httpx.HTTPTransport(), "_pool", httpcore.ConnectionPool)
            assert plain.connections == []
            (connection,) = attribute(lane, "_pool", httpcore.ConnectionPool).connections
            for _ in range(1 + proxied):
                connection = attribute(connection, "_connection", httpcore.ConnectionInterface)
            state = attribute(connection, "_h11_state", object)
            assert attribute(state, "trailing_data", tuple) == (b"", False)
