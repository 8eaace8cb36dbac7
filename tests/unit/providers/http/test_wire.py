"""What is read without h11 is exactly what h11 reads: the same answers, errors, bodies, and connections kept."""

from __future__ import annotations

import re
from contextlib import contextmanager

import h11
import httpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.providers.http import wire
from reconciler.providers.http.wire import Message, Wire

NEVER = re.compile(rb"(?!)")
PLAIN = b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 4\r\n\r\ntrue"


class Stream(httpcore.NetworkStream):
    """A connection over which bytes arrive in pieces, and then its end."""

    def __init__(self, pieces=()):
        self.pieces, self.sent = [piece for piece in pieces if piece], b""

    def read(self, max_bytes, timeout=None):  # noqa: ARG002 - the interface
        if not self.pieces:
            return b""
        first = self.pieces.pop(0)
        if first[max_bytes:]:
            self.pieces.insert(0, first[max_bytes:])
        return first[:max_bytes]

    def write(self, buffer, timeout=None):  # noqa: ARG002 - the interface
        self.sent += buffer

    def get_extra_info(self, info):
        assert info == "is_readable"
        return bool(self.pieces)


@contextmanager
def only_h11():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wire, "_PLAIN_REQUEST", NEVER)
        patched.setattr(wire, "_PLAIN_ANSWER", NEVER)
        yield


def message(method=b"GET", target=b"/a", headers=((b"Host", b"x"),), content=b""):
    return Message(method, target, list(headers), content, {}, None)


def outcome(pieces, asked):
    """Return all that can be seen of a call: what was sent, the answer or the error, and if the connection is kept."""
    stream = Stream(pieces)
    line, body = Wire(stream), b""
    try:
        head = line.ask(asked)
        for piece in line.body(asked):
            body += piece
    except (httpcore.RemoteProtocolError, h11.ProtocolError) as error:
        return stream.sent, type(error).__name__, str(error), body
    line.expires = float("inf")
    return stream.sent, head.status, head.headers, body, line.at_rest() and line.usable()


def both(pieces, asked=None):
    asked = message() if asked is None else asked
    quick = outcome(pieces, asked)
    with only_h11():
        assert quick == outcome(pieces, asked)
    return quick


HEADERS = st.sampled_from(
    [
        b"Content-Length: 4",
        b"content-length:4\t",
        b"Content-Length: 0",
        b"Content-Length: 04",
        b"Content-Length: +4",
        b"Content-Length: 4, 4",
        b"Content-Length: 99999999999999999999",
        b"Content-Length:",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: keep-alive",
        b"Connection: close",
        b"Connection: Keep-Alive",
        b"Connection: keep-alive, close",
        b"Upgrade: h2c",
        b"Server: a\tb ",
        b"X: a\x00b",
        b"X: \xe9",
        b"X : 1",
        b" folded",
        b"Content-Length 4",
        b"",
    ]
)
STARTS = st.sampled_from(
    [
        *(b"HTTP/1.1 %d X" % status for status in (100, 101, 199, 200, 201, 204, 206, 301, 304, 404, 429, 503, 600)),
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.0 200 OK",
        b"HTTP/2.0 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1 200 caf\xe9",
    ]
)
BODIES = st.sampled_from(
    [b"", b"true", b"tru", b"true!", b"4\r\ntrue\r\n0\r\n\r\n", PLAIN, b"true" + PLAIN, b"true\r\n"]
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])


@st.composite
def answers(draw):
    lines = [draw(STARTS), *draw(st.lists(HEADERS, max_size=4)), b""]
    return b"".join(line + draw(ENDS) for line in lines) + draw(BODIES)


@st.composite
def in_pieces(draw):
    content = draw(answers())
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    return [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@given(in_pieces())
@example([PLAIN])
@example([PLAIN[:-2], PLAIN[-2:]])
@example([PLAIN[:-4], b"tr"])
@example([PLAIN + PLAIN])
@example([PLAIN[:-1], PLAIN[-1:] + PLAIN])
def test_an_answer_is_read_as_h11_reads_it(pieces):
    both(pieces)


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_so_is_one_with_any_byte_changed(place, byte):
    both([PLAIN[:place] + bytes([byte]) + PLAIN[place + 1 :]])


TEXT = st.text(st.sampled_from("ab: \t\r\n\0é"), max_size=6).map(lambda text: text.encode("latin-1"))
NAMES = st.one_of(
    TEXT, st.sampled_from([b"Host", b"host", b"Connection", b"Content-Length", b"Transfer-Encoding", b"Expect", b"X-Y"])
)
VALUES = st.one_of(TEXT, st.sampled_from([b"keep-alive", b"close", b"chunked", b"100-continue", b"5", b"x"]))


@given(
    st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"get", b"G T", b""]),
    st.one_of(st.just(b"/a?b=c"), TEXT),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
    st.sampled_from([b"", b"hello"]),
)
@example(b"GET", b"/a", [(b"X-Y", b"1\r\nX-Z: 2")], b"")
@example(b"GET", b"/a HTTP/1.1\r\nHost: y\r\n\r\nGET /b", [], b"")
@example(b"POST", b"/a", [(b"Content-Length", b"5")], b"hello")
@example(b"POST", b"/a", [(b"Content-Length", b"5"), (b"Content-Length", b"5")], b"hello")
@example(b"POST", b"/a", [(b"X-Content-Length", b"5")], b"hello")
@example(b"POST", b"/a", [(b"X-Y", b"\r\nContent-Length: 5")], b"hello")
@example(b"POST", b"/a", [(b"Content-Length", b"4")], b"hello")
@example(b"POST", b"/a", [(b"Content-Length", b"5")], b"")
@example(b"PUT", b"/a", [(b"content-length", b"5"), (b"Transfer-Encoding", b"chunked")], b"hello")
@example(b"DELETE", b"/a", [(b"X-Y", b"x")], b"")
def test_a_request_is_written_or_refused_as_h11_does(method, target, more, content):
    both([PLAIN], message(method, target, [(b"Host", b"x"), *more], content))


LENGTH = (b"Content-Length", b"5")


@pytest.mark.parametrize(
    "asked",
    [
        message(),
        message(b"POST", headers=[(b"Host", b"x"), (b"Accept", b"*/*"), LENGTH], content=b"hello"),
        message(b"PUT", headers=[(b"Host", b"x"), LENGTH, (b"Accept", b"*/*")], content=b"hello"),
        message(b"DELETE"),
    ],
    ids=["GET", "POST", "PUT", "DELETE"],
)
def test_a_plain_request_and_its_answer_do_without_h11(monkeypatch, asked):
    monkeypatch.setattr(wire.h11, "Connection", None)
    assert outcome([PLAIN], asked) == outcome([PLAIN[:50], PLAIN[50:]], asked)
