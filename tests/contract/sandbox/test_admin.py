"""The admin JSON API: writes, refusals, and each of its options."""

import pytest

SUMMER = {"start_time": "2031-07-07T11:00:00", "end_time": "2031-07-07T12:00:00"}


@pytest.fixture
def room(box):
    return box.add_resource({"name": "Room", "address": {"address1": "High Street", "postcode": "E1"}})


def test_update_is_partial_and_reads_order(box, admin, room):
    assert admin.get(f"/resources/{room}").json()["order"] == room
    answer = admin.put(f"/resources/{room}", json={"position": 3, "disabled": True})
    assert (answer.json()["order"], answer.json()["disabled"], answer.json()["name"]) == (3, True, "Room")


def test_answer_of_a_read_can_be_written_back(box, admin, room):
    before = box.resources()
    assert admin.put(f"/resources/{room}", json=admin.get(f"/resources/{room}").json()).status_code == 200
    assert box.resources() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 5},
        {"name": "A", "disabled": "yes"},
        {"name": "A", "disbaled": True},
        {"name": "A", "price": "35"},
        {"name": "A", "price": 2**70},
        {"name": "A", "service_ids": [None]},
        {"name": "A", "address": "here"},
        {"name": "A", "address": {"street": "here"}},
        {"name": "A", "address_id": 99},
    ],
)
def test_refused_resources_leave_nothing(box, admin, body):
    answer = admin.post("/resources", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert box.resources() == []


def test_lenient_ignores_unknown_fields(box, admin):
    box.set_options(strict="lenient")
    answer = admin.post("/resources", content=b'{"name": "A", "colour": 1, "price": "x"}')
    assert answer.status_code == 201
    assert box.resources()[0]["price"] is None


@pytest.mark.parametrize("status", [400, 500])
def test_malformed_json(box, admin, status):
    box.set_options(malformed_json_status=status)
    for body in (b'{"name": ', b"\xff\xfe", b"<a/>"):
        answer = admin.post("/resources", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status
    answer = admin.post("/resources", content=b"[]", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_content_type_must_be_known(admin):
    assert admin.post("/resources", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_form_bodies_are_accepted(box, admin):
    answer = admin.post("/resources", data={"name": "A", "address[postcode]": "E1"})
    assert answer.status_code == 201
    assert box.resources()[0]["address"]["postcode"] == "E1"


def test_unknown_ids(admin):
    for path in ("/resources/9", "/slots/9", "/addresses/9", "/bookings/9", f"/resources/{2**70}", "/nonsense"):
        answer = admin.get(path)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})
    assert admin.put("/resources/9", json={"name": "A"}).status_code == 404
    assert admin.put("/resources/9/block", json=SUMMER).status_code == 404
    assert admin.delete("/slots/9").status_code == 404
    assert admin.patch("/resources").status_code == 405


def test_pages_contain_every_row_once(box, admin):
    ids = [box.add_resource({"name": "Same"}) for _ in range(7)]
    seen = []
    for page in (1, 2, 3, 4):
        answer = admin.get("/resources", params={"page": page, "per_page": 3}).json()
        assert answer["total_entries"] == 7
        assert ("next" in answer["_links"]) == (page < 3)
        seen += [row["id"] for row in answer["_embedded"]["resources"]]
    assert seen == ids


@pytest.mark.parametrize(("size", "count"), [(0, 40), (30, 30), (100, 40)])
def test_page_size(box, admin, size, count):
    box.set_options(page_size=size)
    for _ in range(40):
        box.add_resource({"name": "A"})
    assert len(admin.get("/resources").json()["_embedded"]["resources"]) == count


def test_max_page_size(box, admin):
    box.set_options(max_page_size=2)
    for _ in range(5):
        box.add_resource({"name": "A"})
    assert len(admin.get("/resources?per_page=100").json()["_embedded"]["resources"]) == 2


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=-1"])
def test_bad_pages(box, admin, query):
    assert admin.get(f"/resources?{query}").status_code == 400
    box.set_options(strict="lenient")
    assert admin.get(f"/resources?{query}").status_code == 200


def test_misleading_links(box, admin, room):
    box.set_options(next_links="misleading")
    links = admin.get("/resources").json()["_links"]
    assert "page=0" in links["next"]["href"]
    assert "page=0" in links["previous"]["href"]


@pytest.mark.parametrize("choice", ["documented", "all"])
def test_resource_fields(box, admin, choice):
    box.set_options(resource_fields=choice)
    box.add_resource({"name": "A", "price": 35, "api_ref": "a"})
    shown = admin.get("/resources/13").json()
    extra = {"price", "never_booked", "count", "max_book", "api_ref", "reference"} & shown.keys()
    assert len(extra) == (6 if choice == "all" else 0)


@pytest.mark.parametrize("choice", ["soft", "hard"])
def test_resource_delete(box, admin, room, choice):
    box.set_options(resource_delete=choice)
    assert admin.delete(f"/resources/{room}").json()["deleted"] is True
    read = admin.get(f"/resources/{room}")
    listed = admin.get("/resources").json()["total_entries"]
    if choice == "soft":
        assert read.json()["deleted"] is True
        assert listed == 1
        box.set_options(list_shows_deleted="no")
        assert admin.get("/resources").json()["total_entries"] == 0
    else:
        assert read.status_code == 404
        assert listed == 0
    assert admin.put(f"/resources/{room}", json={"name": "B"}).status_code == 404


@pytest.mark.parametrize("status", [404, 200])
@pytest.mark.parametrize("deletion", ["soft", "hard"])
def test_delete_again(box, admin, room, status, deletion):
    box.set_options(delete_again=status, resource_delete=deletion)
    slot = box.add_block(room, "2031-07-07T11:00:00Z", "2031-07-07T12:00:00Z")
    for path in (f"/slots/{slot}", f"/resources/{room}"):
        assert admin.delete(path).status_code == 200
        assert admin.delete(path).status_code == status


@pytest.mark.parametrize(("answer", "body"), [(200, "object"), (200, "empty"), (204, "object")])
def test_delete_answer(box, admin, room, answer, body):
    box.set_options(delete_answer=answer, delete_body=body)
    slot = box.add_block(room, "2031-07-07T11:00:00Z", "2031-07-07T12:00:00Z")
    got = admin.delete(f"/slots/{slot}")
    assert got.status_code == answer
    if answer == 204:
        assert got.content == b""
    else:
        assert got.json().get("id") == (slot if body == "object" else None)
    assert box.slots() == []


@pytest.mark.parametrize("choice", ["in_place", "new"])
def test_address_put(box, admin, room, choice):
    box.set_options(address_put=choice)
    answer = admin.put(f"/resources/{room}", json={"address": {"postcode": "W1"}}).json()
    assert answer["address_id"] == (6 if choice == "in_place" else 7)
    address = box.resources()[0]["address"]
    assert (address["address1"], address["postcode"]) == ("High Street", "W1")


@pytest.mark.parametrize("choice", ["object", "id"])
def test_address_wins(box, admin, room, choice):
    box.set_options(address_wins=choice)
    answer = admin.post("/resources", json={"name": "B", "address_id": 6, "address": {"postcode": "W1"}}).json()
    assert answer["address_id"] == (7 if choice == "object" else 6)


def test_addresses_are_listed_in_both_places(box, admin, room):
    assert admin.get("/addresses").json()["_embedded"]["addresses"][0]["postcode"] == "E1"
    public = admin.get(f"{box.url}/api/v1/37004/addresses/6").json()
    assert public["_links"]["self"]["href"] == f"{box.url}/api/v1/37004/addresses/6"


@pytest.mark.parametrize(("choice", "status"), [("no", 201), ("yes", 400)])
def test_api_ref_unique(box, admin, choice, status):
    box.set_options(api_ref_unique=choice)
    box.add_resource({"name": "A", "api_ref": "same"})
    assert admin.post("/resources", json={"name": "B", "api_ref": "same"}).status_code == status
    assert admin.put("/resources/13", json={"api_ref": "same"}).status_code == 200


@pytest.mark.parametrize("status", [201, 200])
def test_json_create_status(box, admin, room, status):
    box.set_options(json_create_status=status)
    assert admin.post("/resources", json={"name": "B"}).status_code == status
    assert admin.post("/slots", json={**SUMMER, "resource_id": room}).status_code == status


@pytest.mark.parametrize("choice", ["yes", "no"])
def test_singular_paths(box, admin, room, choice):
    box.set_options(singular_paths=choice)
    status = 200 if choice == "yes" else 404
    assert admin.get("/resource").status_code == status
    assert admin.put(f"/resource/{room}/block", json=SUMMER).status_code == status


def test_block_lives_as_a_slot(box, admin, room):
    slot = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    url = slot["_links"]["slot"]["href"]
    assert admin.get(url).json() == slot
    moved = {"start_time": "2031-07-08T11:00:00Z", "end_time": "2031-07-08T13:30:00Z"}
    answer = admin.put(url, json=moved).json()
    assert (answer["id"], answer["datetime"], answer["duration"]) == (slot["id"], "2031-07-08T12:00:00+01:00", 150)
    assert admin.delete(url).status_code == 200
    assert admin.get(url).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start_time": "2031-07-07T11:00:00"},
        {"start_time": "2031-07-07T11:00:00", "end_time": "2031-07-07T11:00:00"},
        {"start_time": "2031-07-07T11:00:00", "end_time": "2031-07-07T10:00:00"},
        {"start_time": "yesterday", "end_time": "2031-07-07T10:00:00"},
        {"start_time": "2031-07-07", "end_time": "2031-07-08"},
        {"start_time": "0001-01-01T00:00:00+05:00", "end_time": "9999-12-31T23:59:59"},
        {**SUMMER, "colour": "red"},
    ],
)
def test_refused_blocks(box, admin, room, body):
    assert admin.put(f"/resources/{room}/block", json=body).status_code == 400
    assert admin.post("/slots", json={**body, "resource_id": room}).status_code == 400
    assert box.slots() == []


