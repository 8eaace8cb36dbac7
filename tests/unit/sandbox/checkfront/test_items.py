"""Items, rated or not, and their slips."""

import json

import pytest

from reconciler.sandbox import Options
from reconciler.sandbox.checkfront import slips

DAY = "20310607"


def test_the_list(http):
    answer = http.get("/item").json()
    assert answer["request"]["resource"] == "item"
    assert answer["request"]["records"] == len(answer["items"])
    assert list(answer["items"]) == ["17", "18", "21", "30", "31", "32", "40", "50"]
    assert not any("rate" in item for item in answer["items"].values())
    assert list(answer["items"]["18"]["param"]) == ["adults", "children"]
    assert answer["items"]["18"]["param"]["adults"]["def"] == 1
    assert list(answer["items"]["21"]["param"]) == ["qty"]
    package = answer["items"]["30"]["package"]
    assert [(one["package_id"], one["optin"], one["opt"]) for one in package] == [(31, "O", "out"), (32, "O", "in")]
    assert isinstance(answer["items"]["17"]["meta"], str)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"item_id": "17, 21"}, ["17", "21"]),
        ({"keyword": "PACKAGE"}, ["30"]),
        ({"category_id": "9"}, []),
        ({"category_id": "1", "keyword": "sail"}, ["50"]),
    ],
)
def test_filters(http, query, ids):
    assert list(http.get("/item", params=query).json()["items"]) == ids


def test_a_rated_list(http):
    answer = http.get("/item", params={"start_date": DAY, "param[adults]": "3"}).json()
    states = {number: item["rate"]["status"] for number, item in answer["items"].items()}
    assert {number for number, status in states.items() if status == "ERROR"} == {"40"}
    assert answer["items"]["18"]["rate"]["slip"] == "18.20310607X1-adults.3-children.0"
    assert answer["query"]["start_date"] == DAY


def test_one_item_unrated(http):
    item = http.get("/item/21").json()["item"]
    assert (item["sku"], item["stock"], "rate" in item) == ("bikehire", 10, False)
    gone = http.get("/item/99")
    assert (gone.status_code, gone.json()["request"]["status"]) == (200, "ERROR")


@pytest.mark.parametrize(
    ("item_id", "query", "slip"),
    [
        (17, {"start_date": "2014-04-08", "end_date": "2014-04-09", "param[guests]": 2}, "17.20140408X2-guests.2"),
        (18, {"date": "20171005"}, "18.20171005X1-adults.1-children.0"),
        (21, {"start_date": "20171005", "param[qty]": 1}, "21.20171005X1-1"),
        # Nights, as in the notes: Dec 24 - Jan 1 is X8.
        (30, {"start_date": "20171224", "end_date": "20180101"}, "30.20171224X8-families.1"),
        (30, {"start_date": "20171224"}, "30.20171224X1-families.1"),
    ],
)
def test_slips_of_the_documented_formats(shop, item_id, query, slip):
    rate = shop.rate(item_id, **query)
    assert (rate["status"], rate["slip"]) == ("AVAILABLE", slip)


def test_a_rated_item(http):
    query = {"start_date": DAY, "end_date": "20310608", "param[adults]": 2, "param[children]": 1}
    answer = http.get("/item/18", params=query).json()
    rate = answer["item"]["rate"]
    assert answer["query"]["param"] == {"adults": "2", "children": "1"}
    assert (rate["available"], rate["sub_total"], rate["start_date"], rate["end_date"]) == (
        15,
        "325.00",
        DAY,
        "20310608",
    )
    assert rate["summary"]["price"]["total"] == "325.00"
    assert rate["summary"]["date"] == "Sat Jun 7 2031 - Sun Jun 8 2031"
    assert rate["dates"][DAY] == {
        "status": "A",
        "price": {"total": "162.50"},
        "stock": {"T": 15, "B": 0, "A": 15},
    }
    assert isinstance(answer["item"]["meta"], dict)
    assert json.loads(answer["item"]["rules"])


