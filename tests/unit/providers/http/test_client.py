"""The HTTP client: what is repeated, what is unknown, what is refused, what is said."""

import logging
import threading
import time
from concurrent.futures import CancelledError
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from provider_script import Script, connection, open_client

from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.providers.answer import Answer, error_words, identifier
from reconciler.providers.http import ATTEMPTS, HttpClient, WriteRefusedHere
from reconciler.providers.http.pacing import LONGEST_PAUSE, Limiter, Pace, asked_pause
from reconciler.settings import MEGABYTE

OK = httpx.Response(200, content=b"fine")

LATE = 20.0
"""Seconds that nothing here takes, however busy the machine is."""


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_repeated_after_a_busy_answer(status):
    script = Script({"GET /a": [httpx.Response(status), httpx.Response(status), OK]})
    with open_client(script) as http:
        assert http.get("/a").body == b"fine"
    assert len(script.seen) == 3


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.PoolTimeout("x"),
    ],
)
def test_a_read_is_repeated_after_a_passing_failure(error):
    script = Script({"GET /a": [error, OK]})
    with open_client(script) as http:
        assert http.get("/a").status == 200


def test_a_read_fails_after_its_last_attempt_and_says_why():
    script = Script({"GET /a": httpx.ReadTimeout("x"), "GET /b": httpx.Response(503)})
    with open_client(script) as http:
        with pytest.raises(RemoteError, match=r"GET uk.bookingbug.com/a: timed out after 30 s") as caught:
            http.get("/a", params={"secret": "no"})
        assert http.get("/b").status == 503
    assert len(script.seen) == 2 * ATTEMPTS
    assert not isinstance(caught.value, OutcomeUnknown)
    assert caught.value.status is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 419, 422, 501])
def test_a_read_is_not_repeated_after_a_decided_answer(status):
    script = Script({"GET /a": httpx.Response(status)})
    with open_client(script) as http:
        assert http.get("/a").status == status
    assert len(script.seen) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
def test_a_write_that_never_left_is_repeated(error):
    script = Script({"PUT /a": [error, error, OK]})
    with open_client(script) as http:
        assert http.write("PUT", "/a", content=b"x").status == 200
    assert len(script.seen) == 3


def test_a_write_that_never_left_failed_for_certain():
    script = Script({"PUT /a": httpx.ConnectError("x")})
    with open_client(script) as http, pytest.raises(RemoteError, match="cannot connect to https://uk") as caught:
        http.write("PUT", "/a")
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(script.seen) == ATTEMPTS


def test_a_throttled_write_is_repeated():
    script = Script({"PUT /a": [httpx.Response(429), OK]})
    with open_client(script) as http:
        assert http.write("PUT", "/a").status == 200


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.CloseError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.LocalProtocolError("x"),
        httpx.DecodingError("x"),
    ],
)
def test_a_write_whose_answer_was_lost_is_unknown_and_sent_once(error):
    script = Script({"POST /a": error})
    with open_client(script) as http, pytest.raises(OutcomeUnknown, match="may have been applied"):
        http.write("POST", "/a")
    assert len(script.seen) == 1


