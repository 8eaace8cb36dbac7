"""Bodies made to fill the memory, or to pass for whole: over real sockets, each cut off or refused in words."""

import gzip
import itertools
import tracemalloc
import zlib
from contextlib import closing, contextmanager

import pytest
from provider_script import connection, raw_server, whole_request

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.http import MAX_ANSWER, HttpClient, body

LIMIT = 1_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
ENDLESS = 60_000_000
"""Bytes after which an answer that should have been cut off ends all the same, so that no test runs for ever."""


@contextmanager
def serving(pieces):
    """A server that answers every connection with the bytes that `pieces()` yields, then closes it."""
    seen = []

    def talk(peer, _number):
        seen.append(whole_request(peer))
        for piece in pieces():
            peer.sendall(piece)

    with raw_server(talk) as url:
        yield url, seen


def a_client(url):
    return closing(HttpClient(connection(base_url=url, timeout=20), writes=True, secrets={}, backoff=0))


def framed(content, *headers):
    return b"".join(
        (HEAD, *(header + b"\r\n" for header in headers), b"Content-Length: %d\r\n\r\n" % len(content), content)
    )


def zeros(count):
    return gzip.compress(b"\0" * count)


BOMB = framed(zeros(30_000_000), b"Content-Encoding: gzip")
NESTED = framed(gzip.compress(zeros(30_000_000)), b"Content-Encoding: gzip, gzip")


@pytest.fixture(autouse=True)
def low_limit(monkeypatch):
    monkeypatch.setattr(body, "MAX_ANSWER", LIMIT)


def endless(start, piece):
    return lambda: itertools.chain([start], itertools.repeat(piece, ENDLESS // len(piece)))


CHUNK = b"1000\r\n" + b"x" * 4096 + b"\r\n"
TOO_MUCH = {
    "endless body": (endless(HEAD + b"\r\n", b"x" * 4096), "a response of more than"),
    "endless chunks": (endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK), "a response of more than"),
    "endless headers": (endless(HEAD, b"X-More: " + b"y" * 1000 + b"\r\n"), "is not HTTP"),
    "one endless header": (endless(HEAD + b"X-More: ", b"y" * 1000), "is not HTTP"),
    "endless status line": (endless(b"HTTP/1.1 200 ", b"O" * 1000), "is not HTTP"),
    "endless chunk size": (endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 1000), "is not HTTP"),
    "endless trailers": (
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 99),
        "is not HTTP",
    ),
    "gzip bomb": (lambda: [BOMB], "a response of more than"),
    "gzip bomb in gzip": (
        lambda: [NESTED],
        "response cannot be decompressed",
    ),
    "endless gzip of nothing": (
        endless(HEAD + b"Content-Encoding: gzip\r\n\r\n" + zeros(0), b"\0" * 4096),
        "response cannot be decompressed",
    ),
    "deflate": (lambda: [framed(zlib.compress(b"x"), b"Content-Encoding: deflate")], "response cannot be decompressed"),
    "brotli": (lambda: [framed(b"\x0b\x02\x80hello\x03", b"Content-Encoding: br")], "response cannot be decompressed"),
    "zstd": (lambda: [framed(b"\x28\xb5\x2f\xfd", b"Content-Encoding: zstd")], "response cannot be decompressed"),
    "no gzip": (lambda: [framed(b"<sessions/>", b"Content-Encoding: gzip")], "response cannot be decompressed"),
    "half a gzip": (lambda: [framed(zeros(9999)[:-9], b"Content-Encoding: gzip")], "response cannot be decompressed"),
    "cut off": (lambda: [HEAD + b"Content-Length: 100\r\n\r\n<sessions>"], "closed before the response was complete"),
    "cut off chunk": (lambda: [HEAD + b"Transfer-Encoding: chunked\r\n\r\n10\r\nabc"], "closed before the response"),
    "no last chunk": (lambda: [HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"], "closed before the response"),
    "chunked garbage": (lambda: [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"], "is not HTTP"),
    "negative length": (lambda: [HEAD + b"Content-Length: -1\r\n\r\n"], "is not HTTP"),
    "two lengths": (lambda: [HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"], "is not HTTP"),
    "not http": (lambda: [b"SSH-2.0-OpenSSH_9.2\r\n"], "is not HTTP"),
    "nothing": (list, "closed before the response was complete"),
    "header with a NUL": (lambda: [HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n"], "is not HTTP"),
}


@pytest.mark.parametrize("name", sorted(TOO_MUCH))
def test_an_answer_that_is_too_much_or_too_little(name):
    pieces, words = TOO_MUCH[name]
    with serving(pieces) as (url, seen), a_client(url) as http:
        tracemalloc.start()
        with pytest.raises(OutcomeUnknown, match=words) as caught:
            http.write("POST", "/a", content=b"x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "may have been applied" in str(caught.value)
        assert len(seen) == 1
    assert peak < 20 * LIMIT


def test_a_read_of_too_much_is_an_error_and_not_repeated():
    with serving(TOO_MUCH["gzip bomb"][0]) as (url, seen), a_client(url) as http:
        with pytest.raises(RemoteError, match="a response of more than") as caught:
            http.get("/a")
        assert caught.value.status == 200
        assert len(seen) == 1


def test_only_what_can_be_bounded_is_asked_for_and_taken():
    content = b"<sessions/>" * 1000
    packed = gzip.compress(content)
    with serving(lambda: [framed(packed, b"Content-Encoding: GZIP"), b""]) as (url, seen), a_client(url) as http:
        assert http.get("/a").body == content
    assert b"Accept-Encoding: gzip\r\n" in seen[0]
    with serving(lambda: [framed(b"", b"Content-Encoding: gzip")]) as (url, _), a_client(url) as http:
        assert http.get("/a").body == b""
    assert MAX_ANSWER == 64 * 1024 * 1024
