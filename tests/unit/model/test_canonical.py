from datetime import datetime
from decimal import Decimal

import pytest

from reconciler.kinds.session.fields import REPEATS, TICKET_TYPES, TYPES
from reconciler.model import canonical
from reconciler.model.objects import Address, Ref


@pytest.mark.parametrize("value", [35, "35", "35.0", "35.00", 35.0, " 35.00 ", Decimal(35), "3.5e1"])
def test_one_amount_has_one_spelling(value):
    assert canonical.money(value) == "35.00"


@pytest.mark.parametrize(("value", "expected"), [(0, "0.00"), ("-0", "0.00"), (-2.5, "-2.50"), ("0.05", "0.05")])
def test_amounts_keep_sign_and_pence(value, expected):
    assert canonical.money(value) == expected


@pytest.mark.parametrize("value", ["", "abc", "1.001", "NaN", "Infinity", None, True, "1,50", "1e400", "1_000"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(ValueError, match="amount"):
        canonical.money(value)


@pytest.mark.parametrize(("value", "expected"), [("9:30", "09:30"), ("09:30", "09:30"), ("09:30:00", "09:30")])
def test_one_time_of_day_has_one_spelling(value, expected):
    assert canonical.clock(value) == expected


@pytest.mark.parametrize("value", ["24:00", "9:60", "9", "0930", "09:30:15", 570, "", None, "९:३०"])
def test_what_is_no_time_of_day_is_refused(value):
    with pytest.raises(ValueError, match=r"is not a time of day; (expected HH:MM|the .* does not exist)"):
        canonical.clock(value)


@pytest.mark.parametrize("value", ["2027-02-29", "2027-3-1", "01.03.2027", "20270301", "", None, 20270301])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(ValueError, match=r"is not a date; (expected YYYY-MM-DD|this day does not exist)"):
        canonical.day(value)


def test_a_leap_day_is_a_date():
    assert canonical.day("2028-02-29") == "2028-02-29"


@pytest.mark.parametrize(
    "value",
    [
        "2027-03-01T09:00:00Z",
        "2027-03-01T09:00Z",
        "2027-03-01T10:00+01:00",
        "2027-03-01T04:00:00-05:00",
        "2027-03-01 09:00:00+00:00",
        "2027-02-28T23:00-10:00",
        "2027-03-01T09:00:00.000Z",
    ],
)
def test_one_instant_has_one_spelling_whatever_its_offset(value):
    assert canonical.utc(datetime.fromisoformat(value)) == "2027-03-01T09:00:00Z"


@pytest.mark.parametrize("value", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"])
def test_an_instant_that_utc_cannot_represent_is_refused(value):
    with pytest.raises(ValueError, match="instant"):
        canonical.utc(datetime.fromisoformat(value))


@pytest.mark.parametrize("words", [TYPES, REPEATS, TICKET_TYPES])
def test_a_word_and_its_number_are_one(words):
    for number, name in enumerate(words):
        assert canonical.word(name, words) == name
        assert canonical.word(number, words) == name
        assert canonical.word(str(number), words) == name
        assert canonical.word(float(number), words) == name


@pytest.mark.parametrize(
    "value", ["Weekly", "9", 9, 9.0, 1.5, -1.0, 1e300, float("inf"), float("nan"), -1, "", None, True, "²"]
)
def test_what_is_no_word_of_the_enumeration_is_refused(value):
    with pytest.raises(ValueError, match="not one of"):
        canonical.word(value, REPEATS)


@pytest.mark.parametrize(("value", "expected"), [(12, 12), ("12", 12), ("12.0", 12), (12.0, 12), ("-3", -3), (0, 0)])
def test_whole_numbers(value, expected):
    assert canonical.whole(value) == expected


@pytest.mark.parametrize("value", ["1.5", 1.5, "", "x", None, True, "NaN", "Infinity", "1_000", "1e999999999"])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ValueError, match="whole number"):
        canonical.whole(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("1", True), (1, True), ("TRUE", True), (False, False), ("0", False), (0, False)],
)
def test_flags(value, expected):
    assert canonical.flag(value) is expected


@pytest.mark.parametrize("value", ["", "on", 2, None, "maybe"])
def test_what_is_no_flag_is_refused(value):
    with pytest.raises(ValueError, match="true or false"):
        canonical.flag(value)


def test_a_digest_does_not_depend_on_the_order_of_keys_but_on_that_of_lists():
    assert canonical.digest({"a": 1, "b": [1, 2]}) == canonical.digest({"b": (1, 2), "a": 1})
    assert canonical.digest([1, 2]) != canonical.digest([2, 1])
    assert canonical.digest("1") != canonical.digest(1)


def test_a_digest_takes_any_text():
    assert canonical.digest("\ud800") != canonical.digest("瑜伽")


def test_plain_turns_references_into_addresses_at_any_depth():
    target = Ref(Address("Resource", "court"))
    for each in (target, target.target):
        assert canonical.plain({"a": (each, [each])}) == {"a": ["Resource/court", ["Resource/court"]]}
        assert canonical.digest([each]) == canonical.digest(["Resource/court"])
