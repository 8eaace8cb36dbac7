"""adopt ADDRESS: as careful as adopt --all, which takes the same object or says the same."""

from __future__ import annotations

import pytest
from desk import PROJECT
from guarded import hours, room

from reconciler.sandbox import Fault

YOGA = {"name": "Yoga", "group": "Body", "start_date": "2027-03-01"}


def two_connections(desk):
    first = PROJECT.format(url=desk.box.url)
    second = first.split("    admin:")[1]
    desk.project(first + "    other:" + second)


def test_one_live_object_is_not_managed_twice_through_two_connections(desk):
    two_connections(desk)
    desk.declare("Resource", "room", {"name": "Room"}, connection="admin")
    desk.declare("Resource", "again", {"name": "Room"}, connection="other")
    live = desk.box.add_resource({"name": "Room"})
    desk.run("adopt", "Resource/room", code=0)
    for arguments in (("Resource/again", str(live)), ("Resource/again",), ("--all",)):
        desk.run("adopt", *arguments, code=1)
    assert f"id {live} is already managed as Resource/room" in desk.run("adopt", "Resource/again", str(live)).err


@pytest.mark.parametrize(
    ("address", "hint"),
    [("Session/yogaa", "did you mean Session/yoga?"), ("Resource/hall", "write its manifest first, then adopt it")],
)
def test_what_is_not_declared_cannot_be_adopted(desk, address, hint):
    desk.declare("Session", "yoga", YOGA)
    assert desk.run("adopt", address, code=1).err.splitlines()[-2:] == [
        f"error[RC0701]: {address} is not declared",
        f"  = help: {hint}",
    ]


def test_what_could_not_be_read_may_have_the_same_key(desk):
    desk.box.add_session({**YOGA, "time": "11:00"})
    other = desk.box.add_session({**YOGA, "time": "18:00"})
    desk.declare("Session", "yoga", YOGA)
    desk.box.fault(Fault(kind="status_before", match_path=f"/sessions/{other}", status=500, times=None))
    for which in ("Session/yoga", "--all"):
        assert "could not determine which object it is" in desk.run("adopt", which, code=1).err
    assert desk.run("state", "list", "--format", "json").json["objects"] == []


@pytest.mark.parametrize("which", ["Session/yoga", "--all"])
def test_candidates_are_listed_with_their_differences(desk, which):
    first, second = (desk.box.add_session({**YOGA, "time": time}) for time in ("11:00", "18:00"))
    desk.declare("Session", "yoga", YOGA)
    words = desk.run("adopt", which, code=1).err
    assert f"2 live objects have its natural key: id {first} (name 'Yoga'" in words
    assert f"id {second} (name 'Yoga'" in words
    assert "reconciler adopt Session/yoga ID" in words
    desk.declare("Session", "yoga", YOGA, annotations={"adopt-id": str(second)})
    desk.run("adopt", which, code=0)
    (taken,) = desk.run("state", "list", "--format", "json").json["objects"]
    assert taken["remote_id"] == str(second)


@pytest.mark.parametrize("which", ["Block/works", "--all"])
def test_a_block_of_an_unmanaged_resource_says_so(desk, which):
    start, end = hours(0, 1)
    live = desk.box.add_resource({"name": "The room"})
    desk.box.add_resource({"name": "The room"})
    desk.box.add_block(live, start, end)
    room(desk)
    desk.declare("Block", "works", {"resource": "room", "start": start, "end": end})
    words = desk.run("adopt", which, code=1).err
    assert "it refers to Resource/room, which is not managed" in words


@pytest.mark.parametrize("which", ["Session/swim", "--all"])
def test_a_session_without_a_day_is_adopted_by_its_id_alone(desk, which):
    live = {"name": "Swim", "group": "Pool", "type": 0, "start_date": "2027-03-01", "time": "10:00"}
    number = desk.box.add_session(live)
    desk.declare("Session", "swim", {"name": "Swim", "group": "Pool"})
    words = desk.run("adopt", which, code=1).err
    assert f"its manifest has no natural key to search for; similar: id {number} (" in words
    assert "reconciler adopt Session/swim ID" in words
    desk.run("adopt", "Session/swim", str(number), code=0)
    desk.settled()
