"""A server that answers 200 and stores something else: what did not converge is said with both values."""

from __future__ import annotations

import pytest
from desk import SLOTS

from reconciler.sandbox import Fault

RESOURCE = {"name": "Court 1", "email": "a@example.com", "position": 3}


@pytest.mark.parametrize(
    ("stores", "address", "path", "answered", "wanted"),
    [
        ("price=30.00", "Session/yoga", "price", "30.00", "35.00"),
        ("group=Body", "Session/yoga", "group", "Body", "Body & Mind"),
        ("spaces", "Session/yoga", "spaces", 1, 12),
        ("duration=45", "Session/yoga", "slots[2027-03-01 11:00]", None, None),
        ("email", "Resource/court-1", "email", "", "a@example.com"),
        ("position=9", "Resource/court-1", "position", 9, 3),
    ],
)
def test_a_value_that_the_server_did_not_take_over(desk, stores, address, path, answered, wanted):
    desk.box.set_options(show_fields="all", resource_fields="all", stores=stores)
    desk.session(slots=SLOTS, spaces=12)
    desk.declare("Resource", "court-1", RESOURCE)
    done = desk.run("apply", "--yes", "--verify", "--format", "json", code=3)
    outcomes = {item["address"]: item for item in done.json["outcomes"]}
    states = {name: item["state"] for name, item in outcomes.items()}
    assert states == {name: "failed" if name == address else "applied" for name in states}
    error = outcomes[address]["error"]
    assert error.startswith(f"applied, but the server returns {path} "), error
    if wanted is None:
        assert "2027-03-01 11:00 45 instead of 2027-03-01 11:00 60" in error
    elif answered != "":
        assert f"{path} {answered!r} instead of {wanted!r}" in error
    verify = done.json["verify"]
    assert verify["changes"] == [address]
    assert path.partition("[")[0].rstrip("s") in verify["words"][0]
    text = desk.run("apply", "--yes", "--verify", code=3).out
    assert f"not converged: {address}: " in text
    desk.box.set_options(stores="")
    desk.run("apply", "--yes", "--verify", code=0)
    desk.settled()


def test_an_update_is_read_back_too(desk):
    desk.box.set_options(show_fields="all")
    desk.session(slots=SLOTS)
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(stores="time=11:15")
    desk.session(slots=[SLOTS[0], ("2027-03-09", "11:00", 60), SLOTS[2]])
    done = desk.run("apply", "--yes", code=3)
    assert "2027-03-09 11:15 60 instead of 2027-03-09 11:00 60" in done.out


@pytest.mark.parametrize(("keeps", "kind"), [("session", "Session"), ("resource", "Resource"), ("slot", "Block")])
def test_a_delete_that_leaves_the_object_is_no_delete(desk, keeps, kind):
    desk.session(slots=SLOTS)
    desk.declare("Resource", "court-1", RESOURCE)
    desk.declare("Block", "repairs", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T12:00Z"})
    desk.run("apply", "--yes", code=0)
    desk.box.set_options(keeps=keeps)
    done = desk.run("destroy", "--yes", "--format", "json", "--max-deletes", "9", code=3)
    states = {item["address"]: item["state"] for item in done.json["outcomes"]}
    left = next(address for address in states if address.startswith(kind))
    assert states[left] == "failed"
    assert "deleted, but the server still returns it; it stays managed" in done.out
    assert left in desk.run("state", "list", code=0).out
    desk.box.set_options(keeps="")
    desk.run("destroy", "--yes", "--max-deletes", "9", code=0)
    assert desk.run("state", "list", code=0).out == "No objects are managed.\n"


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(("path", "kind"), [("sessions", "Session"), ("resources", "Resource"), ("slots", "Block")])
def test_a_delete_that_finds_no_object_is_believed_only_where_a_read_finds_none(desk, path, kind, status):
    desk.session(slots=SLOTS)
    desk.declare("Resource", "court-1", RESOURCE)
    desk.declare("Block", "repairs", {"resource": "court-1", "start": "2027-03-01T09:00Z", "end": "2027-03-01T12:00Z"})
    desk.run("apply", "--yes", code=0)
    desk.box.fault(Fault(kind="status_before", match_method="DELETE", match_path=path, status=status, times=None))
    done = desk.run("destroy", "--yes", "--format", "json", "--max-deletes", "9", code=3)
    left = next(item for item in done.json["outcomes"] if item["address"].startswith(kind))
    words = "the server says that it does not exist, but the server still returns it; it stays managed"
    assert (left["state"], left["error"]) == ("failed", words)
    assert left["address"] in desk.run("state", "list", code=0).out
    desk.box.clear_faults()
    desk.run("destroy", "--yes", "--max-deletes", "9", code=0)
    assert (desk.box.sessions(), [slot for slot in desk.box.slots() if slot["status"] == 3]) == ([], [])


def test_a_delete_that_cannot_be_read_back_is_unknown_and_looked_at_by_the_next_run(desk):
    desk.session(slots=SLOTS)
    desk.run("apply", "--yes", code=0)
    session_id = desk.box.sessions()[0]["id"]
    show = rf"/api/sessions/{session_id}\.xml"
    desk.box.fault(Fault(kind="status_before", status=500, match_method="GET", match_path=show, times=None, after=1))
    done = desk.run("destroy", "--yes", code=3)
    assert "deleted, but it could not be read back" in done.out
    assert "Session/yoga" in desk.run("state", "list", code=0).out
    desk.box.clear_faults()
    desk.box.clear_log()
    desk.run("destroy", "--yes", code=0)
    assert desk.calls() == []
    assert desk.run("state", "list", code=0).out == "No objects are managed.\n"
