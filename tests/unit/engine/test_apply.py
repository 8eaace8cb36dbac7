import threading
import time

import pytest
from engine_fakes import (
    BROKEN,
    CONNECTIONS,
    KILLED_AFTER,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED,
    Killed,
    Office,
    Remote,
    actions,
    address,
    block,
    codes,
    outcome,
    resource,
    session,
    states,
)
from msgspec.structs import replace

import reconciler
from reconciler.errors import InvalidInput, NotStarted, ReconcilerError, RemoteError, StalePlan
from reconciler.model.change import Receipt

ADMIN = "/api/v1/admin/37004"


@pytest.fixture
def office():
    return Office()


def court_and_blocks(count=1):
    start = [block(f"closed-{day}", "court", f"2027-03-0{day}T09:00Z", f"2027-03-0{day}T10:00Z") for day in range(1, 9)]
    return [resource("court"), *start[:count]]


def test_a_plan_that_another_run_has_overtaken_is_not_carried_out(office):
    """As a Python program may: it looks without the lease."""
    first, second = office.look(session("yoga")), office.look(session("yoga"))
    assert office.carry_out(first).clean
    with pytest.raises(StalePlan, match="the state changed after the plan was made"):
        office.carry_out(second)
    assert len(office.live["Session"]) == 1
    assert office.carry_out(office.look(session("yoga"))).clean


def test_a_plan_made_while_another_run_wrote_is_not_carried_out_even_where_the_state_is_as_before(office):
    """The other run's call had no effect; what the plan took for strangers would be recorded as such."""
    planned = office.look(session("yoga"))
    with pytest.raises(StalePlan, match="the state changed after the plan was made"):
        office.carry_out(replace(planned, overtaken=True))
    assert office.live["Session"] == {}


def too_late(_call):
    raise NotStarted("not sent, because the run was interrupted")


def test_a_call_that_was_not_sent_any_more_is_no_call_and_leaves_no_doubt(office):
    """It was waiting for its turn, or for a pause that the server had asked for, when the run was asked to stop."""
    office.remote.on_send = too_late
    report = office.apply(session("yoga"))
    assert (states(report), report.interrupted) == ({"Session/yoga": "blocked"}, True)
    assert outcome(report, "Session/yoga").calls == 0
    assert office.store.open_intents() == ()
    office.remote.on_send = None
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1


def test_an_error_that_only_speaks_of_an_interruption_does_not_make_a_run_interrupted(office):
    def refuse(_call):
        raise RemoteError("422: not started, because the run was interrupted", status=422)

    office.remote.on_send = refuse
    report = office.apply(session("yoga"))
    assert (states(report), report.interrupted) == ({"Session/yoga": "failed"}, False)


@pytest.mark.parametrize("answers_ids", [True, False], ids=["read back", "search for the new object"])
def test_a_read_that_was_not_sent_any_more_makes_a_run_interrupted(office, answers_ids):
    office.remote.answers_ids = answers_ids
    planned = office.look(session("yoga"))
    office.remote.read = too_late
    report = office.carry_out(planned)
    assert (states(report), report.interrupted) == ({"Session/yoga": "unknown"}, True)


def test_a_delete_that_could_not_be_confirmed_any_more_makes_a_run_interrupted(office):
    office.apply(session("yoga"))
    planned = office.look()
    office.remote.read = too_late
    report = office.carry_out(planned)
    assert (states(report), report.interrupted) == ({"Session/yoga": "unknown"}, True)
    assert office.record("Session/yoga") is not None


def test_completed_calls_are_reported_where_the_next_call_was_not_sent(office):
    office.apply(session("yoga"))
    there = Remote(on_send=too_late)
    elsewhere = replace(CONNECTIONS["sessions"], name="there", base_url="https://us.bookingbug.com")
    office.project.connections["there"] = elsewhere
    office.reader = office.writer = lambda name: there if name == "there" else office.remote
    report = office.apply(session("yoga", connection="there"))
    moved = outcome(report, "Session/yoga")
    assert (moved.action, moved.state, moved.calls) == ("replace", "blocked", 1)
    assert moved.error.startswith("stopped after 1 call, because the run was interrupted")
    assert office.store.open_intents() == ()
    there.on_send = None
    assert office.apply(session("yoga", connection="there")).clean
    assert (len(office.live["Session"]), len(there.objects["Session"])) == (0, 1)


