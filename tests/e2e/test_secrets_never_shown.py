"""Canaries: every credential is a unique value, every command runs in every format against servers that repeat them.

Nothing that a user, a pipeline or another program can read may hold one: stdout, stderr, every file of the project
folder, the state's bytes. Commands come from the command group itself: a new one is tested without being named here.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import click
import pytest
from combinations import all_pairs, quick_where
from desk import Desk, Done
from every_command import BY_LOGIN, BY_TOKEN, ITEM, PROJECT, SESSION_ID, command_lines

from reconciler.cli.main import cli
from reconciler.sandbox import Fault, Options, Sandbox

CANARIES = {
    "BB_USERNAME": "canary-user-7Qx",
    "BB_PASSWORD": "canary-pass/4Kz+\"'<&>",
    "BB_APP_ID": "canary-appid-9Wd",
    "BB_APP_KEY": "canary-appkey-2Vb",
    "BB_TOKEN": "canary-token-6Jn",
    "BB_EMAIL": "canary-mail-3Ht@example.com",
    "BB_LOGIN": "canary-login-8Rc",
    "CF_KEY": "canary-cfkey-5Mf",
    "CF_SECRET": "canary-cfsecret-1Ls",
    "PGPASSWORD": "canary-pgpass-0Gp",
}
FRESH_TOKEN = "canary-fresh-token-Xy4"


def echo_bodies(seen, path):
    """Return what a careless server may answer with what it was sent, by name: (status, headers, body)."""
    escaped = seen.replace("&", "&amp;").replace("<", "&lt;")
    xml = f"<errors><error>{escaped}</error></errors>"
    text, typed = seen.replace("\n", " "), "application/json"
    return {
        "plain-400": (400, {"Content-Type": "text/plain"}, seen),
        "plain-500": (500, {"Content-Type": "text/plain"}, seen),
        "json-401": (401, {"Content-Type": typed}, json.dumps({"error": seen})),
        "json-403": (403, {"Content-Type": typed}, json.dumps({"error": {"message": [seen]}})),
        "json-422": (422, {"Content-Type": typed}, json.dumps({"errors": {"name": [text]}})),
        "json-200": (200, {"Content-Type": typed}, json.dumps({"status": "ERROR", "error": {"title": text}})),
        "xml-400": (400, {"Content-Type": "application/xml"}, xml),
        "xml-200": (200, {"Content-Type": "application/xml"}, f"<sessions>{escaped}</sessions>"),
        "html-200": (200, {"Content-Type": "text/html"}, f"<html><title>{escaped}</title></html>"),
        "location": (302, {"Location": f"https://{quote(text)[:50]}.example/{quote(text)}?q={quote(text)}"}, ""),
        "location-user": (302, {"Location": f"https://{quote(text, safe='')}@evil.example/"}, ""),
        "headers": (400, {"X-Request-Id": quote(text), "Content-Type": quote(text), "Retry-After": text[:200]}, ""),
        "reason": (400, {}, ""),
        "list": (200, {"Content-Type": typed}, json.dumps([text, {"id": text, path: text}])),
    }


class Echo(BaseHTTPRequestHandler):
    """Repeats the request, its credentials in clear as well, in the way the test chose."""

    way = "plain-400"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, 100_000)).decode("utf-8", "replace")
        known = " ".join(CANARIES[name] for name in CANARIES if name not in self.unused)
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        clear = base64.b64decode(given).decode() if given else ""
        headers = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        # The order matters: each secret comes once within the first words, where messages are not yet cut.
        seen = {"first": known, "last": " ".join(reversed(known.split(" ")))}.get(self.order, clear)
        seen = f"{seen} {clear} {given} {headers} {self.path} {body} {FRESH_TOKEN}"
        status, more, text = echo_bodies(seen, self.path)[self.way]
        if self.path.endswith("/login/admin") and self.way == "list":
            status, more, text = 200, {"Content-Type": "application/json"}, json.dumps({"auth_token": FRESH_TOKEN})
        self.send_response(status, seen.replace("\n", " ")[:300] if self.way == "reason" else None)
        data = text.encode()
        for name, value in more.items():
            self.send_header(name, value.replace("\n", " ").replace("\r", " "))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    order = "clear"
    unused: frozenset[str] = frozenset()
    """Credentials that this run has no use for: nobody could tell them from other words."""
    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the server's names

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def echo():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.handle_error = lambda *_: None  # a client resets its connections when it closes them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def caged():
    """A sandbox that lets in the canaries."""
    options = Options(
        username=CANARIES["BB_USERNAME"],
        password=CANARIES["BB_PASSWORD"],
        app_id=CANARIES["BB_APP_ID"],
        app_key=CANARIES["BB_APP_KEY"],
        auth_token=CANARIES["BB_TOKEN"],
        email=CANARIES["BB_EMAIL"],
        admin_password=CANARIES["BB_LOGIN"],
        checkfront_key=CANARIES["CF_KEY"],
        checkfront_secret=CANARIES["CF_SECRET"],
    )
    with Sandbox(options) as box:
        yield box


def prepare(folder, url, *, login=BY_TOKEN, box=None):
    class Place:
        """All that a desk asks of a sandbox before it is used."""

    place = box or Place()
    if box is None:
        place.url = url
    desk = Desk(folder, place)
    desk.env.update(CANARIES)
    desk.project(PROJECT.format(url=url, login=login))
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.declare("Block", "closed", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})
    desk.declare("BookingSession", "trip", {"items": [ITEM]})
    return desk


def spellings(value):
    """Return how a value may be written and still be read."""
    data = value.encode()
    yield from {value, quote(value), quote(value, safe=""), json.dumps(value)[1:-1], data.hex()}
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield base64.b64encode(data).decode()


LEAKS = {
    name: [spelling.encode() for spelling in spellings(value)]
    for name, value in {**CANARIES, "token": FRESH_TOKEN, "id": SESSION_ID}.items()
}
LEAKS["bits"] = [re.escape(f"canary-{word}").encode() for word in ("pass", "login", "cfsecret", "appkey", "token")]
for _pair in ((CANARIES["BB_USERNAME"], CANARIES["BB_PASSWORD"]), (CANARIES["CF_KEY"], CANARIES["CF_SECRET"])):
    LEAKS[f"basic {_pair[0]}"] = [base64.b64encode(":".join(_pair).encode())]


def assert_silent(done, desk, line, allowed=()):
    """Look for every canary in what was written anywhere."""
    places = {"stdout": done.out.encode(), "stderr": done.err.encode()}
    for file in desk.folder.rglob("*"):
        if file.is_file():
            places[str(file.relative_to(desk.folder))] = file.read_bytes()
    for name, spelled in LEAKS.items():
        for place, content in places.items():
            found = [spelling for spelling in spelled if spelling in content]
            assert not found or (name, place) in allowed, (line, name, place, content[-2000:])


def quietly(desk, line, allowed=()):
    done = desk.run(*line)
    assert "Traceback" not in done.out + done.err
    assert_silent(done, desk, line, allowed)
    if "json" in line and done.out and "--output" not in line:
        json.loads(done.out)
    for file in desk.folder.glob("out.json"):
        json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
    return done


WAYS = sorted(echo_bodies("", ""))


ECHOES = {"way": WAYS, "login": ("token", "login"), "order": ("clear", "first", "last")}
PAIRS = [tuple(row.values()) for row in all_pairs(ECHOES)]


@pytest.mark.parametrize(tuple(ECHOES), quick_where(lambda *row: row in PAIRS, *ECHOES.values()))
def test_credentials_that_a_server_repeats_are_not_shown(tmp_path, echo, way, login, order):
    login = {"token": BY_TOKEN, "login": BY_LOGIN}[login]
    desk = prepare(tmp_path, echo, login=login)
    Echo.way = way
    Echo.unused = frozenset({"PGPASSWORD"} | ({"BB_EMAIL", "BB_LOGIN"} if login == BY_TOKEN else {"BB_TOKEN"}))
    Echo.order = order
    for line in (["plan", "-v"], ["plan", "--format", "json"], ["apply", "--yes", "-v"], ["drift", "-v"]):
        quietly(desk, line)


def test_no_command_shows_a_credential_in_any_format(tmp_path, caged):
    caged.reset()
    desk = prepare(tmp_path, caged.url, login=BY_LOGIN, box=caged)
    lines = list(command_lines())
    assert {line[0] for line in lines} == set(cli.list_commands(click.Context(cli)))
    quietly(desk, ["plan", "-v"])
    done = quietly(desk, ["apply", "--yes", "-v"])
    assert done.code == 0, done
    held = caged.holds()[0]["id"]
    LEAKS["held"] = [str(held).encode()]
    # The record needs the id to find the booking again; the state's own files may hold it, nothing else.
    allowed = {("held", str(file.relative_to(tmp_path))) for file in (tmp_path / ".reconciler").rglob("*")}
    try:
        desk.session(price=36)
        for line in lines:
            quietly(desk, line, allowed)
    finally:
        del LEAKS["held"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
@pytest.mark.parametrize("line", [["plan"], ["drift"]], ids=["plan", "drift"])
def test_without_the_redactor_credentials_are_shown(tmp_path, caged, monkeypatch, form, line):
    """A look that finds nothing proves something only where it would find it."""
    caged.reset()
    desk = prepare(tmp_path, caged.url, login=BY_LOGIN, box=caged)
    quietly(desk, ["apply", "--yes"])
    caged.edit_resource(caged.resources()[-1]["id"], name=f"Court {CANARIES['BB_PASSWORD']} {CANARIES['BB_LOGIN']}")
    quietly(desk, [*line, "--format", form])
    monkeypatch.setattr("reconciler.redaction._forms", lambda _: set())
    with pytest.raises(AssertionError):
        quietly(desk, [*line, "--format", form])


@pytest.mark.parametrize("way", ["plain-400", "json-422"])
def test_without_the_redactor_repeated_credentials_are_shown(tmp_path, echo, monkeypatch, way):
    desk = prepare(tmp_path, echo)
    monkeypatch.setattr(Echo, "way", way)
    monkeypatch.setattr(Echo, "order", "first")
    monkeypatch.setattr(Echo, "unused", frozenset({"PGPASSWORD", "BB_EMAIL", "BB_LOGIN"}))
    quietly(desk, ["plan", "-v"])
    monkeypatch.setattr("reconciler.redaction._forms", lambda _: set())
    with pytest.raises(AssertionError):
        quietly(desk, ["plan", "-v"])


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_a_live_field_that_repeats_a_credential_is_masked_in_a_valid_document(tmp_path, caged, form):
    caged.reset()
    desk = prepare(tmp_path, caged.url, login=BY_LOGIN, box=caged)
    desk.declare("Resource", "court-1", {"name": "Court 1", "position": 1})
    quietly(desk, ["apply", "--yes"])
    resource = caged.resources()[-1]
    caged.edit_resource(resource["id"], name=f"Court {CANARIES['BB_PASSWORD']} {CANARIES['BB_LOGIN']}")
    for line in (["plan", "--format", form], ["drift", "--format", form]):
        done = quietly(desk, line)
        assert "&#42;" * 8 in done.out or "********" in done.out
    quietly(desk, ["plan", "--out", "saved.plan"])
    # What is masked in the saved plan is not what makes it stale.
    assert quietly(desk, ["apply", "saved.plan", "--yes"]).code == 0
    assert caged.resources()[-1]["name"] == "Court 1"


@pytest.mark.parametrize("trouble", ["refused", "silent", "tls", "state", "manifest", "postgres", "wrong"])
def test_no_error_shows_a_credential(tmp_path, caged, echo, trouble, monkeypatch):
    url, server = caged.url, socket.socket()
    server.bind(("127.0.0.1", 0))
    address = f"127.0.0.1:{server.getsockname()[1]}"
    if trouble in {"refused", "silent"}:
        url = f"http://{address}"
    if trouble == "tls":
        url = echo.replace("http://", "https://")
    if trouble == "silent":
        server.listen()
    desk = prepare(tmp_path, url)
    if trouble == "silent":
        text = (tmp_path / "reconciler.yaml").read_text(encoding="utf-8")
        desk.project(text.replace("timeout: 20", "timeout: 0.2"))
    if trouble == "state":
        (tmp_path / ".reconciler").write_text("not a folder")
    if trouble == "manifest":
        desk.manifest("broken.yaml", "kind: [Session\n")
    if trouble == "postgres":
        desk.env["PGCONNECT_TIMEOUT"] = "2"
        text = (tmp_path / "reconciler.yaml").read_text(encoding="utf-8")
        desk.project(text + f"  state: postgresql://canary@{address}/db\n")
    if trouble == "wrong":
        desk.env.update({name: f"{value}-wrong" for name, value in CANARIES.items()})
    with server:
        for line in (["plan", "-v"], ["plan", "--format", "json", "-v"], ["apply", "--yes"], ["drift"], ["destroy"]):
            done = quietly(desk, line)
            assert done.code not in {0, 2} or trouble == "state" or line in (["destroy"], ["drift"]), done


@pytest.mark.parametrize("debug", [False, True])
def test_an_internal_error_shows_no_credential(tmp_path, caged, monkeypatch, capsys, debug):
    desk = prepare(tmp_path, caged.url, box=caged)

    def defect(*_, **__):
        raise RuntimeError(f"\x1b[31mcannot use {CANARIES['BB_PASSWORD']} {CANARIES['CF_SECRET']}")

    monkeypatch.setattr("reconciler.operations.plan.make_plan", defect)
    if debug:
        desk.env["RECONCILER_DEBUG"] = "1"
    with pytest.raises(AssertionError) as caught:
        desk.run("plan", "-v")
    done = caught.value.args[0].split("\n")[0] if isinstance(caught.value.args[0], str) else str(caught.value.args)
    assert "internal error" in done
    assert "********" in done
    assert "\x1b" not in done
    for spelled in LEAKS.values():
        assert not any(spelling.decode() in done for spelling in spelled)


def test_no_program_that_is_started_is_given_one_to_show(tmp_path, caged):
    desk = prepare(tmp_path, caged.url, box=caged)
    script = tmp_path / "get.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "lines = [p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline') if os.access(p, os.R_OK)]\n"
        "pathlib.Path(sys.argv[1]).write_bytes(b'|'.join(lines))\n"
        "print(os.environ['BB_PASSWORD'])\n"
    )
    text = (tmp_path / "reconciler.yaml").read_text(encoding="utf-8")
    command = json.dumps([sys.executable, str(script), str(tmp_path / "seen.txt")])
    desk.project(text.replace("{env: BB_PASSWORD}", f"{{command: {command}}}"))
    done = desk.process("plan", "-v")
    assert done.code == 0, done
    assert_silent(done, desk, ["plan", "-v"])
    assert b"get.py" in (tmp_path / "seen.txt").read_bytes()


def test_an_interrupted_run_shows_no_credential(tmp_path, caged):
    caged.reset()
    desk = prepare(tmp_path, caged.url, box=caged)
    caged.fault(Fault(kind="latency", seconds=3, times=1, match_method="POST"))
    process = desk.start("apply", "--yes", "-v")
    for line in process.stderr:
        if "GET" in line:
            break
    process.send_signal(2)
    out, err = process.communicate(timeout=60)
    caged.clear_faults()
    assert_silent(Done(process.returncode, out, err), desk, ["apply"], {("id", ".reconciler/state.db")})
