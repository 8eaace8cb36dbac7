"""An answer never comes from what an earlier one left behind: proved over real sockets."""

import ssl
import time
from contextlib import closing, contextmanager

import httpcore
import pytest
import trustme
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


CA = trustme.CA()
BETWEEN = 0.1
"""Seconds between the head of an answer and the rest, so that they are read one after the other."""
REST = {"in one record": (b"true" + FORGED,), "in the next record": (b"true", FORGED)}


@pytest.fixture
def ca_file(tmp_path):
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(path)
    return str(path)


def tls_of(host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(host).configure_cert(context)
    return context


def answer_in_pieces(log, peer, number, rest):
    """Answer the first connection with a head and then, at once, all pieces of the rest; the others in one piece."""
    while whole_request(peer):
        log.append(number)
        if number == 1 and len(log) == 1:
            peer.sendall(OK)
            time.sleep(BETWEEN)
            peer.sendall(*rest)
        else:
            peer.sendall(OK + b"next")


class Records:
    """TLS inside a connection over TLS: all pieces that are sent at once are records in one record outside."""

    def __init__(self, peer, context):
        self.peer, self.arrived, self.left = peer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.arrived, self.left, server_side=True)
        self.done(self.tls.do_handshake)

    def done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.peer.sendall(self.left.read())
                self.arrived.write(self.peer.recv(65536))

    def recv(self, size):
        return self.done(lambda: self.tls.read(size))

    def sendall(self, *pieces):
        for piece in pieces:
            self.tls.write(piece)
        self.peer.sendall(self.left.read())


def test_what_tls_has_decrypted_already_is_no_answer_to_the_next_request(ca_file):
    log, context = [], tls_of("127.0.0.1")

    def talk(peer, number):
        with context.wrap_socket(peer, server_side=True) as tls:
            answer_in_pieces(log, tls, number, (b"true" + FORGED,))

    with raw_server(talk) as url, a_client(url.replace("http", "https"), max_concurrency=1, ca_file=ca_file) as http:
        assert http.get("/a").body == b"true"
        assert http.write("POST", "/b", content=b"x").body == b"next"
        assert http.get("/c").body == b"next"
    assert log == [1, 2, 2]


@pytest.mark.parametrize("rest", REST.values(), ids=REST)
def test_the_same_inside_tls_to_a_proxy(rest, ca_file, monkeypatch):
    log, outer, inner = [], tls_of("127.0.0.1"), tls_of("far.example")

    def talk(peer, number):
        with outer.wrap_socket(peer, server_side=True) as proxy:
            assert whole_request(proxy).startswith(b"CONNECT far.example:443 ")
            proxy.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            answer_in_pieces(log, Records(proxy, inner), number, rest)

    monkeypatch.setattr(httpcore, "default_ssl_context", lambda: ssl.create_default_context(cafile=ca_file))
    with raw_server(talk) as url:
        monkeypatch.setenv("https_proxy", url.replace("http", "https"))
        with a_client("https://far.example", max_concurrency=1, ca_file=ca_file) as http:
            assert http.get("/a").body == b"true"
            assert http.write("POST", "/b", content=b"x").body == b"next"
            assert http.get("/c").body == b"next"
    assert log == [1, 2, 2]
