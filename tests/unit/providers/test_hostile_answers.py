"""Answers made to hurt: each parser gives a value or a clear error, in bounded time, and never a wrong id."""

import json
import time
from pathlib import Path

import pytest
from hostile import PARSERS, SAMPLES, allowed, replaced
from hypothesis import given
from hypothesis import strategies as st
from provider_script import Script, call, connection, open_client, page, xml

from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.model.objects import Scope
from reconciler.providers.answer import Answer, error_words, json_object, reported
from reconciler.providers.bookingbug_admin import paging
from reconciler.providers.bookingbug_admin.answers import Page
from reconciler.providers.bookingbug_sessions import markup
from reconciler.providers.bookingbug_sessions import wire as sessions
from reconciler.providers.bookingbug_sessions.provider import Sessions

CORPUS = Path(__file__).parents[2] / "corpus" / "answers"
ODD = [
    None,
    [],
    {},
    [[]],
    {"a": {}},
    0,
    -1,
    10**18,
    10**400,
    1.5,
    1e308,
    True,
    False,
    "",
    " ",
    "x" * 100_000,
    "\x00\x1b[2J\x07\r\n\u202e",
    "../admin",
    "1/../2",
    "%2e%2e",
    "1;x",
    "\u0661\u0662",
    "\u00b2",
    "1_0",
    "1e5",
    "+1",
    "0x1",
    "NaN",
    "Infinity",
    "9" * 5000,
    "-99999-13-45",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "99999999999999999999",
]
MANY = {
    "objects": b"{}",
    "lists": b"[]",
    "numbers": b"1",
    "small objects": b'{"a":1}',
    "short texts": b'""',
}
DEEP = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
MB = 1_000_000


def quickly(name, body):
    began = time.process_time()
    result = allowed(name, body)
    # Far more than any takes, and far less than what blows up takes: processor time, whatever else runs.
    assert time.process_time() - began < 10, name
    return result


@pytest.mark.parametrize("name", sorted(name for name, sample in SAMPLES.items() if isinstance(sample, dict)))
@pytest.mark.parametrize("odd", ODD, ids=lambda value: repr(value)[:20])
def test_each_field_replaced_by_something_odd(name, odd):
    for changed in replaced(SAMPLES[name], odd):
        quickly(name, json.dumps(changed).encode())


@pytest.mark.parametrize(
    "number", ["1e999999", "-1e999999", "1e-999999", "1e9999999999999999999", "9" * 4000, "9" * MB]
)
@pytest.mark.parametrize("name", sorted(name for name, sample in SAMPLES.items() if isinstance(sample, dict)))
def test_each_field_replaced_by_a_huge_number(name, number):
    for changed in replaced(SAMPLES[name], "<number>"):
        quickly(name, json.dumps(changed).replace('"<number>"', number).encode())


