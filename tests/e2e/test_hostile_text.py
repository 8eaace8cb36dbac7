"""Hostile words in every text that a live system answers or a file states: every command, in every format, shows them.

Commands and formats come from the command group itself, as in the canary tests: a new one cannot escape.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from combinations import first_quick, quick_where
from every_command import BY_TOKEN, ITEM, PROJECT, command_lines, every_command
from hostile_words import ALL, JSON_SAFE, RUNNER, XML_SAFE, harmless

from reconciler.documents.signature import content_digest
from reconciler.model import canonical
from reconciler.sandbox import Fault, Options

CREDENTIALS = {
    "CF_KEY": Options().checkfront_key,
    "CF_SECRET": Options().checkfront_secret,
}


def look(desk, line):
    """Run a command line and look at all that it wrote."""
    done = desk.run(*line)
    form = line[line.index("--format") + 1] if "--format" in line else "text"
    harmless(done.err, "text")
    if line[0] == "export":
        harmless(done.out, "text")
        list(yaml.safe_load_all(done.out))
    else:
        harmless(done.out, form)
    written = desk.folder / f"out.{form}"
    if written.exists():
        harmless(written.read_text(encoding="utf-8"), form)
        written.unlink()
    if "saved.plan" in line and "--out" in line:
        harmless((desk.folder / "saved.plan").read_text(encoding="utf-8"), "json")
    return done


WORDS = re.compile("evil|alert|gnp|red")
"""What is left of hostile words where they are shown."""


def turns(words):
    """Yield the words again and again, so that each lands in many fields."""
    return itertools.cycle(words)


def town(desk):
    """Declare two of each kind, and apply them."""
    desk.env.update(CREDENTIALS)
    desk.project(PROJECT.format(url=desk.box.url, login=BY_TOKEN))
    desk.session()
    desk.session("spin", name="Spin", slots=[("2027-03-02", "11:00", 60)])
    desk.declare("Resource", "court-1", {"name": "Court 1", "position": 1})
    desk.declare("Resource", "court-2", {"name": "Court 2", "position": 2})
    desk.declare("Block", "closed", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})
    desk.declare("BookingSession", "trip", {"items": [ITEM]})
    desk.run("apply", "--yes", code=0)


def poison(box, shift):
    """Put hostile words into every text of every live object, and add objects that nobody manages."""
    xml, anything = turns(XML_SAFE[shift:] + XML_SAFE[:shift]), turns(JSON_SAFE[shift:] + JSON_SAFE[:shift])
    for number, session in enumerate(box.sessions()):  # of one object either its name or its group: it stays the same
        words = {"name": next(xml)[:50]} if number % 2 else {"group": next(xml)}
        box.edit_session(session["id"], description=next(xml), **words)
    box.add_session(
        {"name": next(xml)[:50], "group": next(xml), "description": next(xml), "type": 0, "start_date": "2027-03-01"}
    )
    for resource in box.resources():
        box.edit_resource(resource["id"], name=next(anything), description=next(anything), email=next(anything))
    for _ in range(3):
        address = {"address1": next(anything), "address2": next(anything), "postcode": next(anything)}
        box.add_resource(
            {"name": next(anything), "description": next(anything), "api_ref": next(anything), "address": address}
        )


def every_line():
    """Return every command line there is, but for those that end what the others look at."""
    ending = ("apply", "destroy", "state rm", "state restore", "sandbox")
    lines = list(command_lines())
    first = [line for line in lines if not " ".join(line).startswith(ending)]
    return [*first, *(line for line in lines if line not in first)]


@pytest.mark.parametrize("shift", first_quick(range(len(XML_SAFE))))
def test_every_command_in_every_format_shows_hostile_live_words_harmlessly(desk, shift):
    town(desk)
    desk.box.set_options(show_fields="all", resource_fields="all")
    poison(desk.box, shift)
    lines = every_line()
    assert {" ".join(words) for words, _ in every_command()} <= {
        " ".join(line[:count]) for line in lines for count in (1, 2)
    }
    shown = set()
    for line in lines:
        writes = line[0] in {"apply", "destroy"} and "--yes" in line
        if writes:
            desk.run("apply", "--yes")
            poison(desk.box, shift)
        done = look(desk, line)
        assert "Missing argument" not in done.err, done
        shown |= {" ".join(line)} if WORDS.search(done.out + done.err) else set()
    # What is not shown is no proof: each that has a word of a live system to say has said one.
    for command in ("plan", "show", "drift", "export", "apply", "destroy"):
        assert any(line.startswith(command) for line in shown), command


@pytest.mark.parametrize("shift", first_quick(range(len(XML_SAFE)), quick=2))
def test_what_is_proposed_for_adoption_is_shown_harmlessly(desk, shift):
    town(desk)
    desk.box.set_options(show_fields="all", resource_fields="all")
    poison(desk.box, shift)
    desk.run("state", "rm", "*/*", code=0)
    for session in desk.box.sessions():
        desk.box.edit_session(session["id"], name="Yoga")
    desk.declare("Resource", "twin", {"name": desk.box.resources()[0]["name"], "description": "ours"})
    text = ""
    for line in (["adopt", "--all", "-v"], ["adopt", "Session/yoga"], ["adopt", "Resource/court-1"], ["plan", "-v"]):
        done = look(desk, line)
        text += done.out + done.err
    for form in ("json", "markdown", "html"):
        look(desk, ["plan", "--format", form])
    assert WORDS.search(text)


@pytest.mark.parametrize(
    ("words", "status"),
    quick_where(lambda words, status: status == 400 or words == 0, range(len(JSON_SAFE)), [400, 500]),
)
def test_what_a_server_says_of_an_error_is_shown_harmlessly(desk, echoing, words, status):
    echoing.say(JSON_SAFE[words], status)
    desk.env.update(CREDENTIALS)
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.declare("BookingSession", "trip", {"items": [ITEM]})
    desk.project(PROJECT.format(url=echoing.url, login=BY_TOKEN))
    for line in (["plan", "-v"], ["apply", "--yes", "-v"], ["drift"], ["export"], ["adopt", "--all"]):
        look(desk, line)
        if line[0] in {"plan", "apply", "drift"}:
            for form in ("json", "markdown", "html"):
                look(desk, [*line, "--format", form])


@pytest.fixture
def echoing():
    """A server that answers everything with the words it was given."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            body = json.dumps({"error": server.words, "errors": [server.words]}).encode()
            self.send_response(server.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the server's names

        def log_message(self, *_):
            return

    class Server(ThreadingHTTPServer):
        words, status = "", 400

        def say(self, words, status):
            self.words, self.status = words, status

        @property
        def url(self):
            return f"http://127.0.0.1:{self.server_port}"

    server = Server(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a client resets its connections when it closes them
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def leaves(value, path=()):
    """Yield the path of every text of a document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    elif isinstance(value, str) or value is None:
        yield path


def with_word(document, path, word):
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = word
    if "changes" in changed and "manifests" in changed:
        changed["digest"] = content_digest(changed)
    return changed


def documents_of(desk):
    """Return a plan, a report and a drift document with as much in them as there can be."""
    town(desk)
    (session, _) = desk.box.sessions()
    desk.box.edit_session(session["id"], name="Other")
    desk.session(price=40)
    desk.forget("Session", "spin")
    plan = desk.run("plan", "--format", "json").json
    drift = desk.run("drift", "--format", "json").json
    desk.box.fault(Fault(kind="status_before", status=422, match_method="PUT", times=1))
    report = desk.run("apply", "--yes", "--verify", "--format", "json").json
    return {"plan": plan, "drift": drift, "report": report}


@pytest.mark.parametrize("count", first_quick([1, 4]))
def test_every_text_of_a_saved_document_is_shown_harmlessly(desk, count):
    """Each text is shown in so many formats, one after the other."""
    shown = 0
    forms = itertools.cycle(("text", "json", "markdown", "html"))
    words = turns(ALL)
    for kind, document in documents_of(desk).items():
        file = desk.folder / "doc.json"
        for path in leaves(document):
            file.write_text(json.dumps(with_word(document, path, next(words))), encoding="utf-8")
            for form in itertools.islice(forms, count):
                done = look(desk, ["show", "doc.json", "--format", form])
                shown += done.code == 0
            if kind == "plan":
                look(desk, ["apply", "doc.json", "--yes"])
    assert shown > 75 * count


@pytest.mark.parametrize("word", first_quick(ALL, quick=2), ids=range(len(ALL)))
def test_every_text_of_the_state_is_shown_harmlessly(desk, word):
    if word == ALL[-1]:
        pytest.skip("a database's text holds no half characters")
    town(desk)
    for column in ("connection", "target", "remote_id", "created_at", "updated_at"):
        with sqlite3.connect(desk.folder / ".reconciler/state.db") as state:
            kept = state.execute(f"select rowid, {column} from reconciler_objects").fetchall()
            state.execute(f"update reconciler_objects set {column} = ?", (word[:250],))
        for line in (
            ["state", "list"], ["state", "list", "--format", "json"], ["state", "show", "Session/yoga"],
            ["state", "show", "Session/yoga", "--format", "json"],
            ["state", "mv", "Session/yoga", "Session/x", "--dry-run"],
            ["state", "rm", "Session/*", "--dry-run"], ["plan"], ["plan", "--format", "markdown"], ["drift"],
            ["drift", "--format", "html"], ["adopt", "Session/yoga", "1"], ["destroy", "-v"],
        ):  # fmt: skip
            look(desk, line)
        with sqlite3.connect(desk.folder / ".reconciler/state.db") as state:
            state.executemany(
                f"update reconciler_objects set {column} = ? where rowid = ?", [(old, row) for row, old in kept]
            )
        state.close()


FILES = [
    "::error::evil.yaml",
    "##[group]evil.yaml",
    "\x1b[31mevil.yaml",
    "[l](http:evil).yaml",
    "<img src=x>.yaml",
    "@someone #1.yaml",
]


@pytest.mark.parametrize("shift", range(len(ALL)))
@pytest.mark.parametrize("broken", [False, True])
def test_manifests_are_shown_harmlessly(desk, shift, broken):
    desk.env.update(CREDENTIALS)
    words = turns(ALL[shift:] + ALL[:shift])
    fields = ("name", "group", "description")
    for number, file in enumerate(FILES):
        spec = {**{field: next(words)[:50] for field in fields}, "type": "course", "start_date": "2027-03-01"}
        spec |= {next(words): next(words), "repeat": next(words)} if broken else {}
        metadata = {"name": next(words) if broken else f"s{number}", "labels": {"a": next(words)} if broken else {}}
        document = {"apiVersion": "reconciler/v1", "kind": "Session", "metadata": metadata, "spec": spec}
        (desk.folder / file).write_text(json.dumps(document), encoding="utf-8")
    text = PROJECT.format(url=desk.box.url, login=BY_TOKEN)
    desk.project(text.replace("[manifests]", '["[!r]*.yaml"]'))
    for words_, command in every_command():
        if words_[0] in {"validate", "plan", "apply", "drift", "export"}:
            options = {option: parameter for parameter in command.params for option in parameter.opts}
            for form in getattr(getattr(options.get("--format"), "type", None), "choices", [None]):
                line = [*words_, *(["--format", form] if form else []), *(["--yes"] if words_[0] == "apply" else [])]
                look(desk, line)


def test_what_is_exported_reads_back_as_it_is_live(desk):
    desk.box.set_options(resource_fields="all", show_fields="all")
    for word in JSON_SAFE:
        desk.box.add_resource({"name": f"x{word}", "description": word})
    look(desk, ["export"])
    desk.run("export", "--out", "manifests", code=0)
    stated = set()
    for file in (desk.folder / "manifests").rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        harmless(text, "text")
        spec = yaml.safe_load(text)["spec"]
        stated |= {(spec["name"], spec.get("description"))}
    plain = {(canonical.text(f"x{word}"), canonical.text(word)) for word in JSON_SAFE if "{{" not in word}
    assert plain <= stated
    desk.run("validate", code=0)
    desk.run("adopt", "--all", code=0)
    desk.settled()


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_the_matrix_can_fail(desk, monkeypatch, form):
    """Without `visible` each format must be caught."""
    for name, module in list(sys.modules.items()):
        if name.startswith("reconciler.") and hasattr(module, "visible"):
            monkeypatch.setattr(module, "visible", str)
    town(desk)
    poison(desk.box, 0)
    with pytest.raises(AssertionError):
        look(desk, ["plan", "--format", form])


def test_the_matrix_knows_what_acts():
    for form in ("text", "markdown"):
        with pytest.raises(AssertionError):
            harmless(f"x\n{RUNNER}", form)
    for word in ("[l](http://e)", "![i](e)", "<b onclick=x>", "<script>", "@someone", "#12", "a/b#1", "http://e.example",
                 "www.e.example", "GH-12", "~~s~~", "<!-- -->", "me@e.example", "# h\n\n## h"):  # fmt: skip
        with pytest.raises(AssertionError):
            harmless(f"## Plan\n\nx {word}\n\n{word}\n", "markdown")
    for word in ("<script>x</script>", "<a href=x>", "<b>", "<p onclick=x>", "<!-- -->", "<p class=evil>"):
        with pytest.raises(AssertionError):
            harmless(f"<!doctype html><html><body><h1>x</h1>{word}</body></html>", "html")