def test_a_block_is_created_after_its_resource_with_the_id_bound_into_the_path(office):
    report = office.apply(*court_and_blocks())
    assert report.clean
    court = office.record("Resource/court").remote_id
    assert office.remote.sent == [f"POST {ADMIN}/resources", f"PUT {ADMIN}/resources/{court}/block"]
    assert office.only("Block")["resource_id"] == court
    assert office.record("Block/closed-1").fields["resource_id"] == court
    assert office.record("Block/closed-1").depends_on == (address("Resource/court"),)


def test_the_id_of_a_new_resource_is_bound_into_the_body_of_a_moved_block(office):
    office.apply(*court_and_blocks())
    report = office.apply(resource("court"), resource("hall"), block("closed-1", "hall"))
    assert report.clean
    assert office.remote.bodies[-1]["resource_id"] == office.record("Resource/hall").remote_id


def test_deletes_go_in_reverse_block_first_then_its_resource(office):
    office.apply(*court_and_blocks())
    court, closed = office.record("Resource/court").remote_id, office.record("Block/closed-1").remote_id
    assert office.apply().clean
    assert office.remote.sent[-2:] == [f"DELETE {ADMIN}/slots/{closed}", f"DELETE {ADMIN}/resources/{court}"]
    assert office.store.records() == {}


def test_an_old_resource_goes_only_after_its_block_has_moved_away(office):
    office.apply(*court_and_blocks())
    closed = office.record("Block/closed-1").remote_id
    court = office.record("Resource/court").remote_id
    assert office.apply(resource("hall"), block("closed-1", "hall")).clean
    assert office.remote.sent[-2:] == [f"PUT {ADMIN}/slots/{closed}", f"DELETE {ADMIN}/resources/{court}"]


def test_what_depends_on_a_failed_object_is_blocked_and_the_rest_goes_on(office):
    office.remote.fault_on = {f"POST {ADMIN}/resources": REFUSED}
    report = office.apply(*court_and_blocks(2), session("yoga"))
    assert states(report) == {
        "Resource/court": "failed",
        "Block/closed-1": "blocked",
        "Block/closed-2": "blocked",
        "Session/yoga": "applied",
    }
    assert outcome(report, "Block/closed-1").blocked_by == address("Resource/court")
    assert "422" in outcome(report, "Resource/court").error
    assert office.live["Block"] == {}
    assert not report.clean


def test_a_resource_is_not_deleted_while_its_block_could_not_be(office):
    office.apply(*court_and_blocks())
    closed = office.record("Block/closed-1").remote_id
    office.remote.fault_on = {f"DELETE {ADMIN}/slots/{closed}": REFUSED}
    assert states(office.apply()) == {"Block/closed-1": "failed", "Resource/court": "blocked"}
    assert office.live["Resource"]


def test_an_object_that_does_nothing_is_not_blocked_by_one_that_fails(office):
    office.apply(*court_and_blocks())
    court = office.record("Resource/court").remote_id
    office.remote.fault_on = {f"PUT {ADMIN}/resources/{court}": REFUSED}
    report = office.apply(resource("court", email="court@example.com"), block("closed-1", "court"))
    assert states(report) == {"Resource/court": "failed", "Block/closed-1": "noop"}


def test_the_report_counts_outcomes_not_plans(office):
    office.remote.fault_on = {f"POST {ADMIN}/resources": REFUSED}
    report = office.apply(*court_and_blocks(), session("yoga"), session("pilates"))
    assert report.summary == {"applied": 2, "failed": 1, "blocked": 1, "unknown": 0, "noop": 0}
    assert {str(item.address) for item in office.outcomes} == set(states(report))
    assert [str(item.address) for item in report.outcomes] == sorted(states(report))


@pytest.mark.parametrize("fault", [LOST_BEFORE, LOST_AFTER])
def test_a_lost_answer_is_unknown_and_never_repeated_in_the_same_run(office, fault):
    office.remote.faults = [fault]
    report = office.apply(session("yoga"))
    assert states(report) == {"Session/yoga": "unknown"}
    assert len(office.remote.sent) == 1
    assert not report.clean
    assert office.record("Session/yoga") is None
    assert len(office.store.open_intents()) == 1


