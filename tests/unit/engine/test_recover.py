"""What the next run makes of calls whose result was never recorded."""

from contextlib import suppress

import pytest
from engine_fakes import (
    CONNECTIONS,
    KILLED_AFTER,
    KILLED_BEFORE,
    LOST_AFTER,
    LOST_BEFORE,
    REFUSED,
    Killed,
    Office,
    Remote,
    actions,
    block,
    codes,
    outcome,
    resource,
    session,
    states,
)
from msgspec.structs import replace


@pytest.fixture
def office():
    return Office()


def interrupted(office, *desired, fault):
    """One run whose first writing call meets a fault."""
    office.remote.faults = [fault]
    with suppress(Killed):
        office.apply(*desired, workers=1)
    office.remote.faults = []


COMMITTED, NOT_COMMITTED = [LOST_AFTER, KILLED_AFTER], [LOST_BEFORE, KILLED_BEFORE]


@pytest.mark.parametrize("fault", COMMITTED)
def test_what_an_interrupted_creation_made_is_adopted_not_made_twice(office, fault):
    interrupted(office, session("yoga"), fault=fault)
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "adopt"}
    assert plan.changes[0].calls == ()
    assert "created by an interrupted run" in plan.changes[0].reason
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1
    assert office.record("Session/yoga").remote_id in office.live["Session"]
    assert office.store.open_intents() == ()


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_a_creation_that_left_nothing_behind_is_made_again(office, fault):
    interrupted(office, session("yoga"), fault=fault)
    assert actions(office.plan(session("yoga"))) == {"Session/yoga": "create"}
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1


def test_an_adopted_creation_is_brought_to_what_is_wanted_now(office):
    interrupted(office, session("yoga", spaces=8), fault=LOST_AFTER)
    assert office.apply(session("yoga", spaces=9)).clean
    assert office.only("Session")["spaces"] == 9
    assert actions(office.plan(session("yoga", spaces=9))) == {"Session/yoga": "noop"}


def test_two_objects_that_could_be_the_interrupted_creation_are_left_alone(office):
    interrupted(office, session("yoga"), fault=LOST_AFTER)
    office.remote.put("Session", dict(session("yoga").fields))
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert "reconciler adopt Session/yoga" in plan.changes[0].reason
    office.remote.sent.clear()
    assert states(office.apply(session("yoga"))) == {"Session/yoga": "unknown"}
    assert office.remote.sent == []
    assert len(office.store.open_intents()) == 1


@pytest.mark.parametrize("trouble", ["unreachable", "list_fails"])
def test_an_interrupted_creation_that_cannot_be_looked_for_is_unknown(office, trouble):
    interrupted(office, session("yoga"), fault=LOST_AFTER)
    setattr(office.remote, trouble, True)
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "unknown"}


def test_an_interrupted_creation_is_unknown_where_a_candidate_cannot_be_read(office):
    interrupted(office, session("yoga"), fault=LOST_AFTER)
    office.remote.unreadable = set(office.live["Session"])
    assert actions(office.plan(session("yoga"))) == {"Session/yoga": "unknown"}
    assert states(office.apply(session("yoga"))) == {"Session/yoga": "unknown"}
    assert len(office.live["Session"]) == 1


@pytest.mark.parametrize("fault", COMMITTED)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("destroying", [True, False])
def test_what_was_only_found_by_its_values_is_never_deleted(office, fault, declared, destroying):
    interrupted(office, session("yoga"), fault=fault)
    (live,) = office.live["Session"]
    desired = [session("yoga")] if declared and destroying else []
    for _ in range(2):
        (change,) = office.plan(*desired, destroying=destroying).changes
        assert (change.action, change.calls, change.remembers) == ("unknown", (), ())
        assert f"reconciler adopt Session/yoga {live}" in change.reason
        assert "reconciler state rm Session/yoga" in change.reason
        assert ("restore its manifest" in change.reason) is not bool(desired)
        assert not office.apply(*desired, destroying=destroying).clean
    assert list(office.live["Session"]) == [live]
    assert office.store.open_intents()
    assert office.apply(session("yoga")).clean  # adopted in a plan that a person can see: it is managed from here on
    assert office.apply(destroying=destroying).clean
    assert office.live["Session"] == {}


