"""What counts as a second live object where one is managed, and what a run remembers of what was there before."""

from collections import Counter

import pytest
from engine_fakes import (
    KINDS,
    LOST_AFTER,
    LOST_BEFORE,
    Office,
    actions,
    block,
    codes,
    resource,
    session,
    states,
)
from values import replace

from reconciler.engine import duplicates
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.world import World
from reconciler.model.objects import Live, Reading, Record


@pytest.fixture
def office():
    return Office()


def doubled(plan):
    """Return what a plan says may exist twice: the address, and the id that is new."""
    found = [item for item in plan.problems if item.code == "possible-duplicate"]
    return [(str(item.address), item.summary.split()[1]) for item in found]


def lost(office, *desired, fault=LOST_BEFORE):
    office.remote.faults = [fault]
    office.apply(*desired, workers=1)
    office.remote.faults = []


def again(office, *desired):
    """Lose a create, look, and make it again."""
    lost(office, *desired)
    assert office.apply(*desired).clean
    assert doubled(office.plan(*desired)) == []


YOGA, COURT = session("yoga"), resource("court")


@pytest.mark.parametrize("desired", [YOGA, COURT], ids=["session", "resource"])
def test_a_create_that_is_carried_out_late_is_a_possible_duplicate(office, desired):
    again(office, desired)
    late = office.remote.put(desired.address.kind, desired.fields)
    plan = office.plan(desired)
    assert doubled(plan) == [(str(desired.address), late)]
    assert plan.effective == ()
    assert plan.errors == ()
    report = office.apply(desired)
    assert not report.clean
    assert codes(report.problems) == {"possible-duplicate"}
    assert doubled(office.plan(desired)) == [(str(desired.address), late)]


def test_so_is_a_second_block(office):
    declared = (COURT, block("night", "court"))
    office.apply(*declared)
    late = office.remote.put("Block", office.only("Block"))
    assert doubled(office.plan(*declared)) == [("Block/night", late)]


def test_a_run_that_writes_never_takes_it_for_one_that_was_there_before(office):
    again(office, YOGA)
    late = office.remote.put("Session", YOGA.fields)
    for price in ("1.00", "2.00"):
        other = session("zumba", price=price)
        assert states(office.apply(YOGA, other))["Session/zumba"] == "applied"
        assert doubled(office.plan(YOGA, other)) == [("Session/yoga", late)]
    office.apply(YOGA, session("swim"), targets=("Session/swim",))
    assert doubled(office.plan(YOGA, session("zumba", price="2.00"), session("swim"))) == [("Session/yoga", late)]


def test_what_was_there_before_and_looks_alike_later_is_none(office):
    other = office.remote.put("Session", {**YOGA.fields, "start_date": "2027-05-05"})
    office.apply(YOGA)
    office.remote.objects["Session"][other]["start_date"] = YOGA.fields["start_date"]
    assert doubled(office.plan(YOGA)) == []


def test_an_id_that_was_used_again_is_new(office):
    other = office.remote.put("Session", {**YOGA.fields, "name": "Other"})
    office.apply(YOGA)
    del office.remote.objects["Session"][other]
    office.apply(YOGA, session("zumba"))
    office.remote.put("Session", YOGA.fields, other)
    assert doubled(office.plan(YOGA, session("zumba"))) == [("Session/yoga", other)]


def test_in_place_of_an_object_that_is_gone_another_one_is_no_duplicate(office):
    office.apply(YOGA)
    office.remote.objects["Session"].clear()
    office.remote.put("Session", YOGA.fields)
    plan = office.plan(YOGA)
    assert actions(plan) == {"Session/yoga": "adopt"}
    assert doubled(plan) == []


def test_after_a_rename_the_late_object_is_known_by_what_was_sent(office):
    again(office, YOGA)
    renamed = replace(YOGA, fields={**YOGA.fields, "name": "Slow yoga"})
    office.apply(renamed)
    late = office.remote.put("Session", YOGA.fields)
    assert doubled(office.plan(renamed)) == [("Session/yoga", late)]


