"""Two sessions of one name, group and first day are two where both sides know another time or weekday."""

import pytest
from engine_fakes import KINDS
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.groups import Either, Group
from reconciler.kinds.session.kind import apart
from reconciler.model.objects import Live

MONDAY, THURSDAY = "2027-03-01", "2027-03-04"
ANSWERED = [{"id": "1", "date": MONDAY}]
"""Slots as the API's sample answers them: without times."""


def timed(*times, day=MONDAY):
    return [{"date": day, "time": time, "duration": 60} for time in times]


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ({"time": "18:00"}, {"time": "10:00"}),
        ({"time": "18:00"}, {"time": "10:00", "slots": ANSWERED}),
        ({"time": "18:00"}, {"slots": timed("10:00", "12:00")}),
        ({"repeat": "custom", "slots": timed("18:00")}, {"slots": timed("10:00")}),
        ({"repeat": "custom", "slots": timed("18:00", day=THURSDAY)}, {"slots": ANSWERED}),
        ({"repeat": "weekly", "start_date": MONDAY}, {"slots": [{"date": THURSDAY}]}),
        ({"repeat": "weekly", "start_date": MONDAY, "time": "18:00"}, {"time": "18:00", "slots": [{"date": THURSDAY}]}),
        ({"repeat": "fortnightly", "start_date": MONDAY}, {"repeat": "weekly", "start_date": THURSDAY}),
    ],
)
def test_they_are_two(declared, live):
    assert apart(declared, live)
    assert apart(live, declared)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ({"time": "18:00"}, {"time": "18:00", "slots": ANSWERED}),
        ({"time": "18:00"}, {}),
        ({}, {"time": "10:00"}),
        ({"time": "18:00"}, {"slots": timed("10:00", "18:00")}),
        ({"time": "18:00"}, {"slots": [*timed("10:00"), {"date": THURSDAY}]}),
        ({"repeat": "custom", "slots": timed("18:00")}, {"time": "10:00", "slots": ANSWERED}),
        ({"repeat": "custom", "slots": timed("18:00", "19:00")}, {"slots": timed("18:00")}),
        ({"repeat": "daily", "start_date": MONDAY}, {"slots": [{"date": THURSDAY}]}),
        ({"start_date": MONDAY, "time": "9:30"}, {"start_date": MONDAY, "slots": []}),
    ],
)
def test_they_may_be_one(declared, live):
    assert not apart(declared, live)
    assert not apart(live, declared)


SOME_TIMES = st.sampled_from([None, "10:00", "18:00"])
SOME_SLOTS = st.lists(
    st.fixed_dictionaries(
        {"date": st.sampled_from([MONDAY, THURSDAY])}, optional={"time": st.sampled_from(["10:00", "18:00"])}
    ),
    max_size=3,
)
SOME_SESSION = st.fixed_dictionaries(
    {},
    optional={
        "time": SOME_TIMES.filter(bool),
        "slots": SOME_SLOTS,
        "repeat": st.sampled_from(["none", "custom", "weekly", "daily"]),
        "start_date": st.sampled_from([MONDAY, THURSDAY]),
        "api_ref": st.sampled_from(["", "a", "b"]),
    },
)


@pytest.mark.parametrize("kind", [KINDS["Session"], KINDS["Resource"]], ids=lambda kind: kind.name)
@given(st.lists(SOME_SESSION, max_size=8), SOME_SESSION, st.lists(st.integers(0, 7), max_size=4))
def test_many_are_told_apart_as_each_of_them_is(kind, lives, fields, taken):
    lives = [Live(remote_id=str(index), fields=item) for index, item in enumerate(lives)]
    group, many, few = Group(kind, lives), set(), {str(index) for index in taken[:1]}
    for index in (None, *taken, None):  # what is taken grows from one look to the next
        many |= {str(index)}
        left = [live for live in lives if live.remote_id not in many | few]
        expected = [live for live in left if not kind.apart(fields, live.fields)]
        assert list(group.members(fields, Either(many, few), tell_apart=True)) == expected
        assert list(group.members(fields, Either(many, few), tell_apart=False)) == left
