"""Random sets of slots: the edits returned lead to what is declared, with the least harm."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.session.slots import compare_slots, slot_key

keys = st.tuples(st.integers(1, 5), st.sampled_from(["09:00", "11:00", "18:30"]))


def stated(key, duration=60):
    slot = {"date": f"2027-03-{key[0]:02d}", "time": key[1]}
    return slot if duration is None else {**slot, "duration": duration}


def slot_sets(size):
    slot = st.builds(stated, keys, st.sampled_from([60, 60, 90]))
    return st.lists(slot, unique_by=slot_key, **size).map(lambda slots: sorted(slots, key=slot_key))


anything = slot_sets({"max_size": 6})
bookings = st.lists(st.sampled_from([0, 0, 0, 2]), min_size=6, max_size=6)


@st.composite
def worlds(draw):
    """What is declared, what was applied, and what is live: as applied, but for some slots moved by hand."""
    desired, applied = draw(anything), draw(anything)
    kept = draw(st.one_of(st.just(applied), anything))
    booked = draw(bookings)
    live = [
        {"id": str(number), "duration": 60, **slot, "spaces_booked": booked[number], "spaces_reserved": 0}
        for number, slot in enumerate(kept)
    ]
    return desired, applied if draw(st.booleans()) else None, draw(st.permutations(live))


@st.composite
def same_sized_worlds(draw):
    count = draw(st.integers(0, 5))
    size = {"min_size": count, "max_size": count}
    desired, applied, kept, booked = draw(slot_sets(size)), draw(slot_sets(size)), draw(slot_sets(size)), draw(bookings)
    live = [
        {"id": str(number), **slot, "spaces_booked": booked[number], "spaces_reserved": 0}
        for number, slot in enumerate(draw(st.sampled_from([kept, applied])))
    ]
    return desired, applied, live


def shown(live, *, times):
    """What the API answers of the live slots."""
    hidden = set() if times else {"time", "duration"}
    return [{key: value for key, value in slot.items() if key not in hidden} for slot in live]


def carried_out(live, revision):
    """The live slots once the edits are made: a slot edit keeps the id, a whole set gives new ones."""
    after = [dict(slot) for slot in live]
    for edit in revision.edits:
        if edit.part is None:
            after = [
                {"id": f"new-{number}", "duration": 60, **slot, "spaces_booked": 0, "spaces_reserved": 0}
                for number, slot in enumerate(edit.values["slots"])
            ]
        else:
            (slot,) = [slot for slot in after if slot["id"] == edit.part_id]
            slot.update(edit.values)
    return after


def content(slots):
    return Counter((slot["date"], slot["time"], slot["duration"]) for slot in slots)


def touched(live, after):
    """Ids of slots that are gone, or lie at another date or time."""
    left = {slot["id"]: slot_key(slot) for slot in after}
    return {slot["id"] for slot in live if left.get(slot["id"]) != slot_key(slot)}


@given(worlds(), st.booleans())
def test_the_edits_lead_to_a_state_where_nothing_is_left_to_do(world, times):
    desired, applied, live = world
    after = carried_out(live, compare_slots(desired, shown(live, times=times), applied))
    again = compare_slots(desired, shown(after, times=times), desired)
    assert (again.fields, again.edits, again.risks) == ((), (), ())


@given(worlds())
def test_the_edits_lead_to_exactly_what_is_declared_where_times_are_answered(world):
    desired, applied, live = world
    after = carried_out(live, compare_slots(desired, shown(live, times=True), applied))
    assert content(after) == content(desired)


@given(worlds())
def test_unanswered_times_lead_to_what_is_declared_as_long_as_nobody_moved_a_slot_by_hand(world):
    desired, _, live = world
    applied = sorted(({key: slot[key] for key in ("date", "time", "duration")} for slot in live), key=slot_key)
    after = carried_out(live, compare_slots(desired, shown(live, times=False), applied))
    assert content(after) == content(desired)


@given(same_sized_worlds(), st.booleans())
def test_slots_of_an_equal_number_keep_their_ids(world, times):
    desired, applied, live = world
    after = carried_out(live, compare_slots(desired, shown(live, times=times), applied))
    assert {slot["id"] for slot in after} == {slot["id"] for slot in live}


@given(same_sized_worlds())
def test_slots_of_an_equal_number_take_as_few_edits_as_can_be(world):
    desired, applied, live = world
    revision = compare_slots(desired, shown(live, times=True), applied)
    assert len(revision.edits) == sum((content(desired) - content(live)).values())
    assert len({edit.part_id for edit in revision.edits}) == len(revision.edits)


@given(same_sized_worlds())
def test_a_slot_that_is_right_is_not_touched(world):
    desired, applied, live = world
    wanted = {slot_key(slot) for slot in desired}
    after = carried_out(live, compare_slots(desired, shown(live, times=True), applied))
    assert touched(live, after).isdisjoint(slot["id"] for slot in live if slot_key(slot) in wanted)


@given(worlds(), st.booleans())
def test_no_booked_slot_is_moved_or_lost_without_a_risk_that_blocks(world, times):
    desired, applied, live = world
    revision = compare_slots(desired, shown(live, times=times), applied)
    named = {slot_id for risk in revision.risks if risk.level == "block" for slot_id in risk.slots}
    harmed = touched(live, carried_out(live, revision))
    booked = {slot["id"]: slot["spaces_booked"] for slot in live if slot["spaces_booked"]}
    assert harmed & booked.keys() <= named
    assert sum(risk.booked for risk in revision.risks if risk.level == "block") >= sum(
        count for slot_id, count in booked.items() if slot_id in harmed
    )


@given(worlds(), st.booleans())
def test_what_is_answered_in_another_order_makes_no_difference(world, times):
    desired, applied, live = world
    answer = shown(live, times=times)
    assert compare_slots(desired, answer, applied) == compare_slots(desired, answer[::-1], applied)
