"""The sessions API: its wire format against seed 000's own samples, and what a reading may conclude."""

import base64
import re
import time

import httpx
import pytest
from lxml import etree
from provider_script import Script, call, change, connection, edit, open_client, xml

from reconciler.engine.snapshot import take
from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Scope
from reconciler.providers.bookingbug_sessions import SPEC
from reconciler.providers.bookingbug_sessions.provider import _Listing
from reconciler.providers.bookingbug_sessions.wire import decode_list, decode_session, encode_session, encode_slot

LIST = """<sessions> <session id="123"> <name>My Event</name> <group>My Group</group> </session>
<session id="124"> <name>Another Event</name> <group>My Group</group> </session> </sessions>"""
SHOW = """<session id="123"> <name>My Event</name> <group>My Group</group> <time>10:00</time>
<start_date>2011-08-10</start_date> <end_date>2011-08-15</end_date> <slots>
<slot id="123456"> <date>2011-08-10</date> <spaces_booked>0</spaces_booked> <spaces_reserved>0</spaces_reserved> </slot>
<slot id="123457"> <date>2011-08-15</date> <spaces_booked>0</spaces_booked> <spaces_reserved>0</spaces_reserved> </slot>
</slots> </session>"""
CUSTOM = """<session> <repeat>6</repeat> <slots>
<slot> <date>2020-01-01</date> <time>11:00</time> <duration>60</duration> </slot>
<slot> <date>2020-02-10</date> <time>11:10</time> <duration>50</duration> </slot>
<slot> <date>2020-03-20</date> <time>09:30</time> <duration>90</duration> </slot> </slots> </session>"""
SLOT = "<slot> <date>2020-01-05</date> <time>11:30</time> <duration>35</duration> </slot>"
BOMB = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">]><session id="123"><name>&a;</name></session>'
FILE = '<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/hostname">]><session id="123"><name>&a;</name></session>'
SECRETS = {"username": "owner", "password": "päss:word"}
UP = "/api/sessions.xml"


def one(text: str = "", number: str = "123") -> str:
    return f'<session id="{number}">{text}</session>'


def opened(replies, **options):
    script = Script(replies)
    http = open_client(script, secrets=SECRETS, **options)
    return script, SPEC.open(connection(), http)


def read(replies, **scope):
    script, provider = opened(replies, writes=False)
    reading = provider.read(Scope(kind="Session", **scope))
    provider.close()
    return script, reading


def same(mine: bytes, sample: str) -> bool:
    def shape(element):
        text = (element.text or "").strip()
        return element.tag, text, dict(element.attrib), [shape(child) for child in element]

    return shape(etree.fromstring(mine)) == shape(etree.fromstring(sample))


# --- wire: what is sent


def test_the_samples_of_the_seed_are_what_is_sent():
    assert same(
        encode_session({"name": "My Event", "group": "My Group"}),
        "<session> <name>My Event</name> <group>My Group</group> </session>",
    )
    slots = [
        {"date": "2020-01-01", "time": "11:00", "duration": 60},
        {"date": "2020-02-10", "time": "11:10", "duration": 50},
        {"date": "2020-03-20", "time": "09:30", "duration": 90},
    ]
    assert same(encode_session({"repeat": "custom", "slots": slots}), CUSTOM)
    assert same(encode_slot({"date": "2020-01-05", "time": "11:30", "duration": 35}), SLOT)


def test_every_field_in_the_seeds_order_and_spelling():
    fields = {
        "slots": [],
        "ticket_type": "assigned_reassignable",
        "ask_address": False,
        "max_advance": 60,
        "min_cancel": 5,
        "disabled": True,
        "repeat": "monthly_by_weekday",
        "max_num_bookings": 2,
        "price": "35.00",
        "spaces": 12,
        "description": "",
        "group": "G",
        "time": "09:30",
        "duration": 60,
        "end_date": "2027-03-08",
        "start_date": "2027-03-01",
        "name": "N",
    }
    (made,) = SPEC.calls(change("create", fields={**fields, "type": "course"}), connection())
    assert (made.method, made.path, made.effect) == ("POST", f"{UP}?type=course", "create")
    assert encode_session(made.body) == (
        b"<session><name>N</name><start_date>2027-03-01</start_date><end_date>2027-03-08</end_date>"
        b"<duration>60</duration><time>09:30</time><group>G</group><description></description><spaces>12</spaces>"
        b"<price>35.00</price><max_num_bookings>2</max_num_bookings><repeat>8</repeat><disabled>true</disabled>"
        b"<min_cancel>5</min_cancel><max_advance>60</max_advance><ask_address>false</ask_address>"
        b"<ticket_type>3</ticket_type><slots/></session>"
    )


