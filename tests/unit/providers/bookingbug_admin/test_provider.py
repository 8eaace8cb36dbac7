"""The admin API over HTTP: lists read to their end, absent against unreadable, tokens, receipts."""

import json
import re
import threading

import httpx
import pytest
from admin_samples import ADMIN, BLOCK, HOST, LOGIN, OWNER, RESOURCE, TOKEN, opened, read, resource, slot
from provider_script import call, page

from reconciler.engine.snapshot import take
from reconciler.errors import OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.change import Receipt
from reconciler.model.objects import Address, Ref, Scope
from reconciler.settings import MEGABYTE

LIST = f"GET {ADMIN}/resources"
SLOTS = f"GET {ADMIN}/slots"
MARCH = {"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z", "resource_id": "13"}


def answer(data, status=200, **headers):
    return httpx.Response(status, headers=headers, content=json.dumps(data).encode())


def paged(rows, size, name="resources", total=None):
    """A server that gives at most `size` a page, whatever was asked, with links that mislead."""

    def reply(request):
        number = int(request.url.params["page"])
        part = rows[(number - 1) * size : number * size]
        data = json.loads(page(part, len(rows) if total is None else total, name).content)
        data["_links"] = {"next": {"href": f"{HOST}{ADMIN}/{name}?page=0"}, "previous": {"href": "?page=0"}}
        return answer(data)

    return reply


# --- lists


@pytest.mark.parametrize("size", [1, 2, 3, 7, 300])
def test_a_list_is_counted_to_its_end_whatever_the_page_size(size):
    rows = [resource(number) for number in range(1, 8)]
    script, reading = read({LIST: paged(rows, size)})
    assert reading.listed == {str(number) for number in range(1, 8)}
    assert reading.failure is None
    pages = -(-7 // size)
    assert len(script.seen) == pages
    assert dict(script.seen[0].url.params) == {"page": "1", "per_page": "300"}


def test_an_empty_list_is_an_answer():
    for reply in (page([]), answer({"total_entries": 0})):
        assert read({LIST: reply})[1].listed == frozenset()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            paged([resource(1), resource(2)], 1, total=5),
            "an incomplete list: 2 of 5 objects, and page 3 has no new ones",
        ),
        (page([resource(1)], 3), "an incomplete list: 1 of 3"),
        (page([], 3), "an incomplete list: 0 of 3"),
        (page([resource(1)], "x"), "field `total_entries`"),
        (answer({"_embedded": {"resources": []}}), "field `total_entries`"),
        (answer([]), "JSON that is not an object"),
        (answer({"total_entries": 1, "_embedded": {"resources": "x"}}), "a page without a list of resources"),
        (httpx.Response(200, content=b"<html>login</html>"), "invalid response: an HTML page"),
        (httpx.Response(200, content=page([resource(1)]).content[:-3]), "not JSON"),
        (httpx.Response(500, content=b'{"error":"boom"}'), "500: boom"),
        (page([{"id": "../1"}]), "the id '../1'"),
    ],
)
def test_a_list_that_is_not_whole_proves_nothing(reply, words):
    replies = {
        LIST: reply,
        f"GET {ADMIN}/resources/8": answer(resource(8)),
        f"GET {ADMIN}/resources/9": answer({}, 404),
    }
    _, reading = read(replies, ids={"8": {}, "9": {}})
    assert words in reading.failure
    assert reading.listed is None
    assert reading.absent == frozenset()
    assert set(reading.live) == {"8"}
    assert "would confirm it could not be read" in reading.unreadable["9"]


def row_text(number, text):
    return json.dumps(resource(number))[:-1] + text + "}"


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        (', "price": NaN', "field `price`"),
        (', "count": Infinity', "field `count`"),
        (', "price": 1e99999999999999999999', "field `price`"),
        (', "max_book": 1e999', "field `max_book`"),
        (', "api_ref": "a\x0bb"', None),
        (', "api_ref": "\\ud83d"', None),
        (', "api_ref": ["a"]', "field `api_ref`"),
    ],
)
def test_one_value_that_is_none_hides_no_other_object(text, unread):
    rows = ", ".join([row_text(1, ""), row_text(17, text), row_text(3, "")])
    body = f'{{"total_entries": 3, "_embedded": {{"resources": [{rows}]}}}}'
    _, reading = read({LIST: httpx.Response(200, content=body.encode())}, ids={"1": {}, "17": {}, "3": {}})
    assert (reading.failure, reading.listed) == (None, {"1", "17", "3"})
    assert set(reading.live) == ({"1", "3"} if unread else {"1", "17", "3"})
    assert unread is None or unread in reading.unreadable["17"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (', "price": 1,', "in or after the object with id 17"),
        (', "api_ref": "a\\x0b"', "in or after the object with id 17"),
        (', "price": 1, "price": 2', "a key is repeated in the object with id 17"),
    ],
)
def test_a_page_that_cannot_be_read_names_the_page_and_the_object(text, words):
    first = json.loads(page([resource(1)], 3).content)
    second = f'{{"total_entries": 3, "_embedded": {{"resources": [{row_text(17, text)}]}}}}'

    def reply(request):
        return answer(first) if request.url.params["page"] == "1" else httpx.Response(200, content=second.encode())

    _, reading = read({LIST: reply}, ids={"9": {}})
    assert reading.failure.startswith(f"{LIST}: page 2: invalid response: ")
    assert words in reading.failure
    assert (reading.listed, reading.absent) == (None, frozenset())


