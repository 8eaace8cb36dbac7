"""One postal address that several resources use: whoever changes it changes it for all of them."""

from __future__ import annotations

import pytest
from guarded import project, room

from reconciler.sandbox import Fault

HALL = {"address1": "1 High St", "postcode": "N1 1AA"}
NEW = {"address1": "2 Low Rd", "postcode": "N1 1AA"}
CODE = "guard-shared-address-changed"


def live(desk, name):
    (found,) = [item for item in desk.box.resources() if item["name"] == name and not item["deleted"]]
    return found


def managed_beside(desk, *others):
    """A managed room whose address other live resources use as well, as somebody in the office made them."""
    room(desk, address=HALL)
    desk.run("apply", "--yes", code=0)
    number = live(desk, "The room")["address_id"]
    for name in others:
        desk.box.add_resource({"name": name, "address_id": number})
    desk.box.clear_log()
    return number


def test_a_change_of_an_address_that_others_use_is_refused_and_names_them(desk):
    managed_beside(desk, "Sauna", "Pool")
    room(desk, address=NEW)
    done = desk.run("apply", "--yes", code=4)
    for other in ("Sauna", "Pool"):
        assert f"'{other}' (id {live(desk, other)['id']})" in done.err
    assert "--allow-shared Resource/room" in done.err
    assert desk.calls() == []
    shown = desk.run("plan", code=0).out
    assert "At risk" in shown
    assert "To override: --allow-shared Resource/room" in shown
    (change,) = desk.run("plan", "--format", "json", code=0).json["changes"]
    assert change["guarded"] == [CODE]
    assert [(item["code"], item["level"]) for item in change["risks"]] == [("shared-address-changed", "block")]
    desk.run("apply", "--yes", "--allow-booked", "Resource/room", code=4)
    desk.run("apply", "--yes", "--allow-shared", "Resource/room", code=0)
    assert live(desk, "Pool")["address"]["address1"] == "2 Low Rd"
    desk.settled()


def test_one_part_of_a_shared_address_is_a_change_for_the_others_as_well(desk):
    managed_beside(desk, "Sauna")
    room(desk, address={"postcode": "N2"})
    desk.run("apply", "--yes", code=4)


def test_a_project_decides_that_shared_addresses_only_warn(desk):
    project(desk, "policy: {risks: {shared-address-changed: warn}}")
    managed_beside(desk, "Sauna")
    room(desk, address=NEW)
    assert "'Sauna'" in desk.run("plan", code=0).out
    desk.run("apply", "--yes", code=0)
    desk.settled()


@pytest.mark.parametrize("spec", [{"address": HALL, "description": "Quiet"}, {"description": "Quiet"}])
def test_a_change_that_leaves_the_shared_address_as_it_is_touches_nobody(desk, spec):
    managed_beside(desk, "Sauna")
    room(desk, **spec)
    desk.run("apply", "--yes", code=0)
    assert live(desk, "Sauna")["address"]["address1"] == "1 High St"
    desk.settled()


def test_a_deleted_resource_is_not_touched(desk):
    number = managed_beside(desk)
    desk.box.add_resource({"name": "Old", "address_id": number, "deleted": True})
    room(desk, address=NEW)
    desk.run("apply", "--yes", code=0)


def test_whoever_else_uses_the_address_is_unknown_where_the_list_cannot_be_read(desk):
    managed_beside(desk, "Sauna")
    desk.box.fault(Fault(kind="status_before", status=500, match_path="/resources$", match_method="GET", times=None))
    room(desk, address=NEW)
    (change,) = desk.run("plan", "--format", "json", code=1).json["changes"]
    assert change["action"] == "unknown"
    assert "address" in change["reason"]
    desk.run("apply", "--yes", code=3)
    assert desk.calls() == []
    room(desk, address=HALL, description="Quiet")  # what does not touch the address needs no list
    desk.run("apply", "--yes", code=0)
    desk.box.clear_faults()
    desk.settled()


def two_of_one_address(desk, **second):
    """Two managed resources of one address."""
    number = managed_beside(desk)
    room(desk, "sauna", address_id=number)
    desk.run("apply", "--yes", code=0)
    desk.box.clear_log()
    room(desk, "sauna", **second)


def test_two_different_addresses_for_one_are_a_problem_with_both_places(desk):
    two_of_one_address(desk, address={"address1": "3 Mid St"})
    room(desk, address=NEW)
    plan = desk.run("plan", "--format", "json", code=1).json
    found = [item for item in plan["problems"] if item["code"] == "shared-address-conflict"]
    assert {item["address"] for item in found} == {"Resource/room", "Resource/sauna"}
    assert any("manifests/resource-sauna.json:" in item["message"] for item in found)
    assert {item["source"]["file"] for item in found} == {
        "manifests/resource-room.json",
        "manifests/resource-sauna.json",
    }
    desk.run("apply", "--yes", code=1)
    assert desk.calls() == []


@pytest.mark.parametrize("address_put", ["in_place", "new"])
def test_the_same_address_in_both_needs_no_override_and_converges(desk, address_put):
    desk.box.set_options(address_put=address_put)
    two_of_one_address(desk, address=NEW)
    room(desk, address=NEW)
    desk.run("apply", "--yes", code=0)
    assert {live(desk, name)["address"]["address1"] for name in ("The room", "The sauna")} == {"2 Low Rd"}
    desk.settled()


def test_parts_that_do_not_contradict_each_other_may_be_stated_apart(desk):
    two_of_one_address(desk, address={"postcode": "N1 1AA"})
    room(desk, address={"address1": "2 Low Rd"})
    done = desk.run("apply", "--yes", code=4)
    assert "Resource/sauna" in done.err
    desk.run("apply", "--yes", "--allow-shared", "Resource/room", code=0)
    desk.settled()


def test_two_that_both_change_other_parts_of_one_address_are_a_problem(desk):
    two_of_one_address(desk, address={"postcode": "N2"})
    room(desk, address={"address1": "2 Low Rd"})
    desk.run("plan", code=1)


def test_a_managed_resource_that_only_names_the_address_is_touched(desk):
    two_of_one_address(desk, description="Hot")
    room(desk, address=NEW)
    done = desk.run("apply", "--yes", code=4)
    assert f"'The sauna' (id {live(desk, 'The sauna')['id']}, Resource/sauna)" in done.err


def test_a_resource_that_is_deleted_by_the_same_plan_is_not_touched(desk):
    two_of_one_address(desk)
    desk.forget("Resource", "sauna")
    room(desk, address=NEW)
    desk.run("apply", "--yes", code=0)


def test_an_adopted_resource_changes_no_shared_address_either(desk):
    number = desk.box.add_resource({"name": "Sauna", "address": HALL})
    shared = live(desk, "Sauna")["address_id"]
    desk.box.add_resource({"name": "The room", "address_id": shared})
    room(desk, address=NEW)
    desk.run("adopt", "--all", code=0)
    done = desk.run("apply", "--yes", code=4)
    assert f"'Sauna' (id {number})" in done.err
