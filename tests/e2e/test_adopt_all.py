"""Adopting everything that is declared and live at once: by exact natural key, resources before their blocks."""

from __future__ import annotations

import pytest

from reconciler.sandbox.faults import Fault

SPIN = {"name": "Spin", "group": "Gym", "start_date": "2027-03-01", "time": "18:30"}


def declared_and_live(desk):
    """Two sessions, a room and its block, live as declared."""
    for name in ("Spin", "Row"):
        desk.box.add_session({**SPIN, "name": name, "type": 0})
        desk.declare("Session", name.lower(), {**SPIN, "name": name})
    room = desk.box.add_resource({"name": "Studio"})
    desk.box.add_block(room, "2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z")
    desk.declare("Resource", "studio", {"name": "Studio"})
    desk.declare("Block", "early", {"resource": "studio", "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"})


def managed(desk):
    listing = desk.run("state", "list", "--format", "json", code=0).json
    return {item["address"]: item["remote_id"] for item in listing["objects"]}


def test_everything_declared_is_taken_and_the_next_plan_is_empty(desk):
    declared_and_live(desk)
    done = desk.run("adopt", "--all", code=0)
    assert "Adopted 4 objects (1 Block, 1 Resource, 2 Session)" in done.err
    assert sorted(managed(desk)) == ["Block/early", "Resource/studio", "Session/row", "Session/spin"]
    assert desk.calls() == []
    desk.settled()
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []
    assert "Nothing to adopt" in desk.run("adopt", "--all", code=0).err


def test_the_plan_names_the_command_for_one_and_for_all(desk):
    declared_and_live(desk)
    plan = desk.run("plan", code=0)
    ids = {session["name"]: session["id"] for session in desk.box.sessions()}
    assert f"reconciler adopt Session/spin {ids['Spin']}" in plan.out
    assert f"reconciler adopt Resource/studio {desk.box.resources()[0]['id']}" in plan.out
    assert "reconciler adopt --all" in plan.out
    desk.run("apply", "--yes", code=4)
    desk.run("adopt", "Resource/studio", code=0)
    block = next(slot["id"] for slot in desk.box.slots() if slot["status"] == 3)
    assert f"reconciler adopt Block/early {block}" in desk.run("plan", code=0).out
    assert desk.calls() == []


def test_each_kind_is_listed_once_however_many_are_declared(desk):
    for number in range(12):
        desk.box.add_session({**SPIN, "name": f"Spin {number}", "type": 0})
        desk.declare("Session", f"spin-{number}", {**SPIN, "name": f"Spin {number}"})
        desk.box.add_resource({"name": f"Room {number}", "address": {"address1": "1 High Street"}})
        desk.declare("Resource", f"room-{number}", {"name": f"Room {number}", "address": {"address1": "1 High Street"}})
    desk.box.clear_log()
    desk.run("adopt", "--all", code=0)
    paths = [item.path.partition("?")[0] for item in desk.box.log()]
    assert paths.count("/api/sessions.xml") == 1
    assert len([path for path in paths if path.startswith("/api/sessions/")]) == 12
    admin = [path.removeprefix("/api/v1/admin/37004/") for path in paths if path.startswith("/api/v1/")]
    assert admin.count("resources") == 1
    assert len([path for path in admin if path.startswith("addresses/")]) == 12  # to know whether they are as declared
    assert len(admin) == 13
    desk.settled()


def test_what_matches_is_adopted_and_the_rest_is_listed_with_candidates_all_at_once(desk):
    declared_and_live(desk)
    for _ in range(2):
        desk.box.add_session({**SPIN, "name": "Pump", "type": 0})
    desk.declare("Session", "pump", {**SPIN, "name": "Pump"})
    desk.declare("Session", "new", {**SPIN, "name": "Row", "start_date": "2027-04-05"})
    done = desk.run("adopt", "--all", code=1)
    assert "Adopted 4 objects" in done.err
    assert "2 not adopted" in done.err
    pumps = [str(item["id"]) for item in desk.box.sessions() if item["name"] == "Pump"]
    line = next(line for line in done.err.splitlines() if "Session/pump" in line and "2 live objects" in line)
    assert all(f"id {number} (name 'Pump', group 'Gym', start_date '2027-03-01'" in line for number in pumps)
    assert "Session/new: no unmanaged live object has its natural key; similar: id " in done.err
    assert "start_date '2027-03-01'" in done.err
    assert {"Session/pump", "Session/new"}.isdisjoint(managed(desk))
    assert desk.calls() == []


