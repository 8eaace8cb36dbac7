"""Lines of a session: added, altered, replaced, removed, optioned; and how a session ends."""

import pytest

SESSION = "/booking/session"
ROOM, KAYAK = "17.20140408X2-guests.2", "18.20310607X1-adults.2-children.1"
BIKES, PACKAGE = "21.20310607X1-2", "30.20310607X2-families.1"


def items_of(session):
    return {number: line["item_id"] for number, line in session["item"].items()}


def slips_of(session):
    return {number: line["slip"] for number, line in session["item"].items()}


@pytest.mark.parametrize(("empty", "expected"), [("list", {"item": []}), ("object", {"item": {}}), ("absent", {})])
def test_a_call_with_nothing_starts_an_empty_session(box, shop, empty, expected):
    box.set_options(empty_items=empty)
    session = shop.session(shop.post())
    assert session == {"id": "ldpm9qlhgnrobja48vor9965p3", "age": 0, **expected}
    other = shop.session(shop.post())["id"]
    assert len(other) == 26
    assert other != session["id"]
    assert [hold["lines"] for hold in box.holds()] == [[], []]


def test_the_same_slip_twice_makes_two_lines(shop):
    session_id = shop.start(BIKES)["id"]
    session = shop.session(shop.post(session_id=session_id, slip=BIKES))
    assert slips_of(session) == {"1": BIKES, "2": BIKES}
    assert slips_of(shop.session(shop.read(session_id))) == {"1": BIKES, "2": BIKES}


@pytest.mark.parametrize(("option", "left", "after"), [("keep", ["1", "3"], "4"), ("renumber", ["1", "2"], "3")])
def test_line_ids_after_a_removal(box, shop, option, left, after):
    box.set_options(line_renumber=option)
    session_id = shop.start(ROOM, KAYAK, BIKES)["id"]
    session = shop.session(shop.alter(session_id, _2="remove"))
    assert list(session["item"]) == left
    assert [line["item_id"] for line in session["item"].values()] == [17, 21]
    session = shop.session(shop.post(session_id=session_id, slip=KAYAK))
    assert items_of(session)[after] == 18


@pytest.mark.parametrize("option", ["keep", "renumber"])
def test_several_alterations_go_by_one_numbering(box, shop, option):
    box.set_options(line_renumber=option)
    session_id = shop.start(ROOM, BIKES, PACKAGE)["id"]
    session = shop.session(shop.alter(session_id, _1="remove", _2=5, _3_1="optin"))
    assert sorted(items_of(session).values()) == [21, 30, 31, 32]
    assert "21.20310607X1-5" in slips_of(session).values()
    assert [line.get("opt") for line in session["item"].values()] == [None, None, "in", "in"]


def test_numbers_on_regular_items(box, shop):
    session_id = shop.start(KAYAK, ROOM)["id"]
    assert slips_of(shop.session(shop.alter(session_id, _1=5))) == {"1": KAYAK, "2": ROOM}
    box.set_options(numeric_alter="works")
    session = shop.session(shop.alter(session_id, _1=5))
    assert slips_of(session) == {"1": "18.20310607X1-adults.5-children.1", "2": ROOM}
    assert shop.alter(session_id, _2=5)["request"]["status"] == "ERROR"


def test_numbers_keep_the_choice_of_add_ons(box, shop):
    box.set_options(numeric_alter="works")
    session_id = shop.start(PACKAGE)["id"]
    session = shop.session(shop.alter(session_id, _1_1="optin", _1=2))
    assert session["item"]["1.1"]["opt"] == "in"
    assert session["item"]["1.1"]["slip"] == "31.20310607X2-2"


@pytest.mark.parametrize(("option", "left"), [("keep", {"1": "21.20310607X1-0"}), ("remove", {})])
def test_an_alteration_to_zero(box, shop, option, left):
    box.set_options(alter_zero=option, empty_items="object")
    session = shop.session(shop.alter(shop.start(BIKES)["id"], _1=0))
    assert slips_of(session) == left


def test_a_line_is_replaced_in_its_place(box, shop):
    session_id = shop.start(PACKAGE, BIKES)["id"]
    shop.alter(session_id, _1_1="optin")
    new = "30.20310610X3-families.2"
    session = shop.session(shop.post(session_id=session_id, line_id="1", slip=new))
    assert session["item"]["1"]["slip"] == new
    assert items_of(session) == {"1": 30, "1.1": 31, "1.2": 32, "2": 21}
    assert session["item"]["1.1"]["opt"] == "out"
    assert box.holds()[0]["lines"][0]["end_date"] == "2031-06-13"


