import pytest

from reconciler.kinds.session.slots import compare_slots


def wanted(day, time="09:00", duration=60):
    stated = {"date": f"2027-03-{day:02d}", "time": time, "duration": duration}
    return {key: value for key, value in stated.items() if value is not None}


def there(number, day, time="09:00", duration=60, booked=0, reserved=0):
    slot = {"id": str(number), **wanted(day, time, duration), "spaces_booked": booked, "spaces_reserved": reserved}
    return {key: value for key, value in slot.items() if value is not None}


def timeless(number, day, booked=0):
    return {"id": str(number), "date": f"2027-03-{day:02d}", "spaces_booked": booked, "spaces_reserved": 0}


def edits(revision):
    return [(edit.part_id, edit.values.get("date"), edit.values.get("time")) for edit in revision.edits]


def risk_codes(revision):
    return [(risk.code, risk.level, risk.slots) for risk in revision.risks]


def test_slots_that_are_right_stay():
    revision = compare_slots([wanted(1), wanted(2)], [there(8, 2), there(7, 1)], None)
    assert (revision.fields, revision.edits, revision.risks, revision.note) == ((), (), (), None)
    assert revision.verified == ("date", "time", "duration")


def test_one_move_is_one_edit_of_that_slot():
    revision = compare_slots([wanted(1), wanted(5)], [there(7, 1), there(8, 2)], None)
    assert edits(revision) == [("8", "2027-03-05", "09:00")]
    assert revision.edits[0].replaces == wanted(2)
    assert "ids and bookings are kept" in revision.note


def test_two_moves_leave_the_others_alone_and_stay_on_their_day_where_they_can():
    live = [there(1, 1), there(2, 2), there(3, 3)]
    revision = compare_slots([wanted(1), wanted(3, "10:00"), wanted(9)], live, None)
    assert edits(revision) == [("3", "2027-03-03", "10:00"), ("2", "2027-03-09", "09:00")]


def test_a_change_of_length_is_one_edit_and_no_move():
    revision = compare_slots([wanted(1, duration=90)], [there(7, 1, booked=2)], None)
    assert edits(revision) == [("7", "2027-03-01", "09:00")]
    assert risk_codes(revision) == [("booked-slot-changed", "warn", ("7",))]


def test_a_length_that_is_not_stated_is_left_alone():
    assert compare_slots([wanted(1, duration=None)], [there(7, 1, duration=90)], None).edits == ()


def test_another_number_of_slots_replaces_the_whole_set_in_one_edit_and_says_so():
    revision = compare_slots([wanted(1)], [there(7, 1), there(8, 2, booked=4)], None)
    (edit,) = revision.edits
    assert (edit.part, edit.values) == (None, {"slots": [wanted(1)]})
    assert "all slots are replaced" in revision.note
    assert [(item.path, item.after) for item in revision.fields] == [("slots[2027-03-02 09:00]", None)]


def test_replacing_the_set_loses_bookings_even_of_slots_that_are_in_both():
    (risk,) = compare_slots([wanted(1)], [there(7, 1, booked=3, reserved=1), there(8, 2)], None).risks
    assert (risk.code, risk.level, risk.slots, risk.booked, risk.reserved) == (
        "booked-slot-lost",
        "block",
        ("7",),
        3,
        1,
    )


def test_moving_a_booked_slot_is_blocked_and_counted():
    (risk,) = compare_slots([wanted(2)], [there(7, 1, booked=3)], None).risks
    assert (risk.code, risk.level, risk.slots, risk.booked) == ("booked-slot-moved", "block", ("7",), 3)


def test_moving_a_slot_whose_bookings_are_not_known_is_blocked():
    slot = {"id": "7", "date": "2027-03-01", "time": "09:00", "duration": 60}
    assert risk_codes(compare_slots([wanted(2)], [slot], None)) == [("bookings-unknown", "block", ("7",))]