def test_a_refused_call_leaves_no_open_intent(office):
    office.remote.faults = [REFUSED]
    office.apply(session("yoga"))
    assert office.store.open_intents() == ()


def test_a_defect_while_sending_is_unknown_and_the_others_keep_their_outcomes(office):
    office.remote.faults = [BROKEN]
    report = office.apply(session("yoga"), session("zumba"), workers=1)
    assert states(report) == {"Session/yoga": "unknown", "Session/zumba": "applied"}
    assert "LookupError" in outcome(report, "Session/yoga").error


def test_each_slot_is_recorded_before_the_next_one_is_sent(office):
    wanted = {"slots": [{"date": f"2027-03-0{day}", "time": "18:00", "duration": 60} for day in (1, 2, 3)]}
    office.apply(session("yoga", repeat="custom", **wanted))
    slots = [slot["id"] for slot in office.only("Session")["slots"]]
    later = {"slots": [{**slot, "time": "19:00"} for slot in wanted["slots"]]}
    office.remote.fault_on = {f"PUT /api/slots/{slots[1]}.xml": REFUSED}
    report = office.apply(session("yoga", repeat="custom", **later))
    assert states(report) == {"Session/yoga": "failed"}
    times = {slot["date"]: slot["time"] for slot in office.record("Session/yoga").fields["slots"]}
    assert times == {"2027-03-01": "19:00", "2027-03-02": "18:00", "2027-03-03": "18:00"}
    office.remote.sent.clear()
    assert office.apply(session("yoga", repeat="custom", **later)).clean
    assert office.remote.sent == [f"PUT /api/slots/{slots[1]}.xml", f"PUT /api/slots/{slots[2]}.xml"]


def test_a_session_put_is_recorded_where_the_slot_put_after_it_fails(office):
    slots = [{"date": "2027-03-01", "time": "18:00", "duration": 60}]
    office.remote.hidden = {"price"}
    office.apply(session("yoga", repeat="custom", price="10", slots=slots))
    slot_id = office.only("Session")["slots"][0]["id"]
    office.remote.fault_on = {f"PUT /api/slots/{slot_id}.xml": REFUSED}
    office.apply(session("yoga", repeat="custom", price="12", slots=[{**slots[0], "time": "19:00"}]))
    assert office.record("Session/yoga").fields["price"] == "12.00"
    assert office.record("Session/yoga").fields["slots"][0]["time"] == "18:00"


def test_once_stopped_nothing_new_is_started_and_what_was_in_flight_is_recorded(office):
    stop = threading.Event()

    def stop_on_first(_call):
        stop.set()

    office.remote.on_send = stop_on_first
    report = office.apply(*[session(f"s{number}") for number in range(5)], workers=1, stop=stop)
    assert report.interrupted
    assert len(office.live["Session"]) == len(office.store.records())
    sent = [item for item in report.outcomes if item.state == "applied"]
    kept_back = [item for item in report.outcomes if item.state == "blocked"]
    assert len(sent) == len(office.remote.sent)
    assert len(sent) + len(kept_back) == 5
    assert office.store.open_intents() == ()


def test_a_stop_ends_an_object_of_many_calls_between_two_of_them(office):
    slots = [{"date": f"2027-03-{day:02d}", "time": "18:00", "duration": 60} for day in (1, 8, 15)]
    office.apply(session("yoga", repeat="custom", slots=slots))
    moved = [{**slot, "time": "19:00"} for slot in slots]
    stop = threading.Event()
    office.remote.on_send = lambda _: stop.set()
    report = office.apply(session("yoga", repeat="custom", slots=moved), stop=stop)
    (outcome,) = report.outcomes
    assert report.interrupted
    assert (outcome.state, outcome.calls) == ("blocked", 1)
    assert outcome.error == (
        "stopped after 1 of 3 calls, because the run was interrupted; the next plan shows what is left"
    )
    assert sorted(slot["time"] for slot in office.record("Session/yoga").fields["slots"]) == ["18:00", "18:00", "19:00"]
    assert office.store.open_intents() == ()
    office.remote.on_send = None
    assert office.apply(session("yoga", repeat="custom", slots=moved)).clean
    assert office.plan(session("yoga", repeat="custom", slots=moved)).effective == ()