@pytest.mark.parametrize("status", [101, 302, 303, 408, 500, 502, 503, 504])
def test_a_write_with_a_servers_failure_is_unknown_and_sent_once(status):
    script = Script({"POST /a": httpx.Response(status, headers={"Retry-After": "0"})})
    with open_client(script) as http, pytest.raises(OutcomeUnknown) as caught:
        http.write("POST", "/a")
    assert caught.value.status == status
    assert len(script.seen) == 1


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_redirect_is_not_followed_and_names_the_host_only(method):
    there = httpx.Response(301, headers={"Location": "https://evil.example/p?token=abc"})
    script = Script({f"{method} /a": there})
    with open_client(script) as http, pytest.raises(RemoteError, match=r"301: redirected to evil.example;") as caught:
        http.get("/a") if method == "GET" else http.write("PUT", "/a")
    assert "token" not in str(caught.value)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(script.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_read_only_client_sends_no_write(method):
    script = Script({})
    with open_client(script, writes=False, login_path="/login") as http, pytest.raises(WriteRefusedHere):
        http.write(method, "/a")
    assert script.seen == []


@pytest.mark.parametrize("path", ["/login2", "/login/x", "/login?x=1", "/Login", "/x/../login/"])
def test_a_read_only_client_posts_to_exactly_the_login(path):
    script = Script({"POST /login": OK})
    with open_client(script, writes=False, login_path="/login") as http:
        assert http.login("/login", {}).status == 200
        with pytest.raises(WriteRefusedHere):
            http.login(path, {})
        with pytest.raises(WriteRefusedHere):
            http.write("PUT", "/login")
    assert len(script.seen) == 1


def test_a_read_only_client_without_login_posts_nowhere():
    with open_client(Script({}), writes=False) as http, pytest.raises(WriteRefusedHere):
        http.login("/login", {})


def test_a_login_is_repeated_like_a_read():
    script = Script({"POST /login": [httpx.ReadTimeout("x"), httpx.Response(502), OK]})
    with open_client(script) as http:
        assert http.login("/login", {"a": 1}).status == 200


def test_retry_after_is_honoured_in_both_forms_and_capped():
    assert asked_pause({"retry-after": "3"}) == 3
    assert asked_pause({"retry-after": "99999999999999999999"}) == LONGEST_PAUSE
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=55), usegmt=True)
    assert 15 < asked_pause({"retry-after": soon}) <= 55
    assert asked_pause({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert asked_pause({"retry-after": "-5"}) is None
    assert asked_pause({"retry-after": "soon"}) is None
    assert asked_pause({}) is None


def test_the_pauses_between_attempts_double_up_to_a_limit(monkeypatch):
    monkeypatch.setattr("reconciler.providers.http.client.random.uniform", lambda low, high: (low, high))
    monkeypatch.setattr("reconciler.providers.http.client.LONGEST_BACKOFF", 0.7)
    limiter = Limiter(1, None)
    pauses = []
    monkeypatch.setattr(limiter, "pause", pauses.append)
    script = Script({"GET /a": httpx.Response(503)})
    with HttpClient(
        connection(), writes=False, secrets={}, transport=httpx.MockTransport(script), limiter=limiter, backoff=0.25
    ) as http:
        http.get("/a")
    assert pauses == [(0, 0.25), (0, 0.5), (0, 0.7)]
    assert len(script.seen) == ATTEMPTS


def test_a_throttled_request_waits_for_retry_after():
    script = Script({"GET /a": [httpx.Response(429, headers={"Retry-After": "1"}), OK]})
    with open_client(script) as http:
        began = time.monotonic()
        http.get("/a")
    assert 0.9 < time.monotonic() - began < LATE


def test_a_throttled_request_holds_the_others_back_too():
    script = Script({"GET /a": [httpx.Response(429, headers={"Retry-After": "1"}), OK], "GET /b": OK})
    with open_client(script) as http:
        began = time.monotonic()
        thread = threading.Thread(target=http.get, args=("/a",))
        thread.start()
        while not http._limiter.pace._held:
            time.sleep(0.001)
        http.get("/b")
        assert 0.9 < time.monotonic() - began < LATE
        thread.join()


def test_the_pace_is_kept_over_threads():
    script = Script({"GET /a": OK})
    with open_client(script, settings={"requests_per_second": 50.0}) as http:
        began = time.monotonic()
        http.gather(lambda _: http.get("/a"), range(11))
    assert time.monotonic() - began >= 0.19


def test_a_hold_stops_every_thread():
    slept = []
    pace = Pace(None, clock=lambda: 1000.0 + sum(slept), sleep=slept.append)
    pace.hold(0.2)
    pace.wait()
    pace.wait()
    assert slept == [pytest.approx(0.2)]


def test_no_more_requests_at_once_than_allowed():
    running, most, lock, three = 0, 0, threading.Lock(), threading.Barrier(3, timeout=LATE)

    def answer(_):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait()
        time.sleep(0.01)
        with lock:
            running -= 1
        return httpx.Response(200)

    with open_client(answer, settings={"max_concurrency": 3}) as http:
        http.gather(lambda number: http.get(f"/{number}"), range(21))
    assert most == 3


def test_gather_keeps_order_and_finishes_before_it_raises():
    done = []

    def work(number):
        if number == 2:
            raise RemoteError("two")
        time.sleep(0.01)
        done.append(number)
        return number * 10

    with open_client(Script({})) as http:
        assert http.gather(lambda number: number * 10, [3, 1, 2]) == [30, 10, 20]
        assert http.gather(work, []) == []
        with pytest.raises(RemoteError, match="two"):
            http.gather(work, range(6))
    assert sorted(done) == [0, 1, 3, 4, 5]


@pytest.mark.parametrize(("method", "kind"), [("GET", RemoteError), ("PUT", OutcomeUnknown)])
def test_an_endless_answer_is_cut_off(method, kind):
    script = Script({f"{method} /a": httpx.Response(200, content=b"x" * 1001)})
    with (
        open_client(script, settings={"max_object_mb": 1000 / MEGABYTE}) as http,
        pytest.raises(kind, match="a response of more than"),
    ):
        http.get("/a") if method == "GET" else http.write("PUT", "/a")
    assert len(script.seen) == 1


def test_secrets_are_in_no_message():
    leak = httpx.Response(422, json={"error": "bad password hunter2 and token tok-123"})
    with open_client(Script({"GET /a": leak}), secrets={"password": "hunter2"}) as http:
        http.hide("tok-123")
        error = http.refusal(http.get("/a"), "GET /a")
    assert str(error) == "GET /a: 422: bad password ******** and token ********"
    assert error.status == 422


def test_refusals_in_words():
    with open_client(Script({})) as http:
        error = http.refusal(Answer(status=401, body=b"whatever"), "GET /a")
        assert str(error) == "GET /a: 401: wrong credentials for connection `sessions`"
        assert "reconciler.yaml:7:1" in error.hint
        said = str(http.refusal(Answer(status=403, body=b'{"error":"Forbidden"}'), "GET /a"))
        assert said == "GET /a: 403: not allowed for connection `sessions`: Forbidden"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b"<errors><error>Group can't be blank</error><error>a &amp; b</error></errors>",
            "Group can't be blank; a & b",
        ),
        (b'{"error":"Not Found"}', "Not Found"),
        (b'{"message":"m","status":1}', "m"),
        (b'{"errors":["one","two"]}', "one; two"),
        (b'{"errors":{"name":["is missing"]}}', "name: is missing"),
        (b'{"errors":[{"message":"deep"}]}', "deep"),
        (b'{"error":{"message":"inner"}}', "inner"),
        (b"<!DOCTYPE html><html>secret</html>", "an HTML page"),
        (b"  <html><body>x</body></html>", "an HTML page"),
        (b"plain \x1b[31mred\x07\r\n text \xe2\x80\xae", "plain [31mred text"),
        (b"", "Unprocessable Entity"),
        (b"\xff\xfa", "��"),
        (b"x" * 500, "x" * 119 + "…"),
        (b"[" * 9000, "[" * 119 + "…"),
    ],
)
def test_error_words(body, words):
    assert error_words(Answer(status=422, body=body)) == words