def test_a_block_is_not_idempotent(box, admin, room):
    ids = {admin.put(f"/resources/{room}/block", json=SUMMER).json()["id"] for _ in range(2)}
    assert ids == {22, 23}


@pytest.mark.parametrize(("choice", "status"), [("allow", 200), ("conflict", 409)])
def test_block_over_block(box, admin, room, choice, status):
    box.set_options(block_over_block=choice)
    block = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    assert admin.put(f"/resources/{room}/block", json=SUMMER).status_code == status
    assert admin.put(f"/slots/{block['id']}", json=SUMMER).status_code in {200, status}
    other = box.add_resource({"name": "Other"})
    assert admin.put(f"/resources/{other}/block", json=SUMMER).status_code == 200


@pytest.mark.parametrize(("choice", "status"), [("allow", 200), ("conflict", 409)])
def test_block_over_booking(box, admin, room, choice, status):
    box.set_options(block_over_booking=choice)
    box.add_booking(room, "2031-07-07T11:30:00Z", "2031-07-07T12:30:00Z")
    assert admin.put(f"/resources/{room}/block", json=SUMMER).status_code == status


@pytest.mark.parametrize(
    ("choice", "flag", "found"),
    [("asked", None, "slots"), ("asked", True, "bookings"), ("slot", True, "slots"), ("booking", None, "bookings")],
)
def test_block_answer(box, admin, *, room, choice, flag, found):
    box.set_options(block_answer=choice)
    body = SUMMER if flag is None else {**SUMMER, "booking": flag}
    url = admin.put(f"/resources/{room}/block", json=body).json()["_links"]["self"]["href"]
    assert f"/{found}/" in url
    assert admin.get(url).json()["status"] == 3
    assert admin.delete(url).status_code == 200
    assert box.slots() == []
    listed = admin.get("/bookings?date=2031-07-07&include_cancelled=true").json()["total_entries"]
    assert listed == (1 if found == "bookings" else 0)