@pytest.mark.parametrize(
    ("item_id", "query", "error"),
    [
        (40, {}, "SOLDOUT"),
        (21, {"param[qty]": 11}, "OVERBOOK"),
        (21, {"param[qty]": 0}, "validation_error"),
        (21, {"param[qty]": "-1"}, "validation_error"),
        (17, {"param[guests]": 5}, "validation_error"),
        (18, {"param[adults]": 0}, "validation_error"),
        (17, {"end_date": "20310606"}, "validation_error"),
        (17, {"end_date": "20330606"}, "validation_error"),
        (17, {"start_date": "20310230"}, "validation_error"),
        (17, {"start_date": "99990101"}, "validation_error"),
        (17, {"start_date": ""}, "validation_error"),
        (50, {"start_time": "18:00"}, "validation_error"),
        (50, {"start_time": "17:00", "end_time": "18:00"}, "validation_error"),
        (50, {"start_time": "late"}, "validation_error"),
    ],
)
def test_unavailable_items_are_refused(http, item_id, query, error):
    answer = http.get(f"/item/{item_id}", params={"start_date": DAY, **query}).json()
    rate = answer["item"]["rate"]
    assert (answer["request"]["status"], rate["status"], rate["error"]["id"]) == ("OK", "ERROR", error)
    assert rate["error"]["title"]
    assert "slip" not in rate


@pytest.mark.parametrize("path", ["/item/17", "/item"])
def test_foreign_parameters_are_echoed(http, path):
    query = {"start_date": DAY, "param[guests]": 2, "param[dogs]": 1, "timeslot": "x", "packages": "1"}
    answer = http.get(path, params=query).json()
    item = answer["item"] if path == "/item/17" else answer["items"]["17"]
    assert item["rate"]["slip"] == "17.20310607X1-guests.2"
    assert answer["query"] == {
        "start_date": DAY,
        "param": {"guests": "2", "dogs": "1"},
        "timeslot": "x",
        "packages": "1",
    }
    assert http.get(path, params={"startdate": DAY}).json()["request"]["status"] == "OK"


def test_foreign_parameters_as_errors(box, http):
    box.set_options(foreign_parameters="error")
    for path in ("/item/17", "/item"):
        assert http.get(path, params={"startdate": DAY}).json()["request"]["status"] == "ERROR"
    rate = http.get("/item/17", params={"date": DAY, "param[dogs]": 1}).json()["item"]["rate"]
    assert (rate["status"], rate["error"]["id"]) == ("ERROR", "validation_error")
    # In a list, each parameter is for the items that have it.
    rated = http.get("/item", params={"date": DAY, "param[adults]": 2}).json()["items"]
    assert (rated["17"]["rate"]["status"], rated["18"]["rate"]["status"]) == ("AVAILABLE", "AVAILABLE")


def test_time_slots_of_a_rated_item(box, http):
    box.take_stock(50, DAY, 3)
    rate = http.get("/item/50", params={"start_date": DAY, "start_time": "19:30"}).json()["item"]["rate"]
    assert (rate["start_time"], rate["end_time"]) == ("19:30", "21:30")
    assert rate["dates"][DAY]["timeslots"] == [
        {"start_time": "17:00", "end_time": "19:00", "status": "A", "A": 5},
        {"start_time": "19:30", "end_time": "21:30", "status": "A", "A": 5},
    ]
    plain = http.get("/item/17", params={"start_date": DAY}).json()["item"]["rate"]
    assert "start_time" not in plain
    assert "timeslots" not in plain["dates"][DAY]


def test_a_time_slot_that_others_hold_is_told_apart(shop, http):
    late = shop.rate(50, start_date=DAY, start_time="19:30", **{"param[guests]": 8})
    shop.start(late["slip"])
    day = http.get("/item/50", params={"start_date": DAY}).json()["item"]["rate"]["dates"][DAY]
    assert [(slot["status"], slot["A"]) for slot in day["timeslots"]] == [("A", 8), ("U", 0)]


@pytest.mark.parametrize("query", [{}, {"start_time": ""}, {"end_time": "19:00"}])
def test_the_first_time_slot_is_the_default(shop, query):
    rate = shop.rate(50, start_date=DAY, **query)
    assert (rate["status"], rate["start_time"], rate["end_time"]) == ("AVAILABLE", "17:00", "19:00")
    assert rate["slip"] == shop.rate(50, start_date=DAY, start_time="17:00")["slip"]


