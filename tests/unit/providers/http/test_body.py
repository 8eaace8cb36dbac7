"""Bodies made to fill the memory, or to pass for whole: over real sockets, each cut off or refused in words."""

import gc
import gzip
import itertools
import threading
import time
import tracemalloc
import zlib
from contextlib import closing, contextmanager

import httpx
import pytest
from provider_script import connection, raw_server, whole_request

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.providers.http import HttpClient
from reconciler.providers.http.body import Budget
from reconciler.settings import MEGABYTE

LIMIT = MEGABYTE
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


def a_client(url, **settings):
    settings = {"base_url": url, "timeout": 20, **settings}
    return closing(HttpClient(connection(**settings), writes=True, secrets={}, backoff=0))


def framed(content, *headers):
    return b"".join(
        (HEAD, *(header + b"\r\n" for header in headers), b"Content-Length: %d\r\n\r\n" % len(content), content)
    )


def zeros(count):
    return gzip.compress(b"\0" * count)


BOMB = framed(zeros(30_000_000), b"Content-Encoding: gzip")
NESTED = framed(gzip.compress(zeros(30_000_000)), b"Content-Encoding: gzip, gzip")


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


@pytest.mark.parametrize(
    ("size", "settings", "lists", "refused"),
    [
        (MEGABYTE, {}, False, None),
        (MEGABYTE + 1, {}, False, "1 MB; expected less, or a higher max_object_mb of connection `sessions`"),
        (2 * MEGABYTE, {"max_object_mb": 2}, False, None),
        (2 * MEGABYTE, {}, True, None),
        (16 * MEGABYTE + 1, {}, True, "16 MB; expected less, or a higher max_list_mb of connection `sessions`"),
        (1001, {"max_list_mb": 1000 / MEGABYTE}, True, "max_list_mb"),
        (17 * MEGABYTE, {"max_list_mb": 17}, True, None),
    ],
)
def test_an_object_and_a_list_have_limits_of_their_own(size, settings, lists, refused):
    packed = framed(zeros(size), b"Content-Encoding: gzip")
    with serving(lambda: [packed]) as (url, _), a_client(url, **settings) as http:
        if refused is None:
            assert len(http.get("/a", lists=lists).body) == size
            return
        with pytest.raises(RemoteError, match=refused) as caught:
            http.get("/a", lists=lists)
    assert "GET 127.0.0.1" in caught.value.message
    assert "/a: a response of more than" in caught.value.message
    assert "(reconciler.yaml:7" in caught.value.message


class _Reader:
    """An answer of a budget, read by a thread of its own."""

    def __init__(self, budget, pieces):
        self.budget, self.ended, self.failed = budget, threading.Event(), False
        self.thread = threading.Thread(target=self._read, args=(pieces,), daemon=True)

    def _read(self, pieces):
        try:
            with self.budget.reading(self):
                for piece in pieces:
                    self.budget.take(self, piece, time.monotonic() + 60)
        except httpx.ReadTimeout:
            self.failed = True
        self.ended.set()


def test_answers_together_wait_for_each_other_and_the_oldest_ends():
    budget, go_on = Budget(100), threading.Event()

    def slowly():
        yield 90
        go_on.wait(60)
        yield 60

    oldest, other = _Reader(budget, slowly()), _Reader(budget, [50])
    with budget.reading("keeps its place until it is read"):
        pass
    oldest.thread.start()
    while budget._total < 90:
        time.sleep(0.001)
    other.thread.start()
    assert not other.ended.wait(0.1)
    go_on.set()
    assert oldest.ended.wait(60)  # beyond the limit: otherwise none would end
    assert other.ended.wait(60)
    budget.release(oldest)
    assert budget._total == 50
    assert oldest.failed is other.failed is False


def test_a_read_waits_for_others_no_longer_than_its_deadline_and_a_write_never():
    budget = Budget(100)
    with budget.reading("a"), budget.reading("b"):
        budget.take("a", 90, None)
        with pytest.raises(httpx.ReadTimeout, match="too many large responses"):
            budget.take("b", 20, time.monotonic() + 0.01)
        budget.take("b", 20, None)
    assert budget._total == 110


def test_an_answer_counts_until_nobody_holds_it_and_a_refused_one_never(monkeypatch):
    budget = Budget()
    monkeypatch.setattr("reconciler.providers.http.client.BUDGET", budget)
    monkeypatch.setattr("reconciler.providers.http.body.BUDGET", budget)
    packed = framed(zeros(1000), b"Content-Encoding: gzip")
    with serving(lambda: [packed]) as (url, _), a_client(url) as http:
        answer = http.get("/a")
        assert budget._total == len(answer.body) == 1000
        del answer
        gc.collect()
        assert budget._total == 0
    with serving(TOO_MUCH["gzip bomb"][0]) as (url, _), a_client(url) as http:
        with pytest.raises(RemoteError):
            http.get("/a")
        assert budget._total == 0
