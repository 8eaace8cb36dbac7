import re
from collections.abc import Iterator

import pytest

from reconciler.sandbox import Options, backdoor, hostile, seeds
from reconciler.sandbox.checkfront import backdoor as holds
from reconciler.sandbox.company import Company


@pytest.fixture
def company() -> Iterator[Company]:
    made = Company(Options(fixed_now="2031-01-01T00:00:00"))
    yield made
    made.db.close()


def test_the_company_is_a_plausible_business(company):
    seeds.fill(company, "company")
    sessions, resources = backdoor.sessions(company), backdoor.resources(company)
    names = [item["name"] for item in (*sessions, *resources)]
    assert {"Pool lane swim", "Learn to swim: stage 1", "Main hall"} <= set(names)
    assert len(set(names)) == len(names) < 40
    assert all(re.fullmatch(r"[A-Z][\w:, -]*", name) for name in names)
    assert all(session["spaces"] > 1 and session["end_date"] for session in sessions)
    assert any(slot["spaces_booked"] for session in sessions for slot in session["slots"])
    assert len({room["address_id"] for room in resources}) == 1
    assert len(holds.booking_sessions(company)) == 1
    assert len(backdoor.bookings(company)) == 3


def test_the_hostile_seed_is_large_and_odd(company):
    seeds.fill(company, "hostile")
    sessions, resources = backdoor.sessions(company), backdoor.resources(company)
    blocks = [slot for slot in backdoor.slots(company) if slot["status"] == 3]
    odd = len(hostile.ODD_NAMES)
    assert (len(sessions), len(resources), len(blocks)) == (120 + odd + 5, 110 + odd + 4, 112)
    assert set(hostile.ODD_NAMES) <= {session["name"] for session in sessions}
    assert [len(hold["lines"]) for hold in holds.booking_sessions(company)] == [1, 2, 0]
    names = [session["name"] for session in sessions]
    assert len(set(names)) < len(names)
    assert any("&" in name for name in names)
    assert any(not name.isascii() for name in names)
    assert any(slot["spaces_booked"] for session in sessions for slot in session["slots"])
    assert {session["repeat"] for session in sessions} == set(range(9))
    assert any(session["description"] is None for session in sessions)
    assert backdoor.bookings(company)


@pytest.mark.parametrize("seed", ["company", "hostile"])
def test_a_seed_is_the_same_every_time(company, seed):
    seeds.fill(company, seed)
    first = (backdoor.sessions(company), backdoor.resources(company), backdoor.slots(company))
    company.set_options(fixed_now="2035-05-05T05:05:00")
    company.reset()
    seeds.fill(company, seed)
    assert (backdoor.sessions(company), backdoor.resources(company), backdoor.slots(company)) == first


def test_a_database_with_rows_is_left_alone(company):
    seeds.fill(company, "samples")
    seeds.fill(company, "company")
    assert len(backdoor.sessions(company)) == 2


def test_an_unknown_seed(company):
    with pytest.raises(ValueError, match="seed must be one of none, samples, company, hostile"):
        seeds.fill(company, "nonsense")


def test_edits_outside_the_api(company):
    seeds.fill(company, "samples")
    backdoor.edit_session(company, 123, {"slots": [{"date": "2031-01-01", "spaces_booked": 2}], "price": None})
    slots = backdoor.sessions(company)[0]["slots"]
    assert [(slot["date"], slot["time"], slot["spaces_booked"]) for slot in slots] == [("2031-01-01", "10:00", 2)]
    backdoor.book(company, slots[0]["id"], places=-5)
    assert backdoor.sessions(company)[0]["slots"][0]["spaces_booked"] == 0


@pytest.mark.parametrize("values", [{"colour": "red"}, {"spaces": "many"}, {"slots": [{"colour": "red"}]}])
def test_wrong_edits(company, values):
    seeds.fill(company, "samples")
    before = backdoor.sessions(company)
    with pytest.raises(ValueError):
        backdoor.edit_session(company, 123, values)
    assert backdoor.sessions(company) == before


def test_wrong_resources_and_slots(company):
    room = backdoor.add_resource(company, {"name": "A"})
    with pytest.raises(ValueError):
        backdoor.edit_resource(company, room, {"address": {"street": "x"}})
    with pytest.raises(ValueError):
        backdoor.add_slot(company, {"resource_id": room, "start": "2031-01-01T00:00Z", "end": "soon"})
    with pytest.raises(ValueError):
        backdoor.add_slot(
            company, {"resource_id": room, "start": "2031-01-01T00:00Z", "end": "2031-01-01T01:00Z", "colour": 1}
        )
    with pytest.raises(ValueError, match="kind must be one of session, slot, resource, address"):
        backdoor.delete(company, "planet", 1)
    with pytest.raises(KeyError):
        backdoor.delete(company, "slot", 1)
    with pytest.raises(KeyError):
        backdoor.add_block(company, 99, "2031-01-01T00:00Z", "2031-01-01T01:00Z")
