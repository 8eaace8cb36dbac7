"""A server that carries out a call long after its client has gone: it is waited for, and nothing is done twice."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from desk import PROJECT, SLOTS, Desk

from reconciler.providers.http.client import HttpClient
from reconciler.sandbox import Fault, Sandbox

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00"}
HOURS = {"start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"}
LONG = 60
"""Seconds until the server carries a call out, unless a test lets it do so before."""

WAYS = {
    "timed out": {"kind": "latency"},
    "closed": {"kind": "drop_early"},
    **{f"answered {status}": {"kind": "status_early", "status": status} for status in (408, 502, 504, 524)},
}


@pytest.fixture
def slow(desk):
    """A project at systems that settle by their own time."""
    settles(desk)
    return desk


def settles(desk, timeout=LONG):
    """State the systems' own time, and how long a call may take."""
    more = f"timeout: {timeout}\n      settle_after: 600"
    desk.project(PROJECT.format(url=desk.box.url).replace("settle_after: 0", more))


def lose(desk, way, method, path):
    """Apply while the server carries such a call out late: when the faults are cleared."""
    arm(desk, way, method, path)
    settles(desk, timeout=2.5)
    desk.run("apply", "--yes", code=3)
    settles(desk)


def arm(desk, way, method, path):
    """Have the next such call carried out late."""
    fault = {**WAYS[way], "match_method": method, "match_path": path}
    if fault["kind"] == "latency":
        fault["kind"] = "hold"
    desk.box.fault(Fault(seconds=LONG, **fault))


def unknown(desk, address):
    """Assert that plan and apply name the object and the instant, and send nothing."""
    desk.box.clear_log()
    change = next(item for item in desk.run("plan", "--format", "json").json["changes"] if item["address"] == address)
    assert change["action"] == "unknown"
    assert "may still be in progress at the server until 20" in change["reason"]
    assert "--wait" in change["reason"]
    done = desk.run("apply", "--yes", "--format", "json", code=3).json
    assert [item["state"] for item in done["outcomes"] if item["address"] == address] == ["unknown"]
    assert desk.calls() == []


def converges(desk, monkeypatch, carried_out):
    """Have the server carry the call out while a run waits; then all is as declared."""
    waited = desk.released_while_waiting(monkeypatch, carried_out)
    done = desk.run("apply", "--yes", "--wait", code=0)
    assert "may still be in progress at the server until 20" in done.err
    assert 500 < waited[0] <= 606
    desk.settled()


@pytest.mark.parametrize("way", WAYS)
def test_a_create(slow, monkeypatch, way):
    slow.declare("Session", "swim", SWIM)
    lose(slow, way, "POST", "/api/sessions")
    unknown(slow, "Session/swim")
    converges(slow, monkeypatch, slow.box.sessions)
    assert len(slow.box.sessions()) == 1


@pytest.mark.parametrize("kind", ["Resource", "Block"])
def test_a_create_of_another_kind(slow, monkeypatch, kind):
    slow.declare("Resource", "court", {"name": "Court"})
    if kind == "Block":
        slow.run("apply", "--yes", code=0)
        slow.declare("Block", "night", {"resource": "court", **HOURS})
    method, path, live = {
        "Resource": ("POST", "/resource", slow.box.resources),
        "Block": ("PUT", "/block", lambda: [item for item in slow.box.slots() if item["status"] == 3]),
    }[kind]
    lose(slow, "timed out", method, path)
    unknown(slow, {"Resource": "Resource/court", "Block": "Block/night"}[kind])
    converges(slow, monkeypatch, live)
    assert len(live()) == 1


@pytest.mark.parametrize("way", ["timed out", "answered 504"])
def test_an_update(slow, monkeypatch, way):
    slow.declare("Session", "swim", {**SWIM, "price": 5})
    slow.run("apply", "--yes", code=0)
    slow.declare("Session", "swim", {**SWIM, "price": 6})
    lose(slow, way, "PUT", "/api/sessions")
    slow.declare("Session", "swim", {**SWIM, "price": 7})  # sent now, it could be overwritten by the first one
    unknown(slow, "Session/swim")
    converges(slow, monkeypatch, lambda: slow.box.sessions()[0]["price"] == "6.00")
    assert [item["price"] for item in slow.box.sessions()] == ["7.00"]


@pytest.mark.parametrize("way", ["timed out", "closed", "answered 502"])
def test_a_new_slot(slow, monkeypatch, way):
    slow.session()
    slow.run("apply", "--yes", code=0)
    slow.session(slots=[*SLOTS, ("2027-03-22", "11:00", 60)])
    lose(slow, way, "PUT", "/api/sessions")
    unknown(slow, "Session/yoga")
    converges(slow, monkeypatch, lambda: len(slow.box.sessions()[0]["slots"]) > 3)
    assert len(slow.box.sessions()[0]["slots"]) == 4


