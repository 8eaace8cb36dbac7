"""Who has a resource, told by its slots where the list of bookings cannot be read (notes §3.4)."""

from __future__ import annotations

import httpx
import pytest
from admin_samples import ADMIN, opened, slot
from provider_script import page

from reconciler.model.bookings import Window

MARCH = Window(resource_id="13", start="2027-03-01T00:00:00Z", end="2027-03-02T00:00:00Z")
COUNTS = ("spaces_booked", "spaces_reserved")


def occupancy(**values):
    row = {key: value for key, value in slot(1, **values).items() if value != "absent"}
    replies = {f"GET {ADMIN}/bookings": httpx.Response(404), f"GET {ADMIN}/slots": page([row], 1, "slots")}
    _, provider = opened(replies)
    return provider.bookings([MARCH])[MARCH]


@pytest.mark.parametrize("status", ["absent", None, 99, "booked"])
def test_a_slot_of_unknown_status_and_places_is_not_free(status):
    found = occupancy(status=status, spaces_booked="absent", spaces_reserved=None)
    assert found.bookings == ()
    assert "slot 1 has " in found.failure
    assert "so it may be booked" in found.failure


@pytest.mark.parametrize("status", ["absent", 99])
@pytest.mark.parametrize("count", [0, 3])
def test_without_a_known_status_the_places_taken_decide(status, count):
    found = occupancy(status=status, spaces_booked=count, spaces_reserved="absent")
    assert found.failure is None
    assert [item.booked for item in found.bookings] == ([3] if count else [])


def test_a_free_slot_needs_no_places():
    assert occupancy(status=0, spaces_booked="absent", spaces_reserved="absent").bookings == ()
