"""Whether a saved plan still fits, compared as two values."""

import msgspec
import pytest
from engine_fakes import Office, address, resource, session, states

import reconciler
from reconciler.documents.load import as_saved
from reconciler.engine import stale
from reconciler.errors import Refused

SLOTS = [{"date": f"2027-03-{day:02d}", "time": "18:00", "duration": 60} for day in (1, 8)]


def saved(plan):
    return as_saved(plan).plan


@pytest.fixture
def office():
    made = Office()
    made.apply(session("yoga", repeat="custom", slots=SLOTS, spaces=9), resource("court"))
    return made


def planned(office):
    return saved(office.plan(session("yoga", repeat="custom", slots=SLOTS, spaces=9, price="40"), resource("court")))


def test_a_plan_fits_as_long_as_nothing_it_changes_has_changed(office):
    plan = planned(office)
    assert stale.touched(plan) == ("Session/yoga",)
    office.only("Resource")["description"] = "changed outside"
    assert stale.reasons(plan, planned(office)) == []


def test_each_live_value_that_changed_is_named_members_by_their_id(office):
    plan = planned(office)
    live = office.only("Session")
    live["slots"][1]["time"] = "19:00"
    live["description"] = "new"
    second = live["slots"][1]["id"]
    assert stale.reasons(plan, planned(office)) == [
        "Session/yoga: description was absent when the plan was made, and is new now",
        f"Session/yoga: slots[{second}].time was 18:00 when the plan was made, and is 19:00 now",
    ]


def test_a_live_object_that_is_gone_is_named(office):
    plan = planned(office)
    office.live["Session"].clear()
    found = stale.reasons(plan, planned(office))
    assert found[0] == "Session/yoga: the live object no longer exists"
    assert found[1].startswith("Session/yoga: the planned action was update, and is create now: deleted outside")


def test_an_object_that_is_unknown_now_has_not_been_seen_to_change(office):
    plan = planned(office)
    office.remote.unreadable = {office.record("Session/yoga").remote_id}
    fresh = planned(office)
    assert stale.reasons(plan, fresh) == []
    assert [words.partition(":")[0] for words in stale.unknown(plan, fresh)] == ["Session/yoga"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"calls": ()}, "different in a new plan: calls"),
        ({"expired": True, "zone": "Europe/London"}, "different in a new plan: expired, timezone"),
        ({"shown_id": "999"}, "its id was 999 and is"),
        ({"saved_digest": "sha256:0"}, "the calls or the last applied values are different in a new plan"),
    ],
)
def test_a_change_that_would_be_made_in_another_way_is_named(office, other, words):
    plan = planned(office)
    changes = [
        msgspec.structs.replace(item, **other) if str(item.address) == "Session/yoga" else item for item in plan.changes
    ]
    (found,) = stale.reasons(msgspec.structs.replace(plan, changes=tuple(changes)), planned(office))
    assert found.startswith(f"Session/yoga: {words}")


def test_guards_reasons_and_bookings_may_differ(office):
    plan = planned(office)
    other = {"reason": "another", "bookings": (), "price": None, "source": None}
    changes = tuple(msgspec.structs.replace(item, **other) for item in plan.changes)
    guarded = {item.address: ("guard-max-deletes",) for item in changes}
    assert stale.reasons(msgspec.structs.replace(plan, changes=changes, guarded=guarded), planned(office)) == []


def test_a_plan_for_another_project_or_target_is_named_before_anything_is_read(office):
    plan = planned(office)
    facts = {"project": "other", "environment": None, "tool_version": plan.tool_version}
    found = stale.header_reasons(plan, facts, {**plan.targets, "sessions": "elsewhere"})
    assert found[0] == "the project was acme and is other now"
    assert found[1].endswith("and points to elsewhere now")
    assert stale.header_reasons(plan, {**facts, "project": "acme"}, plan.targets) == []


def test_a_change_knows_the_real_id_and_shows_what_may_be_shown(office):
    changes = office.plan(resource("court"), session("yoga")).changes
    change = next(change for change in changes if change.address == address("Session/yoga"))
    assert change.remote_id == change.shown_id == office.record("Session/yoga").remote_id


def test_an_untouched_object_that_cannot_be_read_stops_a_saved_plan_as_it_stops_a_new_one(office):
    declared = (session("yoga", repeat="custom", slots=SLOTS, spaces=9, price="40"), resource("court"))
    planned = office.look(*declared)
    office.remote.unreadable = {office.record("Resource/court").remote_id}
    again = reconciler.plan_again(office, planned.declared, as_saved(planned.plan))
    with pytest.raises(Refused, match="before the first write"):
        reconciler.apply(office, again)
    overrides = reconciler.Overrides(allow_unknown=("Resource/court",), max_change_percent=100)
    asked = []
    callbacks = reconciler.Callbacks(confirm=lambda plan: asked.append(plan) or True)
    report = reconciler.apply(office, again, overrides=overrides, callbacks=callbacks)
    assert len(asked) == 1
    assert states(report) == {"Session/yoga": "applied", "Resource/court": "unknown"}
