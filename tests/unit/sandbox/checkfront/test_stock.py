"""Limited stock: between sessions, within a session, and after bookings elsewhere."""

import pytest

DAY = "20310607"
ROOM = "17.20310607X2-guests.1"
BIKES = "21.20310607X1-6"


def test_lines_of_running_sessions_are_held(box, shop):
    session_id = shop.start(ROOM)["id"]
    assert shop.rate(17, start_date="20310606", end_date="20310607")["available"] == 1
    assert shop.rate(17, start_date="20310609")["available"] == 2
    assert shop.session(shop.read(session_id))["item"]["1"]["available"] == 2
    box.expire_session(session_id)
    assert shop.rate(17, start_date=DAY)["available"] == 2


def test_hold_stock_can_be_switched_off(box, shop):
    box.set_options(hold_stock="no")
    shop.start(ROOM, ROOM)
    assert shop.rate(17, start_date=DAY)["available"] == 2
    assert shop.start(ROOM)["item"]["1"]["available"] == 2


def test_removing_and_ending_release_stock(shop):
    session_id = shop.start(BIKES)["id"]
    assert shop.rate(21, start_date=DAY)["available"] == 4
    shop.alter(session_id, _1=2)
    assert shop.rate(21, start_date=DAY)["available"] == 8
    shop.alter(session_id, _1="remove")
    assert shop.rate(21, start_date=DAY)["available"] == 10
    shop.post(session_id=session_id, slip=BIKES)
    shop.post("/booking/session/end", session_id=session_id)
    assert shop.rate(21, start_date=DAY)["available"] == 10


@pytest.mark.parametrize("change", ["add", "alter", "replace"])
def test_too_much(box, shop, change):
    before = shop.start(BIKES)
    data = {
        "add": {"slip": "21.20310607X1-5"},
        "alter": {"alter[1]": "11"},
        "replace": {"line_id": "1", "slip": "21.20310607X1-11"},
    }[change]
    answer = shop.post(session_id=before["id"], **data)
    assert answer["request"]["error"]["id"] == "OVERBOOK"
    assert "booking" not in answer
    box.set_options(over_quantity="silent")
    assert shop.session(shop.post(session_id=before["id"], **data)) == before


def test_ignored_first_slip_leaves_an_empty_session(box, shop):
    box.set_options(over_quantity="silent")
    assert shop.start("40.20310607X1-guests.1")["item"] == []


def test_removed_and_replaced_lines_release_stock(shop):
    session_id = shop.start(BIKES)["id"]
    data = {"alter[1]": "remove", "slip": "21.20310607X1-10"}
    assert list(shop.session(shop.post(session_id=session_id, **data))["item"]) == ["2"]
    shop.session(shop.post(session_id=session_id, line_id="2", slip="21.20310607X1-9"))
    assert shop.rate(21, start_date=DAY)["available"] == 1


def test_stock_taken_between_rating_and_adding(box, shop):
    slip = shop.rate(17, start_date=DAY, end_date="20310608")["slip"]
    box.take_stock(17, "20310608", 2)
    assert shop.rate(17, start_date=DAY)["available"] == 2
    assert shop.rate(17, start_date=DAY, end_date="20310608")["error"]["id"] == "SOLDOUT"
    assert shop.post(slip=slip)["request"]["error"]["id"] == "SOLDOUT"
    box.take_stock(17, "2031-06-08", -5)
    assert shop.start(slip)["item"]["1"]["available"] == 2


def test_stock_taken_under_a_held_line(box, shop):
    session_id = shop.start(ROOM)["id"]
    box.take_stock(17, DAY, 9)
    assert shop.session(shop.read(session_id))["item"]["1"]["available"] == 0
    assert shop.rate(17, start_date=DAY)["error"]["id"] == "SOLDOUT"


def test_time_slots_have_their_own_stock(shop):
    query = {"start_date": DAY, "param[guests]": 8}
    shop.start(shop.rate(50, start_time="17:00", **query)["slip"])
    assert shop.rate(50, start_time="17:00", **query)["status"] == "ERROR"
    assert shop.rate(50, start_time="19:30", **query)["status"] == "AVAILABLE"


def test_nights_leave_the_last_day_free(shop):
    shop.start(*["30.20310607X2-families.2"] * 2)
    assert shop.rate(30, start_date="20310608")["available"] == 0
    assert shop.rate(30, start_date="20310609")["available"] == 4