@pytest.mark.parametrize("wrong", [None, "x1", 1.5, True, [], {"id": 1}])
def test_an_object_without_an_id_is_named_by_its_place_and_its_name(wrong):
    _, reading = read({LIST: page([resource(1), {**resource(2), "name": "Court 2", "id": wrong}])})
    assert "page 1: invalid response: object 2 of the page (name 'Court 2'): an object with" in reading.failure


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("Caf\xe9".encode("latin-1"), "application/json; charset=iso-8859-1"),
        ("Caf\xe9".encode(), "application/json; charset=iso-8859-1"),
        ("Caf\xe9".encode(), "application/hal+json"),
        ("Caf\xe9".encode(), "application/json; charset=us-ascii"),
        (b"Caf\\u00e9", "application/json; charset=utf-8"),
    ],
)
def test_the_charset_of_the_header_counts_unless_the_json_is_utf_8(body, header):
    whole = page([resource(1, name="NAME")]).content.replace(b"NAME", body)
    _, reading = read({LIST: httpx.Response(200, headers={"Content-Type": header}, content=whole)}, ids={"1": {}})
    assert reading.live["1"].fields["name"] == "Caf\xe9"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_json_in_another_form_of_unicode_is_read(encoding):
    whole = page([resource(1, name="Caf\xe9 \U0001f600")]).content.decode().encode(encoding)
    _, reading = read({LIST: httpx.Response(200, content=whole)}, ids={"1": {}})
    assert reading.live["1"].fields["name"] == "Caf\xe9 \U0001f600"


def test_a_list_whose_length_changes_is_read_again():
    calm = paged([resource(number) for number in range(1, 5)], 2)
    replies = iter([page([resource(1), resource(2)], 4), page([resource(3)], 3)])
    script, reading = read({LIST: lambda request: next(replies, None) or calm(request)})
    assert reading.listed == {"1", "2", "3", "4"}
    assert len(script.seen) == 4
    count = iter(range(2, 1000))
    _, reading = read({LIST: lambda _: page([resource(number := next(count))], number + 5)})
    assert "kept changing" in reading.failure


