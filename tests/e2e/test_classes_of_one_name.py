"""Several classes of one name and group on one day: two where both sides know another time, or as a manifest says."""

from __future__ import annotations

import pytest

SPIN = {"name": "Spin", "group": "Gym", "type": "event", "start_date": "2027-03-01"}


def live(desk):
    return sorted((item["time"], item["id"]) for item in desk.box.sessions())


def managed(desk):
    listing = desk.run("state", "list", "--format", "json", code=0).json
    return {item["address"]: item["remote_id"] for item in listing["objects"]}


def test_a_second_class_at_another_time_is_created(desk):
    desk.box.add_session({**SPIN, "type": 0, "time": "10:00"})
    desk.declare("Session", "evening", {**SPIN, "time": "18:00"})
    desk.run("apply", "--yes", code=0)
    assert [time for time, _ in live(desk)] == ["10:00", "18:00"]
    desk.settled()


def test_adopt_all_takes_each_class_for_itself(desk):
    late = desk.box.add_session({**SPIN, "type": 0, "time": "18:00"})
    early = desk.box.add_session({**SPIN, "type": 0, "time": "10:00"})
    desk.declare("Session", "morning", {**SPIN, "time": "10:00"})
    desk.declare("Session", "evening", {**SPIN, "time": "18:00"})
    desk.run("adopt", "--all", code=0)
    assert managed(desk) == {"Session/morning": str(early), "Session/evening": str(late)}


@pytest.mark.parametrize("command", [("adopt", "--all"), ("adopt", "Session/evening")])
def test_adopt_does_not_take_the_morning_class_for_the_evening_one(desk, command):
    early = desk.box.add_session({**SPIN, "type": 0, "time": "10:00"})
    desk.declare("Session", "evening", {**SPIN, "time": "18:00"})
    done = desk.run(*command, code=1)
    assert f"similar: id {early}" in done.err
    assert managed(desk) == {}


def test_another_class_at_the_same_time_is_created_once_the_manifest_says_that_it_is_another(desk):
    """Two rooms at 18:00: no value tells them apart."""
    first = desk.box.add_session({**SPIN, "type": 0, "time": "18:00"})
    desk.declare("Session", "hall-2", {**SPIN, "time": "18:00"})
    refused = desk.run("apply", "--yes", code=4)
    assert f'metadata.annotations: {{distinct-from: "{first}"}}' in refused.err
    desk.declare("Session", "hall-2", {**SPIN, "time": "18:00"}, annotations={"distinct-from": str(first)})
    assert "no unmanaged live object has its natural key" in desk.run("adopt", "--all", code=1).err
    desk.run("plan", "--out", "new.plan", code=0)
    desk.run("apply", "new.plan", "--yes", code=0)
    desk.settled()
    (second,) = [item["id"] for item in desk.box.sessions() if item["id"] != first]
    # With the state lost, the annotation still names one of the two, and nothing is made a third time.
    desk.run("state", "rm", "Session/hall-2", code=0)
    assert f"(id {second})" in desk.run("apply", "--yes", code=4).err
    desk.run("adopt", "--all", code=0)
    assert managed(desk) == {"Session/hall-2": str(second)}


@pytest.mark.parametrize("kind", ["Resource", "Block"])
def test_other_kinds_have_a_twin_in_the_same_way(desk, kind):
    room = desk.box.add_resource({"name": "Studio"})
    desk.box.add_block(room, "2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z")
    (block,) = [slot["id"] for slot in desk.box.slots() if slot["status"] == 3]
    if kind == "Resource":
        spec, twin = {"name": "Studio"}, room
    else:
        spec, twin = {"resource_id": room, "start": "2027-03-01T09:00Z", "end": "2027-03-01T10:00Z"}, block
    desk.declare(kind, "it", spec)
    desk.run("apply", "--yes", code=4)
    desk.declare(kind, "it", spec, annotations={"distinct-from": f"{twin}, 99999"})
    desk.run("apply", "--yes", code=0)
    desk.settled()


@pytest.mark.parametrize("value", ["", " ", "12,,13", ","])
def test_an_annotation_without_ids_is_an_error(desk, value):
    desk.declare("Session", "it", {**SPIN, "time": "18:00"}, annotations={"distinct-from": value})
    assert "ids, separated by commas" in desk.run("validate", code=1).out


def test_classes_of_one_name_are_exported_and_adopted_as_they_are(desk):
    for time in ("10:00", "18:00", "18:00"):
        desk.box.add_session({**SPIN, "type": 0, "time": time})
    desk.run("export", "--out", "manifests", "--kind", "Session", code=0)
    texts = [path.read_text(encoding="utf-8") for path in (desk.folder / "manifests").rglob("*.yaml")]
    assert sum("adopt-id" in text for text in texts) == 2
    desk.run("adopt", "--all", code=0)
    desk.settled()


def test_two_classes_at_one_time_are_a_warning_until_both_are_managed(desk):
    """Two rooms at 18:00: with the ids of both, nothing is searched for any more."""
    for hall in ("hall-1", "hall-2"):
        desk.declare("Session", hall, {**SPIN, "time": "18:00"})
    warning = "has the same natural key as Session/hall-1"
    assert warning in desk.run("plan", code=0).out
    desk.run("apply", "--yes", code=0)
    assert "same natural key" not in desk.run("plan", code=0).out
    assert warning in desk.run("validate", code=0).out
    desk.declare("Session", "copy", {**SPIN, "time": "18:00"})
    assert "Session/hall-1: warning: has the same natural key as Session/copy" in desk.run("plan", code=0).out
