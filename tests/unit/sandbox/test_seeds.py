from collections.abc import Iterator

import pytest

from reconciler.sandbox import Options, behind, seeds
from reconciler.sandbox.checkfront import behind as holds
from reconciler.sandbox.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World(Options(fixed_now="2031-01-01T00:00:00"))
    yield made
    made.db.close()


def test_the_company_is_large_and_odd(world):
    seeds.plant(world, "company")
    sessions, resources = behind.sessions(world), behind.resources(world)
    blocks = [slot for slot in behind.slots(world) if slot["status"] == 3]
    odd = len(seeds.ODD_NAMES)
    assert (len(sessions), len(resources), len(blocks)) == (120 + odd + 5, 110 + odd + 4, 112)
    assert set(seeds.ODD_NAMES) <= {session["name"] for session in sessions}
    assert [len(hold["lines"]) for hold in holds.truth(world)] == [1, 2, 0]
    names = [session["name"] for session in sessions]
    assert len(set(names)) < len(names)
    assert any("&" in name for name in names)
    assert any(not name.isascii() for name in names)
    assert any(slot["spaces_booked"] for session in sessions for slot in session["slots"])
    assert {session["repeat"] for session in sessions} == set(range(9))
    assert any(session["description"] is None for session in sessions)
    assert behind.bookings(world)


def test_the_company_is_the_same_every_time(world):
    seeds.plant(world, "company")
    first = (behind.sessions(world), behind.resources(world), behind.slots(world))
    world.set_options(fixed_now="2035-05-05T05:05:00")
    world.reset()
    seeds.plant(world, "company")
    assert (behind.sessions(world), behind.resources(world), behind.slots(world)) == first


def test_a_database_with_rows_is_left_alone(world):
    seeds.plant(world, "samples")
    seeds.plant(world, "company")
    assert len(behind.sessions(world)) == 2


def test_an_unknown_seed(world):
    with pytest.raises(ValueError, match="seed must be one of none, samples, company"):
        seeds.plant(world, "nonsense")


def test_edits_behind_the_back(world):
    seeds.plant(world, "samples")
    behind.edit_session(world, 123, {"slots": [{"date": "2031-01-01", "spaces_booked": 2}], "price": None})
    slots = behind.sessions(world)[0]["slots"]
    assert [(slot["date"], slot["time"], slot["spaces_booked"]) for slot in slots] == [("2031-01-01", "10:00", 2)]
    behind.book(world, slots[0]["id"], places=-5)
    assert behind.sessions(world)[0]["slots"][0]["spaces_booked"] == 0


@pytest.mark.parametrize("values", [{"colour": "red"}, {"spaces": "many"}, {"slots": [{"colour": "red"}]}])
def test_wrong_edits(world, values):
    seeds.plant(world, "samples")
    before = behind.sessions(world)
    with pytest.raises(ValueError):
        behind.edit_session(world, 123, values)
    assert behind.sessions(world) == before


def test_wrong_resources_and_slots(world):
    room = behind.add_resource(world, {"name": "A"})
    with pytest.raises(ValueError):
        behind.edit_resource(world, room, {"address": {"street": "x"}})
    with pytest.raises(ValueError):
        behind.add_slot(world, {"resource_id": room, "start": "2031-01-01T00:00Z", "end": "soon"})
    with pytest.raises(ValueError):
        behind.add_slot(
            world, {"resource_id": room, "start": "2031-01-01T00:00Z", "end": "2031-01-01T01:00Z", "colour": 1}
        )
    with pytest.raises(ValueError, match="kind must be one of session, slot, resource, address"):
        behind.delete(world, "planet", 1)
    with pytest.raises(KeyError):
        behind.delete(world, "slot", 1)
    with pytest.raises(KeyError):
        behind.add_block(world, 99, "2031-01-01T00:00Z", "2031-01-01T01:00Z")
