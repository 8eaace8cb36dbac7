from datetime import datetime

import pytest
from engine_fakes import LOST_AFTER, LOST_BEFORE, Office, codes, resource, session
from values import replace

import reconciler
from reconciler.documents.load import as_saved
from reconciler.engine.guards import Case, judge
from reconciler.engine.overrides import Overrides
from reconciler.model.objects import SourceRef
from reconciler.operations.plan import plan_again
from reconciler.settings import Policy
from reconciler.windows import Window

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
    gone(office, "s01", "s02")
    assert evaluate(office.plan(session("s00")), Policy(max_deletes=0), NONE) == ()


def test_a_replacement_counts_as_a_delete(office):
    office.elsewhere()
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


@pytest.mark.parametrize(("changed", "missing", "refused"), [(10, 0, False), (11, 0, True), (3, 1, True)])
def test_ten_updates_pass_whatever_their_share_if_nothing_is_recreated(office, changed, missing, refused):
    office.apply(*sessions(12))
    free(office)
    gone(office, *(f"s{number:02d}" for number in range(12 - missing, 12)))
    plan = office.plan(*sessions(12)[changed:], *sessions(changed, spaces=5))
    found = evaluate(plan, Policy(free_updates=10), NONE)
    assert codes(found) == ({"guard-max-change-percent"} if refused else set())
    assert evaluate(plan, Policy(free_updates=10), Overrides(max_change_percent=1)) != ()


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
    office.elsewhere()
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


def gone(office, *names):
    for name in names:
        del office.live["Session"][office.record(f"Session/{name}").remote_id]


@pytest.mark.parametrize(("missing", "refused"), [(3, False), (4, True)])
def test_a_recreation_counts_as_a_change(office, missing, refused):
    office.apply(*sessions(10))
    gone(office, *(f"s{number:02d}" for number in range(missing)))
    found = evaluate(office.plan(*sessions(10)), Policy(max_change_percent=30), NONE)
    assert codes(found) == ({"guard-max-change-percent"} if refused else set())


@pytest.mark.parametrize(
    ("managed", "missing", "refused"), [(1, 1, False), (2, 1, False), (2, 2, True), (12, 11, False), (12, 12, True)]
)
def test_a_connection_whose_objects_are_all_gone_is_refused(office, managed, missing, refused):
    office.apply(*sessions(managed), resource("court"))
    gone(office, *(f"s{number:02d}" for number in range(missing)))
    found = evaluate(office.plan(*sessions(managed), resource("court")), WIDE, NONE)
    assert codes(found) == ({"guard-all-missing"} if refused else set())


def test_the_guard_of_what_is_gone_names_the_connection_its_system_and_the_way_on(office):
    office.apply(*sessions(3))
    office.live["Session"].clear()
    plan = office.plan(*sessions(3))
    (problem,) = evaluate(plan, WIDE, NONE)
    assert (
        "all 3 managed objects of connection sessions no longer exist at https://uk.bookingbug.com" in problem.summary
    )
    assert "right credentials" in problem.summary
    assert problem.hint.endswith("--allow-missing sessions")
    assert evaluate(plan, WIDE, Overrides(allow_missing=("sessions",))) == ()
    assert evaluate(plan, WIDE, Overrides(allow_missing=("s*",))) == ()
    assert codes(evaluate(plan, WIDE, Overrides(allow_missing=("admin",)))) == {"guard-all-missing"}


@pytest.mark.parametrize("destroying", [True, False], ids=["destroy", "manifests removed"])
def test_records_of_what_is_all_gone_are_not_dropped_unasked(office, destroying):
    office.apply(*sessions(3), resource("court"))
    office.live["Session"].clear()
    plan = (
        office.plan(*sessions(3), resource("court"), destroying=True) if destroying else office.plan(resource("court"))
    )
    assert "guard-all-missing" in codes(evaluate(plan, WIDE, NONE))


def test_what_this_program_deleted_itself_is_not_gone(office):
    """A destroy that died after its calls: the open intents explain why nothing is left."""
    office.apply(*sessions(2))
    free(office)
    office.remote.faults = [LOST_AFTER, LOST_AFTER]
    office.apply(*sessions(2), destroying=True)
    assert office.live["Session"] == {}
    assert evaluate(office.plan(*sessions(2), destroying=True), WIDE, NONE) == ()


def test_what_could_not_be_read_does_not_speak_for_the_credentials(office):
    office.apply(*sessions(4))
    office.remote.unreadable = {office.record("Session/s00").remote_id}
    gone(office, "s01", "s02", "s03")
    (problem,) = evaluate(office.plan(*sessions(4)), WIDE, Overrides(allow_unknown=("*",)))
    assert "all 3 managed objects of connection sessions that could be read no longer exist" in problem.summary


def test_a_part_of_a_connection_is_judged_by_what_was_looked_at(office):
    office.apply(*sessions(4))
    gone(office, "s00", "s01")
    assert evaluate(office.plan(*sessions(4)), WIDE, NONE) == ()
    found = evaluate(office.plan(*sessions(4), targets=("Session/s00", "Session/s01")), WIDE, NONE)
    assert codes(found) == {"guard-all-missing"}


