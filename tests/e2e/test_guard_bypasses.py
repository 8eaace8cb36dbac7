"""Ways around the guards: unreadable manifests, a long thought, a name written otherwise, somebody else's object."""

from __future__ import annotations

import io
import json
import shlex

import pytest
from desk import PROJECT
from guarded import course, passes, project, refused, room, second_project

REMOVED = """\
apiVersion: reconciler/v1
kind: Removed
metadata: {name: old}
spec: {forget: [Resource/keep]}
"""


@pytest.mark.parametrize("broken", ["spec: {forget: [Resource/keep]", "spec: {forgot: [Resource/keep]}"])
def test_destroy_does_not_delete_what_unreadable_manifests_may_leave_alone(desk, broken):
    room(desk)
    room(desk, "keep")
    desk.run("apply", "--yes", code=0)
    desk.forget("Resource", "keep")
    desk.box.clear_log()
    file = desk.manifest("removed.yaml", REMOVED.replace("spec: {forget: [Resource/keep]}", broken))
    done = desk.run("destroy", "--yes", code=1)
    assert "manifests/removed.yaml:" in done.err
    assert desk.calls() == []
    file.write_text(REMOVED, encoding="utf-8")
    desk.run("destroy", "--yes", code=0)
    assert [item["name"] for item in desk.box.resources() if not item.get("deleted")] == ["The keep"]


class Thinking(io.StringIO):
    """A terminal at which somebody does something before answering yes."""

    def __init__(self, meanwhile):
        super().__init__("yes\n")
        self.meanwhile = meanwhile

    def isatty(self):
        return True

    def readline(self, *size):
        self.meanwhile()
        return super().readline(*size)


def test_guards_look_again_after_the_question(desk, monkeypatch):
    room(desk)
    desk.run("apply", "--yes", code=0)
    shop = second_project(desk)
    room(desk, description="Quiet")
    desk.box.clear_log()
    adopt = ("adopt", "Resource/room", "--allow-shared", "*", *shop)
    monkeypatch.setattr("sys.stdin", Thinking(lambda: desk.process(*adopt)))
    done = desk.run("apply", code=4)
    assert "is also managed by project shop (as Resource/room) in the same state" in done.err
    assert desk.calls() == []
    monkeypatch.setattr("sys.stdin", Thinking(lambda: None))
    desk.run("apply", "--allow-shared", "Resource/room", code=0)


def test_a_booking_between_the_question_and_its_answer_stops_the_apply(desk, monkeypatch):
    course(desk)
    desk.session(
        spaces=12, slots=[("2027-03-02", "11:00", 60), ("2027-03-08", "11:00", 60), ("2027-03-15", "9:30", 90)]
    )
    slot = desk.box.sessions()[0]["slots"][0]["id"]
    desk.box.clear_log()
    monkeypatch.setattr("sys.stdin", Thinking(lambda: desk.box.book(slot)))
    done = desk.run("apply", code=5)
    assert "there is a new risk (booked-slot-moved)" in done.err
    assert desk.calls() == []


def test_a_manifest_that_forgets_declares_nothing(desk):
    for number in range(3):
        room(desk, f"r{number}")
    desk.run("apply", "--yes", code=0)
    for number in (1, 2):
        desk.forget("Resource", f"r{number}")
    desk.declare("Resource", "r0", {"name": "The r0"}, forget=True)
    words, outcomes = refused(desk, "guard-empty")
    assert "the manifests declare no objects (spec.manifests at reconciler.yaml:5)" in words
    assert "but the state has 2 managed objects" in words
    assert outcomes["Resource/r1"]["state"] == "blocked"
    passes(desk, "--allow-empty")


@pytest.mark.parametrize("answered", ["all", "documented"])
def test_two_resources_of_one_name_and_different_references_are_two(desk, answered):
    desk.box.set_options(resource_fields=answered)
    desk.box.add_resource({"name": "Room", "api_ref": "A"})
    desk.declare("Resource", "room", {"name": "Room", "api_ref": "B"})
    if answered == "documented":  # nothing tells them apart
        refused(desk, "guard-already-exists")
        return
    done = desk.run("adopt", "--all", code=1)
    assert "no unmanaged live object has its natural key; similar: id 13" in done.err
    desk.run("adopt", "Resource/room", code=1)
    desk.run("apply", "--yes", code=0)
    assert [item["api_ref"] for item in desk.box.resources()] == ["A", "B"]
    desk.settled()
    desk.declare("Resource", "first", {"name": "Room", "api_ref": "A"})
    desk.run("adopt", "--all", code=0)
    desk.settled()


