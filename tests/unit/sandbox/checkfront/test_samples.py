"""The sample of seed 004, the formats of the notes, encodings and access."""

import json

import pytest

SESSION = "/booking/session"
ROOM, BIKES = "17.20140408X2-guests.2", "21.20310607X1-2"

SAMPLE = json.loads("""
{
"version": "3.0",
"account_id": 1,
"host_id": "your-company.checkfront.com",
"name": "Your Company",
"locale": {
    "id": "en_US",
    "lang": "_en",
    "currency": "CAD"
},
"request": {
    "status": "OK",
    "resource": "booking",
    "id": "session",
    "method": "get",
    "records": 0,
    "limit": 0,
    "page": 1,
    "pages": 1,
    "time": 0.0066
},
"booking": {
    "session": {
        "id": "ldpm9qlhgnrobja48vor9965p3",
        "age": 0,
        "item": {
            "1": {
                "sku": "overwaterbun",
                "item_id": 17,
                "name": "Overwater Room",
                "date": {
                    "summary": "Tue Apr 8 2014 - Wed Apr 9 2014",
                    "start_date": "20140408",
                    "end_date": "20140409"
                },
                "slip": "17.20140408X2-guests.2",
                "available": 2
            }
        }
    }
}
}
""")


def test_the_sample_of_the_seed(shop):
    rate = shop.rate(17, start_date="20140408", end_date="20140409", **{"param[guests]": 2})
    assert rate["slip"] == ROOM
    session = shop.start(rate["slip"])
    answer = shop.read(session["id"])
    assert answer == SAMPLE
    assert list(answer["request"]) == list(SAMPLE["request"])


@pytest.mark.parametrize(
    "request_of",
    [
        {"data": {"slip": ROOM}},
        {"data": {"slip[]": ROOM}},
        {"data": {"slip[0]": ROOM}},
        {"json": {"slip": ROOM}},
        {"json": {"slip": [ROOM], "session_id": None, "alter": []}},
        {"json": {"slip": {"0": ROOM}}},
        {"params": {"slip": ROOM}},
        {"params": {"slip[]": ROOM}},
        {"files": {"slip": (None, ROOM)}},
        {"files": {"slip[]": (None, ROOM)}},
        {"files": {"slip[0]": (None, ROOM), "session_id": (None, "")}},
    ],
    ids=str,
)
def test_encodings_of_a_slip(http, request_of):
    answer = http.post(SESSION, **request_of).json()
    assert answer["request"]["method"] == "post"
    assert [line["slip"] for line in answer["booking"]["session"]["item"].values()] == [ROOM]


@pytest.mark.parametrize(
    ("request_of", "slips"),
    [
        ({"data": {"slip[]": [ROOM, BIKES]}}, [ROOM, BIKES]),
        ({"data": {"slip[0]": ROOM, "slip[1]": BIKES}}, [ROOM, BIKES]),
        ({"json": {"slip": [ROOM, BIKES]}}, [ROOM, BIKES]),
        ({"files": [("slip[]", (None, ROOM)), ("slip[]", (None, BIKES))]}, [ROOM, BIKES]),
        ({"params": {"slip[]": [ROOM, BIKES]}}, [ROOM, BIKES]),
        # PHP keeps the last of several values of one plain name.
        ({"data": {"slip": [ROOM, BIKES]}}, [BIKES]),
    ],
    ids=str,
)
def test_encodings_of_several_slips(http, request_of, slips):
    lines = http.post(SESSION, **request_of).json()["booking"]["session"]["item"]
    assert [(number, line["slip"]) for number, line in lines.items()] == [
        (str(number), slip) for number, slip in enumerate(slips, start=1)
    ]


@pytest.mark.parametrize(
    "body", [{"data": {"alter[1]": "5"}}, {"json": {"alter": {"1": 5}}}, {"files": {"alter[1]": (None, "5")}}], ids=str
)
@pytest.mark.parametrize("way", ["parameter", "query", "cookie"])
def test_session_id_in_every_place(shop, http, body, way):
    session_id = shop.start(BIKES)["id"]
    extra = {}
    if way == "parameter":
        own = (None, session_id) if "files" in body else session_id
        body = {name: {**values, "session_id": own} for name, values in body.items()}
    elif way == "query":
        extra = {"params": {"session_id": session_id}}
    else:
        extra = {"headers": {"Cookie": f"other=1; session_id={session_id}"}}
    session = http.post(SESSION, **body, **extra).json()["booking"]["session"]
    assert (session["id"], session["item"]["1"]["slip"]) == (session_id, "21.20310607X1-5")


