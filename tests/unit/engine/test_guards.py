from dataclasses import replace

import pytest
from engine_fakes import Office, codes, session

from reconciler.engine.guards import Case, Overrides, judge
from reconciler.model.objects import SourceRef
from reconciler.settings import Policy

NONE = Overrides()


def evaluate(plan, policy, overrides):
    return judge(Case(plan=plan, policy=policy, overrides=overrides)).refusals


WIDE = Policy(max_deletes=1000, max_change_percent=100)


@pytest.fixture
def office():
    return Office()


def sessions(count, **spec):
    return [session(f"s{number:02d}", **spec) for number in range(count)]


def booked(office, count=4):
    slots = [{"date": "2027-03-01", "time": "18:00", "duration": 60, "spaces_booked": count, "spaces_reserved": 0}]
    for item in office.live["Session"].values():
        item["slots"] = [office.remote._slot(slot) for slot in slots]


def free(office):
    booked(office, 0)


@pytest.mark.parametrize(("managed", "refused"), [(3, False), (4, True)])
def test_as_many_deletes_as_the_limit_pass_and_one_more_is_refused(office, managed, refused):
    office.apply(*sessions(managed + 1))
    free(office)
    found = evaluate(office.plan(session("s00")), Policy(max_deletes=3), NONE)
    assert codes(found) == ({"guard-max-deletes"} if refused else set())


def test_the_delete_guard_names_value_limit_place_and_the_way_on(office):
    office.apply(*sessions(4))
    free(office)
    policy = Policy(max_deletes=2, set_at={"max_deletes": SourceRef("reconciler.yaml", 14)})
    (problem,) = evaluate(office.plan(session("s00")), policy, NONE)
    assert "3 objects" in problem.summary
    assert "limit of 2" in problem.summary
    assert "reconciler.yaml:14" in problem.summary
    assert problem.hint.endswith("--max-deletes 3")
    assert evaluate(office.plan(session("s00")), policy, Overrides(max_deletes=3)) == ()


def test_an_override_may_also_be_stricter_than_the_policy(office):
    office.apply(*sessions(3))
    free(office)
    assert codes(evaluate(office.plan(session("s00")), WIDE, Overrides(max_deletes=0))) == {"guard-max-deletes"}


def test_what_is_gone_already_does_not_count_as_a_delete(office):
    office.apply(*sessions(3))
    office.live["Session"].clear()
    assert evaluate(office.plan(session("s00")), Policy(max_deletes=0), NONE) == ()


def test_a_replacement_counts_as_a_delete(office):
    office.project.connections["other"] = office.project.connections["sessions"]
    office.apply(session("s00"))
    free(office)
    plan = office.plan(session("s00", connection="other"))
    assert codes(evaluate(plan, Policy(max_deletes=0), NONE)) == {"guard-max-deletes"}


@pytest.mark.parametrize(("changed", "refused"), [(3, False), (4, True)])
def test_exactly_the_share_of_changes_passes_and_one_more_is_refused(office, changed, refused):
    office.apply(*sessions(10))
    free(office)
    desired = [*sessions(10)[changed:], *sessions(changed, spaces=5)]
    found = evaluate(office.plan(*desired), Policy(max_change_percent=30), NONE)
    assert codes(found) == ({"guard-max-change-percent"} if refused else set())


def test_a_share_of_tenths_is_exact(office):
    office.apply(session("s00"))
    free(office)
    plan = office.plan(session("s00", spaces=5))
    many = replace(plan, managed=1750, changes=plan.changes * 1288)  # 73.6 % of it, which no binary fraction is
    assert evaluate(many, Policy(max_change_percent=73.6), NONE) == ()
    assert codes(evaluate(many, Policy(max_change_percent=73.5), NONE)) == {"guard-max-change-percent"}


def test_the_share_guard_hints_at_a_value_that_lets_the_run_through(office):
    office.apply(*sessions(11))
    free(office)
    plan = office.plan(*sessions(11)[7:], *sessions(7, spaces=5))
    (problem,) = evaluate(plan, Policy(max_change_percent=30), NONE)
    assert problem.hint.endswith("--max-change-percent 64")
    assert evaluate(plan, Policy(max_change_percent=30), Overrides(max_change_percent=64)) == ()
    assert evaluate(plan, Policy(max_change_percent=30), Overrides(max_change_percent=63)) != ()


def test_below_ten_managed_objects_a_share_says_nothing(office):
    office.apply(*sessions(9))
    free(office)
    assert evaluate(office.plan(*sessions(9, spaces=5)), Policy(max_change_percent=0), NONE) == ()


