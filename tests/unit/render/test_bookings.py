import pytest

from reconciler.model.change import Change, SlotBookings
from reconciler.model.objects import Address
from reconciler.render import bookings


def change(*items, name="Yoga", price=None):
    return Change(
        address=Address("Session", "yoga"),
        connection="c",
        action="delete",
        reason="",
        name=name,
        bookings=items,
        price=price,
    )


def slot(booked, reserved, when="2027-03-08 11:00"):
    return SlotBookings(slot="7", when=when, booked=booked, reserved=reserved)


def test_a_slot_shows_name_day_and_places():
    assert bookings.slots(change(slot(7, 2))) == ("Yoga Mon 8 Mar 2027, 11:00: 7 booked, 2 reserved",)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (slot(None, None), "Yoga Mon 8 Mar 2027, 11:00: bookings unknown"),
        (slot(0, None), "Yoga Mon 8 Mar 2027, 11:00: 0 booked, reserved unknown"),
        (SlotBookings(slot=None, when=None), "Yoga: bookings unknown, because the API returned no slots"),
    ],
)
def test_unknown_bookings_are_shown_as_unknown(item, words):
    assert bookings.slots(change(item)) == (words,)


def test_many_slots_are_folded_and_free_ones_counted():
    lines = bookings.slots(change(*[slot(1, 0)] * 14, slot(0, 0), slot(0, 0)))
    assert len(lines) == bookings.SHOWN + 2
    assert lines[-2:] == ("… and 2 more slots with bookings", "2 slots without bookings")
    assert len(bookings.slots(change(*[slot(1, 0)] * 14), fold=False)) == 14


def test_a_hostile_name_is_made_visible():
    assert "\x1b" not in bookings.slots(change(slot(1, 0), name="\x1b[31m"))[0]


def test_stake_says_when_it_is_not_all():
    assert bookings.stake(change(slot(7, 2), price="35.00"), "GBP") == "≈ 9 \xd7 £35.00 = £315.00"
    told = bookings.stake(change(slot(7, 2), slot(None, None), price="35.00"), None)
    assert told == "≈ 9 \xd7 35.00 = 315.00, unknown bookings not included"
    assert bookings.stake(change(slot(7, 2)), "GBP") is None


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [("1234.50", "EUR", "€1,234.50"), ("35.00", "JPY", "¥35"), ("9.90", "CHF", "CHF 9.90"), ("9.90", None, "9.90")],
)
def test_money(amount, currency, words):
    assert bookings.money(amount, currency) == words