def test_a_saved_plan_knows_that_others_were_there(office):
    office.apply(*sessions(4))
    gone(office, "s00", "s01")
    planned = office.look(*sessions(4))
    fresh = plan_again(office, planned.declared, as_saved(planned.plan)).plan
    assert [change.action for change in fresh.changes] == ["create", "create", "noop", "noop"]
    assert evaluate(fresh, WIDE, NONE) == ()
    office.live["Session"].clear()
    planned = office.look(*sessions(4))
    fresh = plan_again(office, planned.declared, as_saved(planned.plan)).plan
    assert codes(evaluate(fresh, WIDE, NONE)) == {"guard-all-missing"}


def test_drift_asks_about_the_credentials_where_everything_is_missing(office):
    office.apply(*sessions(3), resource("court"))
    gone(office, "s00", "s01")
    assert all("credentials" not in (item.reason or "") for item in reconciler.drift(office).objects)
    office.live["Session"].clear()
    found = {str(item.address): item.reason or "" for item in reconciler.drift(office).objects}
    assert "all 3 managed objects of connection sessions no longer exist" in found["Session/s00"]
    assert found["Resource/court"] == ""


def test_what_could_not_be_read_stops_the_writes_to_all_others_unless_it_is_named(office):
    office.apply(*sessions(3))
    office.remote.unreadable = {office.record("Session/s01").remote_id}
    plan = office.plan(*sessions(3), session("new"))
    (problem,) = evaluate(plan, WIDE, NONE)
    assert (problem.code, str(problem.address)) == ("guard-unread", "Session/s01")
    assert problem.summary.startswith("could not be read: ")
    assert problem.hint.endswith("without it: --allow-unknown Session/s01")
    for pattern in ("Session/s01", "Session/*", "*"):
        assert evaluate(plan, WIDE, Overrides(allow_unknown=(pattern,))) == ()
    assert codes(evaluate(plan, WIDE, Overrides(allow_unknown=("Session/s02",)))) == {"guard-unread"}


def test_many_objects_that_one_failure_hides_are_one_refusal(office):
    office.apply(*sessions(5))
    office.remote.unreadable = {office.record(f"Session/s0{number}").remote_id for number in range(5)}
    for remote_id in office.remote.unreadable:
        assert remote_id in office.live["Session"]
    found = evaluate(office.plan(*sessions(5), session("new")), WIDE, NONE)
    assert len(found) == 5  # each with its own reason
    office.remote.unreadable, office.remote.list_fails = set(), True
    (problem,) = evaluate(office.plan(*sessions(5, price="9.00"), session("new"), session("newer")), WIDE, NONE)
    assert problem.summary.startswith("Session/new, Session/newer: could not check for an existing object: ")
    assert problem.hint.endswith("without them: --allow-unknown Session/new --allow-unknown Session/newer")


def test_where_nothing_would_be_written_what_could_not_be_read_refuses_nothing(office):
    office.apply(*sessions(2))
    office.remote.unreadable = {office.record("Session/s01").remote_id}
    assert evaluate(office.plan(*sessions(2)), WIDE, NONE) == ()


def test_a_create_of_unknown_result_refuses_nothing_where_everything_could_be_read(office):
    office.remote.faults = [LOST_BEFORE]
    office.apply(session("yoga"))
    office.remote.put("Session", {"name": "yoga", "group": "Classes", "start_date": "2027-03-01", "time": "19:00"})
    plan = office.plan(session("yoga"), session("other"))
    assert plan.summary["unknown"] == 1
    assert evaluate(plan, WIDE, NONE) == ()


NIGHTS = Window.parse(
    {"allow": "nights", "cron": "0 22 * * *", "duration": "6h", "timezone": "Europe/London"},
    SourceRef("reconciler.yaml", 9),
)


@pytest.mark.parametrize(
    ("moment", "refused"),
    [
        ("2027-02-01T21:59:59Z", True),
        ("2027-02-01T22:00:00Z", False),
        ("2027-02-02T03:59:59Z", False),
        ("2027-02-02T04:00:00Z", True),
    ],
)
def test_what_writes_is_refused_outside_of_the_change_windows(office, moment, refused):
    plan = office.plan(*sessions(1))
    case = Case(
        plan=plan,
        policy=replace(WIDE, windows=(NIGHTS,)),
        overrides=NONE,
        now=datetime.fromisoformat(moment),
    )
    assert codes(judge(case).refusals) == ({"guard-window"} if refused else set())


def test_the_window_guard_names_the_window_the_next_one_and_the_override(office):
    plan = office.plan(*sessions(2))
    case = Case(
        plan=plan,
        policy=replace(WIDE, windows=(NIGHTS,)),
        overrides=NONE,
        now=datetime.fromisoformat("2027-07-01T12:00:00Z"),
    )
    (problem,) = judge(case).refusals
    assert problem.summary == (
        "no change window is open: allow 'nights' is not open (policy.windows at reconciler.yaml:9); "
        "apply may start on Thu 1 Jul 2027, 22:00 BST"
    )
    assert problem.hint == "to wait for it: --wait-for-window; to apply before: --override-window REASON"
    allowed = judge(replace(case, overrides=Overrides(override_window="the pool is shut")))
    assert allowed.refusals == ()
    assert {finding.by for finding in allowed.findings} == {"--override-window 'the pool is shut'"}
    assert Overrides(override_window="a b").flags() == ("--override-window 'a b'",)


def test_a_plan_that_sends_nothing_needs_no_window(office):
    office.apply(*sessions(2))
    closed = replace(WIDE, windows=(replace(NIGHTS, allows=False, cron="* * * * *"),))
    assert evaluate(office.plan(*sessions(2)), closed, NONE) == ()
    assert evaluate(office.plan(*sessions(3)), closed, NONE) != ()
