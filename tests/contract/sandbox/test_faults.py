"""Each kind of fault has its effect, and only on matching requests."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.sandbox import Fault

SESSION = b"<session><group>G</group></session>"


def post(xml):
    return xml.post("/sessions.xml?type=event", content=SESSION)


@pytest.fixture(autouse=True)
def silent(capfd, caplog):
    """The server prints and logs nothing about faults that were asked for."""
    yield
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if not record.name.startswith("httpx")] == []


def test_latency(box, xml):
    box.fault(Fault(kind="latency", seconds=0.15))
    start = time.monotonic()
    assert post(xml).status_code == 201
    assert time.monotonic() - start >= 0.15


def test_latency_outlasts_a_timeout_but_the_request_is_executed(box, xml):
    box.fault(Fault(kind="latency", seconds=2))
    with pytest.raises(httpx.ReadTimeout):
        xml.post("/sessions.xml?type=event", content=SESSION, timeout=httpx.Timeout(60, read=0.1))
    deadline = time.monotonic() + 60
    while not box.sessions() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(box.sessions()) == 1


@pytest.mark.parametrize("retry_after", [None, 7, "Wed, 21 Oct 2030 07:28:00 GMT"])
def test_status_before(box, xml, retry_after):
    box.fault(Fault(kind="status_before", status=429, retry_after=retry_after))
    answer = post(xml)
    assert answer.status_code == 429
    assert answer.headers.get("retry-after") == (None if retry_after is None else str(retry_after))
    assert box.sessions() == []
    assert post(xml).status_code == 201


def test_status_after(box, xml):
    box.fault(Fault(kind="status_after", status=502))
    assert post(xml).status_code == 502
    assert len(box.sessions()) == 1


@pytest.mark.parametrize(("kind", "count"), [("drop_before", 0), ("drop_after", 1)])
def test_drops(box, xml, kind, count):
    box.fault(Fault(kind=kind))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post(xml)
    assert len(box.sessions()) == count
    entry = box.log()[0]
    assert (entry.status, entry.response_body, entry.fault) == (None, "", kind)
    assert post(xml).status_code == 201


@pytest.mark.parametrize("answer", ["body", "none"])
def test_truncate(box, xml, answer):
    box.set_options(create_answer=answer)
    box.fault(Fault(kind="truncate"))
    with pytest.raises(httpx.RemoteProtocolError, match="closed connection without sending complete"):
        post(xml)
    assert len(box.sessions()) == 1


@pytest.mark.parametrize(("binary", "start"), [(False, b"<!DOCTYPE html>"), (True, b"\x00\x01")])
def test_garbage(box, xml, binary, start):
    box.fault(Fault(kind="garbage", binary=binary))
    answer = xml.get("/sessions.xml")
    assert answer.status_code == 200
    assert answer.content.startswith(start)


def test_page_before_executes_nothing(box, xml):
    box.reset("samples")
    box.fault(Fault(kind="page_before"))
    answer = xml.delete("/sessions/123.xml")
    assert answer.status_code == 200
    assert answer.content.startswith(b"<!DOCTYPE html>")
    assert xml.get("/sessions/123.xml").status_code == 200


def test_slow_body(box, xml):
    box.reset("samples")
    box.fault(Fault(kind="slow_body", seconds=0.2))
    start = time.monotonic()
    answer = xml.get("/sessions.xml")
    assert time.monotonic() - start >= 0.2
    assert answer.text.endswith("</sessions>")


def test_huge(box, xml):
    box.fault(Fault(kind="huge", size=3_000_000))
    assert len(xml.get("/sessions.xml").content) == 3_000_000
    assert len(box.log()[0].response_body) < 1_000_000


def test_wrong_type(box, xml, admin):
    box.fault(Fault(kind="wrong_type", times=None))
    assert xml.get("/sessions.xml").content == b"<unexpected/>"
    assert isinstance(admin.get("/resources").json(), list)


def test_matching_after_and_times(box, xml):
    box.fault(Fault(kind="status_before", match_method="post", match_path=r"sessions\.xml$", after=1, times=2))
    statuses = []
    for _ in range(4):
        statuses.append(post(xml).status_code)
        assert xml.get("/sessions.xml").status_code == 200
    assert statuses == [201, 503, 503, 201]


def test_fault_without_times_fires_until_cleared(box, xml):
    box.fault(Fault(kind="status_before", status=500, times=None))
    assert [xml.get("/sessions.xml").status_code for _ in range(5)] == [500] * 5
    box.clear_faults()
    assert xml.get("/sessions.xml").status_code == 200


def test_latency_adds_to_another_fault(box, xml):
    box.fault(Fault(kind="latency", seconds=0.1))
    box.fault(Fault(kind="status_before"))
    start = time.monotonic()
    assert xml.get("/sessions.xml").status_code == 503
    assert time.monotonic() - start >= 0.1
    assert box.log()[0].fault == "latency+status_before"


def test_hold_ends_when_the_faults_are_cleared(box, xml):
    box.fault(Fault(kind="hold", match_method="POST", seconds=60))
    box.fault(Fault(kind="drop_after", match_method="POST"))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(post, xml)
        while not box.log():
            time.sleep(0.01)
        assert xml.get("/sessions.xml").status_code == 200
        assert box.sessions() == []
        box.clear_faults()
        with pytest.raises(httpx.RemoteProtocolError):
            held.result(timeout=60)
    assert len(box.sessions()) == 1
    assert box.log()[0].fault == "hold+drop_after"


def test_hold_answer_executes_the_request_and_answers_when_the_faults_are_cleared(box, xml):
    box.reset("samples")
    box.set_options(delete_answer=204)  # an answer without a body is held as well
    box.fault(Fault(kind="hold_answer", match_method="DELETE", seconds=60))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(xml.delete, "/sessions/123.xml", timeout=60)
        while not (box.log() and box.log()[0].status):
            time.sleep(0.01)
        assert xml.get("/sessions/123.xml").status_code == 404
        assert not held.done()
        box.clear_faults()
        assert held.result(timeout=60).status_code == box.log()[0].status == 204


def test_a_call_that_came_before_a_reset_has_no_effect(box, xml):
    box.fault(Fault(kind="hold", match_method="POST", seconds=60))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(post, xml)
        while not box.log():
            time.sleep(0.01)
        box.reset()
        assert held.result(timeout=60).status_code == 503
    assert box.sessions() == []


def test_hold_ends_after_its_seconds(box, xml):
    box.fault(Fault(kind="hold", seconds=0.1))
    assert post(xml).status_code == 201


def test_faults_do_not_affect_control_calls(box, anyone):
    box.fault(Fault(kind="drop_before", times=None))
    assert anyone.get("/_sandbox/log").json() == []
