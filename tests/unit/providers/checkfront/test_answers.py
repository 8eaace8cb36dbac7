"""Slips, sessions, rates and errors of the booking/session API, as published samples have them."""

import json

import pytest

from reconciler.providers.checkfront import answers
from reconciler.providers.checkfront.lines import arrived, assign
from reconciler.providers.checkfront.slips import meaning

SEED_LINE = {
    "sku": "overwaterbun",
    "item_id": 17,
    "name": "Overwater Room",
    "date": {"summary": "Tue Apr 8 2014 - Wed Apr 9 2014", "start_date": "20140408", "end_date": "20140409"},
    "slip": "17.20140408X2-guests.2",
    "available": 2,
}


def body(item, **session):
    return {"request": {"status": "OK"}, "booking": {"session": {"id": "ldpm9", "item": item, **session}}}


def test_the_seeds_own_sample():
    (line,) = answers.session(body({"1": SEED_LINE}), {}).lines
    assert line["item_id"] == "17"
    assert (line["start_date"], line["end_date"], line["params"]) == ("2014-04-08", "2014-04-09", {"guests": 2})


@pytest.mark.parametrize("empty", [[], {}, None])
def test_php_writes_an_empty_map_as_a_list(empty):
    assert answers.session(body(empty), {}).lines == ()


def test_add_ons_belong_to_their_line_and_lines_are_in_the_order_of_their_numbers():
    add_on = {**SEED_LINE, "item_id": 31, "optin": "O", "opt": "in"}
    lines = answers.session(body({"10": SEED_LINE, "2": SEED_LINE, "2.1": add_on}), {}).lines
    assert [line["line"] for line in lines] == ["2", "10"]
    assert lines[0]["options"] == {"31": "in"}


@pytest.mark.parametrize(
    "date",
    [
        {"start_date": 1396915200, "end_date": 1397001600},
        {"summary": "Tue Apr 8 2014 - Wed Apr 9 2014", "start_date": 1396933200, "end_date": 1397019600},
    ],
)
def test_unix_times_are_days(date):
    (line,) = answers.session(body({"1": {**SEED_LINE, "date": date}}), {}).lines
    assert (line["start_date"], line["end_date"]) == ("2014-04-08", "2014-04-09")


def test_a_cookie_names_the_session_where_the_body_does_not():
    data = body([])
    del data["booking"]["session"]["id"]
    headers = {"set-cookie": "other=1; Path=/, session_id=abc123; Path=/"}
    assert answers.session(data, headers).session_id == "abc123"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"booking": {}},
        body({"one": SEED_LINE}),
        body({"1": {**SEED_LINE, "slip": None}}),
        body({"1": []}),
        body([], id=7),
    ],
)
def test_what_cannot_be_read_is_reported(data):
    with pytest.raises(ValueError, match=r"without|not a line|usable|no booking.session"):
        answers.session(data, {})


@pytest.mark.parametrize(
    ("slip", "params", "quantity"),
    [
        ("17.20140408X2-guests.2", {"guests": 2}, None),
        ("18.20171005X1-adults.1-children.0", {"adults": 1, "children": 0}, None),
        ("21.20171005X1-1", {}, 1),
        ("114.20190910X1-additionalbed.0-adults.2-childs.1", {"additionalbed": 0, "adults": 2, "childs": 1}, None),
        ("17.20310708X1-qty.2-guests.1", {"qty": 2, "guests": 1}, None),
        ("21.20171005X1-3-guests.2", {"guests": 2}, 3),
    ],
)
def test_published_slips(slip, params, quantity):
    assert (meaning(slip).params, meaning(slip).quantity) == (params, quantity)
    assert meaning(slip).times == {}


@pytest.mark.parametrize(
    ("slip", "times"),
    [
        ("30.20270702X1@08:00X240X240-number.1", {"start_time": "08:00", "end_time": "12:00"}),
        ("30.20270702X1@0915X90-adults.2-children.1", {"start_time": "09:15", "end_time": "10:45"}),
        ("30.20270702X1@7:30-2", {"start_time": "07:30"}),
    ],
)
def test_slips_with_times(slip, times):
    assert meaning(slip).times == times
    assert (meaning(slip).start_date, meaning(slip).units) == ("2027-07-02", 1)


@pytest.mark.parametrize(
    "slip",
    [
        "",
        "zz",
        "17.20140408X2",
        "17.20140408X2-guests.2-z.abc",
        "17.20140408X2-a.1-a.2",
        "30.20270702X1@08:00X240X60-number.1",
        "30.20270702X1@22:00X240X240-number.1",
        "30.20270702X1@25:00X60-1",
        "17.20271345X1-1",
        "17.20140408X2-1-2",
        "17.20140408X2-2seats.1",
        "17.20140408X2-guests.2-SUMMER",
    ],
)
def test_other_slips_say_nothing(slip):
    assert meaning(slip) is None


def test_of_lines_with_one_slip_those_with_the_stated_choice_come_first():
    lines = [{"line": "1", "slip": "s", "options": {"31": "out"}}, {"line": "2", "slip": "s", "options": {"31": "in"}}]
    found = assign(lines, {"a": "s", "b": "s"}, {"a": {"31": "in"}})
    assert {key: line["line"] for key, line in found.items()} == {"a": "2", "b": "1"}


def test_fewer_lines_than_posted_are_not_guessed_at():
    after = [{"line": "1", "slip": "other", "item_id": "17"}]
    assert arrived([], after, [("a", "17.1", "17"), ("b", "17.2", "17")]) == {}
    assert arrived([], after, [("a", "17.1", "17")]) == {"a": after[0]}


def test_json_of_another_shape_is_reported():
    for text in (b"", b"<html>", json.dumps([1]).encode()):
        with pytest.raises(ValueError, match="JSON"):
            answers.decode(text)


@pytest.mark.parametrize(
    "booking",
    [[], None, "x", {"session": None}, {"session": False}, {"session": []}, {"session": {}},
     {"session": {"id": "abc", "item": "unavailable"}}, {"session": {"id": "abc", "item": 3}}],
)  # fmt: skip
def test_an_answer_of_another_shape_is_no_empty_session(booking):
    with pytest.raises(ValueError, match=r"a session|booking"):
        answers.session({"booking": booking}, {})


def test_an_error_can_name_the_session_that_it_left():
    assert answers.named_session({"error": "Busy", **body([])}, {}) == "ldpm9"
    assert answers.named_session({"booking": {"session_id": "abc123"}}, {}) == "abc123"
    assert answers.named_session({"error": "Busy", "session": {"id": "abc123"}}, {}) == "abc123"
    assert answers.named_session({}, {"set-cookie": "session_id=abc; Path=/"}) == "abc"
    assert answers.named_session({"booking": {"session": {"id": "../x"}}}, {}) is None
