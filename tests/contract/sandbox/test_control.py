"""The control endpoints do the same as the Python object; and the log."""

import dataclasses
import re

import msgspec
import pytest

from reconciler.sandbox import Options


def test_log(box, anyone, xml):
    xml.get("/sessions.xml", params={"a": "1"})
    xml.post("/sessions.xml", params={"type": "event"}, content="<session><group>Gé</group></session>")
    first, second = box.log()
    assert (first.number, first.method, first.path, first.query, first.status) == (
        1,
        "GET",
        "/api/sessions.xml",
        "a=1",
        200,
    )
    assert second.request_body == "<session><group>Gé</group></session>"
    assert second.content_type == "text/xml"
    assert '<session id="123">' in second.response_body
    assert anyone.get("/_sandbox/log").json() == [msgspec.structs.asdict(entry) for entry in box.log()]


def test_the_log_holds_no_credentials(box, xml, admin):
    xml.get("/sessions.xml")
    admin.get("/resources")
    assert not any(secret in str(box.log()) for secret in ("demo-password", "demo-token", "ZGVtbz"))


def test_clear_log(box, anyone, xml):
    xml.get("/sessions.xml")
    assert anyone.delete("/_sandbox/log").status_code == 204
    assert box.log() == []
    xml.get("/sessions.xml")
    box.clear_log()
    assert box.log() == []


def test_faults(box, anyone, xml):
    fault = {"kind": "status_before", "status": 429, "match_method": "GET"}
    assert anyone.post("/_sandbox/faults", json=fault).status_code == 201
    assert xml.get("/sessions.xml").status_code == 429
    assert anyone.get("/_sandbox/faults").json()[0]["fired"] == 1
    assert anyone.post("/_sandbox/faults", json={"kind": "explode"}).status_code == 400
    assert anyone.post("/_sandbox/faults", json={"colour": 1}).status_code == 400
    assert anyone.delete("/_sandbox/faults").status_code == 204
    assert anyone.get("/_sandbox/faults").json() == []


def test_options(box, anyone):
    assert anyone.get("/_sandbox/options").json() == dataclasses.asdict(Options())
    assert anyone.patch("/_sandbox/options", json={"delete_answer": 204}).json()["delete_answer"] == 204
    assert box.options.delete_answer == 204
    refused = anyone.patch("/_sandbox/options", json={"delete_answr": 204})
    assert refused.status_code == 400
    assert "did you mean 'delete_answer'?" in refused.json()["error"]


def test_reset_and_seeds(box, anyone):
    assert anyone.post("/_sandbox/reset", json={"seed": "samples"}).status_code == 204
    assert [session["id"] for session in box.sessions()] == [123, 124]
    assert anyone.post("/_sandbox/reset", json={"seed": "nonsense"}).status_code == 400
    assert len(box.sessions()) == 2
    assert anyone.post("/_sandbox/reset", content=b"").status_code == 204
    assert box.sessions() == []


def test_sessions(box, anyone):
    body = {"name": "A", "group": "G", "type": "course", "slots": [{"date": "2031-01-01", "time": "9:30"}]}
    assert anyone.post("/_sandbox/sessions", json=body).json() == {"id": 123}
    assert anyone.post("/_sandbox/book", json={"slot_id": 123456, "places": 2, "reserved": 1}).status_code == 204
    assert anyone.patch("/_sandbox/sessions/123", json={"price": "9.5", "description": "x"}).status_code == 204
    (session,) = anyone.get("/_sandbox/sessions").json()
    assert (session["price"], session["type"]) == ("9.50", 1)
    assert (session["slots"][0]["spaces_booked"], session["slots"][0]["spaces_reserved"]) == (2, 1)
    assert anyone.patch("/_sandbox/slots/123456", json={"time": "8:00"}).status_code == 204
    assert anyone.delete("/_sandbox/slots/123456").status_code == 204
    assert anyone.delete("/_sandbox/sessions/123").status_code == 204
    assert anyone.delete("/_sandbox/sessions/123").status_code == 404