def test_encoding_and_decoding_are_each_others_opposite():
    fields = {
        "name": "Jóga & <tea> 🧘\n\tx",
        "type": "recurring_event",
        "time": "09:30",
        "price": "0.50",
        "disabled": False,
        "spaces": 0,
        "group": "",
    }
    body = encode_session(fields).replace(b"<session>", b'<session id="9">')
    assert body.isascii()
    assert decode_session(body).fields == fields


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\ud800", "\ufffe", "\x1b[0m"])
def test_a_character_xml_cannot_carry_is_refused_before_sending(text):
    with pytest.raises(RemoteError, match=r"field `name` contains U\+"):
        encode_session({"name": f"a{text}"})


def test_an_update_is_one_put_and_then_one_for_each_slot():
    edits = (
        edit(name="New", type="course", price="40.00"),
        edit("slots", "123457", date="2020-01-05", time="11:30"),
        edit("slots", "123456", duration=35),
    )
    calls = SPEC.calls(change("update", remote_id="123", edits=edits), connection())
    assert [(item.method, item.path, item.body, item.effect) for item in calls] == [
        ("PUT", "/api/sessions/123.xml", {"name": "New", "type": "course", "price": "40.00"}, "update"),
        ("PUT", "/api/slots/123457.xml", {"date": "2020-01-05", "time": "11:30"}, "update"),
        ("PUT", "/api/slots/123456.xml", {"duration": 35}, "update"),
    ]
    assert b"<type>1</type>" in encode_session(calls[0].body)


def test_the_calls_keep_the_order_of_the_edits():
    edits = (edit("slots", "123457", date="2020-01-05"), edit(time="11:30"))
    calls = SPEC.calls(change("update", remote_id="123", edits=edits), connection())
    assert [item.path for item in calls] == ["/api/slots/123457.xml", "/api/sessions/123.xml"]


def test_slots_alone_touch_no_session():
    calls = SPEC.calls(change("update", remote_id="1", edits=[edit("slots", "2", date="2020-01-05")]), connection())
    assert [item.path for item in calls] == ["/api/slots/2.xml"]


def test_a_set_of_slots_is_sent_without_what_only_the_server_knows():
    slots = [{"id": "5", "date": "2020-01-01", "time": "11:00", "spaces_booked": 1, "duration": None}]
    (put,) = SPEC.calls(change("update", remote_id="1", edits=[edit(slots=slots)]), connection())
    assert put.body == {"slots": [{"date": "2020-01-01", "time": "11:00"}]}


def test_deletes_and_adoptions():
    (delete,) = SPEC.calls(change("delete", remote_id="1"), connection())
    assert (delete.method, delete.path, delete.effect, delete.body) == ("DELETE", "/api/sessions/1.xml", "delete", None)
    assert SPEC.calls(change("adopt", remote_id="1", fields={"name": "N"}), connection()) == ()
    assert len(SPEC.calls(change("adopt", remote_id="1", edits=[edit(name="N")]), connection())) == 1


@pytest.mark.parametrize("bad", ["../admin", "1/../2", "", None, "1.xml?x="])
def test_a_hostile_id_comes_into_no_path(bad):
    with pytest.raises(RemoteError, match="is not an id"):
        SPEC.calls(change("delete", remote_id=bad), connection())
    with pytest.raises(RemoteError, match="is not an id"):
        SPEC.calls(change("update", remote_id="1", edits=[edit("slots", bad, date="2020-01-05")]), connection())


# --- wire: what is understood


def test_the_samples_of_the_seed_are_understood():
    assert decode_list(LIST.encode()) == {
        "123": {"name": "My Event", "group": "My Group"},
        "124": {"name": "Another Event", "group": "My Group"},
    }
    live = decode_session(SHOW.encode())
    assert live.remote_id == "123"
    assert live.fields == {
        "name": "My Event",
        "group": "My Group",
        "time": "10:00",
        "start_date": "2011-08-10",
        "end_date": "2011-08-15",
        "slots": [
            {"id": "123456", "date": "2011-08-10", "spaces_booked": 0, "spaces_reserved": 0},
            {"id": "123457", "date": "2011-08-15", "spaces_booked": 0, "spaces_reserved": 0},
        ],
    }


def test_an_empty_element_is_not_answered_but_for_text():
    body = one("<name/><group></group><price></price><spaces> </spaces><time/><slots/><repeat nil='true'/>")
    assert decode_session(body.encode()).fields == {"name": "", "group": "", "slots": []}


def test_spellings_are_brought_to_one():
    body = one("<time>9:30</time><price>35.0</price><repeat>6</repeat><type>course</type><disabled>1</disabled>")
    expected = {"time": "09:30", "price": "35.00", "repeat": "custom", "type": "course", "disabled": True}
    assert decode_session(body.encode()).fields == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (one("<price>a lot</price>"), "field `price`: 'a lot' is not an amount"),
        (one("<spaces>many</spaces>"), "field `spaces`"),
        (one("<spaces>1e999999999</spaces>"), "field `spaces`"),
        (one("<repeat>9</repeat>"), "field `repeat`"),
        (one("<time>25:00</time>"), "field `time`"),
        (one("<start_date>10/08/2011</start_date>"), "field `start_date`"),
        (one("<disabled>perhaps</disabled>"), "field `disabled`"),
        (one("<name>a</name><name>b</name>"), "<name> appears 2 times"),
        (one("<name>a<b/></name>"), "<name> contains elements"),
        (one("<slots><slot><date>2011-08-10</date></slot></slots>"), "a <slot> with no id"),
        (one("<slots><slot id='x'/></slots>"), "a <slot> with the id 'x'"),
        (one("<slots><slot id='1'><spaces_booked>?</spaces_booked></slot></slots>"), "field `spaces_booked`"),
        (one("<slots><event id='1'/></slots>"), "elements other than <slot>"),
        (one("<slots>none</slots>"), "elements other than <slot>"),
        ("<session/>", "a <session> with no id"),
        ("<sessions/>", "<sessions> instead of <session>"),
        (BOMB, "DOCTYPE"),
        (FILE, "DOCTYPE"),
        ("<session id='1'><name>", "not well-formed XML"),
        ("", "not well-formed XML"),
        ("{}", "not well-formed XML"),
    ],
)
def test_what_cannot_be_understood_is_named(body, words):
    with pytest.raises(ValueError) as caught:
        decode_session(body.encode())
    assert words in str(caught.value)