@pytest.mark.parametrize("fault", COMMITTED)
def test_what_was_only_found_by_its_values_is_not_replaced_on_another_connection(office, fault):
    office.project.connections["other"] = replace(
        CONNECTIONS["sessions"], name="other", base_url="https://other.example"
    )
    interrupted(office, session("yoga"), fault=fault)
    (change,) = office.plan(session("yoga", connection="other")).changes
    assert change.action == "unknown"
    assert "set its metadata.connection to sessions again" in change.reason
    assert len(office.live["Session"]) == 1


def test_a_creation_that_left_nothing_and_is_no_longer_wanted_is_forgotten(office):
    interrupted(office, session("yoga"), fault=LOST_BEFORE)
    assert office.apply().clean
    assert office.store.open_intents() == ()
    by_hand = office.remote.put("Session", dict(session("yoga").fields))
    report = office.apply()
    assert report.outcomes == ()
    assert codes(report.problems) == {"possible-duplicate"}  # it may also be what was sent
    assert by_hand in office.live["Session"]


@pytest.mark.parametrize("fault", COMMITTED)
def test_recreating_what_was_deleted_outside_is_not_repeated_after_an_interruption(office, fault):
    office.apply(session("yoga"))
    office.live["Session"].clear()
    interrupted(office, session("yoga"), fault=fault)
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1
    assert office.record("Session/yoga").remote_id in office.live["Session"]


@pytest.mark.parametrize("fault", [*COMMITTED, *NOT_COMMITTED])
def test_a_replacement_interrupted_at_its_creation_makes_one_object(office, fault):
    office.project.connections["other"] = office.project.connections["sessions"]
    office.apply(session("yoga"))
    office.remote.faults = [None, fault]
    with suppress(Killed):
        office.apply(session("yoga", connection="other"))
    office.remote.faults = []
    assert office.apply(session("yoga", connection="other")).clean
    assert len(office.live["Session"]) == 1


@pytest.mark.parametrize("fault", [*COMMITTED, *NOT_COMMITTED])
def test_a_price_whose_update_was_lost_is_sent_again_even_once_the_manifest_is_reverted(office, fault):
    office.remote.hidden = {"price"}
    office.apply(session("yoga", price="35"))
    interrupted(office, session("yoga", price="40"), fault=fault)
    plan = office.plan(session("yoga", price="35"))
    assert actions(plan) == {"Session/yoga": "update"}
    (change,) = plan.changes[0].fields
    assert (change.path, change.after, change.verifiable) == ("price", "35.00", False)
    assert "unknown result" in plan.changes[0].reason
    assert office.apply(session("yoga", price="35")).clean
    assert office.only("Session")["price"] == "35.00"
    assert actions(office.plan(session("yoga", price="35"))) == {"Session/yoga": "noop"}


def test_the_doubt_about_a_lost_update_outlives_a_refused_repetition(office):
    office.remote.hidden = {"price"}
    office.apply(session("yoga", price="35"))
    interrupted(office, session("yoga", price="40"), fault=LOST_AFTER)
    interrupted(office, session("yoga", price="35"), fault=REFUSED)
    assert office.apply(session("yoga", price="35")).clean
    assert office.only("Session")["price"] == "35.00"


@pytest.mark.parametrize("fault", [*COMMITTED, *NOT_COMMITTED])
def test_a_slot_whose_move_was_lost_is_sent_again_even_once_the_manifest_is_reverted(office, fault):
    early = [{"date": "2027-03-01", "time": "09:00"}, {"date": "2027-03-02", "time": "09:00"}]
    late = [early[0], {**early[1], "time": "10:00"}]
    office.remote.answers_times = False
    office.apply(session("yoga", repeat="custom", slots=early))
    ids = [slot["id"] for slot in office.only("Session")["slots"]]
    interrupted(office, session("yoga", repeat="custom", slots=late), fault=fault)
    office.remote.sent.clear()
    assert office.apply(session("yoga", repeat="custom", slots=early)).clean
    assert office.remote.sent == [f"PUT /api/slots/{ids[1]}.xml"]
    assert [slot["time"] for slot in office.only("Session")["slots"]] == ["09:00", "09:00"]
    assert actions(office.plan(session("yoga", repeat="custom", slots=early))) == {"Session/yoga": "noop"}


def test_a_lost_update_that_turns_out_right_is_settled_without_a_call(office):
    office.apply(session("yoga", spaces=8))
    interrupted(office, session("yoga", spaces=9), fault=LOST_AFTER)
    office.remote.sent.clear()
    assert office.apply(session("yoga", spaces=9)).clean
    assert office.remote.sent == []
    assert office.record("Session/yoga").fields["spaces"] == 9
    assert office.store.open_intents() == ()


