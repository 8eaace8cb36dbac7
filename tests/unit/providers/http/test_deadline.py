"""A call ends near its timeout whatever the server does: proved over real sockets, a byte at a time."""

import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest
from provider_script import connection, raw_server

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.http import HttpClient

TIMEOUT = 0.5
DRIP = 0.1
ROOM = 20.0
"""How many times the timeout a call may take on a busy machine; without a deadline these would take much longer."""


@contextmanager
def drips(data, *, reads=True, start=b""):
    """A server that answers each connection with `start` and then `data`, one byte every DRIP seconds."""
    stop = threading.Event()

    def talk(peer, _number):
        if reads:
            peer.recv(65536)
        peer.sendall(start)
        for number in range(600):
            if stop.wait(DRIP):
                return
            peer.sendall(data[number % len(data) :][:1]) if reads else peer.recv(1)

    with raw_server(talk, receives=None if reads else 4096) as url:
        try:
            yield url
        finally:
            stop.set()


def a_client(url, **settings):
    return closing(
        HttpClient(connection(base_url=url, timeout=TIMEOUT, **settings), writes=True, secrets={}, backoff=0)
    )


def ends_in_time(http, content=b"x"):
    began = time.monotonic()
    with pytest.raises(RemoteError) as caught:
        http.write("PUT", "/a", content=content)
    assert time.monotonic() - began < TIMEOUT * ROOM
    return caught.value


@pytest.mark.parametrize(
    ("start", "data"),
    [
        (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"x" * 300),
        (b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 200),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 30),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 200),
    ],
    ids=["status", "header", "headers", "informational", "body", "until closed", "chunked", "trailers"],
)
def test_an_answer_that_comes_a_byte_at_a_time(start, data):
    with drips(data, start=start) as url, a_client(url) as http:
        error = ends_in_time(http)
    assert isinstance(error, OutcomeUnknown)
    assert error.pending
    assert "timed out after 0.5 s" in str(error)


def test_a_tls_handshake_that_comes_a_byte_at_a_time():
    with drips(b"\x16\x03\x03\x10\x00" + b"\x02" * 4096) as url, a_client(url.replace("http:", "https:")) as http:
        began = time.monotonic()
        attempt = http._sent(http._requests.new("PUT", "/a", content=b"x"), None)
    assert time.monotonic() - began < TIMEOUT * ROOM
    assert "cannot connect" in str(attempt.error)
    assert not isinstance(attempt.error, OutcomeUnknown)


def test_a_server_that_does_not_take_the_request():
    with drips(b"", reads=False) as url, a_client(url) as http:
        error = ends_in_time(http, b"x" * 20_000_000)
    assert isinstance(error, OutcomeUnknown)


def test_a_host_name_that_is_looked_up_for_ever(monkeypatch):
    stop = threading.Event()

    def looks(*_, **__):
        stop.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", looks)
    try:
        with a_client("https://slow.example") as http:
            began = time.monotonic()
            attempt = http._sent(http._requests.new("PUT", "/a", content=b"x"), None)
            assert time.monotonic() - began < TIMEOUT * ROOM
            assert "cannot connect to https://slow.example: timed out after 0.5 s" in str(attempt.error)
    finally:
        stop.set()


def test_the_next_address_of_a_name_is_tried(monkeypatch):
    with drips(b"", start=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as url:
        port = int(url.rpartition(":")[2])
        real = socket.getaddrinfo
        rows = [row for host in ("127.0.0.2", "127.0.0.1") for row in real(host, port, type=socket.SOCK_STREAM)]

        def looked_up(host, *more, **named):
            return rows if host == "two.example" else real(host, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        with a_client(f"http://two.example:{port}", allow_http=True) as http:
            assert http.get("/a").body == b"ok"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70 + ".example"])
def test_a_host_name_that_is_none(host, monkeypatch):
    def fails(name, *_, **__):
        name.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with (
        a_client(f"https://{host}") as http,
        pytest.raises(RemoteError, match=r"its host name could not be resolved|not a path"),
    ):
        http.get("/a")
