"""Whose bookings a list names: whatever the server filters, pages or writes otherwise than it says."""

from __future__ import annotations

import httpx
import pytest
from admin_samples import ADMIN, opened
from provider_script import page

from reconciler.errors import RemoteError
from reconciler.model.bookings import Window

MORNING = Window(resource_id="13", start="2027-03-01T09:00:00Z", end="2027-03-01T12:00:00Z")
LIST = f"GET {ADMIN}/bookings"


def booking(number, start="2027-03-01T10:00:00Z", end="2027-03-01T11:00:00Z", **values):
    return {"id": number, "datetime": start, "end_datetime": end, "resource_id": 13, "status": 4, **values}


def occupancy(reply, **settings):
    script, provider = opened({LIST: reply}, **settings)
    return script, provider.bookings([MORNING])[MORNING]


def listed(*rows):
    return occupancy(page(list(rows), len(rows), "bookings"))[1]


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [
        ("2027-03-01T08:00:00Z", "2027-03-01T09:00:00Z", False),  # ends as the window begins
        ("2027-03-01T08:00:00Z", "2027-03-01T09:00:01Z", True),
        ("2027-03-01T12:00:00Z", "2027-03-01T13:00:00Z", False),  # begins as the window ends
        ("2027-03-01T11:59:59Z", "2027-03-01T13:00:00Z", True),
        ("2027-02-28T00:00:00Z", "2027-03-02T00:00:00Z", True),  # around it
        ("2027-03-01T09:30:00+01:00", "2027-03-01T10:30:00+01:00", True),
        ("2027-03-01T09:30:00+01:00", "2027-03-01T10:00:00+01:00", False),
    ],
)
def test_a_window_is_open_at_its_end(start, end, hit):
    found = listed(booking(1, start, end))
    assert found.failure is None
    assert [item.id for item in found.bookings] == ["1"] * hit


@pytest.mark.parametrize(
    ("start", "end", "around", "hit"),
    [
        ("2027-03-01T12:15:00Z", "2027-03-01T13:00:00Z", {"pre_time": 15}, False),
        ("2027-03-01T12:15:00Z", "2027-03-01T13:00:00Z", {"pre_time": 16}, True),
        ("2027-03-01T12:15:00Z", "2027-03-01T13:00:00Z", {"post_time": 600}, False),
        ("2027-03-01T07:00:00Z", "2027-03-01T08:30:00Z", {"post_time": "31"}, True),
        ("2027-03-01T07:00:00Z", "2027-03-01T08:30:00Z", {"pre_time": 300, "post_time": 30.0}, False),
        ("2027-02-28T10:00:00Z", "2027-02-28T10:30:00Z", {"post_time": 1440}, True),
        ("2027-03-01T07:00:00Z", "2027-03-01T08:30:00Z", {"pre_time": None, "post_time": None}, False),
    ],
)
def test_the_time_before_and_after_a_booking_is_occupied_too(start, end, around, hit):
    found = listed(booking(1, start, end, **around))
    assert found.failure is None
    assert [item.id for item in found.bookings] == ["1"] * hit


@pytest.mark.parametrize("wrong", [-5, 1441, "soon", [], True])
def test_a_time_around_a_booking_that_cannot_be_understood_is_a_failure(wrong):
    for name in ("pre_time", "post_time"):
        found = listed(booking(1, **{name: wrong}))
        assert found.bookings == ()
        assert found.failure


@pytest.mark.parametrize("status", [3, "3", 6])
def test_a_block_and_a_cancelled_booking_are_nobodys(status):
    assert listed(booking(1, status=status), booking(2)).bookings == listed(booking(2)).bookings


@pytest.mark.parametrize(("said", "counts"), [(True, False), ("true", False), (False, True), (None, True)])
def test_cancelled_may_be_a_flag_too(said, counts):
    assert len(listed(booking(1, is_cancelled=said)).bookings) == counts


@pytest.mark.parametrize("status", [None, "confirmed", 99, 4.5])
def test_a_status_that_nobody_knows_is_somebodys_booking(status):
    assert [item.booked for item in listed(booking(1, status=status)).bookings] == [1]


@pytest.mark.parametrize("owner", [14, "14"])
def test_another_resources_booking_is_not_ours_whatever_was_asked(owner):
    assert listed(booking(1, resource_id=owner)).bookings == ()


def test_a_booking_without_an_owner_counts():
    row = booking(1)
    del row["resource_id"]
    assert len(listed(row).bookings) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"datetime": None}, {"datetime": "soon"}, {"end_datetime": 7}, {"resource_id": {"id": 13}}, {"is_cancelled": "x"}],
)
def test_a_booking_that_cannot_be_understood_is_a_failure_and_never_nobody(wrong):
    found = listed(booking(1, **wrong), booking(2))
    assert found.bookings == ()
    assert found.failure


def test_pages_are_read_to_the_total():
    rows = [booking(number) for number in range(1, 4)]
    script, found = occupancy([page([row], 3, "bookings") for row in rows * 2])
    assert sorted(item.id for item in found.bookings) == ["1", "2", "3"]
    assert len(script.asked) == 6


@pytest.mark.parametrize("total", [2, 1000])
def test_a_list_that_ends_before_its_total_is_a_failure_and_never_short(total):
    _, found = occupancy(page([booking(1)], total, "bookings"))
    assert found.bookings == ()
    assert f"1 of {total} objects" in found.failure


def test_a_list_that_moves_twice_while_it_is_read_is_a_failure():
    replies = [page([booking(number)], total, "bookings") for number, total in enumerate((2, 3, 2, 3), start=1)]
    _, found = occupancy(replies)
    assert "kept changing" in found.failure


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, content=b"<html><body>Log in</body></html>", headers={"content-type": "text/html"}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"total_entries": 1}),
        httpx.Response(200, json={"total_entries": -1, "_embedded": {"bookings": []}}),
        httpx.Response(200, json={"total_entries": 1, "_embedded": {"bookings": ["1"]}}),
        httpx.Response(422, json={"error": "no"}),
        httpx.Response(500),
    ],
    ids=["page", "list", "no rows", "negative", "texts", "refused", "fault"],
)
def test_an_answer_that_is_no_list_is_a_failure_and_never_nobody(reply):
    try:
        _, found = occupancy(reply)
    except RemoteError:
        return
    assert found.bookings == ()
    assert found.failure


@pytest.mark.parametrize("status", [403, 404, 410])
def test_where_neither_list_is_there_nothing_is_known(status):
    script, found = occupancy(httpx.Response(status))
    assert found.bookings == ()
    assert f"{ADMIN}/slots" in found.failure
    assert len(script.asked) == 2


def test_public_access_asks_nothing_and_says_so():
    script, found = occupancy(page([], 0, "bookings"), access="public", secrets={})
    assert "access: admin" in found.failure
    assert script.asked == []
