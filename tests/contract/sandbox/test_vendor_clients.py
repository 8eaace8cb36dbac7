"""What the vendors' own clients do, call by call: the JavaScript client of the admin API, and those of Checkfront."""

import re
from urllib.parse import urlencode

import httpx
import pytest

RIGHT = {"email": "owner@example.com", "password": "demo-password"}
ACCEPT = "application/hal+json,application/json"
DAY = "20310607"


class HalClient:
    """Follows links, keeps answers under the URL asked for and the self link, and takes a token from a 201."""

    def __init__(self, http):
        self.http, self.kept, self.calls, self.token = http, {}, 0, None

    def call(self, method, url, body=None):
        headers = {"App-Id": "demo-app", "App-Key": "demo-key", "Accept": ACCEPT, "Content-Type": "application/json"}
        headers |= {"Auth-Token": self.token} if self.token else {}
        answer = self.http.request(method, url, json=body, headers=headers)
        self.calls += 1
        assert answer.status_code in {200, 201}, (method, url, answer.status_code, answer.text)
        document = answer.json()
        if answer.status_code == 201 and "auth_token" in document:
            self.token = document["auth_token"]
        return document

    def get(self, url):
        if url not in self.kept:
            document = self.call("GET", url)
            own = document["_links"]["self"]["href"]
            # What has been seen under this name already is taken for the same thing.
            self.kept[url] = self.kept.setdefault(own, document)
            self.keep(document)
        return self.kept[url]

    def keep(self, document):
        for embedded in document.get("_embedded", {}).values():
            for one in embedded if isinstance(embedded, list) else [embedded]:
                self.kept[one["_links"]["self"]["href"]] = one
                self.keep(one)

    def follow(self, document, name, **values):
        return self.get(self.link(document, name, **values))

    @staticmethod
    def link(document, name, **values):
        link = document["_links"][name]
        if not link.get("templated"):
            return link["href"]

        def fill(match):
            names = [one for one in match[2].split(",") if one in values]
            if match[1] == "/":
                return "".join(f"/{values[one]}" for one in names)
            return match[1] + urlencode([(one, values[one]) for one in names]) if names else ""

        return re.sub(r"\{([?&/]?)([^}]*)\}", fill, link["href"])


@pytest.fixture
def hal(box, anyone):
    box.reset("samples")
    return HalClient(anyone)


def signed_in(hal):
    """Sign in, and return the company of the first administrator."""
    answer = hal.call("POST", "/api/v1/login/admin", RIGHT)
    hal.keep(answer)
    administrator = hal.follow(answer, "administrator")
    assert hal.calls == 1  # the login has it
    return hal.follow(administrator, "company")


def ids(document, name):
    return [one["id"] for one in document["_embedded"][name]]


def test_windows_and_pages_are_not_mistaken_for_each_other(box, hal):
    blocks = [box.add_block(13, f"2031-07-{day:02}T09:00:00Z", f"2031-07-{day:02}T10:00:00Z") for day in (7, 8, 9)]
    company = signed_in(hal)
    first = hal.follow(company, "slots", start_date="2031-07-07", end_date="2031-07-08", page=1, per_page=100)
    second = hal.follow(company, "slots", start_date="2031-07-09", end_date="2031-07-10", page=1, per_page=100)
    assert (ids(first, "slots"), ids(second, "slots")) == (blocks[:2], blocks[2:])
    pages = [
        hal.follow(company, "slots", start_date="2031-07-01", end_date="2031-07-31", page=page, per_page=2)
        for page in (1, 2)
    ]
    assert [ids(page, "slots") for page in pages] == [blocks[:2], blocks[2:]]
    calls = hal.calls
    assert hal.follow(company, "slots", start_date="2031-07-09", end_date="2031-07-10", page=1, per_page=100) == second
    assert hal.calls == calls


def test_every_page_of_the_resources_is_seen(box, hal):
    made = [13, *(box.add_resource({"name": "Same"}) for _ in range(6))]
    company = signed_in(hal)
    seen = [
        number
        for page in (1, 2, 3, 4)
        for number in ids(hal.follow(company, "resources", page=page, per_page=2), "resources")
    ]
    assert seen == made


def test_a_calendar_day(box, hal):
    """Block a room, see it, move it and free it."""
    company = signed_in(hal)
    (room,) = hal.follow(company, "resources")["_embedded"]["resources"]
    assert hal.follow(room, "schedule", start_date="2031-07-07", end_date="2031-07-13")["dates"]
    times = {"start_time": "2031-07-07T11:00:00Z", "end_time": "2031-07-07T12:00:00Z"}
    block = hal.call("PUT", hal.link(room, "block"), times)
    assert block["_links"]["slot"] == block["_links"]["self"]
    moved = {"start_time": "2031-07-07T13:00:00Z", "end_time": "2031-07-07T14:00:00Z"}
    assert hal.call("PUT", hal.link(block, "slot"), moved)["datetime"] == "2031-07-07T14:00:00+01:00"
    assert hal.call("DELETE", hal.link(block, "slot"))["id"] == block["id"]
    assert box.slots() == []


