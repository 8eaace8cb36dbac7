import pytest
from engine_fakes import WHERE, Office, actions, block, codes, resource, session

import reconciler
from reconciler.documents import codec
from reconciler.engine.impact import Bookings
from reconciler.engine.order import in_order
from reconciler.engine.plan import decide_all, make_plan
from reconciler.engine.snapshot import Snapshot, take
from reconciler.engine.world import World
from reconciler.errors import ReconcilerError, UsageError
from reconciler.model.change import Change
from reconciler.model.objects import Address, Live, Reading, Record
from reconciler.registry import kinds, providers
from reconciler.settings import Connection


@pytest.fixture
def office():
    return Office()


def change(name, *needs, action="update"):
    depends_on = tuple(Address("Thing", need) for need in needs)
    address = Address("Thing", name)
    record = Record(address=address, connection="c", target="t", remote_id="1", fields={}, depends_on=depends_on)
    return Change(address=address, connection="c", action=action, reason="", record=record)


def names(changes):
    return [address.name for address in in_order(changes)]


def test_what_is_referred_to_comes_first_otherwise_by_name():
    assert names([change("a", "c"), change("b"), change("c")]) == ["b", "c", "a"]


def test_what_is_deleted_waits_for_what_referred_to_it():
    assert names([change("a", action="delete"), change("b", "a", action="delete")]) == ["b", "a"]
    assert names([change("a", action="delete"), change("b", "a")]) == ["b", "a"]


def test_a_circle_of_references_is_an_error_that_names_it():
    with pytest.raises(ReconcilerError, match=r"cycle: .*Thing/a.*Thing/b|cycle: .*Thing/b.*Thing/a"):
        in_order([change("a", "b"), change("b", "a")])


def test_planning_sends_nothing(office):
    office.plan(resource("court"), block("closed", "court"), session("yoga"))
    assert office.remote.sent == []


def test_planning_leaves_the_state_as_it_is(office):
    office.plan(session("yoga"))
    assert office.store.records() == {}
    assert office.store.open_intents() == ()


def test_a_new_block_of_a_new_resource_holds_a_reference_until_the_id_is_known(office):
    plan = office.plan(resource("court"), block("closed", "court"))
    (call,) = next(change for change in plan.changes if change.address == Address("Block", "closed")).calls
    assert call.path == "/api/v1/admin/37004/resources/{Resource/court}/block"
    assert call.needs == (Address("Resource", "court"),)


def test_a_block_of_a_recreated_resource_refers_to_the_new_one(office):
    desired = [resource("court"), block("closed", "court")]
    office.apply(*desired)
    office.live["Resource"].clear()
    assert actions(office.plan(*desired)) == {"Block/closed": "update", "Resource/court": "create"}


def test_a_selected_block_brings_its_new_resource_along(office):
    plan = office.plan(resource("court"), block("closed", "court"), session("yoga"), targets=("Block/*",))
    assert actions(plan) == {"Block/closed": "create", "Resource/court": "create"}


def test_a_needed_resource_that_is_excluded_is_an_error(office):
    plan = office.plan(resource("court"), block("closed", "court"), excludes=("Resource/court",))
    assert codes(plan.errors) == {"dependency-not-selected"}


def test_what_is_not_selected_is_neither_changed_nor_deleted(office):
    office.apply(session("yoga"), session("zumba"))
    assert actions(office.plan(targets=("Session/yoga",))) == {"Session/yoga": "delete"}
    with pytest.raises(UsageError):
        office.plan(targets=("Session/nothing",))


def test_the_same_world_gives_the_same_digests_and_another_one_others(office):
    office.apply(session("yoga"))
    first, second = office.plan(session("yoga")), office.plan(session("yoga"))
    assert (first.manifest_digest, first.live_digest) == (second.manifest_digest, second.live_digest)
    office.only("Session")["name"] = "other"
    assert office.plan(session("yoga")).live_digest != first.live_digest
    assert office.plan(session("yoga", spaces=3)).manifest_digest != first.manifest_digest


