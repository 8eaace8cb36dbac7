"""The sessions API: its wire format against seed 000's own samples, and what a reading may conclude."""

import base64
import time

import httpx
import pytest
from lxml import etree
from provider_script import Script, call, change, connection, edit, open_client, xml

from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Scope
from reconciler.providers.bookingbug_sessions.provider import SPEC
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
        "name": "Jóga & <tea> 🧘\r\n\tx",
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
    assert time.monotonic() - began < 1


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


def test_a_refused_write_repeats_the_servers_words():
    refused = xml(422, "<errors><error>Group can't be blank</error></errors>")
    _, provider = opened({f"POST {UP}": refused, "PUT /api/sessions/1.xml": xml(404)})
    with pytest.raises(RemoteError, match=r"POST /api/sessions.xml: 422: Group can't be blank") as caught:
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
