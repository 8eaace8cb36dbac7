"""Closing a connection, and the end of its process, discard what was not sent: on every kind of connection."""

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress

import pytest
from connection_kinds import KINDS, served
from provider_script import connection, raw_server, whole_request

from reconciler.errors import OutcomeUnknown
from reconciler.providers.http import HttpClient, deadline

TIMEOUT = 7.0


def a_client(url, timeout=TIMEOUT):
    given = connection(base_url=url, timeout=timeout, allow_http=True)
    return HttpClient(given, writes=True, secrets={}, backoff=0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_connection_discards_what_was_not_sent(kind, monkeypatch, tmp_path):
    seen = []
    real = deadline.Clock.before

    def before(clock, buffer, sock):
        real(clock, buffer, sock)
        linger = struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        seen.append((linger, sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)))

    monkeypatch.setattr(deadline.Clock, "before", before)
    with served(kind, monkeypatch, tmp_path) as url, closing(a_client(url)) as http:
        assert http.get("/a").body == b"ok"
        assert http.write("POST", "/b", content=b"x").body == b"ok"
    assert {linger for linger, _ in seen} == {(1, 0)}
    assert 0 < seen[-1][1] <= TIMEOUT * 1000


@contextmanager
def a_server_that_does_not_read():
    """Yield its URL and what reads everything that its kernel was sent, to the end."""
    peers, may_read, read = [], threading.Event(), []

    def talk(peer, _number):
        peers.append(peer)
        may_read.wait(60)
        size = 0
        with suppress(OSError):
            while piece := peer.recv(65536):
                size += len(piece)
        read.append(size)

    def reads():
        may_read.set()
        until = time.monotonic() + 60
        while not read:
            assert time.monotonic() < until
            time.sleep(0.01)
        return read[0]

    with raw_server(talk, receives=4096) as url:
        try:
            yield url, peers, reads
        finally:
            may_read.set()


def test_a_timed_out_call_is_discarded_while_the_program_goes_on():
    with a_server_that_does_not_read() as (url, _, reads), closing(a_client(url, 0.5)) as http:
        with pytest.raises(OutcomeUnknown) as caught:
            http.write("POST", "/a", content=b"x" * 300_000)  # less than the kernel takes from the program
        assert caught.value.pending
        assert reads() < 300_000


CALLER = """
import sys
from provider_script import connection
from reconciler.providers.http import HttpClient
http = HttpClient(connection(base_url=sys.argv[1], timeout=float(sys.argv[2])), writes=True, secrets={}, backoff=0)
http.write("POST", "/a", content=b"x" * 300_000)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
def test_a_client_that_is_killed_or_stopped_delivers_no_more_after_its_call(number):
    """A stopped process closes nothing: its kernel gives up at the deadline of the call."""
    if number == signal.SIGSTOP and deadline._USER_TIMEOUT is None:
        pytest.skip("this system has no TCP_USER_TIMEOUT")
    timeout = "60" if number == signal.SIGKILL else "0.5"
    with a_server_that_does_not_read() as (url, peers, reads):
        paths = f"import sys; sys.path[:0] = {sys.path!r}\n"
        process = subprocess.Popen([sys.executable, "-c", paths + CALLER, url, timeout])
        try:
            until = time.monotonic() + 60
            while not peers:
                assert time.monotonic() < until
                time.sleep(0.001)
            time.sleep(0.1)
            process.send_signal(number)
            if number == signal.SIGKILL:
                process.wait(60)
            else:
                time.sleep(3)
            assert reads() < 300_000
        finally:
            process.kill()
            process.wait(60)


def test_an_answer_is_whole_although_its_connection_is_closed_at_once():
    body = b"y" * 900_000

    def talk(peer, _number):
        whole_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with raw_server(talk) as url, closing(a_client(url)) as http:
        assert [http.write("POST", "/a", content=b"x").body for _ in range(3)] == [body] * 3
