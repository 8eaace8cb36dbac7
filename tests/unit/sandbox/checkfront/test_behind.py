"""Sessions changed outside the API, in Python and over the control endpoints."""

from reconciler.sandbox import Sandbox

BIKES, PACKAGE = "21.20310607X1-2", "30.20310607X2-families.1"


def test_booking_sessions_show_every_field(box, shop, control):
    session_id = shop.start(PACKAGE, BIKES)["id"]
    (hold,) = box.holds()
    assert (hold["id"], hold["expired"], len(hold["lines"])) == (session_id, False, 2)
    assert hold["lines"][0] == {
        "line_id": "1",
        "item_id": 30,
        "sku": "familypackage",
        "slip": PACKAGE,
        "start_date": "2031-06-07",
        "end_date": "2031-06-09",
        "start_time": "",
        "end_time": "",
        "params": {"families": 1},
        "quantity": 1,
        "discount_code": "",
        "options": {"31": "out", "32": "in"},
    }
    assert control.get("/holds").json() == box.holds()


def test_ends_in_python(box, shop):
    one, two, three = (shop.start(BIKES)["id"] for _ in range(3))
    box.expire_session(one)
    assert [hold["expired"] for hold in box.holds()] == [True, False, False]
    box.end_session(two)
    assert [hold["id"] for hold in box.holds()] == [one, three]
    box.expire_sessions()
    assert all(hold["expired"] for hold in box.holds())
    assert shop.read(three)["request"]["status"] == "ERROR"


def test_ends_over_http(box, shop, control):
    one, two, three = (shop.start(BIKES)["id"] for _ in range(3))
    assert control.post(f"/holds/{one}/expire").status_code == 204
    assert control.delete(f"/holds/{two}").status_code == 204
    assert [(hold["id"], hold["expired"]) for hold in box.holds()] == [(one, True), (three, False)]
    assert control.post("/expire-holds").status_code == 204
    assert all(hold["expired"] for hold in box.holds())


def test_lines_in_python(box, shop):
    session_id = shop.start(BIKES, PACKAGE, BIKES)["id"]
    box.remove_line(session_id, "1")
    box.edit_line(session_id, 2, params={"families": 3}, options={"31": "in"})
    box.edit_line(session_id, 3, slip="17.20310607X1-guests.1")
    session = shop.session(shop.read(session_id))
    assert {number: line["slip"] for number, line in session["item"].items() if "." not in number} == {
        "2": "30.20310607X2-families.3",
        "3": "17.20310607X1-guests.1",
    }
    assert session["item"]["2.1"]["opt"] == "in"
    box.edit_line(session_id, 2, start_date="20310701", end_date="20310702")
    line = box.holds()[0]["lines"][0]
    assert (line["slip"], line["options"]) == ("30.20310701X1-families.3", {"31": "in", "32": "in"})


def test_a_removal_renumbers_if_the_server_does(box, shop):
    box.set_options(line_renumber="renumber")
    session_id = shop.start(BIKES, PACKAGE)["id"]
    box.remove_line(session_id, 1)
    assert list(shop.session(shop.read(session_id))["item"]) == ["1", "1.1", "1.2"]


def test_times_of_a_line(box, shop):
    slip = shop.rate(50, start_date="20310607", start_time="17:00")["slip"]
    session_id = shop.start(slip)["id"]
    box.edit_line(session_id, 1, start_time="19:30")
    line = box.holds()[0]["lines"][0]
    assert (line["start_time"], line["end_time"]) == ("19:30", "21:30")
    assert line["slip"] != slip


def test_lines_and_stock_over_http(box, shop, control):
    session_id = shop.start(BIKES, PACKAGE)["id"]
    assert control.patch(f"/holds/{session_id}/lines/1", json={"params": {"qty": 4}}).status_code == 204
    assert control.delete(f"/holds/{session_id}/lines/2").status_code == 204
    assert [line["slip"] for line in box.holds()[0]["lines"]] == ["21.20310607X1-4"]
    assert control.post("/stock", json={"item_id": 21, "date": "20310607", "qty": 5}).status_code == 204
    assert shop.rate(21, start_date="20310607")["available"] == 1


def test_wrong_calls(shop, control):
    path = f"/holds/{shop.start(BIKES, PACKAGE)['id']}/lines"
    refusals = [
        ("DELETE", "/holds/nosuch", None, 404),
        ("POST", "/holds/nosuch/expire", None, 404),
        ("DELETE", f"{path}/9", None, 404),
        ("DELETE", f"{path}/2.1", None, 404),
        ("PATCH", f"{path}/1", {"colour": "red"}, 400),
        ("PATCH", f"{path}/1", {"slip": "nonsense"}, 400),
        ("PATCH", f"{path}/1", {"params": {"dogs": 1}}, 400),
        ("PATCH", f"{path}/1", {"params": {"qty": 0}}, 400),
        ("PATCH", f"{path}/1", {"options": {"31": "in"}}, 400),
        ("PATCH", f"{path}/2", {"options": {"31": "maybe"}}, 400),
        ("PATCH", f"{path}/1", {"start_date": "soon"}, 400),
        ("POST", "/stock", {"item_id": 99, "date": "20310607", "qty": 1}, 404),
        ("POST", "/stock", {"item_id": 21, "qty": 1}, 400),
    ]
    for method, where, body, status in refusals:
        answer = control.request(method, where, json=body)
        assert (where, body, answer.status_code) == (where, body, status)
        assert answer.json()["error"]


def test_database_file_keeps_the_sessions(tmp_path, shop):
    path = tmp_path / "sandbox.db"
    with Sandbox(db=path) as box:
        answer = shop.http.post(f"{box.url}/api/3.0/booking/session", data={"slip": BIKES})
        session_id = answer.json()["booking"]["session"]["id"]
    with Sandbox(db=path) as box:
        assert [(hold["id"], len(hold["lines"])) for hold in box.holds()] == [(session_id, 1)]