def test_a_moved_slot(slow, monkeypatch):
    slow.session()
    slow.run("apply", "--yes", code=0)
    slow.session(slots=[*SLOTS[:2], ("2027-03-15", "12:30", 90)])
    lose(slow, "timed out", "PUT", "/api/slots")
    unknown(slow, "Session/yoga")
    converges(slow, monkeypatch, lambda: "12:30" in str(slow.box.sessions()[0]["slots"]))
    assert len(slow.box.sessions()[0]["slots"]) == 3


def test_a_delete_before_it_is_declared_again(slow, monkeypatch):
    """Created again while the delete is on its way, the new object would have what the old one is to lose."""
    slow.declare("Session", "swim", SWIM)
    slow.declare("Session", "other", {**SWIM, "name": "Other"})
    slow.run("apply", "--yes", code=0)
    slow.forget("Session", "swim")
    lose(slow, "timed out", "DELETE", "/api/sessions")
    slow.declare("Session", "swim", SWIM)
    unknown(slow, "Session/swim")
    converges(slow, monkeypatch, lambda: len(slow.box.sessions()) == 1)
    assert sorted(item["name"] for item in slow.box.sessions()) == ["Other", "Swim"]


@pytest.mark.parametrize("way", WAYS)
def test_what_was_made_is_taken_over_without_waiting(slow, way):
    slow.declare("Session", "swim", SWIM)
    if way == "timed out":
        slow.box.fault(Fault(kind="hold_answer", match_method="POST", seconds=LONG))
        settles(slow, timeout=2.5)
    else:
        kind = WAYS[way]["kind"].replace("early", "after")
        slow.box.fault(Fault(**{**WAYS[way], "kind": kind, "match_method": "POST"}))
    slow.run("apply", "--yes", code=3)
    settles(slow)
    slow.run("apply", "--yes", code=0)
    slow.settled()
    assert len(slow.box.sessions()) == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 429}, {"status": 422}], ids=str)
def test_nobody_waits_for_what_the_server_itself_ended(slow, fault):
    slow.declare("Session", "swim", SWIM)
    slow.box.fault(Fault(kind="status_before", match_method="POST", times=4, **fault))
    slow.run("apply", "--yes", code=3)
    slow.box.clear_faults()
    slow.run("apply", "--yes", code=0)
    assert len(slow.box.sessions()) == 1


def test_nobody_waits_for_what_was_never_sent(slow, monkeypatch):
    real = HttpClient._exchange

    def refused(client, request, deadline):
        if request.method == "POST":
            raise httpx.ConnectError("refused")
        return real(client, request, deadline)

    slow.declare("Session", "swim", SWIM)
    with monkeypatch.context() as patched:
        patched.setattr(HttpClient, "_exchange", refused)
        slow.run("apply", "--yes", code=3)
    slow.run("apply", "--yes", code=0)
    assert len(slow.box.sessions()) == 1


ROUNDS = int(os.environ.get("ROUNDS", "10"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", ["timed out", "closed", "answered 504"])
def test_a_gateway_that_commits_long_after_the_client_has_gone_doubles_nothing_in_many_rounds(tmp_path, way):
    """A call that times out after 3 seconds, and is carried out at any moment of the next 8: nothing is hurried."""

    def rounds(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Sandbox() as box:
            desk = Desk(folder, box)
            late = number == 0  # carried out after the second apply, however slow this machine is
            more = f"timeout: 3\n      settle_after: {50 if late else 12}"
            desk.project(PROJECT.format(url=box.url).replace("settle_after: 0", more))
            desk.declare("Session", "swim", SWIM)
            if late:
                arm(desk, way, "POST", "sessions")
            else:
                box.fault(Fault(**WAYS[way], match_method="POST", seconds=3.5 + 8 * number / ROUNDS))
            first = desk.process("apply", "--yes", code=3)
            assert "may have been applied" in first.out + first.err
            second = desk.process("apply", "--yes")  # at once: unknown, or what the call has made by now
            if late:
                box.clear_faults()
            third = desk.process("apply", "--yes", "--wait", code=0)
            desk.process("plan", "--detailed-exitcode", code=0)
            return second.code, "may still be in progress" in third.err, len(box.sessions())

    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(rounds, range(ROUNDS)))
    assert Counter(objects for _, _, objects in found) == {1: ROUNDS}, found
    assert any(code == 3 for code, _, _ in found)
    assert any(waited for _, waited, _ in found)