def test_a_deleted_object_that_is_still_answered_stays_managed(office):
    office.apply(session("yoga"))
    original = office.remote.send
    office.remote.send = lambda call: Receipt() if call.effect == "delete" else original(call)
    (outcome,) = office.apply().outcomes
    assert (outcome.state, outcome.error) == ("failed", "deleted, but the server still returns it; it stays managed")
    assert office.record("Session/yoga").remote_id
    assert office.store.open_intents() == ()
    office.remote.send = original
    assert office.apply().clean
    assert office.store.records() == {}


def test_a_deletion_that_cannot_be_read_back_is_unknown_and_looked_at_next_time(office):
    office.apply(session("yoga"))
    (remote_id,) = office.live["Session"]
    office.remote.on_send = lambda _: office.remote.unreadable.add(remote_id)
    (outcome,) = office.apply().outcomes
    assert (outcome.state, outcome.error) == (
        "unknown",
        f"deleted, but it could not be read back: {remote_id} answered 500",
    )
    office.remote.on_send = None
    office.remote.unreadable.clear()
    assert office.apply().clean
    assert office.store.records() == {}
    assert office.store.open_intents() == ()


def test_a_stop_before_the_start_sends_nothing(office):
    stop = threading.Event()
    stop.set()
    report = office.apply(resource("court"), session("yoga"), stop=stop)
    assert states(report) == {"Resource/court": "blocked", "Session/yoga": "blocked"}
    assert office.remote.sent == []


def test_a_stop_keeps_dependents_of_the_call_in_flight_from_starting(office):
    stop = threading.Event()
    office.remote.on_send = lambda _: stop.set()
    report = office.apply(*court_and_blocks(2), workers=4, stop=stop)
    assert states(report) == {"Resource/court": "applied", "Block/closed-1": "blocked", "Block/closed-2": "blocked"}


def test_changes_run_side_by_side_up_to_the_number_of_workers(office):
    names = [f"s{number}" for number in range(3)]
    assert office.apply(*[session(name) for name in names]).clean
    together = threading.Barrier(3, timeout=60)
    original = office.remote.send
    office.remote.send = lambda call: (together.wait(), original(call))[1]
    assert office.apply(*[session(name, price="41.00") for name in names], workers=3).clean


def test_creations_run_side_by_side_once_the_answers_are_known_to_tell_ids(office):
    together = threading.Barrier(2, timeout=60)
    original = office.remote.send
    sent = []

    def send(call):
        sent.append(call)
        return (together.wait() if len(sent) > 1 else None, original(call))[1]

    office.remote.send = send
    assert office.apply(*[session(f"s{number}") for number in range(3)], workers=3).clean


def test_a_creation_without_an_id_in_its_answer_is_found_by_looking(office):
    office.remote.answers_ids = False
    stranger = office.remote.put("Session", {"name": "other", "group": "Classes", "start_date": "2027-03-01"})
    report = office.apply(session("yoga"))
    assert report.clean
    assert office.record("Session/yoga").remote_id not in {None, stranger}
    assert office.store.open_intents() == ()


def test_a_creation_without_an_id_is_unknown_where_two_new_objects_look_like_it(office):
    office.remote.answers_ids = False
    planned = office.look(session("yoga"))
    fields = dict(session("yoga").fields)
    office.remote.on_send = lambda _: office.remote.put("Session", fields)
    report = office.carry_out(planned)
    assert states(report) == {"Session/yoga": "unknown"}
    assert "2 new live objects" in outcome(report, "Session/yoga").error
    assert len(office.store.open_intents()) == 1


def test_a_creation_without_an_id_is_unknown_where_looking_fails(office):
    office.remote.answers_ids = False
    planned = office.look(session("yoga"))
    office.remote.on_send = lambda _: setattr(office.remote, "unreachable", True)
    assert states(office.carry_out(planned)) == {"Session/yoga": "unknown"}


