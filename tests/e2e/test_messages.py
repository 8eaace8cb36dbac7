"""Sentences in which wrong words would mislead: suggestions, limits, what is forgotten, what to do next."""

import json

import pytest


def test_a_missing_folder_is_reported_with_its_place(desk):
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text().replace("[manifests]", "[manifests, summer]"))
    done = desk.run("validate", code=1)
    assert "reconciler.yaml:5:26: summer does not exist" in done.out + done.err


def test_an_object_that_is_left_alone_is_not_shown_as_matching(desk):
    desk.declare("Resource", "hall", {"name": "Hall"}, forget=True)
    assert desk.run("plan", code=0).out.splitlines()[-1] == "No changes. 1 object no longer managed."
    desk.declare("Resource", "room", {"name": "Room"})
    desk.run("apply", "--yes", code=0)
    last = desk.run("plan", code=0).out.splitlines()[-1]
    assert last == "No changes. 1 object matches the live timetable; 1 no longer managed."
    assert json.loads(desk.run("plan", "--format", "json", code=0).out)["summary"]["noop"] == 2


def test_a_limit_of_the_whole_run_is_reported_once(desk):
    for number in range(3):
        desk.declare("Resource", f"room-{number}", {"name": f"Room {number}"})
    desk.run("apply", "--yes", code=0)
    for number in range(3):
        desk.forget("Resource", f"room-{number}")
    done = desk.run("apply", "--yes", "--allow-empty", code=0)
    assert (done.out + done.err).count("allowed by --allow-empty") == 1
    for form in ("text", "markdown", "html"):
        desk.declare("Resource", "other", {"name": "Other"})
        desk.declare("Resource", "room", {"name": "Room"})
        desk.run("apply", "--yes", code=0)
        desk.forget("Resource", "other")
        desk.forget("Resource", "room")
        done = desk.run("apply", "--yes", "--allow-empty", "--format", form, code=0)
        assert (done.out + done.err).count("allowed by --allow-empty") == 1


def test_a_name_that_is_not_near_is_not_suggested(desk):
    desk.declare("Resource", "hall", {"name": "Hall"})
    desk.run("apply", "--yes", code=0)
    assert "did you mean" not in desk.run("state", "show", "Resource/studio", code=1).err
    assert "did you mean Resource/hall?" in desk.run("state", "show", "Resource/halls", code=1).err
    assert "did you mean Resource/hall?" in desk.run("plan", "--target", "Resource/hal", code=64).err
    assert "did you mean Resource/hall?" in desk.run("export", "Resource/hal", code=64).err


def test_a_first_export_says_what_to_do_next_and_no_more(desk):
    desk.box.add_resource({"name": "Hall"})
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text().replace("[manifests]", "[taken]") + "  environments: {gym: {}}\n")
    first = desk.run("export", "--out", "taken", "--env", "gym", code=0).err
    assert first.splitlines()[-1].endswith("`reconciler adopt --all --env gym`")
    assert "problem" not in first
    assert desk.run("adopt", "--all", "--env", "gym", code=0).err.endswith("`reconciler plan --env gym`\n")
    assert "adopt --all" not in desk.run("export", "--out", "taken", "--env", "gym", code=0).err


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_exists_already_is_not_called_a_risk_to_bookings(desk, form):
    desk.box.add_resource({"name": "Hall"})
    desk.declare("Resource", "hall", {"name": "Hall"})
    shown = desk.run("plan", "--format", form, code=0)
    assert "reconciler adopt Resource/hall 13" in shown.out + shown.err
    assert "t risk" not in shown.out