def test_an_entity_bomb_costs_nothing():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE s [<!ENTITY e0 "boom">{levels}]><session id="1"><name>&e11;</name></session>'
    began = time.monotonic()
    for text in (bomb.encode(), bomb.encode("utf-16")):
        with pytest.raises(ValueError):
            decode_session(text)
    assert time.monotonic() - began < 20  # expanded, it would be more than any machine holds


# --- reading


def test_the_list_once_and_each_session_once():
    script, reading = read({f"GET {UP}": xml(200, LIST), "GET /api/sessions/123.xml": xml(200, SHOW)}, ids={"123": {}})
    assert script.asked == [f"GET {UP}", "GET /api/sessions/123.xml"]
    assert reading.listed == {"123", "124"}
    assert set(reading.live) == {"123"}
    assert reading.absent == frozenset()
    expected = base64.b64encode("owner:päss:word".encode()).decode()
    assert all(request.headers["authorization"] == f"Basic {expected}" for request in script.seen)


def test_possible_twins_are_read_in_full_and_others_are_not():
    listed = """<sessions><session id="1"><name>A</name><group>G</group></session>
      <session id="2"><name>A</name></session><session id="3"><name>B</name><group>G</group></session></sessions>"""
    replies = {f"GET {UP}": xml(200, listed), "GET /api/sessions/1.xml": xml(200, one(number="1"))}
    replies["GET /api/sessions/2.xml"] = xml(500)
    script, reading = read(replies, wanted=({"name": "A", "group": "G", "price": "1.00"},))
    assert set(reading.live) == {"1"}
    assert set(reading.unreadable) == {"2"}
    assert not any("/3.xml" in asked for asked in script.asked)