def test_a_creation_without_an_id_is_unknown_where_a_candidate_cannot_be_read(office):
    office.remote.answers_ids = False
    planned = office.look(session("yoga"))

    def another_one(_call):
        office.remote.unreadable.add(office.remote.put("Session", dict(session("yoga").fields)))

    office.remote.on_send = another_one
    assert states(office.carry_out(planned)) == {"Session/yoga": "unknown"}


@pytest.mark.parametrize("answers_ids", [True, False])
def test_identical_twins_created_in_one_run_each_get_their_own_id(office, answers_ids):
    office.remote.answers_ids = answers_ids
    twins = [session(f"yoga-{number}", name="Yoga") for number in range(4)]
    assert office.apply(*twins).clean
    ids = [record.remote_id for record in office.store.records().values()]
    assert len(set(ids)) == 4
    assert set(actions(office.plan(*twins)).values()) == {"noop"}


def test_an_answer_that_differs_from_what_was_sent_is_failed_and_says_so(office):
    office.remote.lies = {"name": "Yoga!"}
    report = office.apply(session("yoga"))
    assert states(report) == {"Session/yoga": "failed"}
    error = outcome(report, "Session/yoga").error
    assert error.startswith("applied, but the server returns")
    assert "'Yoga!'" in error
    assert "'yoga'" in error
    assert office.record("Session/yoga") is not None


def test_a_value_that_is_not_answered_is_no_mismatch(office):
    office.remote.hidden = {"price", "spaces"}
    assert office.apply(session("yoga", price="12", spaces=8)).clean
    assert actions(office.plan(session("yoga", price="12", spaces=8))) == {"Session/yoga": "noop"}


def test_an_object_that_cannot_be_read_back_is_unknown_and_recorded(office):
    planned = office.look(session("yoga"))
    office.remote.on_send = lambda _: office.remote.unreadable.add(str(office.remote.last_id + 1))
    assert states(office.carry_out(planned)) == {"Session/yoga": "unknown"}
    assert office.record("Session/yoga") is not None


def test_a_plan_with_problems_is_not_carried_out(office):
    with pytest.raises(InvalidInput):
        office.apply(session("yoga", type=None))
    assert office.remote.sent == []


def test_a_plan_that_has_problems_once_it_was_confirmed_is_not_carried_out(office):
    """Only what changes is read again, and a block that came to be managed meanwhile refers to the resource."""
    office.apply(resource("spare"), resource("court"), block("closed", "court"))
    other = replace(office.record("Block/closed"), address=address("Block/other"))
    office.apply(resource("spare"), resource("court"))
    planned = office.look(resource("spare"))
    assert actions(planned.plan) == {"Resource/court": "delete", "Resource/spare": "noop"}
    sent = len(office.remote.sent)

    def confirm(_):
        office.store.save(other)
        return True

    with pytest.raises(InvalidInput) as refusal:
        reconciler.apply(office, planned, callbacks=reconciler.Callbacks(confirm=confirm))
    assert codes(refusal.value.problems) == {"dependent-not-selected"}
    assert len(office.remote.sent) == sent


def test_a_delete_that_finds_nothing_left_is_done(office):
    office.apply(session("yoga"))
    planned = office.look()
    office.live["Session"].clear()
    assert office.carry_out(planned).clean
    assert office.store.records() == {}


def test_an_object_deleted_outside_and_no_longer_declared_costs_no_call(office):
    office.apply(session("yoga"))
    office.live["Session"].clear()
    office.remote.sent.clear()
    assert office.apply().clean
    assert office.remote.sent == []
    assert office.store.records() == {}


def test_a_field_no_longer_stated_is_left_alone_and_forgotten(office):
    office.apply(session("yoga", spaces=8))
    office.remote.sent.clear()
    assert office.apply(session("yoga")).clean
    assert office.remote.sent == []
    assert "spaces" not in office.record("Session/yoga").fields
    assert office.only("Session")["spaces"] == 8


def test_protection_is_recorded_without_any_call(office):
    office.apply(session("yoga"))
    office.remote.sent.clear()
    office.apply(session("yoga", protect=True))
    assert office.record("Session/yoga").protect is True
    assert office.remote.sent == []