@pytest.mark.parametrize(
    ("choice", "keys"),
    [("both", {"person_id", "resource_id"}), ("resource", {"resource_id"}), ("person", {"person_id"})],
)
def test_block_owner(box, admin, room, choice, keys):
    box.set_options(block_owner=choice)
    slot = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    assert {"person_id", "resource_id"} & slot.keys() == keys


@pytest.mark.parametrize(("choice", "hour"), [("utc", "12"), ("company", "11")])
def test_naive_times(box, admin, room, choice, hour):
    box.set_options(naive_times=choice)
    slot = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    assert slot["datetime"] == f"2031-07-07T{hour}:00:00+01:00"


def test_company_zone_and_datetime_style(box, admin, room):
    box.set_options(company_zone="America/New_York", datetime_style="millis")
    slot = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    assert slot["datetime"] == "2031-07-07T07:00:00.000-04:00"


@pytest.mark.parametrize("choice", ["yes", "no"])
def test_slot_end(box, admin, room, choice):
    box.set_options(slot_end=choice)
    admin.put(f"/resources/{room}/block", json=SUMMER)
    slot = admin.get("/slots?date=2031-07-07").json()["_embedded"]["slots"][0]
    assert ("end_datetime" in slot) == (choice == "yes")
    assert slot["duration"] == 60


