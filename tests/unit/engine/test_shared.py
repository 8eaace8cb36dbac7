"""Values that many live objects use together: what a plan says of the others."""

from __future__ import annotations

from engine_fakes import CONNECTIONS, KINDS, PROVIDERS, resource

from reconciler.engine.plan import decide_all
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.world import World
from reconciler.model.objects import Live, Reading, Record, Users

OLD = {"address1": "1 High St"}
MANY = 8


def decided(addresses, strangers=0):
    """Decide on managed resources that share one address, and state another one each; None states nothing."""
    stated = [{} if address is None else {"address": address} for address in addresses]
    desired = [resource(f"room-{n}", **fields) for n, fields in enumerate(stated)]
    names = {str(n): f"Room {n}" for n in range(len(desired) + strangers)}
    lives = [
        Live(remote_id=str(n), fields={**item.fields, "address": OLD}, shared={"address": Users(names=names)})
        for n, item in enumerate(desired)
    ]
    records = [
        Record(
            address=item.address,
            connection="admin",
            target=CONNECTIONS["admin"].target,
            remote_id=str(n),
            fields={**item.fields, **({"address": OLD} if "address" in item.fields else {})},
        )
        for n, item in enumerate(desired)
    ]
    world = World(
        desired={item.address: item for item in desired},
        records={item.address: item for item in records},
        selected=frozenset(item.address for item in desired),
        kinds=KINDS,
        providers=PROVIDERS,
        connections=CONNECTIONS,
    )
    reading = Reading(live={live.remote_id: live for live in lives}, listed=frozenset(names))
    found = decide_all(world, Snapshot(readings={("admin", "Resource"): reading}))
    return list(found.by_address.values()), found.problems


def test_all_that_change_an_address_in_the_same_way_touch_nobody():
    decisions, problems = decided([{"address1": "2 Low Rd"}] * MANY)
    assert {item.action for item in decisions} == {"update"}
    assert [risk for item in decisions for risk in item.risks] == []
    assert problems == ()


def test_of_many_others_five_are_named_and_the_rest_counted_without_the_object_itself():
    decisions, problems = decided([{"address1": "2 Low Rd"}, None], strangers=MANY)
    (risk,) = decisions[0].risks
    assert "'Room 1' (id 1, Resource/room-1), 'Room 2' (id 2)" in risk.message
    assert "'Room 0'" not in risk.message
    assert f"and {MANY + 1 - 5} more" in risk.message
    assert problems == ()


def test_one_that_states_what_is_live_contradicts_one_that_changes_it():
    _, problems = decided([{"address1": "2 Low Rd"}, OLD])
    assert {str(item.address) for item in problems} == {"Resource/room-0", "Resource/room-1"}


def test_each_of_many_that_contradict_each_other_names_a_few():
    _, problems = decided([{"address1": f"{n} Low Rd"} for n in range(2, 2 + MANY)])
    assert {item.code for item in problems} == {"shared-address-conflict"}
    assert {str(item.address) for item in problems} == {f"Resource/room-{n}" for n in range(MANY)}
    assert len(problems) <= 2 * 5 * MANY