def test_times_that_are_not_answered_are_those_last_applied():
    applied = [wanted(1), wanted(2)]
    live = [timeless(7, 1), timeless(8, 2)]
    assert compare_slots(applied, live, applied).edits == ()
    revision = compare_slots([wanted(1), wanted(2, "10:00")], live, applied)
    assert edits(revision) == [("8", "2027-03-02", "10:00")]
    assert revision.unverified == ("time", "duration")


def test_times_that_neither_side_has_are_no_crash():
    timeless = {"id": "1", "date": "2027-03-01"}
    revision = compare_slots([{"date": "2027-03-01", "time": "11:00"}], [timeless], [timeless])
    assert [edit.part_id for edit in revision.edits] == ["1"]


def test_without_anything_applied_a_slot_of_unknown_time_is_written():
    assert edits(compare_slots([wanted(1)], [timeless(7, 1)], None)) == [("7", "2027-03-01", "09:00")]


def test_a_day_of_unknown_times_that_is_as_applied_is_right():
    applied = [wanted(1), wanted(1, "11:00")]
    assert compare_slots(applied, [timeless(7, 1), timeless(8, 1)], applied).edits == ()


def test_a_day_of_unknown_times_that_is_to_change_is_written_in_full():
    applied = [wanted(1), wanted(1, "11:00"), wanted(2)]
    live = [timeless(7, 1), timeless(8, 1), timeless(9, 2)]
    revision = compare_slots([wanted(1), wanted(1, "12:00"), wanted(2)], live, applied)
    assert edits(revision) == [("7", "2027-03-01", "09:00"), ("8", "2027-03-01", "12:00")]


def test_writing_a_day_of_unknown_times_is_blocked_where_places_are_booked():
    applied = [wanted(1), wanted(1, "11:00")]
    revision = compare_slots([wanted(1), wanted(1, "12:00")], [timeless(7, 1, booked=2), timeless(8, 1)], applied)
    assert risk_codes(revision) == [("booked-slot-moved", "block", ("7",))]


def test_a_day_of_unknown_times_stays_as_it_is_when_the_manifest_stops_stating_lengths():
    applied = [wanted(1), wanted(1, "11:00")]
    stated = [wanted(1, duration=None), wanted(1, "11:00", duration=None)]
    assert compare_slots(stated, [timeless(7, 1, booked=2), timeless(8, 1)], applied).edits == ()


def test_slots_that_are_not_answered_at_all_are_compared_with_those_last_applied():
    assert compare_slots([wanted(1)], None, [wanted(1)]).edits == ()
    assert compare_slots([wanted(1, duration=None)], None, [wanted(1)]).edits == ()
    revision = compare_slots([wanted(2)], None, [wanted(1)])
    assert revision.edits[0].values == {"slots": [wanted(2)]}
    assert risk_codes(revision) == [("bookings-unknown", "block", ())]
    assert {item.verifiable for item in revision.fields} == {False}


def test_a_slot_moved_outside_is_put_back_as_drift():
    revision = compare_slots([wanted(1)], [there(7, 4)], [wanted(1)])
    assert [(item.path, item.origin) for item in revision.fields] == [("slots[2027-03-04 09:00]", "drift")]
    assert [item.origin for item in compare_slots([wanted(1)], [there(7, 4)], None).fields] == ["manifest"]


def test_a_slot_added_outside_is_taken_away_as_drift():
    revision = compare_slots([wanted(1)], [there(7, 1), there(8, 2)], [wanted(1)])
    assert {item.origin for item in revision.fields} == {"drift"}


def test_a_day_where_only_some_times_are_answered_converges():
    desired = [wanted(1), wanted(1, "11:00")]
    assert compare_slots(desired, [there(7, 1), timeless(8, 1)], desired).edits == ()


def test_two_live_slots_of_one_date_and_time_are_distinguished():
    revision = compare_slots([wanted(1), wanted(2)], [there(7, 1), there(8, 1)], None)
    assert edits(revision) == [("8", "2027-03-02", "09:00")]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_nothing_wanted_and_nothing_there_is_nothing(count):
    live = [there(number, number + 1) for number in range(count)]
    revision = compare_slots([], live, [])
    assert bool(revision.edits) is (count > 0)