def test_an_end_time_alone_selects_its_time_slot(shop):
    assert shop.rate(50, start_date=DAY, end_time="21:30")["start_time"] == "19:30"


def test_a_time_slot_without_a_default(box, shop):
    box.set_options(default_time="error")
    assert shop.rate(50, start_date=DAY)["error"]["id"] == "validation_error"


@pytest.mark.parametrize(("style", "free", "sold_out"), [("letter", "A", "U"), ("word", "AVAILABLE", "ERROR")])
def test_status_of_a_day(box, shop, style, free, sold_out):
    box.set_options(day_status=style)
    assert shop.rate(17, start_date=DAY)["dates"][DAY]["status"] == free
    assert shop.rate(40, start_date=DAY)["dates"][DAY]["status"] == sold_out


def test_dates_in_words(box, shop):
    box.set_options(fixed_now="2031-06-05T12:00:00")  # a Thursday
    words = {"today": 5, "tomorrow": 6, "thursday": 5, "Monday": 9, "monday+4days": 13, "today 1 day": None}
    for word, day in words.items():
        rate = shop.rate(21, start_date=word)
        assert (word, rate.get("slip")) == (word, day and f"21.203106{day:02d}X1-1")


def test_slip_contains_time_slot_and_discount(shop):
    plain = shop.rate(50, start_date=DAY, start_time="17:00", end_time="19:00")
    late = shop.rate(50, start_date=DAY, start_time="19:30")
    cheap = shop.rate(50, start_date=DAY, start_time="19:30", discount_code="SUMMER10")
    assert len({plain["slip"], late["slip"], cheap["slip"]}) == 3
    assert (late["sub_total"], cheap["sub_total"], cheap["discount"]["amount"]) == ("45.00", "40.50", "4.50")
    assert plain["summary"]["date"] == "Sat Jun 7 2031 5:00 PM - 7:00 PM"
    assert shop.rate(21, start_date=DAY, discount_code="NOPE")["slip"] == "21.20310607X1-1"
    (line,) = shop.start(late["slip"])["item"].values()
    assert (line["slip"], line["date"]["summary"]) == (late["slip"], "Sat Jun 7 2031 7:30 PM - 9:30 PM")


def test_opaque_slips_work_but_cannot_be_parsed(box, shop):
    box.set_options(slip_style="opaque")
    query = {"start_date": "20140408", "end_date": "20140409", "param[guests]": 2}
    slip = shop.rate(17, **query)["slip"]
    assert slip == shop.rate(17, **query)["slip"]
    assert not any(part in slip for part in ("2014", "guests", ".", "-"))
    assert shop.start(slip)["item"]["1"]["slip"] == slip
    assert box.holds()[0]["lines"][0]["params"] == {"guests": 2}
    for bad in ("17.20140408X2-guests.2", slip[:-1], slip + "a", "é", "x" * 50):
        assert shop.post(slip=bad)["request"]["status"] == "ERROR"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "17",
        "17.20140408X2",
        "17.20140408X2-guests",
        "17.20140408X2-guests.x",
        "17.20140408X2-guests.9",
        "17.20140408X2-dogs.1",
        "17.20140408X0-guests.1",
        "17.20140408X999-guests.1",
        "17.20140231X1-guests.1",
        "99.20140408X1-guests.1",
        "21.20140408X1-qty.1",
        "21.20140408X1-1.1",
        "17.20140408X1-2",
        "17.20140408X1-guests.1-z.abc",
        "17.\uff120140408X1-guests.1",
        "50.20310607X1-guests.1",
    ],
)
def test_invalid_slips_are_refused(text):
    with pytest.raises(ValueError):
        slips.read(text, Options())


def test_a_client_may_edit_a_documented_slip():
    order = slips.read("18.20171005X3-adults.4", Options())
    assert (order.units, order.params, order.quantity) == (3, {"adults": 4, "children": 0}, 4)


def test_money_with_a_symbol(box, shop):
    box.set_options(money_style="symbol")
    rate = shop.rate(18, start_date=DAY)
    assert (rate["sub_total"], rate["summary"]["price"]["total"]) == ("$65.00", "$65.00")


def test_unlimited_stock(shop):
    assert shop.rate(31, start_date=DAY, **{"param[qty]": 5000})["available"] == 1_000_000_000
