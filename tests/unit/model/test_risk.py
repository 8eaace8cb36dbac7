from typing import get_args

import pytest
from msgspec.structs import replace

from reconciler.model.change import Change, SlotBookings
from reconciler.model.objects import Address, Live
from reconciler.model.plan import Plan
from reconciler.model.risk import CONFIGURABLE, RISKS, Level, Risk, risk, unknown, weighed
from reconciler.schema import load_schema


def change(name, *bookings, price=None):
    live = Live(remote_id="1", fields={"name": name})
    address = Address("Session", name.lower())
    return Change(
        address=address,
        connection="c",
        action="delete",
        reason="",
        live=live,
        name=name,
        bookings=bookings,
        price=price,
    )


def plan(*changes):
    return Plan(
        project="p",
        environment=None,
        tool_version="0",
        saved_manifest_digest="",
        saved_live_digest="",
        changes=tuple(changes),
    )


def slot(booked, reserved=0):
    return SlotBookings(slot="7", when="2027-03-08 11:00", booked=booked, reserved=reserved)


def test_every_configurable_risk_is_a_setting_with_its_meaning_and_default():
    settings = load_schema("project")["$defs"]["policy"]["properties"]["risks"]["properties"]
    assert tuple(settings) == CONFIGURABLE
    for code, setting in settings.items():
        assert setting["description"] == f"{RISKS[code].words} Default: {RISKS[code].level}."
        assert tuple(setting["enum"]) == get_args(Level)


def test_the_plan_schema_explains_every_risk():
    told = load_schema("plan")["$defs"]["risk"]["properties"]["code"]["description"]
    assert all(f"{code}: {meaning.words}" in told for code, meaning in RISKS.items())


def test_a_project_sets_levels_but_not_that_of_what_exists_already():
    levels = {"booked-slot-changed": "block", "booked-slot-moved": "warn"}
    assert weighed(risk("booked-slot-changed", ""), levels).level == "block"
    assert weighed(risk("booked-slot-moved", ""), levels).level == "warn"
    assert weighed(risk("booked-slot-lost", ""), levels).level == "block"
    assert weighed(risk("already-exists", ""), {"already-exists": "warn"}).level == "block"
    assert weighed(Risk(code="overbooked", level="warn", message=""), {"overbooked": "block"}).level == "warn"


@pytest.mark.parametrize(
    ("levels", "level"),
    [
        ({}, "warn"),
        ({"booked-slot-changed": "block"}, "block"),
        ({"booked-slot-changed": "block", "bookings-unknown": "warn"}, "warn"),
        ({"bookings-unknown": "block"}, "warn"),
    ],
)
def test_bookings_that_are_not_known_weigh_no_more_than_known_ones_would(levels, level):
    assert weighed(unknown("booked-slot-changed", ""), levels).level == level


def test_money_at_stake_is_places_times_price_and_exact():
    stake = change("Yoga", slot(7, 2), slot(0), price="35.10").at_stake
    assert (stake.places, stake.price, stake.amount) == (9, "35.10", "315.90")
    assert change("Yoga", slot(7)).at_stake is None
    assert change("Yoga", slot(0), price="35.00").at_stake is None


def test_totals_never_take_what_is_not_known_for_none():
    totals = plan(change("Yoga", slot(7, 2), slot(None, None), price="10.00"), change("Spin", slot(1, None))).bookings
    assert (totals.slots, totals.booked, totals.reserved, totals.unknown) == (3, 8, 2, 2)
    assert (totals.amount, totals.unpriced) == ("90.00", 1)
    nothing = plan(change("Yoga", SlotBookings(slot=None, when=None))).bookings
    assert (nothing.slots, nothing.booked, nothing.reserved, nothing.unknown) == (0, None, None, 1)
    assert plan().bookings.booked == 0


def test_a_change_is_called_by_its_name_and_without_one_by_its_address():
    assert change("Yoga").label == "Yoga"
    assert replace(change("Yoga"), name=None).label == "yoga"