def test_without_listing_there_is_no_list():
    replies = {"GET /api/sessions/1.xml": xml(200, one(number="1"))}
    script, reading = read(replies, ids={"1": {}, "2": {}}, listing=False)
    assert script.asked == ["GET /api/sessions/1.xml", "GET /api/sessions/2.xml"]
    assert (set(reading.live), reading.absent, reading.listed) == ({"1"}, {"2"}, None)


def test_no_session_is_shown_twice_while_a_replacement_of_a_deleted_one_is_searched():
    listed = "".join(one("<name>A</name><group>G</group>", number) for number in ("1", "2", "3"))
    replies = {f"GET {UP}": xml(200, f"<sessions>{listed}</sessions>"), "GET /api/sessions/3.xml": xml(500)}
    replies |= {f"GET /api/sessions/{number}.xml": xml(200, one("", number)) for number in ("1", "2")}
    fields = {"name": "A", "group": "G"}
    scope = Scope(kind="Session", ids={"1": fields, "9": fields}, similar=(fields,), familiar=frozenset({"1"}))
    script, provider = opened(replies, writes=False)
    reading = take({("main", "Session"): scope}, lambda _: provider).reading("main", "Session")
    provider.close()
    assert (set(reading.live), reading.absent) == ({"1", "2"}, {"9"})
    assert (set(reading.unreadable), reading.unjudged) == ({"3"}, {})  # it may be the replacement: nothing is created
    shown = [asked for asked in script.asked if asked != f"GET {UP}"]
    assert {asked: shown.count(asked) for asked in shown if "/3.xml" not in asked} == {
        f"GET /api/sessions/{number}.xml": 1 for number in ("1", "2", "9")
    }
    assert script.asked.count(f"GET {UP}") == 2  # what is live may have changed while the sessions were shown


@pytest.mark.parametrize("status", [404, 410])
def test_absence_is_only_what_show_and_list_agree_on(status):
    replies = {f"GET {UP}": xml(200, LIST), "GET /api/sessions/123.xml": xml(status)}
    replies["GET /api/sessions/999.xml"] = xml(status)
    _, reading = read(replies, ids={"123": {}, "999": {}})
    assert reading.absent == {"999"}
    assert reading.unreadable == {"123": f"show returned {status}, but the list contains it"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (xml(500), "500: Internal Server Error"),
        (xml(200, "<html><body>down</body></html>"), "invalid response: an HTML page"),
        (xml(200, LIST[:-12]), "not well-formed XML"),
        (xml(200, '<sessions><session id="x"/></sessions>'), "a <session> with the id 'x'"),
        (xml(200, ""), "not well-formed XML"),
        (xml(204), "204"),
        (xml(301, Location="https://other.example/"), "redirected to other.example"),
    ],
)
def test_without_a_good_list_nothing_is_absent(reply, words):
    replies = {f"GET {UP}": reply, "GET /api/sessions/1.xml": xml(404)}
    replies["GET /api/sessions/2.xml"] = xml(200, one(number="2"))
    _, reading = read(replies, ids={"1": {}, "2": {}})
    assert words in reading.failure
    assert reading.listed is None
    assert reading.absent == frozenset()
    assert set(reading.unreadable) == {"1"}
    assert set(reading.live) == {"2"}


@pytest.mark.parametrize("reply", [xml(401), xml(403), httpx.ConnectError("x"), httpx.ReadTimeout("x")])
def test_no_access_at_all_is_raised(reply):
    with pytest.raises(RemoteError) as caught:
        read({f"GET {UP}": reply}, ids={"1": {}})
    assert "päss" not in str(caught.value)
    assert base64.b64encode("owner:päss:word".encode()).decode() not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (xml(401), "401: wrong credentials"),
        (xml(403), "403"),
        (xml(500), "500"),
        (xml(429), "429"),
        (xml(204), "204"),
        (httpx.ReadTimeout("x"), "timed out after 30 s"),
        (xml(200, "<!doctype html><html></html>"), "an HTML page"),
        (xml(200, SHOW[:-12]), "not well-formed XML"),
        (xml(200, BOMB), "DOCTYPE"),
        (xml(200, one(number="124")), "returned session 124 instead"),
        (xml(200, one("<price>x</price>")), "field `price`"),
        (xml(302, Location="/login"), "redirected to another path"),
    ],
)
def test_a_failed_show_is_unreadable_never_absent(reply, words):
    for listing in (True, False):
        replies = {f"GET {UP}": xml(200, "<sessions/>"), "GET /api/sessions/123.xml": reply}
        _, reading = read(replies, ids={"123": {}}, listing=listing)
        assert words in reading.unreadable["123"]
        assert (reading.live, reading.absent) == ({}, frozenset())


