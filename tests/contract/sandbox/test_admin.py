"""The admin JSON API: writes, refusals, and each of its options."""

from urllib.parse import parse_qsl, urlencode, urlsplit

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


def urlencoded(fields):
    return {"content": urlencode(fields), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}


def multipart(fields):
    return {"files": [(name, (None, value)) for name, value in fields]}


FORM = [
    ("name", "Café & Co"),
    ("description", "two\r\nlines"),
    ("disabled", "true"),
    ("never_booked", "0"),
    ("price", "35.5"),
    ("position", "3"),
    ("count", ""),
    ("service_ids[]", "5"),
    ("service_ids[]", "6"),
    ("extra[colour]", "red"),
    ("address[postcode]", "E1"),
]


@pytest.mark.parametrize("form", [urlencoded, multipart])
def test_form_bodies_are_accepted(box, admin, form):
    answer = admin.post("/resources", **form(FORM))
    assert answer.status_code == 201, answer.text
    (kept,) = box.resources()
    assert (kept["name"], kept["description"], kept["address"]["postcode"]) == ("Café & Co", "two\r\nlines", "E1")
    assert (kept["disabled"], kept["never_booked"], kept["price"], kept["position"]) == (True, False, 35.5, 3)
    assert (kept["count"], kept["service_ids"], kept["extra"]) == (None, [5, 6], {"colour": "red"})
    url = f"/resources/{kept['id']}"
    assert admin.put(url, **form([("disabled", "false"), ("address_id", str(kept["address_id"]))])).status_code == 200
    assert box.resources()[0]["disabled"] is False


@pytest.mark.parametrize("form", [urlencoded, multipart])
def test_form_bodies_of_blocks_and_slots(box, admin, room, form):
    fields = list(SUMMER.items())
    block = admin.put(f"/resources/{room}/block", **form([*fields, ("booking", "true")]))
    assert "/bookings/" in block.json()["_links"]["self"]["href"]
    slot = admin.post("/slots", **form([*fields, ("resource_id", str(room))]))
    assert slot.status_code == 201
    moved = [("start_time", "2031-07-08T11:00:00Z"), ("end_time", "2031-07-08T12:00:00Z")]
    assert admin.put(f"/slots/{slot.json()['id']}", **form(moved)).json()["datetime"] == "2031-07-08T12:00:00+01:00"


@pytest.mark.parametrize("form", [urlencoded, multipart])
@pytest.mark.parametrize("wrong", [("disabled", "maybe"), ("price", "x"), ("position", "1.5"), ("service_ids[]", "x")])
def test_wrong_values_in_forms_are_refused(box, admin, form, wrong):
    answer = admin.post("/resources", **form([("name", "A"), wrong]))
    assert (answer.status_code, "is invalid" in answer.json()["error"]) == (400, True)
    assert box.resources() == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_multipart_body(admin, kind):
    answer = admin.post("/resources", content=b"name=A", headers={"Content-Type": kind})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


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


def self_link(admin, url):
    """Return the path and the query of the self link of a list, after asking for the list."""
    found = urlsplit(admin.get(url).json()["_links"]["self"]["href"])
    return found.path.removeprefix("/api/v1/admin/37004"), parse_qsl(found.query)


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("/slots?end_date=2031-07-09&start_date=2031-07-07", "start_date=2031-07-07&end_date=2031-07-09"),
        ("/slots?per_page=2&date=20310707&page=3", "date=2031-07-07"),
        ("/bookings?resource_id=13&date=2031-07-07", "date=2031-07-07&resource_id=13"),
        ("/bookings?slot_id=22", "slot_id=22"),
        ("/slots?zebra=1&date=2031-07-07&apple=2", "date=2031-07-07&apple=2&zebra=1"),
        ("/addresses?page=2", ""),
        ("/resources?page=2&per_page=2", ""),
        ("/resource?page=2&per_page=2", ""),
        ("/resources?per_page=2", ""),
    ],
)
def test_the_self_link_of_a_part_of_a_list_has_its_query(box, admin, url, query):
    for _ in range(3):
        box.add_resource({"name": "Same"})
    asked = dict(parse_qsl(urlsplit(url).query))
    name = urlsplit(url).path.strip("/").removesuffix("s") + "s"
    sizes = {"resources": 300, "slots": 100, "bookings": 100, "addressses": 30}
    name = "addresses" if name.startswith("address") else name
    size = asked.get("per_page", str(sizes.get(name, 30)))
    path, found = self_link(admin, url)
    assert path == f"/{name}"
    assert found == [*parse_qsl(query), ("page", asked.get("page", "1")), ("per_page", size)]
    # It leads to the same answer.
    again = admin.get(url).json()
    assert admin.get(again["_links"]["self"]["href"]).json() == again