def test_add_ons(shop):
    session = shop.start(ROOM, PACKAGE)
    assert items_of(session) == {"1": 17, "2": 30, "2.1": 31, "2.2": 32}
    assert [(session["item"][n]["optin"], session["item"][n]["opt"]) for n in ("2.1", "2.2")] == [
        ("O", "out"),
        ("O", "in"),
    ]
    assert session["item"]["2.1"]["available"] == 1_000_000_000
    session = shop.session(shop.alter(session["id"], _2_1="optin", _2_2="optout"))
    assert [session["item"][n]["opt"] for n in ("2.1", "2.2")] == ["in", "out"]
    assert "opt" not in session["item"]["2"]


NONSENSE = [
    {"slip": "nonsense"},
    {"alter[9]": "remove"},
    {"alter[1]": "optin"},
    {"alter[1]": "-1"},
    {"alter[1.9]": "optin"},
    {"alter[2.1]": "remove"},
    {"alter[2.1]": "3"},
    {"line_id": "9", "slip": BIKES},
    {"line_id": "1"},
    {"line_id": "1", "slip": "nonsense"},
]


@pytest.mark.parametrize("data", NONSENSE, ids=str)
def test_what_names_nothing(box, shop, data):
    before = shop.start(BIKES, PACKAGE)
    answer = shop.post(session_id=before["id"], **data)
    assert answer["request"]["error"]["id"] == "validation_error"
    assert "booking" not in answer
    box.set_options(bad_slip="silent")
    assert shop.session(shop.post(session_id=before["id"], **data)) == before


def test_a_refused_call_changes_nothing(box, shop):
    session = shop.start(BIKES)
    answer = shop.post(session_id=session["id"], **{"alter[1]": "remove", "slip[]": [ROOM, "nonsense"]})
    assert answer["request"]["status"] == "ERROR"
    assert shop.session(shop.read(session["id"])) == session
    assert shop.post(slip="nonsense")["request"]["status"] == "ERROR"
    assert len(box.holds()) == 1


def test_silence_about_a_bad_slip_leaves_an_empty_session(box, shop):
    box.set_options(bad_slip="silent")
    assert shop.start("nonsense")["item"] == []
    assert slips_of(shop.start("nonsense", BIKES)) == {"1": BIKES}


