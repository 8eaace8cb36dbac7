"""The token of the forge goes to the forge alone, and every failure has a message."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler import redaction
from reconciler.errors import ReconcilerError, RemoteError
from reconciler.forge import client, here

TOKEN = "forge-token-51c8e0d7a3b964f2"


class Server(ThreadingHTTPServer):
    """Answers each request with the next of its answers, and keeps the headers."""

    def __init__(self):
        self.answers = []
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the library asks for

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    served = Server()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def opened(server, monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0)
    made = client.ForgeClient(server.url, "Authorization", TOKEN, accept="application/json", prefix="Bearer ")
    yield made
    made.close()


def test_a_file_at_another_host_is_read_without_the_token(server, opened):
    other = Server()
    server.answers.append((302, {"Location": f"{other.url}/file"}, b""))
    other.answers.append((200, {}, b"content"))
    with pytest.raises(RemoteError, match="names a file without https"):
        opened.download("/zip")
    assert other.asked == []
    server.answers += [(302, {"Location": f"{server.url}/file"}, b""), (200, {}, b"content")]
    assert opened.download("/zip") == b"content"
    assert [headers.get("Authorization") for _, _, headers in server.asked] == [f"Bearer {TOKEN}"] * 2 + [None]
    other.shutdown()
    other.server_close()


def test_a_redirect_is_not_followed_where_no_file_is_asked_for(server, opened):
    server.answers.append((302, {"Location": "http://127.0.0.1:1/"}, b""))
    with pytest.raises(RemoteError, match="answers 302"):
        opened.get("/x")


def test_reads_are_repeated_and_writes_are_not(server, opened):
    server.answers += [(503, {}, b""), (200, {}, b"[1]")]
    assert opened.get("/x") == [1]
    server.answers.append((503, {}, b'{"message": "later"}'))
    with pytest.raises(RemoteError, match=r"POST /x: .* answers 503: later"):
        opened.send("POST", "/x", {"body": "y"})
    assert server.answers == []


def test_the_token_is_masked_wherever_it_comes_back(server, opened):
    server.answers.append((422, {}, json.dumps({"message": f"bad {TOKEN}"}).encode()))
    with pytest.raises(RemoteError) as caught:
        opened.get("/x")
    assert TOKEN not in caught.value.message
    assert TOKEN not in redaction.redacted(f"x {TOKEN}")


def test_a_list_is_read_to_its_end(server, opened):
    more = {"Link": '<http://127.0.0.1:1/x?page=2>; rel="next", <http://127.0.0.1:1/x?page=9>; rel="last"'}
    server.answers += [(200, more, b"[{}, {}]"), (200, {}, b"[{}]")]
    assert len(list(opened.pages("/x", {"state": "open"}))) == 3
    assert [path for _, path, _ in server.asked] == [
        "/x?state=open&per_page=100&page=1",
        "/x?state=open&per_page=100&page=2",
    ]


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"message": "x"}', b"7"])
def test_an_answer_that_is_no_list_is_an_error(server, opened, body):
    server.answers.append((200, {}, body))
    with pytest.raises(RemoteError):
        list(opened.pages("/x"))


def test_too_long_an_answer_is_an_error(server, opened, monkeypatch):
    monkeypatch.setattr(client, "LARGEST", 10)
    server.answers.append((200, {}, b"x" * 11))
    with pytest.raises(RemoteError, match="more than 10 bytes"):
        opened.download("/zip")


@pytest.mark.parametrize("base", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com"])
def test_the_token_is_not_sent_unencrypted(base):
    with pytest.raises(ReconcilerError, match="expected an address with https"):
        client.ForgeClient(base, "Authorization", TOKEN, accept="application/json")


def test_no_answer_is_an_error_with_the_host(monkeypatch):
    monkeypatch.setattr(client, "BACKOFF", 0)
    made = client.ForgeClient("http://127.0.0.1:9", "Authorization", TOKEN, accept="application/json")
    with pytest.raises(RemoteError, match=r"GET /x: no answer of 127\.0\.0\.1:9"):
        made.get("/x")
    made.close()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "RECONCILER_FORGE_TOKEN is not set"),
        ({here.TOKEN: "x" * 20}, "no pipeline of GitHub or GitLab"),
        ({here.TOKEN: "x" * 20, "GITHUB_API_URL": "https://x", "GITHUB_REPOSITORY": "../x/y"}, "expected owner/name"),
        ({here.TOKEN: "x" * 20, "CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "1/.."}, "expected a number"),
    ],
)
def test_outside_of_a_pipeline_the_error_names_what_is_missing(monkeypatch, variables, words):
    for name in (here.TOKEN, "GITHUB_API_URL", "GITHUB_REPOSITORY", "CI_API_V4_URL", "CI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ReconcilerError) as caught, here.forge():
        pass
    assert words in f"{caught.value.message} {caught.value.hint}"