def shifting(rows, size, shifts):
    """A server whose list changes before these requests, counted from 1, and keeps its length.

    Each shift is an index: the object there goes, and a new one comes at the other end of the list.
    """
    rows, seen, names = list(rows), iter(range(1, 10_000)), iter(range(100, 10_000))

    def reply(request):
        if (number := next(seen)) in shifts:
            del rows[shifts[number]]
            rows.insert(len(rows) if shifts[number] < len(rows) // 2 else 0, next(names))
        at = int(request.url.params["page"])
        return page([resource(item) for item in rows[(at - 1) * size : at * size]], len(rows))

    return reply, rows


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("index", [0, 2, 5])
@pytest.mark.parametrize("at", [2, 3])
def test_a_list_that_shifts_between_two_pages_loses_nobody(size, index, at):
    reply, rows = shifting(range(1, 7), size, {at: index})
    _, reading = read({LIST: reply}, wanted=({"name": "Room 3"},))
    assert reading.listed == set(map(str, rows))


def test_two_shifts_take_two_more_readings():
    reply, rows = shifting(range(1, 7), 3, {2: 0, 4: 0})
    _, reading = read({LIST: reply}, wanted=({"name": "Room 3"},))
    assert reading.listed == set(map(str, rows))


def test_a_list_without_a_wanted_object_is_read_once():
    reply, _ = shifting(range(1, 7), 3, {2: 0})
    one = {f"GET {ADMIN}/resources/4": answer(resource(4))}
    script, reading = read({LIST: reply, **one}, ids={"4": {}, "6": {}})
    assert (reading.live.keys(), len(script.seen)) == ({"4", "6"}, 3)


def test_a_list_that_never_stays_the_same_is_not_known_and_nothing_is_absent():
    reply, _ = shifting(range(1, 7), 3, dict.fromkeys(range(1, 100), 0))
    gone = {f"GET {ADMIN}/resources/9": answer({}, 404)}
    script, reading = read({LIST: reply, **gone}, ids={"9": {}}, wanted=({"name": "Room 3"},))
    assert (reading.listed, reading.absent) == (None, frozenset())
    assert reading.failure == f"{LIST}: the list kept changing while it was read"
    assert len(script.seen) == 9


def test_all_pages_of_a_list_together_have_a_limit():
    rows = [resource(number, description="x" * 1000) for number in range(1, 201)]
    limit = {"max_list_mb": 2000 / MEGABYTE, "max_concurrency": 1}
    script, reading = read({LIST: paged(rows, 1)}, settings=limit)
    assert reading.listed is None
    assert "MB in all pages; expected less, or a higher max_list_mb of connection `admin`" in reading.failure
    assert len(script.seen) < 12
    few, reading = read({LIST: paged(rows[:3], 1)}, settings=limit, wanted=({"name": "x"},))
    assert len(reading.listed) == 3
    assert len(few.seen) == 6  # read again to see that it is whole: each reading is counted alone


def test_a_huge_total_does_not_start_a_huge_run():
    script, reading = read({LIST: page([resource(1)], 10**15)})
    assert "an incomplete list" in reading.failure
    assert len(script.seen) < 100


@pytest.mark.parametrize("status", [401, 403, 419])
def test_no_access_at_all_is_raised(status):
    with pytest.raises(RemoteError) as caught:
        read({LIST: answer({"error": "no tok-static here"}, status)}, ids={"1": {}})
    assert caught.value.status == status
    assert "tok-static" not in str(caught.value)


def test_no_connection_is_raised():
    with pytest.raises(RemoteError, match="cannot connect"):
        read({LIST: httpx.ConnectError("x")})


# --- resources


def test_listed_resources_take_no_second_request():
    script, reading = read({LIST: page([RESOURCE, resource(14)])}, ids={"13": {"name": "x"}})
    assert script.asked == [f"{LIST}?per_page=300&page=1"]
    assert set(reading.live) == {"13"}
    headers = script.seen[0].headers
    assert (headers["app-id"], headers["app-key"], headers["auth-token"]) == ("app", "key", "tok-static")
    assert headers["accept"] == "application/hal+json,application/json"


def test_what_the_list_does_not_name_is_asked_for_by_id():
    replies = {
        LIST: page([resource(1), resource(2, deleted=True)]),
        f"GET {ADMIN}/resources/3": answer(resource(3)),
        f"GET {ADMIN}/resources/4": answer({}, 404),
        f"GET {ADMIN}/resources/5": answer({}, 410),
        f"GET {ADMIN}/resources/6": answer(resource(6, deleted=True)),
        f"GET {ADMIN}/resources/7": answer({}, 500),
        f"GET {ADMIN}/resources/8": answer(resource(80)),
        f"GET {ADMIN}/resources/9": answer({}, 403),
    }
    script, reading = read(replies, ids={**{str(n): {} for n in range(1, 10)}, "../admin": {}})
    assert set(reading.live) == {"1", "3"}
    assert reading.absent == {"2", "4", "5", "6"}
    assert set(reading.unreadable) == {"7", "8", "9", "../admin"}
    assert "returned 80 instead" in reading.unreadable["8"]
    assert reading.listed == {"1"}
    assert not any("/resources/1" in asked or "/resources/2" in asked for asked in script.asked)


def test_without_listing_each_is_asked_for():
    replies = {f"GET {ADMIN}/resources/1": answer(resource(1)), f"GET {ADMIN}/resources/2": answer({}, 404)}
    script, reading = read(replies, ids={"1": {}, "2": {}}, listing=False)
    assert len(script.seen) == 2
    assert (set(reading.live), reading.absent, reading.listed) == ({"1"}, {"2"}, None)


def test_a_value_that_cannot_be_understood_makes_one_object_unreadable():
    _, reading = read({LIST: page([resource(1, price="free"), resource(2)])}, ids={"1": {}, "2": {}})
    assert set(reading.live) == {"2"}
    assert "field `price`: 'free'" in reading.unreadable["1"]
    assert reading.listed == {"1", "2"}


def test_possible_twins_are_in_the_reading():
    rows = [resource(1, name="A"), resource(2, reference="ref"), resource(3), resource(4, name="A", price="free")]
    rows += [resource(5, name="A", deleted=True), resource(6, name="", api_ref="")]
    _, reading = read({LIST: page(rows)}, wanted=({"name": "A", "api_ref": "ref"}, {"name": "", "api_ref": ""}))
    assert set(reading.live) == {"1", "2"}
    assert set(reading.unreadable) == {"4"}
    assert reading.listed == {"1", "2", "3", "4", "6"}


def test_addresses_are_read_where_they_are_declared_and_each_once():
    other = {"address": {"href": "https://evil.example/api/v1/admin/1/addresses/9"}}
    rows = [
        RESOURCE,
        resource(14, _links=RESOURCE["_links"]),
        resource(15, address_id=7, _links=other),
        resource(16, address_id=8),
        resource(17, address_id=9),
        resource(18),
        resource(19, name="W", address_id=11),
        resource(20, address_id=12),
        resource(21, address_id=6, _links={"address": {"href": f"{HOST}/logout"}}),
    ]
    replies = {
        LIST: page(rows),
        f"GET {ADMIN}/addresses/6": answer({"id": 6, "address1": "Pet Store"}),
        f"GET {ADMIN}/addresses/7": answer({"id": 7, "postcode": None}),
        f"GET {ADMIN}/addresses/8": answer({}, 500),
        f"GET {ADMIN}/addresses/9": answer({}, 404),
        f"GET {ADMIN}/addresses/11": answer({"id": 11, "country": ["x"]}),
    }
    declared = {str(number): {"address": {}} for number in (13, 14, 15, 16, 17, 18, 21)}
    script, reading = read(replies, ids={**declared, "20": {}}, wanted=({"name": "W", "address": {}},))
    addresses = {number: live.fields.get("address") for number, live in reading.live.items()}
    pet = {"address1": "Pet Store"}
    assert addresses == {"13": pet, "14": pet, "15": {"postcode": ""}, "17": None, "18": None, "20": None, "21": pet}
    assert "500" in reading.unreadable["16"]
    assert "field `address country`" in reading.unreadable["19"]
    asked = [item for item in script.asked if "addresses" in item]
    assert len(script.seen) == len(asked) + 1
    assert sorted(set(asked)) == [f"GET {ADMIN}/addresses/{n}" for n in (11, 6, 7, 8, 9)]
    assert asked.count(f"GET {ADMIN}/addresses/6") == 1


def test_public_access_reads_resources_without_a_token_and_nothing_else():
    replies = {
        "GET /api/v1/37004/resources": page([resource(1, address_id=6)]),
        "GET /api/v1/37004/addresses/6": answer({"id": 6, "address1": "A"}),
    }
    public = {"access": "public"}
    script, reading = read(replies, settings=public, secrets={"app_id": "app"}, ids={"1": {"address": {}}})
    assert reading.live["1"].fields["address"] == {"address1": "A"}
    assert not any("auth-token" in request.headers for request in script.seen)
    script, reading = read({}, "Block", settings=public, secrets={"app_id": "app"}, ids={"22": MARCH})
    assert script.seen == []
    assert "public access" in reading.failure
    assert set(reading.unreadable) == {"22"}
    _, provider = opened({}, access="public", secrets={"app_id": "app"})
    with pytest.raises(RemoteError, match="read-only"):
        provider.send(call("delete", "DELETE", f"{ADMIN}/resources/1", kind="Resource"))


# --- blocks


FOREVER = {"start": "2027-03-02T09:00:00Z", "end": "9999-12-31T23:59:59Z", "resource_id": "13"}
FAR = {"start": "9999-12-30T09:00:00Z", "end": "9999-12-31T23:59:59Z", "resource_id": "13"}
FIRST = {"start": "0001-01-01T00:00:00Z", "end": "0001-01-01T01:00:00Z", "resource_id": "13"}


def refusing_far_days(rows):
    """A server that knows no day far away."""

    def reply(request):
        days = [request.url.params[name] for name in ("start_date", "end_date")]
        if not all("1900" < day[:4] < "2100" for day in days):
            return answer({"error": "end_date is invalid"}, 400)
        return page(rows, name="slots")

    return reply


@pytest.mark.parametrize("absurd", [FOREVER, FAR, FIRST], ids=["until 9999", "in 9999", "in the year 1"])
@pytest.mark.parametrize("managed", [True, False])
def test_a_block_at_the_end_of_time_hides_no_other_block(absurd, managed):
    replies = {SLOTS: refusing_far_days([slot(1), slot(5)]), f"GET {ADMIN}/slots/9": answer({}, 404)}
    known = {"ids": {"1": MARCH, "9": absurd}} if managed else {"ids": {"1": MARCH}, "wanted": (absurd,)}
    _, reading = read(replies, "Block", **known)
    assert (reading.failure, set(reading.live), reading.listed) == (None, {"1"}, {"1", "5"})
    near, far = (fields["start"] for fields in (MARCH, absurd)), (absurd["start"], absurd["end"])
    assert reading.why_unlisted((next(near), MARCH["end"])) is None
    if absurd is FOREVER:  # it is looked for on the day of its start
        assert (reading.gaps, reading.absent) == ({}, {"9"} if managed else frozenset())
    else:
        assert "end_date is invalid (slots from " in reading.why_unlisted(far)
        assert set(reading.unreadable) == ({"9"} if managed else set())
        assert reading.absent == frozenset()


def owners_unknown(request):
    if "resource_id" in request.url.params:
        return answer({"error": "boom"}, 500)
    return page([{**slot(4), "resource_id": None, "person_id": 13}], name="slots")


DAMAGED = {**resource(4), "name": "Hall", "disabled": "perhaps"}


@pytest.mark.parametrize(
    ("kind", "path", "listed", "fields"),
    [("Resource", "resources", page([DAMAGED]), {"name": "Hall"}), ("Block", "slots", owners_unknown, MARCH)],
)
def test_what_may_replace_a_deleted_object_and_cannot_be_read_is_unreadable(kind, path, listed, fields):
    replies = {f"GET {ADMIN}/{path}": listed, f"GET {ADMIN}/{path}/9": answer({}, 404)}
    _, provider = opened(replies, writes=False)
    scope = Scope(kind=kind, ids={"9": fields}, similar=(fields,))
    reading = take({("main", kind): scope}, lambda _: provider).reading("main", kind)
    provider.close()
    assert (reading.absent, set(reading.unreadable), reading.unjudged) == ({"9"}, {"4"}, {})


@pytest.mark.parametrize("whole", [True, False])
def test_a_part_of_the_list_of_a_resource_that_failed_leaves_the_owner_of_a_block_unknown(whole):
    later = {"start": "2029-03-01T09:00:00Z", "end": "2029-03-01T10:00:00Z", "resource_id": "13"}
    times = (later["start"], later["end"])
    rows = [{**slot(1), "resource_id": 14}, {**slot(2, *times), "resource_id": None, "person_id": 13}]
    rows += [{**slot(3), "resource_id": None, "person_id": 15}]

    def reply(request):
        shown = [row for row in rows if row["datetime"][:4] == request.url.params["start_date"][:4]]
        if "resource_id" not in request.url.params:
            return page(shown, name="slots")
        return page([], name="slots") if rows[0] in shown else answer({"error": "boom"}, 500)

    _, reading = read({SLOTS: reply}, "Block", wanted=(MARCH, later), whole=whole)
    assert "the list of resource 13 failed: " in reading.unreadable["2"]
    assert "failed" not in reading.unreadable.get("3", "")  # on its day the list was read


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-05:00", "0000-00-00T00:00:00Z", "99999-01-01T00:00:00Z", "never"])
def test_a_listed_block_of_an_impossible_time_hides_no_other_block(end):
    rows = [slot(1), {**slot(7), "end_datetime": end}]
    _, reading = read({SLOTS: page(rows, name="slots")}, "Block", ids={"7": MARCH}, wanted=(MARCH,))
    assert set(reading.unreadable) == {"7"}
    assert "`end_datetime`" in reading.unreadable["7"]
    assert reading.failure is None


def test_an_export_of_many_years_lists_all_of_them():
    script, _ = read(
        {SLOTS: page([], name="slots")}, "Block", whole=True, window=("2027-01-01T00:00:00Z", "2031-01-01T00:00:00Z")
    )
    assert [dict(request.url.params)["end_date"] for request in script.seen] == ["2031-01-02"]


def test_one_window_for_all_blocks():
    rows = [slot(1), slot(2, status=4), slot(3, status=6), slot(4), slot(5, session_id=9)]
    later = {**MARCH, "start": "2027-03-09T22:00:00Z", "end": "2027-03-10T23:30:00Z"}
    script, reading = read({SLOTS: paged(rows, 2, "slots")}, "Block", ids={"1": MARCH, "4": later})
    assert dict(script.seen[0].url.params) == {
        "start_date": "2027-02-28",
        "end_date": "2027-03-11",
        "per_page": "100",
        "page": "1",
    }
    assert [request.url.params["page"] for request in script.seen[:3]] == ["1", "2", "3"]
    assert len(script.seen) == 3
    assert reading.listed == {"1", "4"}
    assert reading.live["1"].fields == MARCH


def test_what_became_of_a_block():
    rows = [slot(1), slot(2, status=4), slot(3, status=6), slot(5, session_id=9), slot(6, status=None)]
    rows += [{"id": 7, "status": 3, "date": "2027-03-01"}]
    replies = {
        SLOTS: page(rows, name="slots"),
        f"GET {ADMIN}/slots/10": answer(slot(10, "2028-01-01T09:00:00Z", "2028-01-01T10:00:00Z")),
        f"GET {ADMIN}/slots/11": answer({}, 404),
        f"GET {ADMIN}/slots/12": answer(slot(12, status=0)),
        f"GET {ADMIN}/slots/13": answer(slot(13, status=99)),
        f"GET {ADMIN}/slots/14": answer({}, 502),
    }
    ids = {str(number): MARCH for number in (1, 2, 3, 5, 6, 7, 10, 11, 12, 13, 14)}
    _, reading = read(replies, "Block", ids=ids)
    assert set(reading.live) == {"1", "10"}
    assert reading.live["10"].fields["start"] == "2028-01-01T09:00:00Z"
    assert reading.absent == {"3", "11", "12"}
    assert reading.unreadable["2"] == "slot 2 has status 4 (booked); expected 3 (blocked)"
    assert "occurrence of an event" in reading.unreadable["5"]
    assert "field `status`" in reading.unreadable["6"]
    assert "day-based" in reading.unreadable["7"]
    assert "status 99 (unknown)" in reading.unreadable["13"]
    assert "502" in reading.unreadable["14"]


def test_a_wanted_blocks_twin_is_in_the_reading():
    rows = [slot(1), slot(2, resource_id=14), slot(3, end="2027-03-01T11:00:00Z"), slot(4, status=4)]
    rows += [slot(5, "2027-03-01T10:00:00+01:00", "2027-03-01T11:00:00+01:00"), slot(6, session_id=1)]
    _, reading = read({SLOTS: page(rows, name="slots")}, "Block", wanted=(MARCH,))
    assert set(reading.live) == {"1", "5"}
    room = {**MARCH, "resource_id": Ref(Address("Resource", "new"))}
    _, reading = read({SLOTS: page(rows, name="slots")}, "Block", wanted=(room,))
    assert set(reading.live) == set()


def test_without_times_no_window_is_asked_for():
    script, reading = read({}, "Block")
    assert (script.seen, reading.listed) == ([], frozenset())
    replies = {f"GET {ADMIN}/slots/22": answer(BLOCK)}
    script, reading = read(replies, "Block", ids={"22": {}})
    assert script.asked == [f"GET {ADMIN}/slots/22"]
    assert set(reading.live) == {"22"}
    _, reading = read(replies, "Block", ids={"22": MARCH}, listing=False)
    assert (set(reading.live), reading.listed) == ({"22"}, None)


def test_without_a_whole_window_no_block_is_absent():
    replies = {SLOTS: page([slot(1)], 9, "slots"), f"GET {ADMIN}/slots/2": answer({}, 404)}
    _, reading = read(replies, "Block", ids={"2": MARCH})
    assert "an incomplete list" in reading.failure
    assert (set(reading.unreadable), reading.absent) == ({"2"}, frozenset())


# --- tokens


class Tokens:
    """A server that gives tokens out and lets them expire."""

    def __init__(self, expired=401, status=201, header=False):
        self.logins, self.valid, self.expired, self.status, self.header = 0, None, expired, status, header
        self.lock = threading.Lock()
        self.bodies = []

    def __call__(self, request):
        with self.lock:
            if request.url.path == LOGIN:
                self.bodies.append((json.loads(request.content), dict(request.headers)))
                self.logins += 1
                self.valid = f"tok-{self.logins}"
                body = {} if self.header else {"auth_token": self.valid}
                return answer(body, self.status, **({"Auth-Token": self.valid} if self.header else {}))
            if request.headers.get("auth-token") != self.valid:
                return answer({"error": "401 Unauthorized"}, self.expired)
        if request.method != "GET":
            return answer({}, 200)
        number = request.url.path.rpartition("/")[2]
        return answer(resource(int(number))) if number.isdigit() else page([])


def tokens_provider(server, writes=True):
    _, provider = opened({}, secrets=OWNER, writes=writes)
    provider._http._transport = httpx.MockTransport(server)
    return provider


@pytest.mark.parametrize(("status", "header"), [(201, False), (200, False), (201, True)])
def test_a_login_gives_the_token(status, header):
    server = Tokens(status=status, header=header)
    assert tokens_provider(server).read(Scope(kind="Resource")).listed == frozenset()
    assert server.logins == 1
    body, headers = server.bodies[0]
    assert body == {"email": "owner@acme.example", "password": "hunter2"}
    assert (headers["app-id"], headers["content-type"]) == ("app", "application/json")
    assert "auth-token" not in headers


@pytest.mark.parametrize("expired", [401, 419])
def test_an_expired_token_is_renewed_once_for_all_threads(expired):
    server = Tokens(expired=expired)
    provider = tokens_provider(server)
    provider.read(Scope(kind="Resource"))
    server.valid = "somebody else's"
    reading = provider.read(Scope(kind="Resource", ids={str(n): {} for n in range(1, 41)}, listing=False))
    assert len(reading.live) == 40
    assert server.logins == 2


def test_threads_that_find_the_token_expired_together_log_in_once():
    server, together = Tokens(), threading.Barrier(8)

    def reply(request):
        given = server(request)
        if given.status_code == 401:
            together.wait(timeout=60)
        return given

    provider = tokens_provider(reply)
    provider.read(Scope(kind="Resource"))
    server.valid = "gone"
    reading = provider.read(Scope(kind="Resource", ids={str(n): {} for n in range(1, 9)}, listing=False))
    assert len(reading.live) == 8
    assert server.logins == 2


def test_a_token_may_expire_as_often_as_it_likes():
    server = Tokens()
    provider = tokens_provider(server)
    for number in range(1, 7):
        assert provider.read(Scope(kind="Resource")).listed == frozenset()
        assert server.logins == number
        server.valid = "gone"


def test_a_write_with_an_expired_token_is_repeated_once():
    server = Tokens()
    provider = tokens_provider(server)
    provider.read(Scope(kind="Resource"))
    server.valid = "gone"
    assert provider.send(call("delete", "DELETE", f"{ADMIN}/resources/1", kind="Resource")) == Receipt()
    assert server.logins == 2


def test_a_token_that_never_works_does_not_lead_to_many_logins():
    replies = {f"POST {LOGIN}": answer({"auth_token": "tok-zz"}, 201)}
    replies |= {f"GET {ADMIN}/resources/{n}": answer({"error": "x"}, 401) for n in range(1, 31)}
    script, reading = read(replies, secrets=OWNER, ids={str(n): {} for n in range(1, 31)}, listing=False)
    assert len(reading.unreadable) == 30
    assert sum("login" in asked for asked in script.asked) <= 3
    assert "tok-zz" not in str(reading)


def test_a_static_token_is_not_renewed():
    script, provider = opened({LIST: answer({}, 401)}, secrets={**TOKEN, "email": ""} | {"app_id": "app"})
    with pytest.raises(RemoteError, match="wrong credentials for connection `admin`"):
        provider.read(Scope(kind="Resource"))
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer({"error": "hunter2 is wrong"}, 401), "401: wrong credentials for connection `admin`"),
        (answer({"_embedded": {"administrators": [{"company_id": 1}, {"company_id": 2}]}}, 400), r"companies \(1, 2\)"),
        (answer({"error": "email is missing"}, 400), "400: email is missing"),
        (answer({}, 201), "returned no token"),
        (httpx.Response(200, content=b"<html>"), "200: an HTML page"),
        (answer({"error": "email or password wrong"}, 200), "200: email or password wrong"),
        (answer({"auth_token": "t", "errors": ["locked"]}, 201), "201: locked"),
        (answer({"notice": "wait"}, 201), "returned no token: .*notice.*wait"),
        (answer({"auth_token": 5}, 201), "returned no token"),
        (httpx.Response(302, headers={"Location": "/x"}), "302: redirected"),
        (httpx.ConnectError("x"), "cannot connect"),
    ],
)
def test_a_refused_login_is_said_and_never_unknown(reply, words):
    for listing in (True, False):
        with pytest.raises(RemoteError, match=words) as caught:
            read({f"POST {LOGIN}": reply}, secrets=OWNER, ids={"1": {}}, listing=listing)
        assert not isinstance(caught.value, OutcomeUnknown)
        assert "hunter2" not in str(caught.value)


