"""What drift says where there is nothing to compare with: open calls, a lost state, broken manifests."""

from __future__ import annotations

import shutil

import pytest
from desk import PROJECT
from guarded import room

from reconciler.sandbox import Fault

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00"}


def lose(desk, method):
    desk.box.fault(Fault(kind="drop_after", match_method=method, times=None))
    desk.run("apply", "--yes", code=3)
    desk.box.clear_faults()


def test_a_create_with_an_unknown_result_is_unknown(desk):
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.declare("Session", "swim", SWIM)
    lose(desk, "POST")
    done = desk.run("drift", "--format", "json", code=1)
    found = {item["address"]: item for item in done.json["objects"]}
    assert found["Resource/room"]["status"] == "in_sync"
    assert found["Session/swim"]["status"] == "unknown"
    assert "a call to create it" in found["Session/swim"]["reason"]
    assert "1 object is unknown" in done.err
    assert "the next apply closes calls with an unknown result" in done.err
    desk.run("apply", "--yes", code=0)
    desk.run("drift", code=0)


@pytest.mark.parametrize("effect", ["update", "delete"])
def test_a_change_with_an_unknown_result_is_unknown(desk, effect):
    room(desk)
    room(desk, "hall")
    desk.run("apply", "--yes", code=0)
    if effect == "update":
        room(desk, description="Quiet")
    else:
        desk.forget("Resource", "room")
    lose(desk, "PUT" if effect == "update" else "DELETE")
    done = desk.run("drift", code=1)
    assert f"a call to {effect} it, which started at" in done.out
    assert "has an unknown result" in done.out
    desk.run("apply", "--yes", code=0)
    desk.run("drift", code=0)


def test_a_lost_create_alone_is_told(desk):
    desk.declare("Session", "swim", SWIM)
    lose(desk, "POST")
    assert "Session/swim" in desk.run("drift", code=1).out
    desk.run("drift", "--target", "Session/swim", code=1)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_lost_state_is_not_no_drift(desk, form):
    room(desk)
    room(desk, "hall")
    desk.run("apply", "--yes", code=0)
    shutil.rmtree(desk.folder / ".reconciler")
    done = desk.run("drift", "--format", form, code=2)
    assert "No drift" not in done.out
    if form == "json":
        assert done.json["objects"] == []
    words = done.err if form == "json" else done.out
    assert "No objects are managed, but the manifests declare 2 objects" in words
    assert "state was lost" in words
    assert desk.run("drift", "--target", "Resource/room", code=2).out


def test_nothing_managed_and_nothing_declared_is_no_drift(desk):
    assert "No objects are managed" in desk.run("drift", code=0).out


def test_the_manifests_of_another_environment_are_not_managed_yet(desk):
    desk.project(PROJECT.format(url=desk.box.url) + "  environments: {test: {}}\n")
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.run("drift", code=0)
    desk.run("drift", "--env", "test", code=2)


def test_broken_manifests_are_an_error(desk):
    room(desk)
    desk.run("apply", "--yes", code=0)
    desk.manifest("broken.yaml", "kind: [Session\n")
    desk.box.clear_log()
    done = desk.run("drift", code=1)
    assert "manifests/broken.yaml:" in done.err
    assert desk.box.log() == []
