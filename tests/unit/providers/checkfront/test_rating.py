"""What a rated answer is for: compared with the query before its slip is used, wherever the answer shows it."""

import pytest

from reconciler.providers.checkfront import rating

MAY = {"item_id": "17", "start_date": "2027-05-01", "end_date": "2027-05-31", "params": {"guests": 2}}
SAIL = {**MAY, "item_id": "50", "end_date": "2027-05-01", "start_time": "17:00", "end_time": "19:00"}
BIKES = {"item_id": "21", "start_date": "2027-05-01", "end_date": "2027-05-02", "quantity": 3}
LONG, SHORT = "17.20270501X31-guests.2", "17.20270501X3-guests.2"
OPAQUE = "a8s7d6f5"


def answer(slip, *, params=("guests",), query=None, item=None, **rate):
    listed = {name: {"lbl": name} for name in params} or []
    return {
        "query": query or [],
        "item": {"param": listed, **(item or {}), "rate": {"status": "AVAILABLE", "slip": slip, **rate}},
    }


def said(asked, data, counted=rating.QTY):
    return list(rating.differences(asked, rating.rated(data), counted))


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (answer(SHORT), "3 days from 2027-05-01"),
        (answer(OPAQUE, start_date="20270501", end_date="20270503"), "2027-05-03"),
        (answer(LONG, start_date="2027-05-01", end_date="2027-05-03"), "2027-05-03"),
        (answer(OPAQUE, dates={"20270501": {}, "20270502": {}, "20270503": {}}), "2027-05-03"),
        (answer(OPAQUE, summary={"date": "Sat May 1, 2027 - Mon May 3, 2027"}), "2027-05-03"),
        (answer(OPAQUE, query={"start_date": "20270501", "end_date": "20270503"}), "2027-05-03"),
        (answer(OPAQUE, item={"days": 3}), "3 days from 2027-05-01"),
        (answer(OPAQUE, item={"unit": "D"}, end_date="20270530"), "2027-05-30"),
    ],
    ids=str,
)
def test_other_days_are_found_wherever_the_answer_shows_them(data, got):
    assert said(MAY, data) == [f"end_date is 2027-05-31 in the manifest, but the server rated {got}"]


@pytest.mark.parametrize(
    "data",
    [
        answer(LONG),
        answer("17.20270501X30-guests.2", start_date="20270501", end_date="20270530"),  # nights
        answer(OPAQUE),
        answer(OPAQUE, start_date=1809302400, end_date=1811894400, item={"days": 30, "item_id": 17}),
        answer(LONG, dates={"20270501": {}, "20270531": {}}, query={"param": {"guests": "2", "rooms": "1"}}),
        answer(LONG, summary={"date": "01/05/2027 - 31/05/2027"}, item={"qty": 1}, available=2),
    ],
    ids=str,
)
def test_what_agrees_or_is_not_shown_is_no_difference(data):
    assert said(MAY, data) == []