def test_a_hostile_id_is_not_asked_for():
    script, reading = read({f"GET {UP}": xml(200, "<sessions/>")}, ids={"../admin": {}, "1?x=.xml": {}})
    assert script.asked == [f"GET {UP}"]
    assert set(reading.unreadable) == {"../admin", "1?x=.xml"}


def test_reading_works_through_a_read_only_client_and_writing_does_not():
    script, provider = opened({f"GET {UP}": xml(200, LIST)}, writes=False)
    provider.read(Scope(kind="Session"))
    with pytest.raises(RuntimeError, match="read-only"):
        provider.send(call("delete", "DELETE", "/api/sessions/1.xml"))
    assert script.asked == [f"GET {UP}"]


def test_credentials_are_needed():
    with open_client(Script({})) as http, pytest.raises(ReconcilerError, match="needs username and password"):
        SPEC.open(connection(), http)


# --- sending


@pytest.mark.parametrize(
    ("reply", "remote_id"),
    [
        (xml(201, one(number="55")), "55"),
        (xml(200, one("<name>N</name>", "55")), "55"),
        (xml(201, one("<price>?</price>", "55")), "55"),
        (xml(201, one(number="55"), Location="https://uk.bookingbug.com/api/sessions/56.xml"), "55"),
        (xml(201, Location="https://uk.bookingbug.com/api/sessions/56.xml"), "56"),
        (xml(201, Location="/api/sessions/56"), "56"),
        (xml(201, Location="https://evil.example/api/sessions/56.xml"), None),
        (xml(201, Location="/api/slots/56.xml"), None),
        (xml(201, Location="/api/sessions/../1.xml"), None),
        (xml(201, "<html>fine</html>"), None),
        (xml(201, "<session id='../1'/>"), None),
        (xml(201), None),
        (xml(202), None),
    ],
)
def test_a_created_sessions_id(reply, remote_id):
    script, provider = opened({f"POST {UP}": reply})
    receipt = provider.send(call("create", "POST", f"{UP}?type=event", {"name": "My Event", "group": "My Group"}))
    assert receipt.remote_id == remote_id
    assert script.asked == [f"POST {UP}?type=event"]
    assert script.seen[0].headers["content-type"] == "text/xml"
    assert same(script.seen[0].content, "<session><name>My Event</name><group>My Group</group></session>")


def test_updates_and_deletes():
    replies = {
        "PUT /api/sessions/1.xml": xml(200),
        "PUT /api/slots/2.xml": xml(204),
        "DELETE /api/sessions/1.xml": [xml(200), xml(404, "<html/>"), xml(410)],
    }
    script, provider = opened(replies)
    assert provider.send(call("update", "PUT", "/api/sessions/1.xml", {"name": "N"})) == Receipt()
    assert provider.send(call("update", "PUT", "/api/slots/2.xml", {"date": "2020-01-05"})) == Receipt()
    assert script.seen[1].content == b"<slot><date>2020-01-05</date></slot>"
    gone = [provider.send(call("delete", "DELETE", "/api/sessions/1.xml")).gone for _ in range(3)]
    assert gone == [False, True, True]
    assert script.seen[2].content == b""


REFUSALS = [
    ("<errors><error>Group can't be blank</error></errors>", "Group can't be blank"),
    ("<?xml version='1.0'?>\n<errors>no &amp; never</errors>", "no & never"),
    ("<error><code>17</code><message>Too many sessions</message></error>", "17 Too many sessions"),
    ("<hash><status>422</status><error>Name is too long</error></hash>", "Name is too long"),
    ('<session id="1"><errors><error>Price is too high</error></errors></session>', "Price is too high"),
    ('{"error": "Access denied"}', "Access denied"),
]


