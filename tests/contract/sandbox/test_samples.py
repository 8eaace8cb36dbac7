"""The answers equal the samples."""

import json
from xml.etree import ElementTree as ET

import pytest


def canonical(text):
    return ET.canonicalize(text, strip_text=True)


def local(text, box):
    return json.loads(
        text.replace("https://{host}.bookingbug.com", box.url).replace("https://host.bookingbug.com", box.url)
    )


def test_session_list(box, xml, sample):
    box.reset("samples")
    answer = xml.get("/sessions.xml")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    assert canonical(answer.text) == canonical(sample("session_list.xml"))


def test_session_show(box, xml, sample):
    box.reset("samples")
    assert canonical(xml.get("/sessions/123.xml").text) == canonical(sample("session_show.xml"))


def test_session_update_replaces_the_slots(box, xml, sample):
    box.reset("samples")
    assert xml.put("/sessions/123.xml", content=sample("session_update.xml")).status_code == 200
    shown = ET.fromstring(xml.get("/sessions/123.xml").text)
    assert shown.findtext("name") == "My New Session Name"
    assert [slot.findtext("date") for slot in shown.iter("slot")] == ["2020-01-01", "2020-01-03"]
    assert [slot.get("id") for slot in shown.iter("slot")] == ["123458", "123459"]


def test_slot_update(box, xml):
    box.reset("samples")
    body = "<slot> <date>2020-01-05</date> <time>11:30</time> <duration>35</duration> </slot>"
    box.book(123456, 2)
    assert xml.put("/slots/123456.xml", content=body).status_code == 200
    slot = next(slot for slot in box.sessions()[0]["slots"] if slot["id"] == 123456)
    assert (slot["date"], slot["time"], slot["duration"], slot["spaces_booked"]) == ("2020-01-05", "11:30", 35, 2)


def test_session_destroy(box, xml):
    box.reset("samples")
    assert xml.delete("/sessions/123.xml").status_code == 200
    assert xml.get("/sessions/123.xml").status_code == 404
    assert [session["id"] for session in box.sessions()] == [124]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("event", {"type": 0, "repeat": 0, "duration": 120, "max_advance": None, "end_date": "2027-03-08"}),
        ("course", {"type": 1, "repeat": 6, "duration": 60, "max_advance": None, "end_date": "2027-03-08"}),
        ("recurring_event", {"type": 2, "repeat": 1, "duration": 60, "max_advance": 60, "end_date": None}),
    ],
)
def test_create_with_the_defaults_of_its_type(box, xml, kind, expected):
    box.set_options(fixed_now="2027-03-01T09:05:00")
    body = "<session> <name>My Event</name> <group>My Group</group> </session>"
    answer = xml.post("/sessions.xml", params={"type": kind}, content=body)
    assert answer.status_code == 201
    session = box.sessions()[0]
    assert {name: session[name] for name in expected} == expected
    assert (session["start_date"], session["time"], session["min_cancel"]) == ("2027-03-08", "09:05", 5)
    assert len(session["slots"]) == {"event": 1, "course": 0, "recurring_event": 10}[kind]


def test_resource_list(box, admin, sample):
    box.reset("samples")
    # The sample's curl line writes /resource in the singular.
    for path in ("/resource", "/resources"):
        answer = admin.get(path, params={"page": 1, "per_page": 50})
        assert answer.json() == local(sample("admin_list.json"), box)
        assert b" " not in answer.content.replace(b"Consultation room 1", b"").replace(b"Consultation room", b"")


def test_public_resource_list(box, admin, sample):
    box.reset("samples")
    answer = admin.get(f"{box.url}/api/v1/37004/resources", headers={"Auth-Token": ""})
    assert answer.json() == local(sample("public_list.json"), box)


def test_create_resource(box, admin, sample):
    body = json.loads(sample("create_resource.json"))
    answer = admin.post("/resources", json=body)
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["id"], shown["address_id"], shown["order"]) == (13, 6, 13)
    address = admin.get(shown["_links"]["address"]["href"]).json()
    assert {name: address[name] for name in body["address"]} == body["address"]
    kept = box.resources()[0]
    assert (kept["price"], kept["max_book"], kept["api_ref"]) == (35, 1, "roomSR1")


def test_update_and_delete_resource(box, admin, sample):
    box.reset("samples")
    body = json.loads(sample("create_resource.json")) | {"api_ref": "roomSR12"}
    assert admin.put("/resources/13", json=body).status_code == 200
    assert box.resources()[0]["api_ref"] == "roomSR12"
    assert admin.delete("/resources/13").status_code == 200
    assert admin.get("/resources/13").json()["deleted"] is True


def test_block(box, admin, sample):
    box.reset("samples")
    body = {"start_time": "2017-09-07T11:00:00", "end_time": "2017-09-07T12:00:00"}
    answer = admin.put("/resource/13/block", json=body)
    assert answer.status_code == 200
    shown, expected = answer.json(), local(sample("block.json"), box)
    assert set(expected) <= set(shown)
    assert set(expected["_links"]) <= set(shown["_links"])
    own = {"full_describe", "person_id", "_links"}
    assert {key: shown[key] for key in expected if key not in own} == {
        key: value for key, value in expected.items() if key not in own
    }
    assert shown["_links"]["self"] == shown["_links"]["slot"] == expected["_links"]["self"]
    assert shown["resource_id"] == 13