@pytest.mark.parametrize(
    ("asked", "data", "words"),
    [
        (
            MAY,
            answer(LONG.replace("guests.2", "guests.1")),
            "params.guests is 2 in the manifest, but the server rated 1",
        ),
        (MAY, answer(LONG.replace("guests.2", "adults.2"), params=()), "rated none"),
        (MAY, answer(OPAQUE, query={"param": {"guests": "4"}}), "rated 4"),
        (MAY, answer(OPAQUE, summary={"price": {"param": {"guests": "1 Guest"}}}), "rated 1"),
        (MAY, answer(LONG.replace("17.", "18.")), "item_id is 17 in the manifest, but the server rated 18"),
        (MAY, answer(OPAQUE, item={"item_id": 99}), "rated 99"),
        (MAY, answer(OPAQUE, start_date="20270502", end_date="20270531"), "start_date is 2027-05-01"),
        (SAIL, answer("50.20270501X1@19:30X120X120-guests.2"), "start_time is 17:00 in the manifest"),
        (SAIL, answer("50.20270501X1@17:00X60X60-guests.2"), "end_time is 19:00 in the manifest"),
        (SAIL, answer(OPAQUE, start_time="7:30 PM"), "start_time is 17:00 in the manifest, but the server rated 19:30"),
        (SAIL, answer(OPAQUE, query={"start_time": "09:00"}), "rated 09:00"),
        (SAIL, answer("50.20270501X1-guests.2"), "start_time is 17:00 in the manifest, but the server rated no time"),
        (BIKES, answer("21.20270501X2-1", params=("qty",)), "quantity is 3 in the manifest, but the server rated 1"),
        (BIKES, answer("21.20270501X2-1", params=()), "quantity is 3 in the manifest, but the server rated 1"),
        (BIKES, answer(OPAQUE, params=(), qty=1), "quantity is 3 in the manifest, but the server rated 1"),
        (BIKES, answer(OPAQUE, params=("qty",), item={"qty": "2"}), "rated 2"),
        ({**MAY, "discount_code": "HALF"}, answer(LONG, item={"discount": {"amount": 0}}), "rated no discount"),
        ({**MAY, "discount_code": "HALF"}, answer(LONG, discount={"amount": "$0.00"}), "rated no discount"),
        ({**MAY, "discount_code": "HALF"}, answer(LONG, query={"discount_code": "SUMMER"}), "discount_code is HALF"),
    ],
    ids=str,
)
def test_every_other_part_is_compared_too(asked, data, words):
    assert words in said(asked, data)[0]


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        (SAIL, answer("50.20270501X1@17:00X120X120-guests.2")),
        (MAY, answer(OPAQUE, summary={"price": {"param": {"guests": "$130.00"}}})),
        (SAIL, answer("50.20270501X1-guests.2", start_time="17:00:00", end_time="7:00 pm")),
        (BIKES, answer("21.20270501X2-3", params=())),
        (BIKES, answer("21.20270501X2-3", qty=6, item={"qty": 1})),
        (BIKES, answer(OPAQUE, params=(), qty=3, item={"qty": 1})),
        (BIKES, answer(OPAQUE, params=("qty", "guests"), qty=1)),
        ({**MAY, "params": {"guests": 2, "children": 0}}, answer(LONG, params=())),
        (
            {**MAY, "discount_code": "HALF"},
            answer(LONG, discount={"amount": "$65.00"}, item={"discount": {"amount": 0}}),
        ),
        ({**MAY, "discount_code": "HALF"}, answer(LONG)),
        ({**MAY, "discount_code": "HALF"}, answer(LONG, query={"discount_code": " half"})),
    ],
    ids=str,
)
def test_equal_values_in_other_spellings_are_no_difference(asked, data):
    assert said(asked, data) == []


def test_a_quantity_is_compared_as_the_parameter_that_it_was_sent_as():
    asked = {**MAY, "params": {}, "quantity": 4}
    (found,) = said(asked, answer(LONG), counted="guests")
    assert found == "quantity is 4 in the manifest, but the server rated 2"
    assert said({**asked, "quantity": 2}, answer(LONG), counted="guests") == []


def test_unknown_parameters_are_named_with_what_was_meant():
    asked = {**MAY, "params": {"guets": 4}}
    (found,) = rating.unknown_params(asked, rating.rated(answer(LONG)))
    assert found == 'params.guets is not a parameter of this item; did you mean "guests"?; expected guests'
    assert list(rating.unknown_params(asked, rating.rated(answer(LONG, params=())))) == []
    listed = answer(LONG)
    listed["item"]["param"] = [{"id": "guests", "lbl": "Guests"}]
    assert list(rating.unknown_params(MAY, rating.rated(listed))) == []


@pytest.mark.parametrize(
    ("rate", "words", "short"),
    [
        ({"status": "ERROR", "error": {"id": "SOLDOUT", "title": "Sold out"}}, "Sold out", True),
        ({"status": "ERROR", "error": {"id": "OVERBOOK", "title": "Nur 2 frei"}}, "Nur 2 frei", True),
        ({"status": "ERROR", "error": {"id": "validation_error", "title": "guests must be 1 to 4"}},
         "guests must be 1 to 4", False),
        ({"status": "INVALID_DURATION", "slip": "17.x"}, "INVALID_DURATION", False),
        ({"status": "INVALID_DURATION", "summary": {"title": "At least 2 nights"}},
         "INVALID_DURATION (At least 2 nights)", False),
        ({"status": "UNAVAILABLE", "available": 0, "error": []}, "UNAVAILABLE", True),
        ({"status": "CLOSED", "error": "Closed on Mondays"}, "Closed on Mondays", False),
        ({"status": "ERROR"}, "ERROR", False),
        ({"status": "AVAILABLE"}, "the server returned no slip", False),
    ],
    ids=str,
)  # fmt: skip
def test_a_rate_without_a_usable_slip_says_why_in_its_own_words(rate, words, short):
    found = rating.rated({"item": {"param": {"qty": {}}, "rate": rate}})
    assert (found.slip, found.error, found.is_short, found.params) == (None, words, short, ("qty",))


@pytest.mark.parametrize("status", ["AVAILABLE", "available", "OK", "A", "", None])
def test_a_rate_that_is_fine_gives_its_slip(status):
    assert rating.rated({"item": {"rate": {"status": status, "slip": "17.x"}}}).slip == "17.x"