@pytest.mark.parametrize(("body", "words"), REFUSALS)
@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("effect", "method", "path"),
    [
        ("create", "POST", f"{UP}?type=event"),
        ("update", "PUT", "/api/sessions/1.xml"),
        ("update", "PUT", "/api/slots/2.xml"),
        ("delete", "DELETE", "/api/sessions/1.xml"),
    ],
)
def test_a_refusal_under_a_status_of_success_is_a_refusal(effect, method, path, status, body, words):
    _, provider = opened({f"{method} {path.partition('?')[0]}": xml(status, body)})
    with pytest.raises(RemoteError) as caught:
        provider.send(call(effect, method, path, None if effect == "delete" else {"name": "N"}))
    assert re.fullmatch(
        rf"{method} [\w.:]+{re.escape(path.partition('?')[0])}: {status}: {re.escape(words)}", caught.value.message
    )
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PUT", "/api/sessions/1.xml", one(number="2"), "returned session 2 instead of session 1"),
        ("PUT", "/api/slots/2.xml", '<slot id="3"/>', "returned slot 3 instead of slot 2"),
        ("PUT", "/api/slots/2.xml", one("<slots><slot id='3'/></slots>"), "returned session 3 instead of slot 2"),
        ("DELETE", "/api/sessions/1.xml", one(number="2"), "returned session 2 instead of session 1"),
        ("PUT", "/api/sessions/1.xml", "<sessions/>", "<sessions> instead of <session>"),
        ("PUT", "/api/sessions/1.xml", "Please sign in first", "not well-formed XML"),
        *[
            ("PUT", path, body, f"the server said: {body}")
            for path in ("/api/sessions/1.xml", "/api/slots/2.xml")
            for body in ("<message>no</message>", "<result>0</result>", "<status>500</status>", "0", "No", "-1")
        ],
        ("PUT", "/api/sessions/1.xml", "<html><body>Sign in</body></html>", "an HTML page"),
        ("PUT", "/api/sessions/1.xml", '<?xml version="1.0"?><!DOCTYPE html><html/>', "an HTML page"),
    ],
)
def test_an_answer_about_something_else_leaves_the_result_unknown(method, path, body, words):
    _, provider = opened({f"{method} {path}": xml(200, body)})
    effect = "delete" if method == "DELETE" else "update"
    with pytest.raises(OutcomeUnknown) as caught:
        provider.send(call(effect, method, path, None if effect == "delete" else {"duration": 5}))
    assert words in caught.value.message
    assert "it may have been applied" in caught.value.message


@pytest.mark.parametrize(
    "body", ["", " ", "OK", "1", "200 OK", "204 No Content", "<status>ok</status>", one("", "1"), "Session updated"]
)
def test_an_answer_that_says_no_more_than_its_status_is_success(body):
    _, provider = opened({"PUT /api/sessions/1.xml": xml(200, body)})
    assert provider.send(call("update", "PUT", "/api/sessions/1.xml", {"name": "N"})) == Receipt()


@pytest.mark.parametrize(("effect", "method"), [("update", "PUT"), ("delete", "DELETE")])
@pytest.mark.parametrize("body", ["", " ", "OK"])
def test_no_text_is_no_html_page_whatever_its_type(effect, method, body):
    """Rails 3 answers `head :ok` with a blank as text/html."""
    _, provider = opened({f"{method} /api/sessions/1.xml": httpx.Response(200, html=body)})
    assert provider.send(call(effect, method, "/api/sessions/1.xml", {"name": "N"})) == Receipt()


def test_what_a_creation_answers_instead_of_an_id_is_kept():
    _, provider = opened({f"POST {UP}": xml(201, "queued for review")})
    receipt = provider.send(call("create", "POST", f"{UP}?type=event", {"name": "N"}))
    assert (receipt.remote_id, receipt.words) == (None, "queued for review")


@pytest.mark.parametrize(("body", "words"), REFUSALS)
def test_a_refusal_to_show_or_list_is_repeated_and_proves_nothing_absent(body, words):
    replies = {f"GET {UP}": xml(200, body), "GET /api/sessions/1.xml": xml(200, body)}
    _, reading = read(replies, ids={"1": {}})
    assert words in reading.failure
    assert words in reading.unreadable["1"]
    assert (reading.absent, reading.listed, reading.live) == (frozenset(), None, {})


