"""External references that a system allows once: shifted along a chain, swapped, freed by a delete, in use."""

from __future__ import annotations

import pytest
from guarded import room

from reconciler.sandbox import Fault

ORDERS = [["a", "b", "c", "d"], ["d", "c", "b", "a"], ["b", "d", "a", "c"]]


@pytest.fixture(params=["yes", "no"], ids=["unique", "free"])
def desk(desk, request):
    desk.box.set_options(api_ref_unique=request.param)
    return desk


def references(desk):
    return {item["name"].removeprefix("The "): item["api_ref"] for item in desk.box.resources() if not item["deleted"]}


def applied(desk, **refs):
    for name, ref in refs.items():
        room(desk, name, api_ref=ref)
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()


@pytest.mark.parametrize("names", ORDERS)
def test_references_move_along_a_chain_in_one_apply(desk, names):
    applied(desk, **{name: f"r{index}" for index, name in enumerate(names)})
    applied(desk, **{name: f"r{index + 1}" for index, name in enumerate(names)})
    assert references(desk) == {name: f"r{index + 1}" for index, name in enumerate(names)}
    desk.settled()


@pytest.mark.parametrize(("gone", "new"), [("a", "z"), ("z", "a")])
def test_a_new_object_takes_the_reference_of_one_that_is_deleted(desk, gone, new):
    applied(desk, **{gone: "r1"})
    desk.forget("Resource", gone)
    applied(desk, **{new: "r1"})
    assert references(desk) == {new: "r1"}
    desk.settled()


@pytest.mark.parametrize(("old", "new"), [("a", "z"), ("z", "a")])
def test_a_new_object_takes_the_reference_that_another_gives_up(desk, old, new):
    applied(desk, **{old: "r1"})
    applied(desk, **{old: "r2", new: "r1"})
    assert references(desk) == {old: "r2", new: "r1"}
    desk.settled()


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c"]])
def test_a_swap_is_refused_with_the_way_out(desk, names):
    """A temporary value would be live for a while, and is left there by a run that ends in between."""
    refs = [f"r{index}" for index in range(len(names))]
    applied(desk, **dict(zip(names, refs, strict=True)))
    shifted = dict(zip(names, [*refs[1:], refs[0]], strict=True))
    for name, ref in shifted.items():
        room(desk, name, api_ref=ref)
    plan = desk.run("plan", "--format", "json", code=1).json
    found = [item for item in plan["problems"] if item["code"] == "exchanged-api_ref"]
    assert {item["address"] for item in found} == {f"Resource/{name}" for name in names}
    assert all("Resource/a" in item["message"] and item["source"] for item in found)
    assert "another api_ref" in found[0]["hint"]
    desk.run("apply", "--yes", code=1)
    assert desk.calls() == []
    applied(desk, **{"a": "for-now", **{name: ref for name, ref in shifted.items() if name != "a"}})
    applied(desk, **shifted)
    assert references(desk) == shifted
    desk.settled()


def test_a_reference_that_its_owner_keeps_is_told_before_anything_is_sent(desk):
    applied(desk, a="r1", b="r2")
    room(desk, "a", api_ref="r2")
    room(desk, "b")  # leaves its reference alone
    plan = desk.run("plan", "--format", "json", code=1).json
    (found,) = [item for item in plan["problems"] if item["code"] == "taken-api_ref"]
    assert found["address"] == "Resource/a"
    assert "Resource/b" in found["message"]
    assert desk.calls() == []


def test_an_owner_that_is_not_selected_is_named(desk):
    applied(desk, a="r1", b="r2")
    room(desk, "a", api_ref="r2")
    room(desk, "b", api_ref="r3")
    plan = desk.run("plan", "--target", "Resource/a", "--format", "json", code=1).json
    (found,) = plan["problems"]
    assert "--target Resource/b" in found["hint"]
    desk.run("apply", "--yes", "--target", "Resource/a", "--target", "Resource/b", code=0)
    assert references(desk) == {"a": "r2", "b": "r3"}


def test_a_reference_of_an_unmanaged_object_is_told_before_anything_is_sent(desk):
    desk.box.set_options(resource_fields="all")
    desk.box.add_resource({"name": "Sauna", "api_ref": "r2"})
    applied(desk, a="r1")
    room(desk, "a", api_ref="r2")
    plan = desk.run("plan", "--format", "json", code=1).json
    (found,) = [item for item in plan["problems"] if item["code"] == "taken-api_ref"]
    assert "Sauna" in found["message"]


def test_what_takes_a_reference_waits_for_its_owner_to_give_it_up(desk):
    applied(desk, a="r1", b="r2")
    owner = next(item["id"] for item in desk.box.resources() if item["name"] == "The b")
    desk.box.fault(Fault(kind="status_before", status=422, match_method="PUT", match_path=f"/resources/{owner}$"))
    for name, ref in (("a", "r2"), ("b", "r3")):
        room(desk, name, api_ref=ref)
    done = desk.run("apply", "--yes", "--format", "json", code=3)
    states = {item["address"]: (item["state"], item["blocked_by"]) for item in done.json["outcomes"]}
    assert states == {"Resource/a": ("blocked", "Resource/b"), "Resource/b": ("failed", None)}
    desk.run("apply", "--yes", code=0)
    assert references(desk) == {"a": "r2", "b": "r3"}


def test_a_chain_in_a_saved_plan_is_ordered_as_well(desk):
    applied(desk, a="r1", b="r2")
    room(desk, "a", api_ref="r2")
    room(desk, "b", api_ref="r3")
    desk.run("plan", "--out", "p.plan", code=0)
    desk.run("apply", "p.plan", "--yes", code=0)
    assert references(desk) == {"a": "r2", "b": "r3"}


def test_two_manifests_with_one_reference_are_told_by_validate(desk):
    room(desk, "a", api_ref="r1")
    room(desk, "b", api_ref="r1")
    done = desk.run("validate", code=1)
    assert "manifests/resource-b.json:9:16: Resource/b: api_ref 'r1' is also that of Resource/a (manif" in done.out


def test_two_manifests_with_one_natural_key_are_told_by_validate(desk):
    desk.declare("Resource", "a", {"name": "Court"})
    desk.declare("Resource", "b", {"name": "Court"})
    done = desk.run("validate", code=0)
    assert "Resource/b: warning: has the same natural key as Resource/a (manifests/resource-a.json:" in done.out
    desk.declare("Resource", "a", {"name": "Court", "api_ref": "r1"})
    desk.declare("Resource", "b", {"name": "Court", "api_ref": "r2"})
    assert "natural key" not in desk.run("validate", code=0).out