def test_a_refused_login_is_not_tried_again():
    script, provider = opened({f"POST {LOGIN}": answer({}, 401)}, secrets=OWNER)
    for _ in range(3):
        with pytest.raises(RemoteError):
            provider.send(call("delete", "DELETE", f"{ADMIN}/resources/1", kind="Resource"))
    assert len(script.seen) == 1


def test_a_token_is_needed():
    with pytest.raises(ReconcilerError, match="needs auth_token, or email and password"):
        opened({}, secrets={"app_id": "app"})


# --- sending


def created(kind, path, method, reply):
    script, provider = opened({f"{method} {path}": reply})
    made = call("create", method, path, {"name": "N", "address_id": "6"}, kind=kind)
    return script, provider.send(made)


@pytest.mark.parametrize(
    ("reply", "remote_id"),
    [
        (answer(RESOURCE, 201), "13"),
        (answer(RESOURCE, 200), "13"),
        (answer({"id": 13}, 201), "13"),
        (answer({"id": 13, "name": ["x"]}, 201), "13"),
        (answer({}, 201, Location=f"{HOST}{ADMIN}/resources/14"), "14"),
        (answer({}, 201, Location="https://evil.example/resources/14"), None),
        (httpx.Response(201, content=b"<html>"), None),
        (httpx.Response(201, content=b'{"id": 1'), None),
        (httpx.Response(204), None),
    ],
)
def test_a_created_resources_id(reply, remote_id):
    script, receipt = created("Resource", f"{ADMIN}/resources", "POST", reply)
    assert receipt.remote_id == remote_id
    assert script.seen[0].content == b'{"name":"N","address_id":6}'
    assert script.seen[0].headers["content-type"] == "application/json"