@pytest.mark.parametrize("how", ["removed", "destroyed", "never made"])
def test_after_a_deletion_the_late_object_is_known_by_what_was_sent(office, how):
    other = session("zumba")
    if how == "never made":
        lost(office, YOGA)
    else:
        again(office, YOGA)
    office.apply(other)
    if how == "destroyed":
        office.apply(YOGA, other, destroying=True, targets=("Session/yoga",))
    late = office.remote.put("Session", YOGA.fields)
    plan = office.plan(other)
    assert doubled(plan) == [("Session/yoga", late)]
    assert "Session/yoga" not in actions(plan)
    assert "is not managed" in plan.problems[0].summary


def test_a_run_about_another_object_does_not_take_a_late_object_for_an_old_one(office):
    other = session("zumba")
    again(office, YOGA)
    office.apply(YOGA, destroying=True)
    late = office.remote.put("Session", YOGA.fields)
    office.apply(YOGA, other, targets=("Session/zumba",))
    assert doubled(office.plan(other)) == [("Session/yoga", late)]


def test_a_run_about_another_object_remembers_nothing_of_what_a_lost_create_may_have_made(office):
    other = session("zumba")
    office.apply(other)
    lost(office, YOGA, other, fault=LOST_AFTER)
    (made,) = [key for key, fields in office.live["Session"].items() if fields["name"] == "yoga"]
    late = office.remote.put("Session", YOGA.fields)
    changed = replace(other, fields={**other.fields, "price": "9.00"})
    office.apply(YOGA, changed, targets=("Session/zumba",))
    assert not {made, late} & set().union(*office.store.seen().values())


def test_what_a_person_stops_managing_is_in_doubt_no_more(office):
    again(office, YOGA)
    office.apply(replace(YOGA, forget=True))
    assert len(office.live["Session"]) == 1
    assert doubled(office.plan(session("zumba"))) == []


def test_a_create_whose_object_was_found_is_no_doubt_about_that_object(office):
    lost(office, YOGA, fault=LOST_AFTER)
    assert office.apply(YOGA).clean
    assert doubled(office.plan(YOGA)) == []
    late = office.remote.put("Session", YOGA.fields)
    assert doubled(office.plan(YOGA)) == [("Session/yoga", late)]


def test_classes_of_one_name_at_other_times_are_none(office):
    office.apply(YOGA)
    office.remote.put("Session", {**YOGA.fields, "time": "07:00"})
    assert doubled(office.plan(YOGA)) == []


def test_two_managed_twins_share_one_warning_for_each_new_object(office):
    twin = replace(session("twin"), fields=YOGA.fields, annotations={"distinct-from": "101"})
    office.apply(YOGA)
    office.apply(YOGA, twin)
    assert doubled(office.plan(YOGA, twin)) == []
    late = office.remote.put("Session", YOGA.fields)
    assert doubled(office.plan(YOGA, twin)) == [("Session/twin", late)]
    mine = replace(twin, annotations={"distinct-from": f"101, {late}"})
    assert doubled(office.plan(YOGA, mine)) == [("Session/yoga", late)]


def test_many_are_counted(office):
    office.apply(YOGA)
    for _ in range(8):
        office.remote.put("Session", YOGA.fields)
    plan = office.plan(YOGA)
    assert len(plan.possible_duplicates) == 5
    assert "3 more" in plan.possible_duplicates[0].summary


def test_the_look_takes_one_pass_over_what_is_managed_and_what_is_live(office, monkeypatch):
    counts = Counter()
    kind = KINDS["Session"]

    def counted(name):
        function = getattr(kind, name)

        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        return call

    number = 500
    watched = replace(kind, identities=counted("identities"), apart=counted("apart"))
    records = [
        Record(
            address=session(f"s{item}").address,
            connection="sessions",
            target=office.project.connections["sessions"].target,
            remote_id=str(item),
            fields={**YOGA.fields, "name": f"S{item % 5}"},
        )
        for item in range(number)
    ]
    lives = {record.remote_id: Live(remote_id=record.remote_id, fields=record.fields) for record in records}
    lives |= {
        str(number + item): Live(remote_id=str(number + item), fields=records[item].fields) for item in range(number)
    }
    world = World(
        desired={},
        records={record.address: record for record in records},
        selected=frozenset(record.address for record in records),
        kinds={"Session": watched},
        providers={},
        connections=office.project.connections,
    )
    snapshot = Snapshot(readings={("sessions", "Session"): Reading(live=lives, listed=frozenset(lives))})
    assert len(duplicates.suspects(world, snapshot)) == number
    assert counts["identities"] <= 5 * number
    assert counts["apart"] <= 2 * number
