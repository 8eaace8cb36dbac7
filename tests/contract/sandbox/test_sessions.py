"""The sessions XML API: writes, refusals, and each of its options."""

from xml.etree import ElementTree as ET

import httpx
import pytest

CUSTOM = (
    "<session><name>Café &amp; Co</name><group>G</group><repeat>6</repeat><time>10:00</time><slots>"
    "<slot><date>2031-01-01</date><time>9:30</time><duration>50</duration></slot>"
    "<slot><date>2031-02-10</date></slot></slots></session>"
)


def create(xml, body=CUSTOM, kind="course"):
    return xml.post("/sessions.xml", params={"type": kind}, content=body.encode())


def show(xml, session_id=123):
    return ET.fromstring(xml.get(f"/sessions/{session_id}.xml").text)


def test_custom_slots_and_derived_dates(box, xml):
    create(xml)
    session = box.sessions()[0]
    assert session["name"] == "Café & Co"
    assert (session["start_date"], session["end_date"]) == ("2031-01-01", "2031-02-10")
    assert [(slot["time"], slot["duration"]) for slot in session["slots"]] == [("09:30", 50), ("10:00", 60)]


def test_stated_dates_of_a_custom_session_stay(box, xml):
    create(xml, CUSTOM.replace("<slots>", "<start_date>2030-12-24</start_date><slots>"))
    assert (box.sessions()[0]["start_date"], box.sessions()[0]["end_date"]) == ("2030-12-24", "2031-02-10")


def test_all_seventeen_fields_are_stored(box, xml):
    values = {
        "name": "N", "type": "2", "group": "G", "start_date": "2031-01-06", "end_date": "2031-01-27", "time": "8:05",
        "duration": "45", "description": "D", "spaces": "9", "price": "35", "max_num_bookings": "2", "repeat": "1",
        "disabled": "true", "min_cancel": "3", "max_advance": "90", "ask_address": "1", "ticket_type": "3",
    }  # fmt: skip
    body = "<session>" + "".join(f"<{k}>{v}</{k}>" for k, v in values.items()) + "</session>"
    assert create(xml, body, "recurring_event").status_code == 201
    session = box.sessions()[0]
    expected = {**values, "type": 2, "time": "08:05", "duration": 45, "spaces": 9, "price": "35.00"}
    expected |= {"max_num_bookings": 2, "repeat": 1, "disabled": True, "min_cancel": 3, "max_advance": 90}
    expected |= {"ask_address": True, "ticket_type": 3}
    assert {name: session[name] for name in values} == expected
    assert [slot["date"][-2:] for slot in session["slots"]] == ["06", "13", "20", "27"]


def test_partial_update_leaves_the_rest(box, xml):
    create(xml)
    before = box.sessions()[0]
    assert xml.put("/sessions/123.xml", content="<session><price>12.5</price></session>").status_code == 200
    assert box.sessions()[0] == before | {"price": "12.50"}


def test_booked_places_are_shown(box, xml):
    create(xml)
    box.book(123456, 3, reserved=1)
    slot = show(xml).find("slots/slot")
    assert (slot.findtext("spaces_booked"), slot.findtext("spaces_reserved")) == ("3", "1")
    with pytest.raises(KeyError):
        box.book(1)


@pytest.mark.parametrize(
    ("auth", "headers"),
    [(None, {}), (("demo", "wrong"), {}), (("nobody", "demo-password"), {}), (None, {"Authorization": "Basic %%%"})],
)
def test_bad_credentials(box, auth, headers):
    answer = httpx.get(box.url + "/api/sessions.xml", auth=auth, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<session><name>", 400),
        ("", 400),
        ("{}", 400),
        ("<slot/>", 400),
        ('<!DOCTYPE session [<!ENTITY a "b">]><session><name>&a;</name><group>G</group></session>', 400),
        ("<session><name>no group</name></session>", 422),
        ("<session><group> </group></session>", 422),
        ("<session><group>G</group><colour>red</colour></session>", 422),
        ("<session><group>G</group><spaces>many</spaces></session>", 422),
        ("<session><group>G</group><price>NaN</price></session>", 422),
        ("<session><group>G</group><time>25:00</time></session>", 422),
        ("<session><group>G</group><start_date>01/02/2031</start_date></session>", 422),
        ("<session><group>G</group><repeat>9</repeat></session>", 422),
        ("<session><group>G</group><disabled>maybe</disabled></session>", 422),
        (f"<session><group>G</group><name>{'x' * 51}</name></session>", 422),
        ("<session><group>G</group><slots><slot><time>10:00</time></slot></slots></session>", 422),
        ("<session><group>G</group><slots><date>2031-01-01</date></slots></session>", 422),
    ],
)
def test_refused_bodies_leave_nothing(box, xml, body, status):
    answer = create(xml, body)
    assert answer.status_code == status
    assert ET.fromstring(answer.text).findtext("error")
    assert box.sessions() == []