@pytest.mark.parametrize("value", ["../admin", "..", "", "1/2", "1?x", " 1", "\u0661", "1\n", None, 5, "1" * 40])
def test_only_digits_are_an_id(value):
    with pytest.raises(RemoteError, match="is not an id of this system"):
        identifier(value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/api/v1/x/1", "/api/v1/x/1"),
        ("https://uk.bookingbug.com/api/x?token=1#f", "/api/x"),
        ("https://UK.bookingbug.com:443/api/x", "/api/x"),
        ("http://uk.bookingbug.com/api/x", None),
        ("http://uk.bookingbug.com:443/api/x", None),
        ("https://uk.bookingbug.com:8443/api/x", None),
        ("https:/api/x", None),
        ("https:///api/x", None),
        ("///api/x", None),
        ("https://uk.bookingbug.com@evil.example/api/x", None),
        ("https://me@uk.bookingbug.com/api/x", None),
        ("https://evil.example\\@uk.bookingbug.com/api/x", None),
        ("/\\evil.example/api/x", None),
        ("https://uk.bookingbug.com:99999/api/x", None),
        ("/api/../../admin", None),
        ("/api/%2e%2E/admin", None),
        ("//uk.bookingbug.com/api/x", None),
        (" /api/x", None),
        ("/api/\u0661", None),
        ("{+host}/api/x", None),
        ("https://uk.bookingbug.com{/path}", None),
        ("https://uk.bookingbug.com/api/x{?a,b}", "/api/x"),
        ("https://evil.example/api/x", None),
        ("//evil.example/api/x", None),
        ("https://uk.bookingbug.com@evil.example/x", None),
        ("relative/x", None),
        ("", None),
        ("http://[bad", None),
    ],
)
def test_links_lead_only_into_the_same_system(url, path):
    with open_client(Script({})) as http:
        assert http.local_path(url) == path