def test_slips_read_back(box, shop):
    box.set_options(slip_echo="normalised")
    session = shop.start(BIKES, ROOM)
    first = session["item"]["1"]["slip"]
    assert first.startswith("21.20310607X1-2-")
    again = shop.start(first)["item"]["1"]["slip"]
    assert again == first
    box.set_options(slip_style="opaque")
    slip = shop.rate(21, start_date="20310607")["slip"]
    line = shop.start(slip)["item"]["1"]
    assert line["slip"] != slip
    assert shop.start(line["slip"])["item"]["1"]["item_id"] == 21


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_clear_keeps_the_id(box, http, shop, method):
    session_id = shop.start(BIKES, ROOM)["id"]
    answer = http.request(method, f"{SESSION}/clear", params={"session_id": session_id}).json()
    assert answer["booking"]["session"] == {"id": session_id, "age": 0, "item": []}
    assert list(shop.session(shop.post(session_id=session_id, slip=BIKES))["item"]) == ["1"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_end_destroys(box, http, shop, method):
    session_id = shop.start(BIKES)["id"]
    end = {"method": method, "url": f"{SESSION}/end", "params": {"session_id": session_id}}
    answer = http.request(**end).json()
    assert answer["request"]["status"] == "OK"
    assert "booking" not in answer
    assert box.holds() == []
    assert shop.read(session_id)["request"]["status"] == "ERROR"
    assert http.request(**end).json()["request"]["status"] == "OK"
    box.set_options(end_again="error", session_error_status=404)
    gone = http.request(**end)
    assert (gone.status_code, gone.json()["request"]["status"]) == (404, "ERROR")


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("path", [SESSION, f"{SESSION}/clear"])
def test_an_unknown_session_is_an_error(box, http, status, path):
    box.set_options(session_error_status=status)
    answer = http.post(path, data={"session_id": "nosuchsession"})
    assert answer.status_code == status
    assert answer.json()["request"]["status"] == "ERROR"
    assert box.holds() == []


def test_an_unknown_session_gets_a_new_id(box, shop):
    box.set_options(session_expired="new_id")
    for answer in (shop.read("nosuchsession"), shop.post(session_id="nosuchsession", slip=BIKES)):
        assert shop.session(answer)["id"] != "nosuchsession"
    assert [len(hold["lines"]) for hold in box.holds()] == [0, 1]


def test_an_unknown_session_starts_empty_under_its_id(box, shop):
    box.set_options(session_expired="empty")
    assert shop.session(shop.read("nosuchsession")) == {"id": "nosuchsession", "age": 0, "item": []}
    session_id = shop.start(BIKES)["id"]
    box.expire_session(session_id)
    assert shop.session(shop.post(session_id=session_id, slip=ROOM))["item"].keys() == {"1"}
    assert shop.session(shop.read("not an id!"))["id"] != "not an id!"


def test_ids_that_clients_bring_along_do_not_clash(box, shop):
    second = [shop.session(shop.post())["id"] for _ in range(2)][1]
    box.reset()
    box.set_options(session_expired="empty")
    assert shop.session(shop.read(second))["id"] == second
    assert shop.session(shop.post())["id"] != second
    assert len({hold["id"] for hold in box.holds()}) == 2


def test_a_session_expires(box, shop):
    box.set_options(session_hold=60, fixed_now="2031-06-05T12:00:00Z")
    session_id = shop.start(BIKES)["id"]
    box.set_options(fixed_now="2031-06-05T12:00:40Z")
    assert shop.session(shop.read(session_id))["age"] == 40
    box.set_options(fixed_now="2031-06-05T12:01:00Z")
    assert shop.read(session_id)["request"]["status"] == "ERROR"
    assert box.holds()[0]["expired"] is True
    assert box.holds()[0]["used_at"] == "2031-06-05T12:00:00Z"


@pytest.mark.parametrize(
    ("extends", "method", "alive"), [("no", "GET", False), ("yes", "GET", True), ("no", "POST", True)]
)
def test_what_makes_the_time_run_anew(box, shop, http, extends, method, alive):
    box.set_options(session_hold=60, get_extends=extends, fixed_now="2031-06-05T12:00:00Z")
    session_id = shop.start(BIKES)["id"]
    box.set_options(fixed_now="2031-06-05T12:00:40Z")
    http.request(method, SESSION, params={"session_id": session_id})
    box.set_options(fixed_now="2031-06-05T12:01:20Z")
    assert (shop.read(session_id)["request"]["status"] == "OK") is alive


def test_cookies(box, http, shop):
    assert "set-cookie" not in http.get("/item").headers
    assert "set-cookie" not in http.post(f"{SESSION}/end").headers
    box.set_options(session_cookie="yes")
    session_id = shop.start(BIKES)["id"]
    assert http.cookies["session_id"] == session_id
    assert http.get(SESSION).json()["booking"]["session"]["id"] == session_id
    http.post(f"{SESSION}/end")
    assert "session_id" not in http.cookies
    assert box.holds() == []


def test_a_broken_cookie_is_none(http):
    answer = http.get(SESSION, headers={"Cookie": "=;;session_id"}).json()
    assert answer["request"]["status"] == "OK"


def test_the_fields_of_2017(box, shop):
    box.set_options(line_fields="all", line_dates="unix")
    answer = shop.post(**{"slip[]": [KAYAK, PACKAGE]})
    assert answer["request"]["records"] == 4
    session = shop.session(answer)
    kayak, out, chosen = (session["item"][number] for number in ("1", "2.1", "2.2"))
    assert kayak["unit"] == "D"
    assert kayak["rate"] == {
        "total": "162.50",
        "item_total": "162.50",
        "qty": 3,
        "summary": "Adults: 2<br />Children: 1",
    }
    assert kayak["date"]["start_date"] == kayak["date"]["end_date"] == 1938553200  # midnight in London
    assert (out["rate"]["total"], out["rate"]["item_total"]) == ("36.00", "0.00")
    assert (chosen["rate"]["total"], chosen["rate"]["item_total"]) == ("80.00", "80.00")
    assert (session["total"], session["sub_total"], session["due"]) == ("742.50", "742.50", "742.50")
    assert (session["tax"], session["deposit"], session["date_desc"]) == ([], None, "Sat Jun 7 2031 - Mon Jun 9 2031")
    assert (session["start_date"], session["end_date"]) == (1938553200, 1938726000)


def test_the_totals_of_an_empty_session(box, shop):
    box.set_options(line_fields="all", money_style="symbol")
    session = shop.session(shop.post())
    assert (session["total"], session["item"], session["qty"]) == ("$0.00", [], 0)


def test_times_and_discounts_in_a_session(box, shop):
    box.set_options(line_fields="all", line_dates="unix")
    slip = shop.rate(50, start_date="20310607", start_time="17:00", discount_code="HALF")["slip"]
    session = shop.start(slip)
    line = session["item"]["1"]
    assert line["date"]["end_date"] - line["date"]["start_date"] == 2 * 3600
    assert (line["rate"]["total"], session["discount"], session["total"]) == ("22.50", "22.50", "22.50")