def test_status_of_invalid_content_is_an_option(box, xml):
    box.set_options(xml_invalid_status=400)
    assert create(xml, "<session/>").status_code == 400


def test_strict_requires_a_type_and_xml(box, xml):
    assert xml.post("/sessions.xml", content=CUSTOM.encode()).status_code == 422
    assert create(xml, kind="party").status_code == 422
    answer = xml.post("/sessions.xml?type=event", content=CUSTOM.encode(), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_lenient_ignores_unknown_fields(box, xml):
    box.set_options(strict="lenient")
    body = "<session><name>X</name><colour>red</colour><spaces>many</spaces></session>"
    answer = xml.post("/sessions.xml", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201
    assert (box.sessions()[0]["spaces"], box.sessions()[0]["group"]) == (1, "")


@pytest.mark.parametrize("path", ["/sessions/9.xml", f"/sessions/{2**70}.xml"])
def test_unknown_ids(xml, path):
    assert xml.get(path).status_code == 404
    assert xml.put(path, content="<session/>").status_code == 404
    assert xml.delete(path).status_code == 404


def test_unknown_slots_paths_and_methods(xml):
    assert xml.put("/slots/9.xml", content="<slot><date>2031-01-01</date></slot>").status_code == 404
    assert xml.get("/slots/9.xml").status_code == 405
    assert xml.get("/members.xml").status_code == 404
    assert xml.get("/sessions.xml/").status_code == 404
    assert xml.patch("/sessions.xml").status_code == 405


@pytest.mark.parametrize("choice", ["body", "location", "none"])
def test_create_answer(box, xml, choice):
    box.set_options(create_answer=choice)
    answer = create(xml)
    assert answer.status_code == 201
    assert bool(answer.content) == (choice == "body")
    assert ("location" in answer.headers) == (choice == "location")
    if choice == "body":
        assert ET.fromstring(answer.text).get("id") == "123"
    if choice == "location":
        assert answer.headers["location"] == f"{box.url}/api/sessions/123.xml"
        box.set_options(location_style="path")
        assert create(xml).headers["location"] == "/api/sessions/124.xml"


@pytest.mark.parametrize("choice", ["body", "none"])
def test_update_answer(box, xml, choice):
    box.set_options(update_answer=choice)
    create(xml)
    session = xml.put("/sessions/123.xml", content="<session><name>N</name></session>")
    slot = xml.put("/slots/123456.xml", content="<slot><time>7:00</time></slot>")
    assert (session.status_code, slot.status_code) == (200, 200)
    assert bool(session.content) == bool(slot.content) == (choice == "body")


@pytest.mark.parametrize("choice", ["documented", "all"])
def test_show_fields(box, xml, choice):
    box.set_options(show_fields=choice)
    create(xml)
    shown = show(xml)
    short = ["name", "group", "time", "start_date", "end_date", "slots"]
    names = [child.tag for child in shown]
    slot = [child.tag for child in shown.find("slots/slot")]
    if choice == "documented":
        assert names == short
        assert slot == ["date", "spaces_booked", "spaces_reserved"]
    else:
        assert len(names) == 18
        assert slot == ["date", "time", "duration", "spaces_booked", "spaces_reserved"]


@pytest.mark.parametrize(("choice", "count"), [("yes", 2), ("no", 1)])
def test_list_shows_disabled(box, xml, choice, count):
    box.set_options(list_shows_disabled=choice)
    box.add_session({"name": "A", "group": "G", "disabled": True})
    box.add_session({"name": "B", "group": "G"})
    assert len(ET.fromstring(xml.get("/sessions.xml").text)) == count


@pytest.mark.parametrize(("choice", "order"), [("id", ["123", "124"]), ("newest", ["124", "123"])])
def test_list_order(box, xml, choice, order):
    box.set_options(list_order=choice)
    box.add_session({"group": "G"})
    box.add_session({"group": "G"})
    assert [item.get("id") for item in ET.fromstring(xml.get("/sessions.xml").text)] == order


@pytest.mark.parametrize(("choice", "order"), [("date", ["123457", "123456"]), ("id", ["123456", "123457"])])
def test_slot_order(box, xml, choice, order):
    box.set_options(slot_order=choice)
    box.add_session({"group": "G", "slots": [{"date": "2031-02-02"}, {"date": "2031-01-01"}]})
    assert [slot.get("id") for slot in show(xml).iter("slot")] == order


@pytest.mark.parametrize("status", [200, 204])
def test_delete_answer(box, xml, status):
    box.set_options(delete_answer=status)
    create(xml)
    assert xml.delete("/sessions/123.xml").status_code == status
    assert box.sessions() == []


@pytest.mark.parametrize("status", [404, 200])
def test_delete_again(box, xml, status):
    box.set_options(delete_again=status)
    create(xml)
    xml.delete("/sessions/123.xml")
    assert xml.delete("/sessions/123.xml").status_code == status
    assert xml.delete("/sessions/999.xml").status_code == 404


@pytest.mark.parametrize("status", [404, 410])
def test_session_after_delete(box, xml, status):
    box.set_options(session_after_delete=status)
    create(xml)
    xml.delete("/sessions/123.xml")
    assert xml.get("/sessions/123.xml").status_code == status
    assert xml.get("/sessions/999.xml").status_code == 404


@pytest.mark.parametrize(("choice", "status"), [("fill", 201), ("refuse", 422)])
def test_partial_slot(box, xml, choice, status):
    box.set_options(partial_slot=choice)
    assert create(xml).status_code == status


@pytest.mark.parametrize("choice", ["keep", "regenerate"])
@pytest.mark.parametrize("change", ["<repeat>5</repeat>", "<end_date>2031-01-20</end_date>", "<time>7:00</time>"])
def test_regenerate(box, xml, choice, change):
    box.set_options(regenerate=choice)
    box.add_session({"group": "G", "repeat": 1, "start_date": "2031-01-06", "end_date": "2031-01-13", "time": "10:00"})
    before = box.sessions()[0]["slots"]
    same = "<session><time>10:00</time><name>new</name></session>"
    xml.put("/sessions/123.xml", content=same)
    assert box.sessions()[0]["slots"] == before
    xml.put("/sessions/123.xml", content=f"<session>{change}</session>")
    ids = {slot["id"] for slot in box.sessions()[0]["slots"]} & {slot["id"] for slot in before}
    assert bool(ids) == (choice == "keep")


@pytest.mark.parametrize(("choice", "status"), [("allow", 200), ("conflict", 409)])
def test_booked_delete(box, xml, choice, status):
    box.set_options(booked_delete=choice)
    create(xml)
    box.book(123456)
    assert xml.put("/sessions/123.xml", content="<session><slots/></session>").status_code == status
    if choice == "conflict":
        assert box.sessions()[0]["slots"][0]["spaces_booked"] == 1
        assert xml.delete("/sessions/123.xml").status_code == status


@pytest.mark.parametrize("choice", ["yes", "no"])
def test_xml_declaration(box, xml, choice):
    box.set_options(xml_declaration=choice)
    assert xml.get("/sessions.xml").text.startswith("<?xml") == (choice == "yes")


@pytest.mark.parametrize(
    ("option", "value", "field", "text"),
    [
        ("number_style", "plain", "price", "35.0"),
        ("number_style", "fixed", "price", "35.00"),
        ("boolean_style", "word", "disabled", "true"),
        ("boolean_style", "digit", "disabled", "1"),
        ("time_style", "padded", "time", "09:30"),
        ("time_style", "unpadded", "time", "9:30"),
        ("empty_style", "element", "description", ""),
        ("empty_style", "absent", "description", None),
    ],
)
def test_styles(box, xml, *, option, value, field, text):
    box.set_options(show_fields="all", **{option: value})
    box.add_session({"group": "G", "price": "35", "disabled": True, "time": "09:30"})
    assert show(xml).findtext(field) == text


def test_plain_numbers_keep_their_second_digit(box, xml):
    box.set_options(show_fields="all")
    box.add_session({"group": "G", "price": "12.25"})
    assert show(xml).findtext("price") == "12.25"