def test_a_list_with_anything_but_sessions_is_no_list():
    listed = '<sessions><session id="1"/><notice>more on page 2</notice></sessions>'
    _, reading = read({f"GET {UP}": xml(200, listed)}, ids={"1": {}, "2": {}})
    assert reading.listed is None
    assert "<sessions> contains <notice>" in reading.failure
    assert reading.absent == frozenset()


def test_a_refused_write_repeats_the_servers_words():
    refused = xml(422, "<errors><error>Group can't be blank</error></errors>")
    _, provider = opened({f"POST {UP}": refused, "PUT /api/sessions/1.xml": xml(404)})
    with pytest.raises(RemoteError, match=r"POST [\w.:]+/api/sessions.xml: 422: Group can't be blank") as caught:
        provider.send(call("create", "POST", f"{UP}?type=event", {"name": "N"}))
    assert not isinstance(caught.value, OutcomeUnknown)
    with pytest.raises(RemoteError) as caught:
        provider.send(call("update", "PUT", "/api/sessions/1.xml", {"name": "N"}))
    assert caught.value.status == 404


def test_a_lost_answer_is_unknown():
    _, provider = opened({f"POST {UP}": xml(500)})
    with pytest.raises(OutcomeUnknown):
        provider.send(call("create", "POST", f"{UP}?type=event", {"name": "N"}))


@pytest.mark.parametrize(
    "path", ["/api/sessions/../members.xml", "/api/sessions/{Session/a}.xml", "/api/members.xml", f"{UP}?type=x"]
)
def test_only_known_paths_are_written_to(path):
    script, provider = opened({})
    with pytest.raises(RemoteError, match="not sent"):
        provider.send(call("delete", "DELETE", path))
    assert script.seen == []


# --- characters that XML does not allow, and their encoding


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("G&#11;H", "G\x0bH"),
        ("G&#x1B;[0m", "G\x1b[0m"),
        ("G\x0cH", "G\x0cH"),
        ("G&#0;H", "G\ufffdH"),
        ("G&#xD83D;&#x110000;H", "G\ufffd\ufffdH"),
        ("G&#65535;H", "G\ufffdH"),
        ("R&B", "R&B"),
        ("R & B; more &amp; more", "R & B; more & more"),
        ("caf&eacute;&nbsp;&lt;3", "caf\xe9\xa0<3"),
        ("&unheard; of", "&unheard; of"),
        ("a\r&#11;\nb", "a\n\x0b\nb"),
        ("<![CDATA[&#11; \x0b]]>", "&#11; \x0b"),
    ],
)
def test_characters_that_xml_does_not_allow_are_what_they_mean(written, meant):
    listed = (
        f'<sessions><session id="1"><name>{written}</name></session><session id="2"><name>B</name></session></sessions>'
    )
    assert decode_list(listed.encode()) == {"1": {"name": meant}, "2": {"name": "B"}}
    assert decode_session(one(f"<description>{written}</description>").encode()).fields == {"description": meant}


def test_one_character_in_a_foreign_session_stops_no_creation():
    listed = '<sessions><session id="1"><name>G&#11;H</name><group>G</group></session></sessions>'
    script, reading = read({f"GET {UP}": xml(200, listed)}, wanted=({"name": "GH", "group": "G"},))
    assert (reading.failure, reading.listed, reading.live, reading.unreadable) == (None, {"1"}, {}, {})
    assert len(script.seen) == 1


