"""The lean server answers as the sandbox does, byte for byte, so that figures on it hold for the sandbox too."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

sys.path.append(str(Path(__file__).parent))
from lab import Server
from projects import fields

from reconciler.sandbox import Options, Sandbox

CREATE = "<session>{}</session>".format(
    "".join(f"<{name}>{value}</{name}>" for name, value in fields(3).items() if name != "disabled")
)
CALLS = [
    ("GET", "/api/sessions.xml", ""),
    ("POST", "/api/sessions.xml?type=event", CREATE),
    ("GET", "/api/sessions/123.xml", ""),
    ("PUT", "/api/sessions/123.xml", "<session><price>8.50</price><name>A &amp; B &lt;c&gt;</name></session>"),
    ("GET", "/api/sessions.xml", ""),
    ("DELETE", "/api/sessions/123.xml", ""),
    ("GET", "/api/sessions/123.xml", ""),
    ("DELETE", "/api/sessions/123.xml", ""),
]


def ask(url, method, path, body):
    token = base64.b64encode(f"{Options().username}:{Options().password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "text/xml"}
    try:
        answer = urlopen(Request(url + path, body.encode() or None, headers, method=method), timeout=30)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("content-type"), answer.read()


@pytest.fixture
def lean():
    with Server() as server:
        yield server


def test_the_lean_server_answers_as_the_sandbox(lean):
    with Sandbox(Options(show_fields="all")) as box:
        for call in CALLS:
            assert ask(lean.url, *call) == ask(box.url, *call), call


def test_filled_sessions_are_those_that_a_create_makes(lean):
    lean.control("fill/4")
    filled = ask(lean.url, "GET", "/api/sessions/126.xml", "")
    lean.control("fill/3")
    ask(lean.url, "POST", "/api/sessions.xml?type=event", CREATE)
    assert ask(lean.url, "GET", "/api/sessions/126.xml", "") == filled


def test_the_lean_server_counts_what_it_was_asked_but_not_who_asks_for_the_count(lean):
    lean.control("fill/1")
    ask(lean.url, "GET", "/api/sessions.xml", "")
    assert lean.calls() == [["GET", "/api/sessions.xml"]]
    assert lean.calls() == []