def test_a_block_as_a_booking(box, hal):
    company = signed_in(hal)
    (room,) = hal.follow(company, "resources")["_embedded"]["resources"]
    body = {"start_time": "2031-07-07T11:00:00Z", "end_time": "2031-07-07T12:00:00Z", "booking": True, "allday": False}
    made = hal.call("PUT", hal.link(room, "block"), body)
    assert "bookings" in hal.link(made, "self")
    listed = hal.follow(company, "bookings", start_date="2031-07-07", end_date="2031-07-07", per_page=1024)
    assert [(one["id"], one["status"], one["duration"]) for one in listed["_embedded"]["bookings"]] == [
        (made["id"], 3, 60)
    ]
    assert hal.call("DELETE", f"{hal.link(made, 'self')}?notify=false")["is_cancelled"] is True
    assert box.slots() == []


def test_a_resource_is_written_back_with_what_the_client_knows(box, hal):
    company = signed_in(hal)
    (room,) = hal.follow(company, "resources")["_embedded"]["resources"]
    form = hal.follow(room, "edit")
    assert set(form["form"]) <= form["schema"]["properties"].keys()
    known = {name: room.get(name) for name in ("id", "name", "disabled", "email", "description")}
    written = hal.call("PUT", hal.link(room, "self"), {**known, "extra": {}, "never_booked": False, "name": "Room"})
    assert (written["name"], written["address_id"]) == ("Room", room["address_id"])
    fields = {"name": "New room", "address": {"address1": "1 High Street"}}
    assert hal.call("POST", hal.link(hal.follow(company, "resources"), "self"), fields)["id"] == 14


class PhpClient:
    """Sends the session as a cookie only, forms with numbered lists, and a slash before every query."""

    def __init__(self, http):
        self.http, self.session_id = http, ""

    def call(self, method, path, **request):
        headers = {"Accept": "application/json", "X-Forwarded-For": "192.0.2.1", "X-On-Behalf": "off"}
        if self.session_id:
            headers["Cookie"] = f"session_id={self.session_id}"
        answer = self.http.request(method, path, headers=headers, **request).json()
        assert answer["request"]["status"] == "OK", answer
        return answer

    def get(self, path, **query):
        return self.call("GET", f"{path}/?{urlencode(query)}" if query else path)

    def post(self, path, fields):
        return self.call("POST", path, data=fields)["booking"]["session"]


@pytest.fixture
def shop(box):
    box.reset()
    with httpx.Client(base_url=f"{box.url}/api/3.0/", auth=("demo-key", "demo-secret"), timeout=60) as http:
        yield http


def test_the_cart_of_the_php_client(box, shop):
    php = PhpClient(shop)
    query = {"start_date": "2031-06-07", "end_date": "2031-06-08", "param[adults]": 2, "category_id": "", "keyword": ""}
    items = php.get("item", **query)["items"]
    slips = [items[number]["rate"]["slip"] for number in ("17", "18")]
    session = php.post("booking/session", {f"slip[{at}]": slip for at, slip in enumerate(slips)})
    php.session_id = session["id"]
    assert list(session["item"]) == ["1", "2"]
    altered = php.post("booking/session", {"alter[1]": "remove", "alter[2]": "remove"})
    assert (altered["id"], altered["item"]) == (session["id"], [])
    php.post("booking/session", {"slip[0]": slips[0]})
    assert [line["slip"] for line in php.get("booking/session")["booking"]["session"]["item"].values()] == slips[:1]
    cleared = php.get("booking/session/clear")["booking"]["session"]
    assert (cleared["id"], cleared["item"]) == (session["id"], [])
    php.get("booking/session/end")
    assert box.holds() == []


def test_the_calls_of_the_javascript_clients(shop):
    query = {"start_date": DAY, "end_date": DAY, "timeslot": "0", "param[guests]": 2, "param[qty]": 1}
    rate = shop.get("item/50", params=query).json()["item"]["rate"]
    assert rate["dates"][DAY]["status"] == "A"
    assert [slot["start_time"] for slot in rate["dates"][DAY]["timeslots"]] == ["17:00", "19:30"]
    assert shop.post("booking/session/clear").json()["request"]["status"] == "OK"
    body = {"slip": rate["slip"], "session_id": None, "form": {"name": "A"}}
    session = shop.post("booking/session", json=body).json()["booking"]["session"]
    line = next(number for number, line in session["item"].items() if line["item_id"] == 50)
    body = {"session_id": session["id"], "alter": {line: "remove"}}
    assert shop.post("booking/session", json=body).json()["booking"]["session"]["item"] == []
