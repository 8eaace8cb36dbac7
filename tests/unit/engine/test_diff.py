import pytest
from engine_fakes import KINDS

from reconciler.engine.diff import ABSENT, appearance, by_member, compare, differences, respelled, same, steps

RESOURCE, SESSION = KINDS["Resource"], KINDS["Session"]


def found(comparison):
    return [(item.path, item.before, item.after, item.origin, item.verifiable) for item in comparison.fields]


def test_equal_fields_need_nothing():
    comparison = compare(RESOURCE, {"name": "Court"}, {"name": "Court"}, {"name": "Court"})
    assert (comparison.fields, comparison.edits) == ((), ())
    assert comparison.verified == ("name",)


def test_a_field_that_is_not_stated_is_left_alone():
    assert compare(RESOURCE, {}, {"name": "Court"}, {"name": "Hall"}).edits == ()


def test_a_changed_manifest_and_a_changed_live_value_have_different_origins():
    assert found(compare(RESOURCE, {"name": "B"}, {"name": "A"}, {"name": "A"})) == [
        ("name", "A", "B", "manifest", True)
    ]
    assert found(compare(RESOURCE, {"name": "A"}, {"name": "B"}, {"name": "A"})) == [("name", "B", "A", "drift", True)]


def test_a_field_never_applied_is_of_origin_manifest():
    assert found(compare(RESOURCE, {"name": "A"}, {"name": "B"}, {})) == [("name", "B", "A", "manifest", True)]


def test_a_field_that_is_not_answered_is_compared_with_what_was_last_applied():
    assert compare(SESSION, {"price": "35.00"}, {}, {"price": "35.00"}).edits == ()
    comparison = compare(SESSION, {"price": "40.00"}, {}, {"price": "35.00"})
    assert found(comparison) == [("price", "35.00", "40.00", "manifest", False)]
    assert comparison.unverified == ("price",)


def test_a_field_that_is_neither_answered_nor_applied_is_sent():
    comparison = compare(SESSION, {"price": "40.00"}, {}, {})
    assert found(comparison) == [("price", None, "40.00", "manifest", False)]
    assert comparison.edits[0].values == {"price": "40.00"}


def test_a_nested_value_is_compared_by_what_is_stated_and_sent_whole():
    live = {"address": {"address1": "1 High St", "postcode": "N1", "country": "GB"}}
    comparison = compare(RESOURCE, {"address": {"postcode": "N2"}}, live, {})
    assert found(comparison) == [("address.postcode", "N1", "N2", "manifest", True)]
    assert comparison.edits[0].values == {"address": {"address1": "1 High St", "postcode": "N2", "country": "GB"}}
    assert compare(RESOURCE, {"address": {"postcode": "N1"}}, live, {}).edits == ()


def test_a_nested_value_that_is_nowhere_yet_shows_each_of_its_parts():
    comparison = compare(RESOURCE, {"address": {"postcode": "N2", "country": "GB"}}, {}, {})
    assert [item[:3] for item in found(comparison)] == [
        ("address.country", None, "GB"),
        ("address.postcode", None, "N2"),
    ]


def test_changes_are_ordered_by_path():
    comparison = compare(RESOURCE, {"position": 1, "name": "B", "email": "e"}, {}, {})
    assert [item.path for item in comparison.fields] == ["email", "name", "position"]


def test_the_object_is_edited_before_its_slots():
    desired = {"slots": [{"date": "2027-03-01", "time": "09:00"}], "name": "B"}
    live = {"slots": [{"id": "1", "date": "2027-03-02", "time": "09:00"}], "name": "A"}
    comparison = compare(SESSION, desired, live, {})
    assert [edit.part for edit in comparison.edits] == [None, "slots"]


def test_a_whole_set_of_slots_travels_with_the_other_fields_in_one_edit():
    desired = {"slots": [{"date": "2027-03-01", "time": "09:00"}], "name": "B"}
    comparison = compare(SESSION, desired, {"slots": [], "name": "A"}, {})
    (edit,) = comparison.edits
    assert set(edit.values) == {"slots", "name"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a", "b", [("x", "a", "b")]),
        (None, {"k": 1}, [("x.k", None, 1)]),
        ({"k": 1}, None, [("x.k", 1, None)]),
        ({}, {"k": 1}, [("x.k", None, 1)]),
        ({"k": 1, "l": 2}, {"k": 1, "l": 3}, [("x.l", 2, 3)]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, [("x.a", 1, 2), ("x.b", 1, 2)]),
    ],
)
def test_steps_name_each_value_that_differs_in_order(before, after, expected):
    assert steps("x", before, after) == expected


def test_an_object_that_comes_or_goes_shows_every_field():
    fields = {"name": "Court", "address": {"postcode": "N1"}}
    coming = [(item.path, item.before, item.after) for item in appearance(RESOURCE, fields, coming=True)]
    going = [(item.path, item.before, item.after) for item in appearance(RESOURCE, fields, coming=False)]
    assert coming == [("address.postcode", None, "N1"), ("name", None, "Court")]
    assert going == [("address.postcode", "N1", None), ("name", "Court", None)]


def test_a_session_that_goes_shows_every_slot_even_two_of_one_day_without_times():
    live = {"slots": [{"id": "1", "date": "2027-03-01"}, {"id": "2", "date": "2027-03-01"}]}
    assert len(appearance(SESSION, live, coming=False)) == 2


def test_differences_name_each_nested_value_and_what_one_side_lacks():
    before = {"name": "Yoga", "address": {"postcode": "N1", "country": None}, "spaces": 9}
    after = {"name": "Yoga", "address": {"country": None, "town": "York"}, "spaces": 8}
    assert differences(before, after) == [
        (("address", "postcode"), "N1", ABSENT),
        (("address", "town"), ABSENT, "York"),
        (("spaces",), 9, 8),
    ]
    assert differences(before, before) == []


def test_members_with_an_id_are_compared_one_by_one_whatever_their_order():
    before = {"slots": [{"id": "1", "time": "09:00"}, {"id": "2", "time": "10:00"}]}
    after = {"slots": [{"id": "2", "time": "11:00"}, {"id": "1", "time": "09:00"}]}
    assert differences(by_member(before), by_member(after)) == [(("slots", "[2]", "time"), "10:00", "11:00")]


def test_members_without_ids_of_their_own_stay_a_list():
    for members in ([{"id": "1"}, {"id": "1"}], [{"time": "09:00"}], ["a"], []):
        assert by_member(members) == members


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a\n", "a"),
        ("a\r\nb\r", "a\nb"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a\n\n", "a"),
        ({"postcode": "A\n"}, {"postcode": "A"}),
    ],
)
def test_texts_that_differ_only_where_no_one_can_see_it_are_the_same(left, right):
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(("left", "right"), [("a ", "a"), ("A", "a"), ("a\nb", "a b"), ("1", 1), ({"a": "x"}, {})])
def test_other_differences_are_differences(left, right):
    assert not same(left, right)


def test_only_another_spelling_of_a_stated_value_is_a_spelling():
    desired = {
        "name": "Court",
        "email": "A@B.example",
        "description": "R&B ",
        "count": 3,
        "address": {"postcode": "e1"},
    }
    live = {
        "name": "Hall",
        "email": "a@b.example",
        "description": "R&amp;B",
        "count": 4,
        "address": {"postcode": "E1", "country": "UK"},
    }
    expected = {"email": "a@b.example", "description": "R&amp;B", "address": {"postcode": "E1"}}
    assert respelled(desired, live) == expected
