"""Any sequence of edits, faults and kills comes to what is declared, with nothing made twice."""

from contextlib import suppress

from engine_fakes import (
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
    resource,
    session,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import share_of

faults = st.lists(
    st.sampled_from([None, None, REFUSED, LOST_BEFORE, LOST_AFTER, KILLED_BEFORE, KILLED_AFTER]), max_size=6
)
times = st.sampled_from(["09:00", "11:00"])
slots = st.lists(
    st.tuples(st.integers(1, 3), times).map(lambda key: {"date": f"2027-03-0{key[0]}", "time": key[1]}),
    min_size=1,
    max_size=3,
    unique_by=lambda slot: (slot["date"], slot["time"]),
)


@st.composite
def manifests(draw):
    """Two sessions, a course, a court and its block: each declared or not, with values that vary."""
    declared = []
    for name in ("yoga", "zumba"):
        if draw(st.booleans()):
            price, spaces = draw(st.sampled_from(["10", "12.50"])), draw(st.integers(1, 3))
            declared.append(session(name, price=price, spaces=spaces))
    if draw(st.booleans()):
        declared.append(session("course", type="course", repeat="custom", slots=draw(slots)))
    if draw(st.booleans()):
        declared.append(resource("court", email=draw(st.sampled_from(["a@example.com", "b@example.com"]))))
        if draw(st.booleans()):
            hour = draw(st.integers(10, 12))
            declared.append(block("closed", "court", f"2027-03-01T{hour}:00Z", f"2027-03-01T{hour + 1}:00Z"))
    return declared


remotes = st.builds(
    Remote,
    answers_ids=st.booleans(),
    answers_times=st.booleans(),
    hidden=st.sets(st.sampled_from(["price", "spaces", "type", "email"])),
)


def content(office):
    """What is live, without ids of objects and slots, references by what they point to."""
    found = []
    for kind, items in office.live.items():
        for fields in items.values():
            shown = {**fields, "kind": kind}
            if "slots" in shown:
                shown["slots"] = sorted((slot["date"], slot["time"]) for slot in shown["slots"])
            if "resource_id" in shown:
                assert shown.pop("resource_id") in office.live["Resource"]
            found.append(shown)
    return sorted(found, key=repr)


def only_stated(found, declared):
    """Leave out what no manifest states: an older one may have."""
    names = {"price", "spaces", "email", "description", "disabled"}
    stated = {name for item in declared for name in item.fields}
    return [{key: value for key, value in item.items() if key not in names - stated} for item in found]


def answered(office, plan):
    """Do what a plan asks a person to do: delete what a lost create left, which was only found by its values."""
    managed = {(record.address.kind, record.remote_id) for record in office.store.records().values()}
    for change in plan.changes:
        if change.action == "unknown" and "could be its result" in change.reason:
            kind = change.address.kind
            for remote_id in list(office.live[kind]):
                if (kind, remote_id) not in managed and office.live[kind][remote_id].get("name") != "theirs":
                    del office.live[kind][remote_id]
            office.store.settle(change.address)


def settled(office, declared):
    """Run without faults until done; what is declared must be reached within three runs."""
    office.remote.faults = []
    for _ in range(3):
        if office.apply(*declared).clean:
            break
        answered(office, office.plan(*declared))
    assert set(actions(office.plan(*declared)).values()) <= {"noop"}


@given(manifests(), remotes)
@settings(max_examples=share_of(60))
def test_after_an_apply_the_next_plan_is_empty_and_applying_again_sends_nothing(declared, remote):
    office = Office(remote)
    assert office.apply(*declared).clean
    assert set(actions(office.plan(*declared)).values()) <= {"noop"}
    remote.sent.clear()
    assert office.apply(*declared).clean
    assert remote.sent == []


@given(st.lists(st.tuples(manifests(), faults), min_size=1, max_size=4), manifests(), remotes)
@settings(max_examples=share_of(100))
def test_edits_faults_and_kills_converge_without_duplicates(history, last, remote):
    office = Office(remote)
    for declared, misfortunes in history:
        remote.faults = list(misfortunes)
        with suppress(Killed):
            office.apply(*declared)
    settled(office, last)
    fresh = Office()
    fresh.apply(*last)
    assert only_stated(content(office), last) == only_stated(content(fresh), last)
    assert len(office.store.records()) == len(last)
    assert office.store.open_intents() == ()
    ids = [(record.address.kind, record.remote_id) for record in office.store.records().values()]
    assert len(set(ids)) == len(ids)


@given(st.lists(st.tuples(manifests(), faults), min_size=1, max_size=3), remotes)
@settings(max_examples=share_of(60))
def test_what_somebody_else_made_is_never_changed_or_deleted(history, remote):
    office = Office(remote)
    by_hand = {"name": "theirs", "group": "Classes", "start_date": "2027-03-01", "price": "1.00"}
    theirs = remote.put("Session", by_hand)
    for declared, misfortunes in history:
        remote.faults = list(misfortunes)
        with suppress(Killed):
            office.apply(*declared)
    settled(office, [])
    assert office.live["Session"] == {theirs: by_hand}
    assert office.live["Resource"] == office.live["Block"] == {}


@given(manifests(), manifests(), remotes)
@settings(max_examples=share_of(60))
def test_planning_never_sends_and_says_the_same_twice(before, after, remote):
    office = Office(remote)
    office.apply(*before)
    remote.sent.clear()
    first, second = office.plan(*after), office.plan(*reversed(after))
    assert first == second
    assert remote.sent == []