def test_adopting_in_part_is_no_refusal(desk):
    room(desk)
    room(desk, "other")
    desk.run("apply", "--yes", "--target", "Resource/room", code=0)
    shop = second_project(desk)
    assert "0 objects; 2 not adopted" in desk.run("adopt", "--all", *shop, code=1).err
    desk.box.add_resource({"name": "The other"})
    assert "1 object (1 Resource); 1 not adopted" in desk.run("adopt", "--all", *shop, code=4).err


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("allow-booked-untill", "allow-booked-until"),
        ("allow_booked_until", "allow-booked-until"),
        ("Allow-Booked", "allow-booked-until"),
        ("adopt_id", "adopt-id"),
        ("owner", None),
        ("example.com/adopt-id", None),
        ("booked-by", None),
    ],
)
def test_a_misspelt_annotation_is_reported(desk, name, meant):
    desk.declare("Resource", "room", {"name": "Room"}, annotations={name: "2030-01-01"})
    done = desk.run("validate", code=0)
    words = f'manifests/resource-room.json:7:7: Resource/room: warning: annotation "{name}" has no effect; did you'
    assert (f'{words} mean "{meant}"?' in done.out + done.err) is (meant is not None)
    assert ("has no effect" in done.out + done.err) is (meant is not None)
    assert ("has no effect" in desk.run("plan", code=0).out) is (meant is not None)


def test_an_annotation_does_not_reach_a_destroy(desk):
    course(desk)
    file = desk.folder / "manifests" / "session-yoga.json"
    spec = json.loads(file.read_text(encoding="utf-8"))["spec"]
    desk.declare("Session", "yoga", spec, annotations={"allow-booked-until": "2999-01-01"})
    refused(desk, "guard-booked-session-deleted", command="destroy")


def test_the_command_that_a_saved_plan_names_carries_it_out(desk):
    desk.project(PROJECT.format(url=desk.box.url) + "  environments: {test: {}}\n")
    room(desk)
    done = desk.run(
        *("plan", "--project", ".", "--env", "test", "--out", "next week.json", "--allow-booked", "*"), code=0
    )
    words = done.err.split("To apply exactly this plan: ")[1].strip().strip("`")
    assert words == "reconciler apply 'next week.json' --allow-booked '*' --project . --env test"
    desk.run(*shlex.split(words)[1:], "--yes", code=0)


def test_the_first_edit_of_a_small_studio_passes_unless_its_project_file_sets_a_share(desk):
    for number in range(12):
        room(desk, f"r{number}")
    desk.run("apply", "--yes", code=0)
    for number in range(5):
        room(desk, f"r{number}", description="Five of twelve")
    project(desk, "policy: {max_change_percent: 30}")
    words, _ = refused(desk, "guard-max-change-percent")
    assert "5 of 12 managed objects (42 %) would change" in words
    project(desk, "policy: {max_deletes: 10}")
    passes(desk)


def test_the_share_of_changes_is_exact_at_its_limit(desk):
    for number in range(9):
        room(desk, f"r{number}")
    desk.run("apply", "--yes", code=0)
    for number in range(9):
        room(desk, f"r{number}", description="All of nine")
    passes(desk)
    room(desk, "r9", description="The tenth")
    desk.run("apply", "--yes", code=0)
    project(desk, "policy: {max_change_percent: 33.3}")
    for number in range(3):
        room(desk, f"r{number}", description="Three of ten")
    passes(desk)
    for number in range(4):
        room(desk, f"r{number}", description="Four of ten")
    words, _ = refused(desk, "guard-max-change-percent")
    assert "4 of 10 managed objects (40 %) would change, more than the limit of 33.3 %" in words
    assert "policy.max_change_percent at reconciler.yaml:18" in words
    refused(desk, "guard-max-change-percent", "--max-change-percent", "39.9")
    passes(desk, "--max-change-percent", "40")