def test_a_new_booking_does_not_make_a_plan_stale(office):
    slots = [{"date": "2027-03-01", "time": "18:00", "duration": 60}]
    office.apply(session("yoga", repeat="custom", slots=slots))
    before = office.plan(session("yoga", repeat="custom", slots=slots)).live_digest
    office.only("Session")["slots"][0]["spaces_booked"] = 3
    assert office.plan(session("yoga", repeat="custom", slots=slots)).live_digest == before


def test_what_a_creation_needs_and_lacks_is_an_error_with_its_place(office):
    plan = office.plan(session("yoga", type=None))
    assert codes(plan.errors) == {"needed-to-create"}
    assert plan.errors[0].where is not None


def test_an_existing_object_may_lack_what_only_a_creation_needs(office):
    office.apply(session("yoga"))
    assert office.plan(session("yoga", type=None)).errors == ()


def test_changes_are_ordered_by_address(office):
    plan = office.plan(session("b"), session("a"), resource("z"))
    assert [str(item.address) for item in plan.changes] == ["Resource/z", "Session/a", "Session/b"]


def test_the_reason_distinguishes_drift_from_a_new_manifest(office):
    office.apply(session("yoga"))
    office.only("Session")["name"] = "moved"
    assert "changed outside" in office.plan(session("yoga")).changes[0].reason
    reason = office.plan(session("yoga", group="Evening")).changes[0].reason
    assert "manifest changed" in reason
    assert "live object" in reason


def test_drift_distinguishes_changed_missing_unknown_and_in_sync(office):
    office.remote.hidden = {"price"}
    office.apply(*[session(name, price="5") for name in ("changed", "missing", "same", "unread")])
    ids = {record.address.name: record.remote_id for record in office.store.records().values()}
    office.live["Session"][ids["changed"]]["group"] = "Evening"
    del office.live["Session"][ids["missing"]]
    office.remote.unreadable = {ids["unread"]}
    office.remote.sent.clear()
    drift = reconciler.drift(office)
    assert {item.address.name: item.status for item in drift.objects} == {
        "changed": "changed",
        "missing": "missing",
        "same": "in_sync",
        "unread": "unknown",
    }
    (moved,) = drift.objects[0].fields
    assert (moved.path, moved.before, moved.after, moved.origin) == ("group", "Classes", "Evening", "drift")
    assert drift.coverage == {"fields": 12, "verifiable": 10}
    assert office.remote.sent == []


def test_drift_does_not_read_an_id_at_another_system(office):
    office.apply(session("yoga"))
    office.retarget("sessions", "https://us.bookingbug.com")
    assert [item.status for item in reconciler.drift(office).objects] == ["unknown"]


def test_an_id_the_provider_said_nothing_about_is_unreadable_not_absent():
    snapshot = Snapshot(readings={("sessions", "Session"): Reading(listed=frozenset())})
    assert snapshot.why_unreadable("sessions", "Session", "12") is not None
    assert snapshot.why_unlisted("sessions", "Session", None) is None


def test_a_place_that_was_not_read_is_not_known_to_be_empty():
    assert Snapshot().why_unlisted("sessions", "Session", None) is not None


def test_a_provider_that_breaks_is_not_hidden_in_a_snapshot():
    def broken(_name):
        raise ReconcilerError("no such setting")

    with pytest.raises(ReconcilerError, match="no such setting"):
        take({("sessions", "Session"): None}, broken)


def test_an_id_that_is_a_credential_stays_in_the_change_and_out_of_its_document():
    address, secret = Address("BookingSession", "gala"), "held-0123456789"
    connection = Connection(name="shop", provider="checkfront", base_url="https://shop.example", where=WHERE)
    record = Record(address=address, connection="shop", target=connection.target, remote_id=secret, fields={})
    live = Live(remote_id=secret, fields={})
    world = World(
        desired={},
        records={address: record},
        selected=frozenset({address}),
        kinds=kinds(),
        providers=providers(),
        connections={"shop": connection},
    )
    snapshot = Snapshot(readings={("shop", "BookingSession"): Reading(live={secret: live})})
    plan = make_plan(world, decide_all(world, snapshot), Bookings())
    (change,) = plan.changes
    assert (change.action, change.remote_id, change.shown_id) == ("delete", secret, "held…")
    assert secret not in codec.dumps(codec.plan_document(plan))