def test_a_move_to_another_connection_deletes_here_and_creates_there(office):
    there = office.elsewhere()
    office.apply(session("yoga"))
    old = office.record("Session/yoga").remote_id
    plan = office.plan(session("yoga", connection="other"))
    assert actions(plan) == {"Session/yoga": "replace"}
    assert [call.method for call in plan.changes[0].calls] == ["DELETE", "POST"]
    assert office.apply(session("yoga", connection="other")).clean
    assert old not in office.live["Session"]
    assert len(there.objects["Session"]) == 1
    assert office.record("Session/yoga").connection == "other"


def test_a_replacement_whose_creation_fails_is_created_on_the_next_run(office):
    there = office.elsewhere()
    office.apply(session("yoga"))
    there.faults = [REFUSED]
    assert states(office.apply(session("yoga", connection="other"))) == {"Session/yoga": "failed"}
    assert office.record("Session/yoga") is None
    assert office.apply(session("yoga", connection="other")).clean
    assert (len(office.live["Session"]), len(there.objects["Session"])) == (0, 1)


def test_a_state_that_cannot_be_written_after_the_call_keeps_the_creation_findable(office, monkeypatch):
    planned = office.look(session("yoga"))

    def full(*_args, **_kwargs):
        raise ReconcilerError("state: disk full")

    with monkeypatch.context() as patch:
        patch.setattr(office.store, "save", full)
        report = office.carry_out(planned)
    assert outcome(report, "Session/yoga").state in {"failed", "unknown"}
    assert "disk full" in outcome(report, "Session/yoga").error
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1


def test_a_kill_leaves_the_finished_calls_recorded(office):
    office.remote.fault_on = {"POST /api/sessions.xml?type=course": KILLED_AFTER}
    desired = [session("a"), session("b", type="course"), session("c")]
    with pytest.raises(Killed):
        office.apply(*desired, workers=1)
    assert office.record("Session/a") is not None
    assert office.record("Session/b") is None
    office.remote.sent.clear()
    assert office.apply(*desired).clean
    assert {item["name"] for item in office.live["Session"].values()} == {"a", "b", "c"}
    assert len(office.live["Session"]) == 3


def test_a_slow_call_does_not_hold_up_objects_that_do_not_need_it():
    office, release = Office(Remote()), threading.Event()
    original = office.remote.send

    def send(call):
        if call.address.kind == "Resource":
            assert release.wait(60)
        else:
            release.set()
        return original(call)

    office.remote.send = send
    begun = time.monotonic()
    assert office.apply(resource("court"), session("yoga"), workers=2).clean
    assert time.monotonic() - begun < 60


def test_a_create_that_names_an_object_of_somebody_else_does_not_make_it_ours(office):
    theirs = office.remote.put("Session", {"name": "Theirs", "group": "Classes", "start_date": "2027-05-01"})
    routes = office.remote._carry_out
    office.remote._carry_out = lambda call: Receipt(remote_id=theirs) if call.method == "POST" else routes(call)
    report = office.apply(session("yoga"))
    assert states(report) == {"Session/yoga": "unknown"}
    assert f"names object {theirs}, which existed before" in outcome(report, "Session/yoga").error
    assert office.record("Session/yoga") is None
    office.remote._carry_out = routes
    assert office.apply().clean  # nothing of it is declared any more
    assert theirs in office.live["Session"]


def test_two_creates_that_name_one_object_are_not_both_believed(office):
    routes = office.remote._carry_out

    def one_for_all(call):
        if call.method == "POST" and office.live["Session"]:
            return Receipt(remote_id=next(iter(office.live["Session"])))
        return routes(call)

    office.remote._carry_out = one_for_all
    report = office.apply(session("yoga"), session("swim"), workers=1)
    assert sorted(states(report).values()) == ["applied", "unknown"]


def test_the_words_of_a_create_without_an_id_reach_the_user_where_no_object_is_found(office):
    office.remote._carry_out = lambda _call: Receipt(words="queued for review")
    report = office.apply(session("yoga"))
    assert states(report) == {"Session/yoga": "unknown"}
    assert outcome(report, "Session/yoga").error.endswith("; the server said: queued for review")