def test_slots_require_a_range_of_company_days(box, admin, room):
    box.add_block(room, "2031-07-07T23:30:00Z", "2031-07-07T23:45:00Z")  # half past midnight on the 8th
    for query in (
        "",
        "start_date=2031-07-07",
        "date=soon",
        "date=9999-12-31",
        "start_date=2031-07-08&end_date=2031-07-07",
    ):
        assert admin.get(f"/slots?{query}").status_code == 400
    counts = {
        query: admin.get(f"/slots?{query}").json()["total_entries"]
        for query in (
            "date=2031-07-07",
            "date=2031-07-08",
            "start_date=2031-07-01&end_date=2031-07-08",
            f"date=2031-07-08&resource_id={room}",
            "date=2031-07-08&resource_id=99",
        )
    }
    assert list(counts.values()) == [0, 1, 1, 1, 0]


def test_slots_of_other_statuses_are_listed_too(box, admin, room):
    box.add_slot(resource_id=room, start="2031-07-07T11:00:00Z", end="2031-07-07T12:00:00Z", status=11)
    box.add_booking(room, "2031-07-07T13:00:00Z", "2031-07-07T14:00:00Z")
    slots = admin.get("/slots?date=2031-07-07").json()["_embedded"]["slots"]
    assert [slot["status"] for slot in slots] == [11, 4]
    booking = admin.get(f"/bookings?start_date=2031-07-07&end_date=2031-07-07&resource_id={room}").json()
    assert booking["_embedded"]["bookings"][0]["slot_id"] == slots[1]["id"]
    assert admin.get(f"/bookings?slot_id={slots[1]['id']}").json()["total_entries"] == 1


def test_whole_days(box, admin, room):
    body = {"start_time": "2031-03-30T10:00:00", "allday": "true", "resource_id": room}
    slot = admin.post("/slots", json=body).json()
    # Clocks go forward in the night before this day's morning: it has 23 hours.
    assert (slot["datetime"], slot["duration"]) == ("2031-03-30T00:00:00+00:00", 23 * 60)


def test_slots_of_unknown_resources(admin):
    assert admin.post("/slots", json=SUMMER).status_code == 400
    assert admin.post("/slots", json={**SUMMER, "resource_id": 9}).status_code == 404
    assert admin.post("/slots", json={**SUMMER, "resource_id": 2**70}).status_code == 404


def test_public_reads_hide_deleted_resources(box, admin, room):
    public = f"{box.url}/api/v1/37004/resources"
    assert admin.get(f"{public}/{room}").json()["id"] == room
    admin.delete(f"/resources/{room}")
    assert admin.get(public).json()["total_entries"] == 0
    assert admin.get(f"{public}/{room}").status_code == 404
