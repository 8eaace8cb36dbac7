"""`drift --notify`: signed messages to real servers on loopback, retried like reads, and no secret in the output."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from desk import PROJECT
from guarded import room
from render_samples import HOSTILE, rich_drift

from reconciler.documents.codec import drift_document
from reconciler.errors import ReconcilerError
from reconciler.render.message import message

EXAMPLE = Path(__file__).parents[2] / "examples" / "webhooks" / "reconciler-drift.yaml"
SECRET = "signing-key-0123456789"
TOKEN = "T0123456789ABCDEFGHIJK"


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses given, the last one from then on, and keeps what it got."""

    daemon_threads = True

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses, self.got = list(statuses), []
        self.answers = threading.Event()
        self.answers.set()

    def handle_error(self, *_):
        """A client that stops waiting resets its connection."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/services/{TOKEN}?sig=abcdefghijklmnop"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.server.answers.wait(60)
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    """Return a function that starts a receiver."""
    started = []

    def start(*statuses):
        server = Receiver(*(statuses or (200,)))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.answers.set()
        server.shutdown()
        server.server_close()


def project(desk, *lines):
    hook = "".join(f"        {line}\n" for line in lines)
    desk.project(PROJECT.format(url=desk.box.url) + f"  drift:\n    webhooks:\n      - url: {{env: HOOK}}\n{hook}")


@pytest.fixture
def drifted(desk):
    project(desk)
    room(desk, description="Quiet")
    desk.run("apply", "--yes", code=0)
    desk.box.edit_resource(desk.box.resources()[0]["id"], description="Loud")
    return desk


def notify(desk, server, *arguments, code=2, **env):
    return desk.run(
        "drift", "--notify", *arguments, code=code, HOOK=server if isinstance(server, str) else server.url, **env
    )


def test_a_message_is_the_document_with_a_signature_that_can_be_checked(drifted, receiver):
    server = receiver()
    project(drifted, "secret: {env: KEY}")
    notify(drifted, server, KEY=SECRET)
    ((path, headers, body),) = server.got
    assert path == f"/services/{TOKEN}?sig=abcdefghijklmnop"
    assert json.loads(body)["objects"][0]["fields"][0]["after"] == "Loud"
    stamp = headers["X-Reconciler-Timestamp"]
    wanted = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Reconciler-Signature"] == f"sha256={wanted}"
    assert abs(int(stamp) - time.time()) < 60
    assert headers["Content-Type"] == "application/json"


def test_without_drift_or_without_the_flag_nothing_is_sent(drifted, receiver):
    server = receiver()
    drifted.run("drift", code=2, HOOK=server.url)
    drifted.run("apply", "--yes", code=0, HOOK=server.url)
    notify(drifted, server, code=0)
    assert server.got == []


def test_a_busy_server_is_asked_again_and_gets_the_same_message(drifted, receiver):
    server = receiver(503, 503, 200)
    assert "webhook" not in notify(drifted, server).err
    assert len(server.got) == 3
    assert len({body for _, _, body in server.got}) == 1
    assert len({headers["X-Reconciler-Delivery"] for _, headers, _ in server.got}) == 1


@pytest.mark.parametrize("status", [400, 404, 302])
def test_a_refusal_is_a_warning_after_one_try_and_does_not_change_the_exit_code(drifted, receiver, status):
    server = receiver(status)
    done = notify(drifted, server)
    assert len(server.got) == 1
    assert "reconciler.yaml:20:9: warning: the webhook got no message: " in done.err
    assert "Resource/room" in done.out
    for hidden in (TOKEN, "abcdefghijklmnop", server.url):
        assert hidden not in done.out + done.err


def test_a_server_that_keeps_failing_or_does_not_answer_is_a_warning(drifted, receiver):
    server = receiver(503)
    assert "got no message" in notify(drifted, server).err
    assert len(server.got) == 4
    slow = receiver()
    slow.answers.clear()
    project(drifted, "timeout: 0.1")
    done = notify(drifted, slow)
    assert "got no message" in done.err
    assert TOKEN not in done.out + done.err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "http://hooks.example/services/T0123456789ABCDEFGHIJK",
            "uses http, which sends it unencrypted; expected https",
        ),
        ("https://me:secret99@hooks.example/T0123456789ABCDEFGHIJK", "contains a user name or password"),
        ("ftp://hooks.example/T0123456789ABCDEFGHIJK", "is not a URL"),
        ("T0123456789ABCDEFGHIJK", "is not a URL"),
    ],
)
def test_a_url_that_would_reveal_itself_is_refused(drifted, url, words):
    done = notify(drifted, url)
    assert words in done.err
    assert "T0123456789ABCDEFGHIJK" not in done.out + done.err
    assert "secret99" not in done.err


def test_a_url_that_is_not_set_is_a_warning_with_its_variable(drifted):
    assert "environment variable HOOK" in drifted.run("drift", "--notify", code=2).err


def test_the_bounds_of_the_environment_hold_for_webhooks_too(drifted, receiver):
    server = receiver()
    done = notify(drifted, server, RECONCILER_HOSTS=drifted.box.url.removeprefix("http://"))
    assert "does not allow the host 127.0.0.1" in done.err
    done = notify(drifted, server, RECONCILER_ENV="BB_*", code=1)
    assert "drift.webhooks[0].url: RECONCILER_ENV does not allow the variable HOOK" in done.err
    assert server.got == []


def test_a_template_makes_the_message_and_a_value_cannot_end_its_text(drifted, receiver):
    server = receiver()
    hostile = 'Loud", "x": "y\\'
    drifted.box.edit_resource(drifted.box.resources()[0]["id"], description=hostile)
    text = "{{ headline }} {{ drift.objects[0].fields[0].after }}"
    project(drifted, f"""template: '{{"text": "{text}", "all": {{{{ drift.summary | tojson }}}}}}'""")
    notify(drifted, server)
    found = json.loads(server.got[0][2])
    assert found["text"] == f"Drift: 1 changed. {hostile}"
    assert found["all"]["changed"] == 1


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for x in drift %}", "cannot be rendered"),
        ('{"a": {{ nothing }}}', "'nothing' is undefined"),
        ("{a: 1}", "does not make JSON"),
        ("{{ 'x' * 10000000 }}", "operator * is not allowed"),
        ("{{ 9 ** 9999999 }}", "operator ** is not allowed"),
        ("{{ ''.__class__.__mro__ }}", "cannot be rendered"),
        ("{{ range(9) }}", "'range' is undefined"),
        (
            "{% for a in drift.objects %}{% for b in drift.objects %}" + "x" * 9000 + "{% endfor %}{% endfor %}",
            "256 KB",
        ),
    ],
)
def test_a_template_reaches_nothing_else_and_has_limits(template, words):
    with pytest.raises(ReconcilerError, match=r".") as caught:
        message(template, drift_document(rich_drift()), {"headline": "x"})
    assert words in caught.value.message


def test_the_examples_make_messages_of_any_drift_and_any_name():
    hooks = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["drift"]["webhooks"]
    facts = {"headline": HOSTILE, "project": "acme", "environment": None}
    slack, teams, own = (
        json.loads(message(hook.get("template"), drift_document(rich_drift()), facts)) for hook in hooks
    )
    assert HOSTILE in slack["text"]
    assert [block["type"] for block in slack["blocks"]] == ["header", *["section"] * (len(slack["blocks"]) - 1)]
    card = teams["attachments"][0]["content"]
    assert card["type"] == "AdaptiveCard"
    assert {fact["title"] for fact in card["body"][2]["facts"]} >= {"Session/spring-yoga", "Session/old-spin"}
    assert own["objects"]


def test_the_examples_are_settings_that_a_project_may_have(desk):
    text = EXAMPLE.read_text(encoding="utf-8")
    desk.project(PROJECT.format(url=desk.box.url) + "".join(f"  {line}\n" for line in text.splitlines()))
    desk.run("validate", code=0)