@pytest.mark.parametrize("fault", [*COMMITTED, *NOT_COMMITTED])
def test_a_delete_whose_answer_was_lost_ends_with_the_object_gone(office, fault):
    office.apply(session("yoga"))
    interrupted(office, fault=fault)
    assert office.apply().clean
    assert office.live["Session"] == {}
    assert office.store.records() == {}
    assert office.store.open_intents() == ()


def test_two_interrupted_twins_never_share_one_live_object(office):
    twins = [session("yoga-1", name="Yoga"), session("yoga-2", name="Yoga")]
    office.remote.faults = [LOST_AFTER, LOST_BEFORE]
    office.apply(*twins, workers=1)
    assert office.apply(*twins).clean
    ids = {record.remote_id for record in office.store.records().values()}
    assert len(ids) == 2
    assert ids == set(office.live["Session"])


def test_a_twin_is_created_beside_the_object_that_an_interrupted_creation_made(office):
    interrupted(office, session("yoga-1", name="Yoga"), fault=LOST_AFTER)
    twins = [session("yoga-1", name="Yoga"), session("yoga-2", name="Yoga")]
    assert actions(office.plan(*twins)) == {"Session/yoga-1": "adopt", "Session/yoga-2": "create"}


def test_a_natural_key_that_exists_unmanaged_is_not_created_but_offered_for_adoption(office):
    there = office.remote.put("Session", dict(session("yoga").fields))
    plan = office.plan(session("yoga"))
    (change,) = plan.changes
    assert change.action == "adopt"
    assert change.calls == ()
    assert codes(change.risks) == {"already-exists"}
    assert change.risks[0].level == "block"
    assert f"reconciler adopt Session/yoga {there}" in change.risks[0].message


def test_an_unmanaged_twin_that_cannot_be_read_is_not_taken_for_absent(office):
    there = office.remote.put("Session", dict(session("yoga").fields))
    office.remote.unreadable = {there}
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert there in plan.changes[0].reason
    office.apply(session("yoga"))
    assert list(office.live["Session"]) == [there]


def test_a_managed_object_that_cannot_be_read_keeps_nobody_else_from_being_created(office):
    office.apply(session("yoga-1", name="Yoga"))
    office.remote.unreadable = set(office.live["Session"])
    plan = office.plan(session("yoga-1", name="Yoga"), session("zumba"))
    assert actions(plan) == {"Session/yoga-1": "unknown", "Session/zumba": "create"}


def test_what_was_deleted_and_recreated_outside_is_not_created_again(office):
    office.apply(session("yoga"))
    office.live["Session"].clear()
    office.remote.put("Session", dict(session("yoga").fields))
    plan = office.plan(session("yoga"))
    assert codes(plan.changes[0].risks) == {"already-exists"}
    assert plan.changes[0].calls == ()


def test_a_move_to_another_connection_does_not_double_what_exists_there(office):
    other = Office(Remote(last_id=500)).remote
    office.project.connections["other"] = office.project.connections["sessions"]
    office.apply(session("yoga"))
    other.put("Session", dict(session("yoga").fields))
    office.reader = lambda name: other if name == "other" else office.remote
    plan = office.plan(session("yoga", connection="other"))
    assert codes(plan.changes[0].risks) >= {"already-exists"}
    assert plan.changes[0].calls == ()


def test_a_move_to_a_connection_that_cannot_be_read_does_nothing(office):
    office.project.connections["other"] = office.project.connections["sessions"]
    office.apply(session("yoga"))
    down = Office().remote
    down.unreachable = True
    office.reader = lambda name: down if name == "other" else office.remote
    assert actions(office.plan(session("yoga", connection="other"))) == {"Session/yoga": "unknown"}


def test_an_unreadable_object_is_unknown_and_an_absent_one_is_made_again(office):
    office.apply(session("yoga"), session("zumba"))
    office.remote.unreadable = {office.record("Session/yoga").remote_id}
    del office.live["Session"][office.record("Session/zumba").remote_id]
    plan = office.plan(session("yoga"), session("zumba"))
    assert actions(plan) == {"Session/yoga": "unknown", "Session/zumba": "create"}
    assert "answered 500" in plan.changes[0].reason
    assert "deleted outside" in plan.changes[1].reason


def test_an_unreadable_object_is_not_deleted_when_no_manifest_declares_it(office):
    office.apply(session("yoga"))
    office.remote.unreadable = set(office.live["Session"])
    assert actions(office.plan()) == {"Session/yoga": "unknown"}
    assert states(office.apply()) == {"Session/yoga": "unknown"}
    assert office.record("Session/yoga") is not None