def test_parameter_wins_over_the_cookie(shop, http):
    one, two = shop.start(BIKES)["id"], shop.start(ROOM)["id"]
    answer = http.get(SESSION, params={"session_id": one}, headers={"Cookie": f"session_id={two}"})
    assert answer.json()["booking"]["session"]["id"] == one


def test_a_get_can_change_too(shop, http):
    session_id = shop.start(BIKES)["id"]
    answer = http.get(SESSION, params={"session_id": session_id, "alter[1]": "remove", "slip[]": ROOM}).json()
    assert [line["item_id"] for line in answer["booking"]["session"]["item"].values()] == [17]


@pytest.mark.parametrize(
    "request_of",
    [
        {"json": [1]},
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        {"content": b"slip=x", "headers": {"Content-Type": "text/plain"}},
        {"json": {"slip": 1.5}},
        {"json": {"slip": [True]}},
        {"json": {"alter": "1"}},
        {"json": {"alter": ["remove"]}},
        {"json": {"session_id": ["a"]}},
        {"content": b'{"session_id": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
        {"content": b"slip", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"slip", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ],
    ids=str,
)
def test_invalid_request_is_an_error_with_status_200(box, http, request_of):
    answer = http.post(SESSION, **request_of)
    assert answer.status_code == 200
    assert answer.json()["request"]["status"] == "ERROR"
    assert answer.json()["request"]["error"]["id"] == "validation_error"
    assert "booking" not in answer.json()
    assert box.holds() == []


def test_foreign_parameters_of_a_session_call_are_ignored(box, http):
    for request_of in ({"data": {"form[Name]": "A"}}, {"json": {"slip[0]": ROOM}}, {"params": {"utm": "x"}}):
        assert http.post(SESSION, **request_of).json()["booking"]["session"]["item"] == []
    box.reset()
    box.set_options(foreign_parameters="error")
    for request_of in ({"data": {"form[Name]": "A"}}, {"json": {"slip[0]": ROOM}}, {"params": {"utm": "x"}}):
        assert http.post(SESSION, **request_of).json()["request"]["error"]["id"] == "validation_error"
    assert box.holds() == []


def test_json_is_compact(http):
    assert http.get("/item").content.startswith(b'{"version":"3.0","account_id":1,')


def test_lenient_ignores_unknown_references(box, http):
    box.set_options(strict="lenient", bad_slip="silent")
    for request_of in ({"json": {"slip": 1.5}}, {"data": {"form[Name]": "A"}}, {"content": b"slip=x"}):
        answer = http.post(SESSION, **request_of).json()
        assert answer["booking"]["session"]["item"] == []


@pytest.mark.parametrize(
    ("headers", "error", "description"),
    [
        ({}, "invalid_request", "The access token was not found."),
        ({"Authorization": "Bearer x"}, "invalid_request", "Malformed auth header."),
        ({"Authorization": "Basic ###"}, "invalid_request", "Malformed auth header."),
        ({"Authorization": "Basic YTpi"}, "invalid_grant", "The access token provided is invalid."),
    ],
)
def test_wrong_credentials(box, control, headers, error, description):
    for method, path in (("GET", "/item"), ("POST", SESSION), ("GET", "/nonsense")):
        answer = control.request(method, f"{box.url}/api/3.0{path}", headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"error": error, "error_description": description}
    assert box.holds() == []


def test_credentials_are_options(box, http):
    box.set_options(checkfront_key="k", checkfront_secret="s:t")
    assert http.get("/item").status_code == 401
    assert http.get("/item", auth=("k", "s:t"), headers={"X-On-Behalf": "off"}).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nonsense", 404), ("DELETE", "/item", 405)])
def test_unknown_paths_and_methods(http, method, path, status):
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["request"]["status"]) == (status, "ERROR")


def test_slashes_and_short_paths(box, http):
    assert http.get("/item/").status_code == 200
    assert http.get("/item/17/?start_date=today").json()["item"]["rate"]["status"] == "AVAILABLE"
    answer = http.post("/session", data={"slip": ROOM}).json()
    assert (answer["request"]["resource"], answer["request"]["id"]) == ("booking", "session")
    box.set_options(short_paths="no")
    assert http.post("/session").status_code == 404
    assert http.post(SESSION + "/").status_code == 200


def test_the_log_shows_calls_as_sent(box, shop, http):
    http.post(SESSION, params={"a[]": "1"}, data={"slip[]": [ROOM, BIKES]})
    (entry,) = box.log()
    assert (entry.method, entry.path, entry.query) == ("POST", "/api/3.0/booking/session", "a%5B%5D=1")
    assert entry.request_body == f"slip%5B%5D={ROOM}&slip%5B%5D={BIKES}"
    assert entry.content_type == "application/x-www-form-urlencoded"
