"""The work of a plan grows with its objects, not with their square: calls are counted, no time is measured."""

import sys

import pytest
from engine_fakes import CONNECTIONS, KINDS, PROVIDERS, Office, address, resource, session
from values import replace

from reconciler.engine.adopt import match
from reconciler.engine.impact import Bookings
from reconciler.engine.plan import decide_all, make_plan
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.world import World
from reconciler.kinds.session.slots import compare_slots
from reconciler.manifests.moves import circles
from reconciler.model.objects import Intent, Live, Reading, Record

SMALL = 40
GROWS = 2.4
"""How many times as many calls twice as many objects may take; the square takes four times as many."""


def calls(run):
    """Return how many Python functions and built-in ones a run calls."""
    number = 0

    def count(_frame, event, _argument):
        nonlocal number
        number += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return number


def planning(desired, records=(), lives=(), kind="Session", **world):
    desired, records = ({item.address: item for item in items} for items in (desired, records))
    made = World(
        desired=desired,
        records=records,
        selected=frozenset(desired.keys() | records.keys()),
        kinds=KINDS,
        providers=PROVIDERS,
        connections=CONNECTIONS,
        **world,
    )
    empty = Reading(listed=frozenset())
    reading = Reading(live={live.remote_id: live for live in lives}, listed=frozenset(live.remote_id for live in lives))
    readings = {("sessions", "Session"): empty, ("admin", "Resource"): empty}
    place = ("sessions" if kind == "Session" else "admin", kind)

    def run():
        snapshot = Snapshot(readings={**readings, place: replace(reading)})
        return make_plan(made, decide_all(made, snapshot), Bookings())

    return run


def classes(number, **spec):
    return [session(f"class-{index}", **spec) for index in range(number)]


def living(items, **fields):
    return [Live(remote_id=str(1000 + index), fields={**item.fields, **fields}) for index, item in enumerate(items)]


def recorded(items):
    return [
        Record(
            address=item.address,
            connection=item.connection,
            target=CONNECTIONS[item.connection].target,
            remote_id=str(1000 + index),
            fields=item.fields,
        )
        for index, item in enumerate(items)
    ]


def unadopted_twins(number):
    items = classes(number)
    return planning(items, lives=living(items))


def classes_of_one_name(number):
    items = [session(f"class-{n}", name="Yoga", time=f"{n % 24:02}:{n // 24:02}") for n in range(number)]
    return planning(items, lives=living(items))


def interrupted_creates(number):
    items = classes(number)
    moment = {"started_at": "2027-01-01T00:00:00Z", "pending_until": "2027-01-01T00:00:01Z"}
    intents = {
        item.address: (
            Intent(
                run_id="r",
                address=item.address,
                connection="sessions",
                target=CONNECTIONS["sessions"].target,
                effect="create",
                fields=item.fields,
                **moment,
            ),
        )
        for item in items
    }
    baselines = {("r", "sessions", "Session"): frozenset()}
    return planning(items, lives=living(items), intents=intents, baselines=baselines, now="2027-02-01T00:00:00Z")


def exchanged_references(number):
    def rooms(shift):
        return [resource(f"room-{index:03}", api_ref=f"ref-{index ^ shift}") for index in range(number)]

    return planning(rooms(1), recorded(rooms(0)), living(rooms(0)), kind="Resource")


def slots(number, *, times, moved):
    wanted = [{"date": "2027-03-01", "time": f"{n // 60:02}:{n % 60:02}", "duration": 30} for n in range(number)]
    live = [
        {
            "id": str(index),
            "date": "2027-03-02" if moved and not times else "2027-03-01",
            **({"time": f"{12 + index // 60:02}:{index % 60:02}"} if times else {}),
            "spaces_booked": 1,
            "spaces_reserved": 0,
        }
        for index in range(number)
    ]
    return lambda: compare_slots(wanted, live, wanted)


def replaced_slots(number):
    live = [{"id": str(n), "date": "2027-03-01", "spaces_booked": 1, "spaces_reserved": 0} for n in range(number + 1)]
    wanted = [{"date": "2027-03-01", "time": f"{n // 60:02}:{n % 60:02}", "duration": 30} for n in range(number)]
    return lambda: compare_slots(wanted, live, [])


def adopted_by_annotation(number):
    items = [replace(item, annotations={"adopt-id": str(1000 + index)}) for index, item in enumerate(classes(number))]
    reading = Reading(live={live.remote_id: live for live in living(items)}, listed=frozenset())
    return lambda: match(KINDS["Session"], items, reading, {}, {})


def adopted_without_a_match(number):
    items = classes(number)
    reading = Reading(live={live.remote_id: live for live in living(items, group="Other")}, listed=frozenset())
    return lambda: match(KINDS["Session"], items, reading, {}, {})


def applied_moves(number):
    office = Office()
    for record in recorded(classes(number)):
        office.store.save(record)
    moves = {address(f"Session/class-{index}"): address(f"Session/moved-{index}") for index in range(number)}
    return lambda: office.store.rename_all(moves)


def chain_of_moves(number):
    names = [address(f"Session/class-{index}") for index in range(number + 1)]
    return lambda: circles(dict(zip(names, [(old,) for old in names[1:]], strict=False)))


@pytest.mark.parametrize(
    "stage",
    [
        chain_of_moves,
        unadopted_twins,
        classes_of_one_name,
        interrupted_creates,
        exchanged_references,
        pytest.param(lambda n: slots(n, times=False, moved=False), id="slots of one day without times"),
        pytest.param(lambda n: slots(n, times=False, moved=True), id="slots of another day without times"),
        pytest.param(lambda n: slots(n, times=True, moved=True), id="slots of one day at other times"),
        replaced_slots,
        adopted_by_annotation,
        adopted_without_a_match,
        applied_moves,
    ],
)
def test_twice_as_many_objects_take_about_twice_as_many_calls(stage):
    small, large = stage(SMALL), stage(2 * SMALL)
    stage(2)()  # imports and caches
    assert calls(large) < GROWS * calls(small)


def test_a_message_names_a_few_of_many_look_alikes():
    items = [session(f"class-{n}", name="Yoga") for n in range(2 * SMALL)]
    for change in planning(items, lives=living(items))().changes:
        (found,) = change.risks
        assert "and 70 more)" in change.reason
        assert "where ID is one of these 80 ids" in found.message
        assert "and the other 70 ids" in found.message


def test_moves_are_made_all_or_none():
    office = Office()
    for record in recorded(classes(2)):
        office.store.save(record)
    there = address("Session/moved-0")
    with pytest.raises(Exception, match=r"Session/gone is not managed"):
        office.store.rename_all({address("Session/class-0"): there, address("Session/gone"): address("Session/new")})
    assert there not in office.store.records()
    assert office.store.rename_all({}) == ()


def test_moves_in_a_circle_are_found_in_any_length_and_a_chain_beside_it_is_none():
    names = [address(f"Session/class-{index}") for index in range(5000)]
    chain = dict(zip(names, [(old,) for old in names[1:]], strict=False))
    assert len(set(circles(chain).values())) == len(chain)
    found = circles({**chain, names[-1]: (names[1000],)})
    assert len({found[name] for name in names[1000:]}) == 1
    assert len(set(found.values())) == 1001