BROKEN = {
    "unclosed": '<session id="17"><name>Yoga</group></session>',
    "attribute": '<session id="17"><name a=>Yoga</name></session>',
    "two names": '<session id="17"><name>A</name><name>B</name></session>',
    "nested": '<session id="17"><name><b>Yoga</b></name></session>',
    "bytes": '<session id="17"><name>Caf\udce9</name></session>',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_session_in_the_list_is_shown_by_its_id(kind):
    listed = f'<sessions>\n<session id="1"><name>A</name></session>{BROKEN[kind]}<session id="2"/></sessions>'
    body = listed.encode("utf-8", "surrogateescape")
    replies = {f"GET {UP}": httpx.Response(200, content=body)}
    replies["GET /api/sessions/17.xml"] = xml(200, one("<name>Yoga</name><group>G</group>", "17"))
    replies["GET /api/sessions/2.xml"] = xml(200, one("<name>B</name>", "2"))
    _, reading = read(replies, ids={"9": {}}, wanted=({"name": "New", "group": "G"},))
    assert reading.listed == {"1", "2", "17"}
    assert "17" in reading.live
    assert reading.absent == {"9"}
    replies["GET /api/sessions/17.xml"] = xml(200, BROKEN["unclosed"])
    _, reading = read(replies, wanted=({"name": "New", "group": "G"},))
    assert "GET /api/sessions/17.xml: invalid response: not well-formed XML" in reading.unreadable["17"]


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (f"<sessions>{one('', '1')}stray{BROKEN['unclosed']}</sessions>", "not well-formed XML in or after session 17"),
        (f"<sessions>{one('', '1')}<session><name>X</group></session></sessions>", "in or after session 1"),
        (f"<sessions>{one('', '1')}{BROKEN['unclosed']}", "in or after session 17"),
        (f"<sessions>{one('', '1')}<session><name>X</name></session></sessions>", "no id (name 'X')"),
    ],
)
def test_a_list_that_cannot_be_cut_at_its_sessions_names_the_broken_one(listed, words):
    _, reading = read({f"GET {UP}": xml(200, listed)}, ids={"5": {}}, wanted=({"name": "New"},))
    assert words in reading.failure
    assert (reading.listed, reading.absent) == (None, frozenset())


CAFE = "<sessions><session id='1'><name>Caf\xe9 \u2013 n\xb0 1</name></session></sessions>"
LATIN = CAFE.replace("\u2013", "-")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (LATIN.encode("latin-1"), "text/xml; charset=iso-8859-1"),
        (LATIN.encode("latin-1"), 'application/xml; Charset="ISO-8859-1"; x=y'),
        (b"<?xml version='1.0' encoding='UTF-8'?>" + LATIN.encode("latin-1"), "text/xml; charset=iso-8859-1"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + CAFE.encode(), "text/xml; charset=utf-8"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + LATIN.encode("latin-1"), "text/xml"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + LATIN.encode("latin-1"), "text/xml; charset=utf-8"),
        (b"<?xml version='1.0' encoding='utf-8'?>" + CAFE.encode(), "text/xml; charset=iso-8859-1"),
        (CAFE.encode("cp1252"), "text/xml; charset=windows-1252"),
        (CAFE.encode(), "text/xml"),
        (CAFE.encode(), "text/xml; charset=klingon"),
        (CAFE.encode(), "text/xml; charset=hex"),
        (CAFE.encode(), "text/xml; charset=us-ascii"),
        (CAFE.encode("utf-8-sig"), "text/xml; charset=iso-8859-1"),
        (CAFE.encode("utf-16"), "text/xml"),
        (CAFE.encode("utf-16"), "text/xml; charset=utf-8"),
        (
            b"<?xml version='1.0' encoding='utf-8'?>".decode().encode("utf-16-le") + CAFE.encode("utf-16-le"),
            "text/xml; charset=utf-16le",
        ),
        (CAFE.encode("utf-32"), "text/xml"),
    ],
)
def test_the_charset_of_the_header_and_of_marks_is_honoured(body, header):
    _, provider = opened({f"GET {UP}": httpx.Response(200, headers={"Content-Type": header}, content=body)})
    listing = provider._list()
    provider.close()
    wanted = {"Caf\xe9 - n\xb0 1", "Caf\xe9 \u2013 n\xb0 1"}
    assert listing.failure is None
    assert listing.named["1"]["name"] in wanted


def test_a_listed_session_is_a_look_alike_as_far_as_both_sides_are_known():
    sides = (None, "", "a", "b")
    pairs = [(name, group) for name in sides for group in sides]

    def fields(pair):
        return {key: value for key, value in zip(("name", "group"), pair, strict=True) if value is not None}

    def alike(one, other):
        return all(mine == theirs for mine, theirs in zip(one, other, strict=True) if None not in {mine, theirs})

    listing = _Listing(named={str(number): fields(pair) for number, pair in enumerate(pairs)})
    for wanted in [[], *([one] for one in pairs), *([one, other] for one in pairs for other in pairs)]:
        expected = {str(number) for number, pair in enumerate(pairs) if any(alike(pair, other) for other in wanted)}
        assert listing.look_alikes(map(fields, wanted)) == expected