@pytest.mark.parametrize("odd", [value for value in ODD if isinstance(value, str)], ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", ["session", "sessions"])
def test_each_element_holds_something_odd(name, odd):
    text = SAMPLES[name].decode()
    shown = "".join(char if char.isprintable() else "?" for char in odd)
    for old in ("Yoga &amp; more", "2027-03-01", "60", "18:30", "8.50", ">1<", "false", ">3<", '"12"', '"1"'):
        new = f'"{shown}"' if old[0] == '"' else f">{shown}<" if old[0] == ">" else shown
        quickly(name, text.replace(old, new).encode())


ATTRIBUTES = " ".join(f'a{n}=""' for n in range(50_000))
TIMES = "&a;" * 50_000
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
XML_BOMBS = {
    "billion laughs": f'<!DOCTYPE session [<!ENTITY l0 "ha">{LAUGHS}]><session id="1"><name>&l11;</name></session>',
    "in an attribute": f'<!DOCTYPE session [<!ENTITY l0 "1">{LAUGHS}]><session id="&l11;"/>',
    "quadratic": f'<!DOCTYPE session [<!ENTITY a "{"a" * 50_000}">]><session id="1"><name>{TIMES}</name></session>',
    "quadratic attribute": f'<!DOCTYPE session [<!ENTITY a "{"1" * 50_000}">]><session id="{TIMES}"/>',
    "external": '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><session id="1"><name>&x;</name></session>',
    "external dtd": '<!DOCTYPE session SYSTEM "http://127.0.0.1:1/x.dtd"><session id="1"/>',
    "after comments": f"<?xml version='1.0'?><!-- {'-> ' * 1000}--> <?p i?>\n<!DOCTYPE session><session id='1'/>",
    "deep": f'<session id="1"><name>{"<a>" * 100_000}',
    "deep and closed": f'<session id="1">{"<a>" * 100_000}{"</a>" * 100_000}</session>',
    "wide": f'<session id="1">{"<a/>" * 300_000}</session>',
    "many attributes": f'<session id="1" {ATTRIBUTES}/>',
    "long comment": f'<session id="1"><!-- {"x" * 20 * MB} --></session>',
    "long text": f'<session id="1"><name>{"x" * 20 * MB}</name></session>',
    "odd prolog": "<?" * 100_000,
    "odd comments": "<!--" * 100_000,
    "includes": '<session id="1" xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></session>',
}


@pytest.mark.parametrize("bomb", sorted(XML_BOMBS))
def test_xml_made_to_blow_up(bomb):
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        result = quickly("session", XML_BOMBS[bomb].encode(encoding))
        assert "root:" not in str(result)
        if "DOCTYPE" in XML_BOMBS[bomb]:
            assert isinstance(result, ValueError)


def test_a_doctype_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(markup, "_parser", None)
    with pytest.raises(ValueError, match="XML with a DOCTYPE, which is not allowed"):
        sessions.parse(XML_BOMBS["after comments"].encode(), "session")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (DEEP, "nested too deeply"),
        (b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "nested too deeply"),
        (b"[" * 60_000, "not JSON|nested too deeply"),
        (b'{"a":1,"a":2}', "a key is repeated"),
        (b'{"b":{"a":1,"a":1}}', "a key is repeated"),
        (b'{"a":NaN}', "NaN is not a JSON number"),
        (b'{"a":-Infinity}', "-Infinity is not a JSON number"),
        (b'{"a":1e9999999999999999999}', "is too large"),
        (b'{"a":' + b"9" * 100_000 + b"}", "not JSON"),
        (b'{"a":"\\ud800"}', "half a surrogate pair"),
        (b'{"\\uDC00":1}', "half a surrogate pair"),
        (b'{"a":"\xff"}', "not JSON"),
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"null", "not an object"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":1', "not JSON"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON"),
    ],
)
def test_json_that_is_refused(body, words):
    with pytest.raises(ValueError, match=words):
        json_object(body)


@pytest.mark.parametrize("value", sorted(MANY))
def test_more_small_values_than_any_object_has_are_refused_before_they_fill_the_memory(value, monkeypatch):
    def many(number):
        return b'{"a":[' + b",".join([MANY[value]] * number) + b"]}"

    assert len(json_object(many(20_000))["a"]) == 20_000
    monkeypatch.setattr("reconciler.providers.answer.json.loads", None)
    with pytest.raises(ValueError, match=r"\d+ values in \d+ bytes; expected at most one for each 8 bytes"):
        json_object(many(200_000))


@pytest.mark.parametrize(
    "part", [b"<a/>", b"<a></a>", b"<session/>", b'<s a=""/>', b"<session><id>1</id></session>"], ids=repr
)
def test_more_small_elements_than_any_list_has_are_refused_before_they_fill_the_memory(part, monkeypatch):
    assert markup.parse(b"<sessions>" + part * 20_000 + b"</sessions>", "sessions") is not None
    if part != b"<session/>" and len(part) < 20:
        monkeypatch.setattr(markup, "_root", None)
        with pytest.raises(ValueError, match="values in"):
            markup.parse(b"<sessions>" + part * 200_000 + b"</sessions>", "sessions")


