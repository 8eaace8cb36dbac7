"""Of thousands of objects with one natural key, the possible results of a create are those that compare as equal."""

from string import ascii_letters

import pytest
from engine_fakes import KINDS
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.engine.diff import compare, field_of, respelled
from reconciler.engine.groups import Either, Group, Untaken
from reconciler.model.kind import PartRevision
from reconciler.model.objects import Live

NAMES = ["Yoga", "YOGA", "Yoga &amp; Pilates", "Yoga & Pilates", "Yoga\n", "", None, 1, True]
ADDRESSES = [None, "", {}, {"postcode": "A1"}, {"postcode": "a1"}, {"address1": "1 High St"}]
DAYS = st.sampled_from(["2027-03-01", "2027-03-04"])
TIMES = st.sampled_from(["10:00", "18:00"])


def some(slot, which, *slots):
    """Return fields whose slots `which` tells apart: a manifest and an API never have one twice."""
    return st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(NAMES),
            "time": TIMES,
            "spaces": st.sampled_from([None, 1, 2]),
            "repeat": st.sampled_from(["none", "custom"]),
            "address": st.sampled_from(ADDRESSES),
            "api_ref": st.sampled_from(["", "a", "A"]),
            "slots": st.one_of(st.lists(slot, max_size=2, unique_by=which), *slots),
        },
    )


DECLARED = some(st.fixed_dictionaries({"date": DAYS, "time": TIMES}), lambda slot: (slot["date"], slot["time"]))
LIVE = some(
    st.fixed_dictionaries({"date": DAYS, "id": st.sampled_from(ascii_letters)}, optional={"time": TIMES}),
    lambda slot: slot["id"],
    st.none(),
)


def is_result(kind, fields, live):
    changes = compare(kind, fields, live.fields, fields).fields
    spelled = respelled(fields, live.fields)
    return not any(change.verifiable and field_of(change.path) not in spelled for change in changes)


@pytest.mark.parametrize("kind", [KINDS["Session"], KINDS["Resource"]], ids=lambda kind: kind.name)
@example(
    lives=[{}, {"name": "Yoga", "time": "10:00"}],
    creates=[{"name": "Yoga", "slots": [{"date": "2027-03-01", "time": "18:00"}]}],  # no answer may show slots
    taken=[],
)
@given(st.lists(LIVE, max_size=8), st.lists(DECLARED, min_size=1, max_size=3), st.lists(st.integers(0, 7), max_size=4))
def test_the_possible_results_are_those_that_compare_as_equal(kind, lives, creates, taken):
    lives = [Live(remote_id=str(index), fields=item) for index, item in enumerate(lives)]
    group, many, few = Group(kind, lives), {}, {str(index) for index in taken[:1]}
    for index in (None, *taken, None):  # what is taken grows from one look to the next
        many[str(index)] = None
        left = [live for live in lives if live.remote_id not in many.keys() | few]
        for fields in creates:
            expected = [live for live in left if is_result(kind, fields, live)]
            assert list(group.equal(fields, Either(many, few), tell_apart=False)) == expected
            told = [live for live in expected if not kind.apart(fields, live.fields)]
            assert list(group.equal(fields, Either(many, few), tell_apart=True)) == told


@pytest.mark.parametrize("keys", [{}, {"tags": "key"}])
@pytest.mark.parametrize("tags", [["new"], [{"key": "new"}], [None], "new", {"key": "new"}])
def test_what_is_no_member_with_a_key_tells_nothing_apart(keys, tags):
    """A provider of another package compares its parts as it likes."""
    parts = {"tags": lambda *_: PartRevision()}
    kind = replace(KINDS["Resource"], parts=parts, part_keys=keys)
    lives = [Live(remote_id=each, fields={"name": "Hall", "tags": tags}) for each in "12"]
    assert list(Group(kind, lives).equal({"name": "Hall", "tags": tags}, (), tell_apart=True)) == lives


@given(st.lists(st.integers(0, 12)), st.booleans())
def test_each_look_leaves_out_what_was_taken_before_it(ids, in_order):
    items = {str(number): number for number in range(10)}
    left, taken = Untaken(dict(items)), {} if in_order else set()
    for number in map(str, ids):
        taken |= {number: None} if in_order else {number}
        assert list(left.of(taken)) == [item for key, item in items.items() if key not in taken]
        few = Either(taken, {"3"})
        assert list(left.of(few)) == [item for key, item in items.items() if key not in few]
        assert len(left.of(few)) == len(list(left.of(few)))
        assert left.of(few).has("4") == ("4" not in few)
