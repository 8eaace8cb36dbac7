"""Reads that are behind: a write is shown after some seconds or some reads, in the lagging APIs only."""

from types import SimpleNamespace

import pytest

from reconciler.sandbox import lag

SESSION = b"<session><name>Yoga</name><group>G</group></session>"


def create(xml):
    answer = xml.post("/sessions.xml?type=event", content=SESSION)
    assert answer.status_code == 201
    return answer.headers.get("location") or "/sessions/123.xml"


def test_a_write_is_shown_after_some_reads(box, xml):
    box.set_options(lag_reads=2)
    create(xml)
    assert [xml.get("/sessions/123.xml").status_code for _ in range(3)] == [404, 404, 200]
    xml.put("/sessions/123.xml", content=b"<session><name>Late</name></session>")
    assert ["Late" in xml.get("/sessions/123.xml").text for _ in range(3)] == [False, False, True]
    xml.delete("/sessions/123.xml")
    assert [b"Late" in xml.get("/sessions.xml").content for _ in range(3)] == [True, True, False]


def test_a_write_is_shown_after_some_seconds(box, xml, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(lag, "time", SimpleNamespace(monotonic=lambda: now[0]))
    box.set_options(lag_seconds=1)
    create(xml)
    assert xml.get("/sessions/123.xml").status_code == 404
    assert [item["name"] for item in box.sessions()] == ["Yoga"]
    now[0] += 1.1
    assert xml.get("/sessions/123.xml").status_code == 200


@pytest.mark.parametrize("lagging", ["admin", "admin, checkfront"])
def test_other_apis_are_not_behind(box, xml, lagging):
    box.set_options(lag_reads=9, lagging=lagging)
    create(xml)
    assert xml.get("/sessions/123.xml").status_code == 200