def booking(**links):
    hrefs = {"self": {"href": f"{HOST}{ADMIN}/bookings/900"}, **{key: {"href": href} for key, href in links.items()}}
    return {**BLOCK, "id": 900, "_links": hrefs}


@pytest.mark.parametrize(
    ("reply", "remote_id"),
    [
        (answer(BLOCK), "22"),
        (answer({"id": 22}), "22"),
        (answer({**BLOCK, "status": 4}), "22"),
        (answer(booking(slot=f"{HOST}{ADMIN}/slots/22")), "22"),
        (answer(booking()), None),
        (answer({}, Location=f"{ADMIN}/slots/22"), "22"),
        (answer({}), None),
    ],
)
def test_a_created_blocks_id(reply, remote_id):
    _, receipt = created("Block", f"{ADMIN}/resources/13/block", "PUT", reply)
    assert receipt.remote_id == remote_id


def test_updates_and_deletes():
    replies = {
        f"PUT {ADMIN}/resources/13": [answer(RESOURCE), httpx.Response(204), answer({})],
        f"DELETE {ADMIN}/slots/22": [answer({}), httpx.Response(204), answer({}, 404), answer({}, 410)],
    }
    _, provider = opened(replies)
    update = call("update", "PUT", f"{ADMIN}/resources/13", {"name": "N"}, kind="Resource")
    assert [provider.send(update).remote_id for _ in range(3)] == [None, None, None]
    delete = call("delete", "DELETE", f"{ADMIN}/slots/22", kind="Block")
    assert [provider.send(delete).gone for _ in range(4)] == [False, False, True, True]