def test_windows_and_pages_of_one_list_have_different_self_links(box, admin, room):
    for hour in range(9, 14):
        box.add_block(room, f"2031-07-07T{hour:02}:00:00Z", f"2031-07-07T{hour:02}:30:00Z")
    asked = ["date=2031-07-07", "date=2031-07-08", "date=2031-07-07&per_page=2", "date=2031-07-07&per_page=2&page=2"]
    links = [admin.get(f"/slots?{query}").json()["_links"]["self"]["href"] for query in asked]
    assert len(set(links)) == len(links)
    last = admin.get(f"/slots?{asked[-1]}").json()["_links"]
    assert last["previous"]["href"] == links[2]


def test_the_self_link_shows_the_size_of_the_page_that_was_given(box, admin, room):
    box.set_options(max_page_size=2)
    assert self_link(admin, "/slots?date=2031-07-07&per_page=1000")[1][-1] == ("per_page", "2")


@pytest.mark.parametrize(
    ("choice", "whole", "window"),
    [("parts", False, True), ("always", True, True), ("never", False, False)],
)
def test_self_query(box, admin, *, room, choice, whole, window):
    box.set_options(self_query=choice)
    assert bool(self_link(admin, "/resources?page=1&per_page=50")[1]) == whole
    assert bool(self_link(admin, "/slots?date=2031-07-07")[1]) == window


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


LISTED = {
    "id", "datetime", "end_datetime", "full_describe", "status", "spaces_booked", "spaces_reserved", "spaces_blocked",
    "num_spaces", "spaces_wait", "person_id", "duration", "duration_span", "company_id", "_links",
}  # fmt: skip


@pytest.mark.parametrize("choice", ["documented", "all"])
def test_slot_list_members(box, admin, room, choice):
    box.set_options(slot_list=choice, block_owner="person")
    block = admin.put(f"/resources/{room}/block", json=SUMMER).json()
    listed = admin.get("/slots?date=2031-07-07").json()
    extra = set() if choice == "documented" else {"start_date", "end_date", "company_id"}
    assert listed.keys() == {"total_entries", "_embedded", "_links"} | extra
    (slot,) = listed["_embedded"]["slots"]
    assert slot.keys() == LISTED
    links = {"self", "person", "bookings", "booking_details"}
    assert slot["_links"].keys() == (links if choice == "documented" else links | {"slot"})
    # An official client needs the link `slot` after a block.
    assert block["_links"].keys() == links | {"slot"}


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
    (shown,) = booking["_embedded"]["bookings"]
    assert (shown["duration"], shown["duration_span"]) == (60, 3600)
    assert admin.get("/bookings").json()["total_entries"] == 1
    assert admin.get("/bookings?start_date=2031-07-07").status_code == 400


def test_a_block_that_is_listed_as_a_booking_is_one(box, admin, room):
    box.set_options(blocks_as_bookings="yes")
    admin.put(f"/resources/{room}/block", json=SUMMER)
    (listed,) = admin.get("/bookings?date=2031-07-07").json()["_embedded"]["bookings"]
    own = listed["_links"]["self"]["href"]
    assert admin.get(own).json() == listed
    assert admin.delete(own).status_code == 200
    assert box.slots() == []
    assert admin.get(own).status_code == 404


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