def test_a_base_path_is_kept_and_hidden():
    script = Script({"GET /bb/api/x": OK, "POST /bb/login": OK})
    base = {"base_url": "https://gate.example/bb/"}
    with open_client(script, writes=False, login_path="/login", settings=base) as http:
        assert http.get("/api/x").url_path == "/api/x"
        assert http.login("/login", {}).status == 200
        assert http.local_path("https://gate.example/bb/api/x") == "/api/x"
        assert http.local_path("https://gate.example/bbb/api/x") is None


def test_a_header_that_cannot_be_sent_is_named_without_its_value():
    with open_client(Script({})) as http, pytest.raises(ReconcilerError, match="HTTP header App-Id") as caught:
        http.get("/a", headers={"App-Id": "abc\n"})
    assert "abc" not in str(caught.value)


def test_one_log_line_a_request_without_query(caplog):
    caplog.set_level(logging.INFO, "reconciler.http")
    with open_client(Script({"GET /a": OK})) as http:
        http.get("/a", params={"q": "private"})
    lines = [record.getMessage() for record in caplog.records if record.name == "reconciler.http"]
    assert len(lines) == 1
    assert lines[0].startswith("GET https://uk.bookingbug.com/a → 200 (")
    assert "private" not in lines[0]


def test_cookies_are_not_kept():
    script = Script({"GET /a": httpx.Response(200, headers={"Set-Cookie": "s=1; Path=/"})})
    with open_client(script) as http:
        http.get("/a")
        http.get("/a")
    assert "cookie" not in script.seen[1].headers


def test_a_netrc_file_is_not_used(tmp_path, monkeypatch):
    script = Script({"GET /a": httpx.Response(200)})
    with open_client(script) as http:
        (tmp_path / ".netrc").write_text("default login bob password hunter2\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("HOME", str(tmp_path))
        http.get("/a")
    assert "authorization" not in script.seen[0].headers


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(int(2 * LATE / 0.05)):
                time.sleep(0.05)
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
        elif self.path == "/stall":
            time.sleep(2 * LATE)
        self.close_connection = True

    do_PUT = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, *_):
        pass


@contextmanager
def _server(handler=_Handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client resets its connections when it closes them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _socket_client(url, timeout=2 * LATE):
    return closing(HttpClient(connection(base_url=url, timeout=timeout), writes=True, secrets={}, backoff=0))


@pytest.mark.parametrize("path", ["/drip", "/stall"])
def test_a_call_takes_no_longer_than_its_timeout_over_a_socket(path):
    with _server() as url, _socket_client(url, 0.3) as http:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=r"timed out after 0.3 s"):
            http.write("PUT", path)
        assert time.monotonic() - began < LATE


def test_a_closed_connection_makes_a_write_unknown_over_a_socket():
    with _server() as url, _socket_client(url) as http:
        with pytest.raises(OutcomeUnknown, match="closed before the response was complete"):
            http.write("PUT", "/close")
        with pytest.raises(RemoteError, match="closed before the response was complete"):
            http.get("/close")