REFUSALS = [
    ({"error": "name is missing"}, "name is missing"),
    ({"errors": {"name": ["is too long"]}}, "name: is too long"),
    ({"errors": [{"message": "api_ref is taken"}], "id": 13}, "api_ref is taken"),
    ({"name": ["has already been taken"]}, "name: has already been taken"),
    (["Name is missing"], "Name is missing"),
    ({"status": 409, "message": "NoSpaceLeftError", "error": "No Space Left"}, "No Space Left"),
    ({"status": "error", "message": "not now"}, "not now"),
    ({"success": False, "message": "no permission"}, "no permission"),
    ({"success": 0, "message": "no permission", "id": 13}, "no permission"),
    ({"ok": "false", "detail": "no permission"}, "no permission"),
    ({"id": 13, "errorMessage": "locked"}, "errorMessage: locked"),
    ({"Error": "locked"}, "Error: locked"),
    ({"fault": {"detail": "locked"}}, "fault: locked"),
]
WRITES = [
    ("create", "POST", f"{ADMIN}/resources", "Resource"),
    ("update", "PUT", f"{ADMIN}/resources/13", "Resource"),
    ("delete", "DELETE", f"{ADMIN}/resources/13", "Resource"),
    ("create", "PUT", f"{ADMIN}/resources/13/block", "Block"),
    ("update", "PUT", f"{ADMIN}/slots/22", "Block"),
    ("delete", "DELETE", f"{ADMIN}/slots/22", "Block"),
]


