"""Every link of every answer leads somewhere."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

RIGHT = {"email": "owner@example.com", "password": "demo-password"}
DAY = {"start_date": "2031-07-07", "end_date": "2031-07-08"}
ACTIONS = {"block", "cancel"}
"""Links for another method than GET."""

ENTRIES = (
    "/api/v1/login",
    "/api/v1/admin/37004/company",
    "/api/v1/company/37004",
    "/api/v1/admin/37004/resource?page=1&per_page=50",
    "/api/v1/admin/37004/resources",
    "/api/v1/37004/resources",
    "/api/v1/admin/37004/addresses",
    "/api/v1/admin/37004/slots?date=2031-07-07",
    "/api/v1/admin/37004/bookings",
)


def links_of(value):
    """Yield the name and the link of each member of `_links`, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from links_of(item)
    elif isinstance(value, dict):
        for name, found in value.get("_links", {}).items():
            yield from ((name, link) for link in (found if isinstance(found, list) else [found]))
        for item in value.values():
            yield from links_of(item)


def expanded(link):
    """Fill in a link as a URI template: with the days of July that it can have, and nothing else."""
    if not link.get("templated"):
        return link["href"]
    template = re.compile(r"\{([?&/]?)([^}]*)\}")

    def fill(match):
        pairs = [f"{name}={DAY[name]}" for name in match[2].split(",") if name in DAY and match[1] != "/"]
        return match[1] + "&".join(pairs) if pairs else ""

    return template.sub(fill, link["href"])


def walk(admin, box, entries):
    """Ask for every link that can be reached; return the links that failed, and the documents by URL."""
    todo, failed, found = [f"{box.url}{path}" for path in entries], [], {}
    while todo:
        url = todo.pop()
        if url in found:
            continue
        answer = admin.get(url)
        found[url] = answer.json()
        if answer.status_code != 200:
            failed.append((url, answer.status_code))
            continue
        for name, link in links_of(found[url]):
            assert link["href"].startswith(box.url), (url, name, link)
            if name in ACTIONS:
                assert admin.request("PUT", link["href"], json={}).status_code == 400, link
            else:
                todo.append(expanded(link))
    return failed, found


@pytest.fixture
def town(box, admin):
    """The samples, and each kind of thing that can be listed."""
    box.reset("samples")
    admin.put("/resources/13", json={"service_ids": [7], "person_ids": [8, 9]})
    box.add_resource({"name": "Closed", "deleted": True})
    for hour in ("09", "10", "11"):
        box.add_block(13, f"2031-07-07T{hour}:00:00Z", f"2031-07-07T{hour}:30:00Z")
    box.add_booking(13, "2031-07-07T13:00:00Z", "2031-07-07T14:00:00Z")
    admin.put(
        "/resources/13/block",
        json={"start_time": "2031-07-08T09:00Z", "end_time": "2031-07-08T10:00Z", "booking": True},
    )
    return box


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"page_size": 2, "self_query": "always", "slot_list": "all"},
        {"block_owner": "person", "singular_paths": "no", "next_links": "misleading"},
        {"blocks_as_bookings": "yes", "resource_fields": "all", "resource_delete": "hard"},
    ],
    ids=str,
)
def test_every_link_leads_somewhere(town, admin, options):
    entries = (
        ENTRIES if options.get("singular_paths") != "no" else [path for path in ENTRIES if "resource?" not in path]
    )
    town.set_options(**options)
    failed, found = walk(admin, town, entries)
    assert failed == []
    names = {name for document in found.values() for name, _ in links_of(document)}
    assert {
        "self", "company", "administrator", "login", "edit", "new", "schedule", "items", "images", "address", "block",
        "enabled_services", "enabled_people", "person", "bookings", "booking_details", "slots", "resources",
    } <= names  # fmt: skip


def test_the_links_of_a_login_lead_somewhere(town, anyone, admin):
    signed_in = anyone.post("/api/v1/login", json=RIGHT, headers={"App-Id": "demo-app"}).json()
    for name, link in links_of(signed_in):
        assert admin.get(expanded(link)).status_code == 200, name
    company = admin.get(signed_in["_embedded"]["administrators"][0]["_links"]["company"]["href"]).json()
    assert (company["id"], company["timezone"]) == (37004, "Europe/London")
    assert company["_links"]["self"]["href"].endswith("/api/v1/admin/37004/company")


def test_forms_name_the_fields_that_can_be_written(town, admin):
    for path in ("/resources/new", "/resources/13/edit"):
        document = admin.get(path).json()
        properties = document["schema"]["properties"]
        assert {
            "name",
            "description",
            "email",
            "disabled",
            "price",
            "position",
            "api_ref",
            "address",
        } <= properties.keys()
        assert {"address1", "postcode", "country"} <= properties["address"]["properties"].keys()
        assert properties["disabled"] == {"type": "boolean", "title": "Disabled"}
        assert document["schema"]["required"] == ["name"]
        assert document["form"][0] == "name"
    values = {
        name: "x" if shape["type"] == "string" else 1
        for name, shape in properties.items()
        if shape["type"] in {"string", "integer"}
    }
    assert admin.post("/resources", json={**values, "address_id": 6}).status_code == 201


def test_the_schedule_of_a_resource(town, admin):
    link = admin.get("/resources/13").json()["_links"]["schedule"]
    assert link["templated"] is True
    answer = admin.get(expanded(link)).json()
    assert (answer["id"], answer["company_id"], answer["rules"]["0"]) == (48351, 37004, "0000-2400")
    assert list(answer["dates"]) == ["2031-07-07", "2031-07-08"]
    assert parse_qs(urlsplit(answer["_links"]["self"]["href"]).query) == {name: [day] for name, day in DAY.items()}


@pytest.mark.parametrize(
    "path",
    [
        "/resources/99/edit", "/schedules/1", "/services/99", "/people/99", "/administrators/2",
        "/items?resource_id=99", "/booking_details/?slot_id=99",
    ],
)  # fmt: skip
def test_links_of_what_is_not_there(town, admin, path):
    answer = admin.get(path)
    if "?" in path:
        assert (answer.status_code, answer.json()["total_entries"]) == (200, 0)
    else:
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_images_need_no_token(town, anyone):
    headers = {"App-Id": "demo-app"}
    assert anyone.get("/api/v1/37004/media/resource_images/13", headers=headers).json()["total_entries"] == 0
    assert anyone.get("/api/v1/37004/media/resource_images/99", headers=headers).status_code == 404
    assert anyone.get("/api/v1/37004/items?resource_id=13", headers=headers).json()["total_entries"] == 0