def test_a_refused_connection_in_words(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # never used for this very machine
    with _server() as url:
        pass
    with _socket_client(url) as http, pytest.raises(RemoteError, match=f"cannot connect to {url}: connection refused"):
        http.write("PUT", "/")


def test_tls_failures_in_words():
    with _server() as url, _socket_client(url.replace("http:", "https:")) as http:
        with pytest.raises(RemoteError, match=r"TLS: |timed out|closed") as caught:
            http.get("/")
        assert not isinstance(caught.value, OutcomeUnknown)


def test_a_bad_ca_file_is_named(tmp_path):
    bad = tmp_path / "ca.pem"
    with pytest.raises(ReconcilerError, match=r"reconciler.yaml:7:1: ca_file .*: No such file"):
        HttpClient(connection(ca_file=str(bad)), writes=True, secrets={})
    bad.write_text("no certificate")
    with pytest.raises(ReconcilerError, match="it is not a PEM file"):
        HttpClient(connection(ca_file=str(bad)), writes=True, secrets={})


class _Kept(_Handler):
    protocol_version = "HTTP/1.1"
    clients: set = set()  # noqa: RUF012 - replaced by the test that uses it
    three = threading.Barrier(3, timeout=LATE)

    def do_GET(self):
        self.clients.add(self.client_address)
        if self.path.startswith("/together"):
            self.three.wait()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


def test_connections_are_kept_and_no_more_than_allowed(monkeypatch):
    monkeypatch.setattr(_Kept, "clients", set())
    with (
        _server(_Kept) as url,
        closing(HttpClient(connection(base_url=url, max_concurrency=3), writes=False, secrets={})) as http,
    ):
        answers = http.gather(lambda number: http.get(f"/together/{number}").body, range(30))
        for number in range(5):
            http.get(f"/{number}")
    assert answers == [b"ok"] * 30
    assert len(_Kept.clients) == 3


@pytest.mark.parametrize("path", ["/büro/süd", "/b%C3%BCro/s%C3%BCd", "/b%c3%bcro/süd"])
def test_a_base_url_with_other_letters_is_escaped_for_every_call_and_login(path):
    seen = []

    def answer(request):
        seen.append(request.url.raw_path)
        return httpx.Response(404)

    where = connection(base_url=f"https://bücher.example{path}")
    with HttpClient(
        where, writes=False, secrets={}, login_path="/api/v1/login", transport=httpx.MockTransport(answer)
    ) as http:
        assert http.get("/api/sessions.xml").url_path == "/api/sessions.xml"
        http.login("/api/v1/login", {}, headers={})
        with pytest.raises(WriteRefusedHere):
            http.write("POST", "/api/v1/logout")
        assert http.local_path("/b%C3%BCro/s%C3%BCd/api/x") == "/api/x" or "%c3" in path
    assert [item.decode().upper() for item in seen] == [
        "/B%C3%BCRO/S%C3%BCD/API/SESSIONS.XML",
        "/B%C3%BCRO/S%C3%BCD/API/V1/LOGIN",
    ]


@pytest.mark.parametrize("host", ["☃.example", "xn--.example", "a^b.example"])
def test_a_host_name_that_cannot_be_sent_is_named_with_its_place(host):
    with pytest.raises(ReconcilerError, match=r"reconciler\.yaml:7:1: base_url .* host name that is not valid"):
        HttpClient(connection(base_url=f"https://{host}"), writes=False, secrets={})


def test_work_that_is_gathered_ends_when_the_client_is_closed():
    started, go_on, ended = threading.Event(), threading.Event(), []

    def work(number):
        started.set()
        go_on.wait(LATE)
        return number

    def gather(http):
        try:
            http.gather(work, range(100))
        except BaseException as error:  # noqa: BLE001 - its kind is what is tested
            ended.append(type(error))

    with open_client(Script({}), settings={"max_concurrency": 2}) as http:
        thread = threading.Thread(target=gather, args=(http,))
        thread.start()
        assert started.wait(LATE)
        closer = threading.Thread(target=http.close)
        closer.start()
        while not http._workers._closed:
            time.sleep(0.001)
        go_on.set()
        thread.join(LATE)
        closer.join(LATE)
        assert ended == [CancelledError]
        with pytest.raises(RuntimeError, match="after the client was closed"):
            http.get("/a")