def test_resources_slots_and_bookings(box, anyone):
    body = {"name": "A", "address": {"postcode": "E1"}}
    assert anyone.post("/_sandbox/resources", json=body).json() == {"id": 13}
    assert anyone.patch("/_sandbox/resources/13", json={"name": "B", "address": {"postcode": "W1"}}).status_code == 204
    period = {"resource_id": 13, "start": "2031-07-07T11:00:00Z", "end": "2031-07-07T12:00:00Z"}
    assert anyone.post("/_sandbox/blocks", json=period).json() == {"id": 22}
    assert anyone.post("/_sandbox/slots", json={**period, "status": 11}).json() == {"id": 23}
    assert anyone.post("/_sandbox/bookings", json=period).json() == {"id": 501}
    assert [slot["status"] for slot in anyone.get("/_sandbox/slots").json()] == [3, 11, 4]
    assert anyone.patch("/_sandbox/slots/22", json={"end": "2031-07-07T13:00:00Z"}).status_code == 204
    assert box.slots()[0]["end"] == "2031-07-07T13:00:00Z"
    assert anyone.delete("/_sandbox/slots/24").status_code == 204
    assert anyone.get("/_sandbox/bookings").json()[0]["is_cancelled"] is True
    (resource,) = anyone.get("/_sandbox/resources").json()
    assert (resource["name"], resource["address"]["postcode"]) == ("B", "W1")
    assert anyone.delete("/_sandbox/addresses/6").status_code == 204
    assert anyone.delete("/_sandbox/resources/13").status_code == 204
    assert box.resources() == []


def test_expire_tokens(anyone, admin):
    assert anyone.post("/_sandbox/expire-tokens").status_code == 204
    assert admin.get("/resources").status_code == 401


def test_wrong_control_calls(box, anyone):
    refusals = {
        ("POST", "/book"): ({}, 400),
        ("POST", "/sessions"): ({"colour": "red"}, 400),
        ("PATCH", "/sessions/9"): ({"name": "A"}, 404),
        ("PATCH", "/resources/9"): ({"name": "A"}, 404),
        ("PATCH", "/slots/9"): ({"status": 1}, 404),
        ("POST", "/resources"): ({"colour": "red"}, 400),
        ("POST", "/blocks"): ({"resource_id": 9, "start": "2031-01-01T00:00Z", "end": "2031-01-01T01:00Z"}, 404),
        ("POST", "/reset"): ([], 400),
        ("GET", "/nonsense"): (None, 404),
    }
    for (method, path), (body, status) in refusals.items():
        answer = anyone.request(method, f"/_sandbox{path}", json=body)
        assert (path, answer.status_code) == (path, status)
        assert answer.json()["error"]
    assert anyone.post("/_sandbox/book", json={"slot_id": 9}).status_code == 404
    assert anyone.post("/_sandbox/book", content=b"{").status_code == 400
    assert box.log() == []


PYTHONS_OWN = re.compile(
    r"__|argument|object has no|must be real|not supported|invalid literal|isoformat|strptime|NoneType"
)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/faults", {}),
        ("POST", "/faults", {"kind": "latency", "times": "a"}),
        ("POST", "/faults", {"kind": "latency", "match_path": 5}),
        ("PATCH", "/options", {"self": 5}),
        ("POST", "/book", {"slot_id": [1]}),
        ("POST", "/book", {"slot_id": 1, "places": "a"}),
        ("POST", "/book", {"slot_id": 1, "world": 2}),
        ("POST", "/book", {"slot_id": 10**30}),
        ("POST", "/sessions", {"name": "A", "slots": 5}),
        ("POST", "/sessions", {"name": "A", "slots": [5]}),
        ("POST", "/sessions", {"type": []}),
        ("POST", "/resources", {"address": ["a"]}),
        ("POST", "/resources", {"id": "x"}),
        ("POST", "/slots", {"resource_id": {}, "start": 5, "end": 6}),
        ("POST", "/blocks", {"resource_id": 13, "start": "x", "end": "y"}),
        ("POST", "/blocks", {"resource_id": 13, "start": "2031-07-07T99:00Z", "end": "y"}),
        ("PATCH", "/slots/1", {"start": 5}),
        ("POST", "/stock", {"item_id": "x", "date": 1, "qty": 1}),
        ("POST", "/stock", {"item_id": 17, "date": "20279999", "qty": 1}),
        ("POST", "/stock", {"item_id": 17, "date": "2027-07-05", "qty": None}),
        ("PATCH", "/holds/x/lines/1", {"params": 5}),
        ("DELETE", "/sessions/99999999999999999999999", None),
        ("DELETE", "/sessions/9", None),
    ],
)
def test_refusal_names_the_body_and_not_python(anyone, method, path, body):
    anyone.post("/_sandbox/resources", json={"name": "A"})
    answer = anyone.request(method, f"/_sandbox{path}", json=body)
    assert answer.status_code in {400, 404}
    assert not PYTHONS_OWN.search(answer.json()["error"]), answer.text
    assert len(answer.json()["error"]) > len("no row 1")


def test_index_lists_the_endpoints(box, anyone):
    index = anyone.get("/_sandbox").json()
    assert index["url"] == box.url
    assert "GET /_sandbox/log" in index["control"]