@pytest.mark.parametrize(
    "broken", [b"<session ", b"<session id ", b"<error ", b"<errors><", b"<", b"<a ", b"<session>"]
)
@pytest.mark.parametrize("name", ["session", "sessions"])
def test_tags_that_do_not_end_take_no_time_by_the_square(name, broken):
    for end in (b"", b"</session></sessions>", b">"):
        quickly(name, b"<sessions>" + broken * (MB // 4 // len(broken)) + end)
        reported(Answer(status=200, body=broken * (MB // 4 // len(broken)) + end))
        error_words(Answer(status=500, body=broken * (MB // 4 // len(broken)) + end))


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "raw-unicode-escape", "rot13", "zlib", "hex"]
)
def test_an_encoding_that_no_server_uses_does_not_count(charset):
    answer = Answer(status=200, headers={"content-type": f"text/xml; charset={charset}"}, body=b"\\u0041-abc")
    assert answer.content == answer.body


def test_json_that_is_taken():
    pair = "\\ud83d\\ude00"
    assert json_object(f'{{"a":"{pair}","b":"\\\\ud800"}}'.encode()) == {"a": "\U0001f600", "b": "\\ud800"}
    for encoding in ("utf-8-sig", "utf-16", "utf-32-be"):
        assert json_object('{"é":1.10}'.encode(encoding)) is not None
    assert str(json_object(b'{"a":1.10}')["a"]) == "1.10"


def _mutated(sample):
    whole = sample if isinstance(sample, bytes) else json.dumps(sample).encode()
    spots = st.tuples(st.integers(0, len(whole)), st.integers(0, 40), st.binary(max_size=8))

    def cut(spot):
        at, length, new = spot
        return whole[:at] + new + whole[at + length :]

    return spots.map(cut)


@pytest.mark.parametrize("name", sorted(PARSERS))
@given(data=st.data())
def test_arbitrary_and_mutated_answers(name, data):
    body = data.draw(st.one_of(st.binary(max_size=200), _mutated(SAMPLES[name])))
    quickly(name, body)


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*/*")), ids=lambda file: file.name)
def test_what_was_found_once_is_never_found_again(file):
    quickly(file.parent.name, file.read_bytes())


TOTALS = st.one_of(st.integers(-5, 40), st.integers(10**6, 10**18))


@given(st.lists(st.tuples(TOTALS, st.lists(st.integers(1, 30), max_size=6)), min_size=1, max_size=12))
def test_lies_about_pages_end_in_a_whole_list_or_a_clear_error(told):
    asked = []

    def one(number):
        asked.append(number)
        total, ids = told[min(number, len(told)) - 1]
        if total < 0:
            raise ValueError("a page without a list")
        return Page(total=total, items={str(item): {"id": item} for item in ids})

    try:
        rows = paging.collect(one, lambda function, numbers: [function(number) for number in numbers], 4)
    except ValueError:
        rows = None
    assert len(asked) < 200
    if rows is not None:
        assert len(rows) >= told[0][0]


def test_a_list_that_never_ends_is_an_error():
    numbers = iter(range(10**9))

    def one(_):
        return Page(total=10**15, items={str(next(numbers)): {}})

    with pytest.raises(ValueError, match="more than 2000 pages in a list"):
        paging.collect(one, lambda function, numbers: [function(number) for number in numbers], 32)


IDS = ["../admin", "1/../2", "%2e%2e", "1;x", "\u0661", "\u00b2", "1 2", "", "-1", "1.0", "1e3", "9" * 40]


@pytest.mark.parametrize("remote_id", IDS)
def test_an_id_that_looks_like_a_path_is_never_asked_for(remote_id):
    listed = f"<sessions><session id='{remote_id}'><name>A</name></session></sessions>"
    script = Script({"GET /api/sessions.xml": xml(200, listed)})
    with open_client(script, secrets={"username": "u", "password": "p"}) as http:
        reading = Sessions(connection(), http).read(Scope(kind="Session", ids={"5": {}}, wanted=({"name": "A"},)))
    assert reading.listed is None
    assert "expected digits" in reading.failure
    assert {request.url.path for request in script.seen} <= {"/api/sessions.xml", "/api/sessions/5.xml"}
    # Show says 404, yet the list that would prove it is no list: not known, so nothing is created or deleted.
    assert reading.absent == frozenset()
    assert "5" in reading.unreadable


BAD_BODIES = {
    "html": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html"),
    "html as xml": (b"<html><body/></html>", "text/xml"),
    "empty": (b"", "text/xml"),
    "json": (b'{"sessions": []}', "application/json"),
    "other root": (b"<errors><error>no</error></errors>", "text/xml"),
    "cut off": (b"<sessions><session id='1'><name>A</na", "text/xml"),
    "wrong charset": (b"<sessions><session id='1\xe9'><name>A</name></session></sessions>", "text/xml"),
    "unknown charset": (b"<?xml version='1.0' encoding='klingon'?><sessions/>", "text/xml"),
}


@pytest.mark.parametrize("bad", sorted(BAD_BODIES))
def test_a_bad_list_proves_nothing_absent(bad):
    body, kind = BAD_BODIES[bad]
    answer = xml(200, "", **{"Content-Type": kind})
    script = Script({"GET /api/sessions.xml": lambda _: type(answer)(200, headers=answer.headers, content=body)})
    with open_client(script, secrets={"username": "u", "password": "p"}) as http:
        reading = Sessions(connection(), http).read(Scope(kind="Session", ids={"5": {}}))
    assert reading.absent == frozenset()
    assert reading.failure.startswith("GET /api/sessions.xml: invalid response: ")
    assert "5" in reading.unreadable


@pytest.mark.parametrize("bad", sorted(BAD_BODIES))
def test_a_bad_answer_to_a_creation_gives_no_id(bad):
    body, kind = BAD_BODIES[bad]
    script = Script(
        {"POST /api/sessions.xml": lambda _: page([]).__class__(201, headers={"Content-Type": kind}, content=body)}
    )
    with open_client(script, secrets={"username": "u", "password": "p"}) as http:
        provider = Sessions(connection(), http)
        if bad == "other root":  # a refusal
            with pytest.raises(RemoteError, match="201: no"):
                provider.send(call("create", "POST", "/api/sessions.xml", {"name": "A"}))
            return
        receipt = provider.send(call("create", "POST", "/api/sessions.xml", {"name": "A"}))
    assert receipt.remote_id is None


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/api/sessions/7.xml", "//evil.example/api/sessions/7.xml", "/api/sessions/../7.xml", "7"],
)
def test_a_location_elsewhere_names_nothing_here(location):
    script = Script({"POST /api/sessions.xml": xml(201, "", Location=location)})
    with open_client(script, secrets={"username": "u", "password": "p"}) as http:
        receipt = Sessions(connection(), http).send(call("create", "POST", "/api/sessions.xml", {"name": "A"}))
    assert receipt.remote_id is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
@pytest.mark.parametrize("location", [None, "/b", "https://evil.example/", "//evil.example", "http://[", ""])
def test_no_redirect_is_followed(status, location):
    headers = {} if location is None else {"Location": location}
    script = Script({f"{method} /a": xml(status, "", **headers) for method in ("GET", "POST", "PUT", "DELETE")})
    with open_client(script) as http:
        with pytest.raises(RemoteError, match=f"{status}: redirected"):
            http.get("/a")
        for method in ("POST", "PUT", "DELETE"):
            with pytest.raises(RemoteError, match=f"{status}: redirected") as caught:
                http.write(method, "/a", repeatable=method != "POST")
            assert isinstance(caught.value, OutcomeUnknown) is (status in {302, 303})
    assert {str(request.url) for request in script.seen} == {"https://uk.bookingbug.com/a"}
    assert len(script.seen) == 4
