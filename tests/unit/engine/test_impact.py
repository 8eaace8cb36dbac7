"""Bookings of resources: which ones a change asks for, and what the answers make of the plan."""

import pytest
from engine_fakes import Office, block, codes, resource

from reconciler.engine.impact import booking_queries, impact, read_occupancy
from reconciler.errors import RemoteError
from reconciler.model.bookings import Booking, Occupancy, Window

NOW = "2026-11-21T06:00:00Z"
HOUR = ("2027-03-01T09:00:00Z", "2027-03-01T10:00:00Z")


class Teller:
    """A provider that can tell bookings."""

    def __init__(self, *bookings, failure=None):
        self.found, self.failure, self.asked = bookings, failure, []

    def bookings(self, windows):
        self.asked += windows
        if self.failure:
            raise RemoteError(self.failure)
        return {window: Occupancy(bookings=tuple(self.found)) for window in windows}


@pytest.fixture
def office():
    return Office()


def queries(plan, office):
    return booking_queries({change.address: change for change in plan.changes}, office.kinds, NOW)


def asked(plan, office):
    return {str(address): item for address, item in queries(plan, office).items()}


def windows(plan, office):
    return [(item.start, item.end) for found in asked(plan, office).values() for item in found.windows]


def ask(plan, office, provider, levels=None):
    """What each change does to bookings, by address, as this provider knows them."""
    read = read_occupancy(queries(plan, office), lambda _: provider)
    kinds = office.kinds
    return {str(item.address): impact(kinds[item.address.kind], item, read, levels or {}) for item in plan.changes}


def moved(office, start, end, owner="court"):
    office.apply(resource("court"), resource("hall"), block("works", "court"))
    return office.plan(resource("court"), resource("hall"), block("works", owner, start, end))


def test_a_block_of_a_resource_that_is_yet_to_be_made_asks_nothing(office):
    assert asked(office.plan(resource("court"), block("works", "court")), office) == {}


def test_a_new_block_asks_for_its_window(office):
    office.apply(resource("court"))
    plan = office.plan(resource("court"), block("works", "court"))
    assert windows(plan, office) == [HOUR]
    assert asked(plan, office)["Block/works"].code == "booked-time-blocked"


@pytest.mark.parametrize(
    ("start", "end", "anew"),
    [
        ("08:00", "10:00", [("08:00", "09:00")]),
        ("09:00", "11:30", [("10:00", "11:30")]),
        ("08:00", "11:00", [("08:00", "09:00"), ("10:00", "11:00")]),
        ("09:15", "09:45", []),
        ("12:00", "13:00", [("12:00", "13:00")]),
        ("10:00", "11:00", [("10:00", "11:00")]),
    ],
)
def test_a_moved_block_asks_for_the_time_that_it_newly_takes(office, start, end, anew):
    plan = moved(office, f"2027-03-01T{start}Z", f"2027-03-01T{end}Z")
    assert windows(plan, office) == [(f"2027-03-01T{a}:00Z", f"2027-03-01T{b}:00Z") for a, b in anew]


def test_a_block_that_goes_to_another_resource_asks_for_all_of_its_time_there(office):
    plan = moved(office, *HOUR, owner="hall")
    (window,) = asked(plan, office)["Block/works"].windows
    assert office.live["Resource"][window.resource_id]["name"] == "hall"
    assert (window.start, window.end) == HOUR


def test_a_block_that_goes_and_one_that_stays_ask_nothing(office):
    office.apply(resource("court"), block("works", "court"))
    assert asked(office.plan(resource("court")), office) == {}
    assert asked(office.plan(resource("court"), block("works", "court")), office) == {}


def test_a_resource_asks_two_years_ahead_where_it_is_disabled_or_deleted_and_else_not(office):
    office.apply(resource("court"), resource("hall"))
    assert asked(office.plan(resource("court", description="new"), resource("hall", disabled=False)), office) == {}
    found = asked(office.plan(resource("court", disabled=True)), office)
    assert {address: item.code for address, item in found.items()} == {
        "Resource/court": "booked-resource-disabled",
        "Resource/hall": "booked-resource-deleted",
    }
    assert {(item.windows[0].start, item.windows[0].end) for item in found.values()} == {(NOW, "2028-11-20T06:00:00Z")}


def test_bookings_in_the_window_are_a_risk_and_those_at_its_edge_are_none(office):
    office.apply(resource("court"))
    plan = office.plan(resource("court"), block("works", "court"))
    before = Booking(id="1", start="2027-03-01T08:00:00Z", end=HOUR[0])
    after = Booking(id="2", start=HOUR[1], end="2027-03-01T11:00:00Z")
    assert [item.risks for item in ask(plan, office, Teller(before, after)).values()] == [(), ()]
    inside = Booking(id="3", start="2027-03-01T09:59:00Z", end="2027-03-01T11:00:00Z", booked=2, reserved=1)
    found = ask(plan, office, Teller(before, inside))["Block/works"]
    (risk,) = found.risks
    assert (risk.code, risk.level, risk.slots) == ("booked-time-blocked", "block", ("3",))
    assert (risk.booked, risk.reserved) == (2, 1)
    assert "Mon 1 Mar 2027, 09:59 UTC" in risk.message
    assert [(item.slot, item.booked, item.reserved) for item in found.bookings] == [("3", 2, 1)]


@pytest.mark.parametrize("provider", [Teller(failure="500"), object()], ids=["fails", "cannot"])
def test_bookings_that_cannot_be_read_are_not_known_and_never_none(office, provider):
    office.apply(resource("court"), resource("hall"))
    found = ask(office.plan(resource("court")), office, provider)["Resource/hall"]
    assert codes(found.risks) == {"bookings-unknown"}
    assert [item.level for item in found.risks] == ["block"]
    assert [(item.slot, item.booked, item.known) for item in found.bookings] == [(None, None, False)]


def test_the_project_sets_the_level_of_what_is_read_too(office):
    office.apply(resource("court"), resource("hall"))
    made = office.plan(resource("court"))
    booking = Booking(id="3", start="2027-03-01T09:00:00Z", end="2027-03-01T11:00:00Z")
    found = ask(made, office, Teller(booking), {"booked-resource-deleted": "warn"})["Resource/hall"]
    assert [item.level for item in found.risks] == ["warn"]
    found = ask(made, office, object(), {"booked-resource-deleted": "warn"})["Resource/hall"]
    assert [(item.code, item.level) for item in found.risks] == [("bookings-unknown", "warn")]


def test_one_question_is_asked_once(office):
    office.apply(resource("court"))
    plan = office.plan(resource("court"), block("a", "court"), block("b", "court"))
    teller = Teller()
    ask(plan, office, teller)
    assert teller.asked == [Window(resource_id=teller.asked[0].resource_id, start=HOUR[0], end=HOUR[1])]