def sent(effect, method, path, kind, reply):
    _, provider = opened({f"{method} {path}": reply})
    return provider.send(call(effect, method, path, None if effect == "delete" else {}, kind=kind))


@pytest.mark.parametrize(("body", "words"), REFUSALS)
@pytest.mark.parametrize(("effect", "method", "path", "kind"), WRITES)
def test_a_refusal_under_a_status_of_success_is_a_refusal(effect, method, path, kind, body, words):
    for status in (200, 201):
        with pytest.raises(RemoteError) as caught:
            sent(effect, method, path, kind, answer(body, status))
        assert re.fullmatch(rf"{method} [\w.:]+{re.escape(f'{path}: {status}: {words}')}", caught.value.message)
        assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("effect", "method", "path", "kind", "reply", "words"),
    [
        (*WRITES[1], answer(resource(14)), "returned 14 instead of 13"),
        (*WRITES[2], answer(resource(14)), "returned 14 instead of 13"),
        (*WRITES[4], answer({**BLOCK, "id": 23}), "returned 23 instead of 22"),
        (*WRITES[5], answer({**BLOCK, "id": 23}), "returned 23 instead of 22"),
        (*WRITES[1], answer({"message": "please wait"}), "without an id; the server said: please wait"),
        (*WRITES[1], answer({"total_entries": 0, "_embedded": {"resources": []}}), "an object without an id"),
        (*WRITES[4], httpx.Response(200, content=b"forbidden"), "text that is not JSON"),
        *[
            (*WRITES[1], httpx.Response(200, content=body.encode()), f"the server said: {body}")
            for body in ("0", "-1", '{"result":0}', '{"status":0}', "not updated", "403")
        ],
        (*WRITES[1], httpx.Response(200, content=b"<html>Sign in</html>"), "an HTML page"),
        (*WRITES[5], httpx.Response(200, content=b"<head/><form>"), "an HTML page"),
    ],
)
def test_an_answer_about_something_else_leaves_the_result_unknown(effect, method, path, kind, reply, words):
    with pytest.raises(OutcomeUnknown) as caught:
        sent(effect, method, path, kind, reply)
    assert words in caught.value.message
    assert "it may have been applied" in caught.value.message