def test_a_failed_list_makes_new_objects_unknown_instead_of_created(office):
    office.remote.list_fails = True
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert "could not check for an existing object" in plan.changes[0].reason


def test_an_unreachable_system_stops_nothing_at_the_other(office):
    office.remote.put("Resource", {"name": "hall"})
    down = Office().remote
    down.unreachable = True
    office.reader = lambda name: down if name == "sessions" else office.remote
    plan = office.plan(session("yoga"), resource("court"))
    assert actions(plan) == {"Resource/court": "create", "Session/yoga": "unknown"}


def test_an_id_is_never_used_against_another_system(office):
    office.apply(session("yoga"))
    office.retarget("sessions", "https://us.bookingbug.com")
    plan = office.plan(session("yoga"))
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert codes(plan.errors) == {"connection-retargeted"}
    assert "uk.bookingbug.com" in plan.errors[0].summary
    assert plan.errors[0].where is not None


def test_an_object_whose_connection_is_gone_is_unknown_and_an_error(office):
    office.apply(session("yoga"))
    del office.project.connections["sessions"]
    plan = office.plan()
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert codes(plan.errors) == {"connection-gone"}


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("how", ["retargeted", "gone"])
def test_an_open_creation_at_a_system_that_is_not_looked_at_is_neither_forgotten_nor_made_elsewhere(
    office, how, wanted
):
    """What the lost call made there would have no record and no intent any more: an orphan."""
    interrupted(office, session("yoga"), fault=LOST_AFTER)
    made, office.remote.objects["Session"] = office.remote.objects["Session"], {}
    office.elsewhere()
    office.retarget("other", "https://eu.bookingbug.com")
    if how == "gone":
        del office.project.connections["sessions"]
    else:
        office.retarget("sessions", "https://us.bookingbug.com")
    plan = office.plan(*[session("yoga", connection="other")] * wanted)
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert codes(plan.errors) == {f"connection-{how}"}
    assert "may have been created by an earlier run" in plan.errors[0].summary
    assert len(office.store.open_intents()) == 1
    office.project.connections.update(CONNECTIONS)
    office.remote.objects["Session"] = made
    assert office.apply(session("yoga")).clean
    assert len(office.live["Session"]) == 1


def test_a_block_of_an_unknown_resource_is_not_started(office):
    office.remote.faults = [LOST_AFTER]
    report = office.apply(resource("court"), block("closed", "court"))
    assert states(report) == {"Block/closed": "blocked", "Resource/court": "unknown"}
    assert outcome(report, "Block/closed").calls == 0
    assert office.apply(resource("court"), block("closed", "court")).clean
    assert len(office.live["Resource"]) == len(office.live["Block"]) == 1


def test_a_plan_of_one_object_decides_on_its_lost_create_as_a_plan_of_all(office):
    """What another lost create made is not its result, whether that one is selected or not."""
    office.remote.faults = [KILLED_BEFORE, KILLED_AFTER]
    with suppress(Killed):
        office.apply(session("yoga"), session("zumba"), workers=1)
    assert len(office.live["Session"]) == 1
    all_of_it = {change.address: change.action for change in office.plan().changes}
    for address, action in all_of_it.items():
        (change,) = office.plan(targets=(str(address),)).changes
        assert change.action == action, change.reason
    assert sorted(all_of_it.values()) == ["noop", "unknown"]


@pytest.mark.parametrize("made_there", [True, False])
def test_an_open_creation_is_looked_for_through_a_connection_that_was_renamed(office, made_there):
    interrupted(office, session("yoga"), fault=LOST_AFTER if made_there else LOST_BEFORE)
    office.project.connections["classes"] = office.project.connections.pop("sessions")
    office.apply(session("yoga", connection="classes"))
    assert len(office.live["Session"]) == 1
    assert office.record("Session/yoga").connection == "classes"
    assert office.store.open_intents() == ()


def test_a_server_that_stored_other_values_is_not_asked_again_through_a_renamed_connection(office):
    office.remote.lies = {"name": "YOGA"}
    interrupted(office, session("yoga"), fault=LOST_AFTER)
    office.project.connections["classes"] = office.project.connections.pop("sessions")
    plan = office.plan(session("yoga", connection="classes"))
    assert actions(plan) == {"Session/yoga": "unknown"}
    assert "newer objects could be its result" in plan.changes[0].reason