def test_creations_are_no_share_of_what_is_managed(office):
    office.apply(*sessions(10))
    assert evaluate(office.plan(*sessions(40)), Policy(max_change_percent=0), NONE) == ()


def test_the_share_does_not_stand_in_the_way_of_destroying_but_the_delete_limit_does(office):
    office.apply(*sessions(10))
    free(office)
    plan = office.plan(destroying=True)
    assert codes(evaluate(plan, Policy(max_deletes=10, max_change_percent=0), NONE)) == set()
    assert codes(evaluate(plan, Policy(max_deletes=9), NONE)) == {"guard-max-deletes"}


def test_no_manifests_at_all_while_objects_are_managed_is_refused_unless_allowed(office):
    office.apply(*sessions(2))
    free(office)
    assert codes(evaluate(office.plan(), WIDE, NONE)) == {"guard-empty"}
    assert evaluate(office.plan(), WIDE, Overrides(allow_empty=True)) == ()


def test_an_empty_project_that_manages_nothing_is_fine(office):
    assert evaluate(office.plan(), WIDE, NONE) == ()


def test_destroying_is_no_empty_set_of_manifests(office):
    office.apply(*sessions(2))
    free(office)
    assert evaluate(office.plan(destroying=True), WIDE, NONE) == ()


@pytest.mark.parametrize("destroying", [False, True])
def test_a_protected_object_stays_whatever_is_allowed(office, destroying):
    office.apply(session("s00", protect=True), session("s01"))
    free(office)
    plan = office.plan(session("s01"), destroying=destroying)
    everything = Overrides(allow_booked=("*",), max_deletes=99, max_change_percent=100, allow_empty=True)
    (problem,) = evaluate(plan, WIDE, everything)
    assert problem.code == "guard-protected"
    assert str(problem.address) == "Session/s00"


def test_protection_taken_off_and_applied_lets_the_object_go(office):
    office.apply(session("s00", protect=True), session("s01"))
    office.apply(session("s00"), session("s01"))
    free(office)
    assert evaluate(office.plan(session("s01")), WIDE, NONE) == ()


def test_protection_that_is_only_declared_yet_forbids_a_replacement(office):
    office.project.connections["other"] = office.project.connections["sessions"]
    office.apply(session("s00"))
    free(office)
    plan = office.plan(session("s00", connection="other", protect=True))
    assert codes(evaluate(plan, WIDE, NONE)) == {"guard-protected"}


def test_a_protected_object_may_be_updated(office):
    office.apply(session("s00", protect=True))
    free(office)
    assert evaluate(office.plan(session("s00", protect=True, spaces=4)), WIDE, NONE) == ()


def test_bookings_at_risk_are_refused_unless_the_address_is_named(office):
    office.apply(session("s00"), session("s01"))
    booked(office)
    plan = office.plan(session("s00"))
    (problem,) = evaluate(plan, WIDE, NONE)
    assert problem.code == "guard-booked-session-deleted"
    assert "4 booked" in problem.summary
    assert "--allow-booked Session/s01" in problem.hint
    assert evaluate(plan, WIDE, Overrides(allow_booked=("Session/s01",))) == ()
    assert evaluate(plan, WIDE, Overrides(allow_booked=("Session/*",))) == ()
    assert evaluate(plan, WIDE, Overrides(allow_booked=("Session/s00",))) != ()


def test_bookings_that_are_not_known_are_refused_like_bookings(office):
    office.apply(session("s00"), session("s01"))
    plan = office.plan(session("s00"))
    assert codes(evaluate(plan, WIDE, NONE)) == {"guard-bookings-unknown"}
    assert evaluate(plan, WIDE, Overrides(allow_booked=("Session/s01",))) == ()


def test_a_warning_about_bookings_stops_nothing(office):
    office.apply(session("s00", duration=60))
    booked(office)
    plan = office.plan(session("s00", duration=90))
    assert [risk.level for risk in plan.changes[0].risks] == ["warn"]
    assert evaluate(plan, WIDE, NONE) == ()


def test_allow_booked_does_not_allow_an_object_that_already_exists(office):
    office.remote.put("Session", dict(session("s00").fields))
    plan = office.plan(session("s00"))
    assert codes(evaluate(plan, WIDE, Overrides(allow_booked=("*",)))) == {"guard-already-exists"}


def test_every_guard_that_refuses_is_named_at_once(office):
    office.apply(session("s00", protect=True), session("s01"))
    booked(office)
    found = codes(evaluate(office.plan(), Policy(max_deletes=0), NONE))
    assert found == {"guard-empty", "guard-max-deletes", "guard-protected", "guard-booked-session-deleted"}