def test_a_moved_block_may_be_shown_as_the_booking_that_represents_it():
    slot_link = {"self": {"href": f"{HOST}{ADMIN}/bookings/90"}, "slot": {"href": f"{HOST}{ADMIN}/slots/22"}}
    assert sent(*WRITES[4], answer({"id": 90, "_links": slot_link})) == Receipt()


def test_what_a_creation_answers_instead_of_an_id_is_kept():
    assert sent(*WRITES[0], answer({"notice": "queued"}, 202)).words == '{"notice": "queued"}'


@pytest.mark.parametrize(("body", "words"), [*REFUSALS, ({"total_entries": 0, "error": "try later"}, "try later")])
def test_a_refusal_to_list_or_show_is_repeated_and_proves_nothing_absent(body, words):
    replies = {LIST: answer(body), f"GET {ADMIN}/resources/13": answer(body)}
    _, reading = read(replies, ids={"13": {}})
    assert words in reading.failure
    assert words in reading.unreadable["13"]
    assert (reading.absent, reading.listed, reading.live) == (frozenset(), None, {})


def test_an_address_that_is_refused_makes_its_resource_unreadable():
    replies = {LIST: page([RESOURCE]), f"GET {ADMIN}/addresses/6": answer({"id": 6, "error": "archived"})}
    _, reading = read(replies, ids={"13": {"address": {}}})
    assert "archived" in reading.unreadable["13"]


def test_refused_and_lost_writes():
    replies = {f"POST {ADMIN}/resources": [answer({"error": "name is missing"}, 400), answer({}, 500)]}
    _, provider = opened(replies)
    create = call("create", "POST", f"{ADMIN}/resources", {}, kind="Resource")
    with pytest.raises(RemoteError, match=rf"POST [\w.:]+{ADMIN}/resources: 400: name is missing"):
        provider.send(create)
    with pytest.raises(OutcomeUnknown):
        provider.send(create)


@pytest.mark.parametrize(
    "path",
    [
        f"{ADMIN}/resources/../../9/resources/1",
        f"{ADMIN}/resources/{{Resource/room}}/block",
        "/api/v1/admin/9/resources/1",
        f"{ADMIN}/company",
        f"{ADMIN}",
        f"{ADMIN}/slots/1?x=1",
    ],
)
def test_only_known_paths_are_written_to(path):
    script, provider = opened({})
    with pytest.raises(RemoteError, match="not sent"):
        provider.send(call("delete", "DELETE", path, kind="Resource"))
    assert script.seen == []