def test_an_annotation_chooses_among_several(desk):
    ids = [desk.box.add_session({**SPIN, "type": 0}) for _ in range(2)]
    desk.declare("Session", "second", SPIN, annotations={"adopt-id": str(ids[1])})
    plan = desk.run("plan", code=0)
    assert f"reconciler adopt Session/second {ids[1]}" in plan.out
    # The other one is what is left over for a manifest with the same key.
    desk.declare("Session", "first", SPIN)
    desk.run("adopt", "--all", code=0)
    assert managed(desk) == {"Session/second": str(ids[1]), "Session/first": str(ids[0])}
    desk.settled()


@pytest.mark.parametrize("wrong", ["999", "court", ""])
def test_an_annotation_must_name_an_object_of_that_kind(desk, wrong):
    desk.box.add_session({**SPIN, "type": 0})
    court = desk.box.add_resource({"name": "Court"})
    named = str(court) if wrong == "court" else wrong
    desk.declare("Session", "spin", SPIN, annotations={"adopt-id": named})
    done = desk.run("adopt", "--all", code=1)
    assert f"Session/spin: its annotation adopt-id has id {named}" in done.err
    assert managed(desk) == {}


def test_an_annotation_never_takes_what_is_managed(desk):
    number = desk.box.add_session({**SPIN, "type": 0})
    desk.declare("Session", "spin", SPIN)
    desk.run("adopt", "--all", code=0)
    desk.declare("Session", "again", SPIN, annotations={"adopt-id": str(number)})
    assert "which is already managed as Session/spin" in desk.run("adopt", "--all", code=1).err


def test_two_manifests_of_one_live_object_are_refused_by_name(desk):
    desk.box.add_session({**SPIN, "type": 0})
    desk.declare("Session", "one", SPIN)
    desk.declare("Session", "two", SPIN)
    done = desk.run("adopt", "--all", code=1)
    assert "Session/one: is declared twice: Session/two is also id" in done.err
    assert "Session/two: is declared twice: Session/one is also id" in done.err
    assert managed(desk) == {}


def test_a_choice_brings_along_what_it_refers_to(desk):
    declared_and_live(desk)
    desk.run("adopt", "--all", "--target", "Block/*", code=0)
    assert sorted(managed(desk)) == ["Block/early", "Resource/studio"]
    desk.run("adopt", "--all", "--exclude", "Session/row", code=0)
    assert "Session/row" not in managed(desk)


def test_a_block_of_an_unmanaged_resource_says_so(desk):
    declared_and_live(desk)
    done = desk.run("adopt", "--all", "--exclude", "Resource/studio", code=1)
    assert "Block/early: it refers to Resource/studio, which is not managed" in done.err


def test_a_twin_that_cannot_be_read_keeps_its_key_from_being_guessed(desk):
    ids = [desk.box.add_session({**SPIN, "type": 0}) for _ in range(2)]
    desk.declare("Session", "spin", SPIN)
    desk.box.fault(Fault(kind="status_before", match_path=f"/api/sessions/{ids[1]}.xml", status=500, times=None))
    done = desk.run("adopt", "--all", code=1)
    assert "Session/spin: could not determine which object it is" in done.err
    assert managed(desk) == {}


@pytest.mark.parametrize(
    "arguments", [("adopt",), ("adopt", "--all", "Session/a"), ("adopt", "Session/a", "--target", "x"), ("adopt", "no")]
)
def test_wrong_usage(desk, arguments):
    desk.run(*arguments, code=64)
