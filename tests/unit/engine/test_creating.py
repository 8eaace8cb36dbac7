"""Creates whose answers hold no id: they share a look, and none takes the object of another."""

import threading
import time

import pytest
from engine_fakes import Office, session, states

from reconciler.engine import creating
from reconciler.engine.creating import Creates
from reconciler.errors import Interrupted, NotStarted, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.objects import Live, Reading
from reconciler.registry import kinds

SLOW = 0.02
"""Seconds of a look, in which other creates are answered."""


@pytest.fixture
def office():
    made = Office()
    made.remote.answers_ids = False
    return made


def watched(office):
    """Return the scopes of all lists that are read from now on, and how many creates are in flight at each one."""
    lists, flying, at_once = [], [0], []
    read, send, lock = office.remote.read, office.remote.send, threading.Lock()

    def slow_read(scope):
        if scope.listing:
            lists.append(scope)
            time.sleep(SLOW)
        return read(scope)

    def slow_send(call):
        with lock:
            flying[0] += 1
            at_once.append(flying[0])
        try:
            time.sleep(SLOW)
            return send(call)
        finally:
            with lock:
                flying[0] -= 1

    office.remote.read, office.remote.send = slow_read, slow_send
    return lists, at_once


def test_creates_of_different_natural_keys_share_a_look(office):
    wanted = [session(f"s{number:02}") for number in range(25)]
    planned = office.look(*wanted)
    lists, at_once = watched(office)
    assert office.carry_out(planned, workers=8).clean
    assert max(at_once) > 1
    assert at_once[0] == 1  # the first shows whether answers hold the id
    assert len(lists) <= 1 + 24 // 2
    records = office.store.records()
    assert {str(key): office.live["Session"][item.remote_id]["name"] for key, item in records.items()} == {
        str(item.address): item.fields["name"] for item in wanted
    }
    assert office.store.open_intents() == ()


def test_a_look_that_showed_the_object_is_its_read_back(office):
    planned = office.look(session("yoga"))
    scopes = []
    read = office.remote.read
    office.remote.read = lambda scope: (scopes.append(scope), read(scope))[1]
    assert office.carry_out(planned).clean
    assert [scope.listing for scope in scopes] == [True]


def test_creates_of_one_natural_key_are_made_one_after_another(office):
    planned = office.look(*[session(f"s{number}", name="Yoga") for number in range(4)])
    _, at_once = watched(office)
    assert office.carry_out(planned, workers=4).clean
    assert max(at_once) == 1


def test_a_look_that_fails_leaves_every_create_that_shared_it_in_doubt(office):
    planned = office.look(*[session(f"s{number}") for number in range(4)])
    done = []

    def fail_later(_call):
        done.append(1)
        office.remote.list_fails = len(done) > 1

    office.remote.on_send = fail_later
    report = office.carry_out(planned, workers=4)
    assert sorted(states(report).values()) == ["applied", "unknown", "unknown", "unknown"]
    opened = office.store.open_intents()
    assert len(opened) == 3
    assert all(intent.confirmed for intent in opened)
    office.remote.on_send, office.remote.list_fails = None, False
    assert office.apply(*[session(f"s{number}") for number in range(4)]).clean
    assert len(office.live["Session"]) == 4


class Reader:
    """A provider that shows some objects."""

    def __init__(self, *shown):
        self.shown = shown

    def read(self, _scope):
        lives = {str(number): Live(remote_id=str(number), fields=fields) for number, fields in enumerate(self.shown)}
        return Reading(live=lives, listed=frozenset(lives))


def fields(**more):
    return {"name": "Yoga", "group": "Classes", **more}


def creates(*shown):
    made = Creates(kinds()["Session"], lambda: Reader(*shown), threading.Event())
    made.stop.set()  # so that it looks once
    made._searches = True
    return made


class Answers:
    """A provider whose lists show what `look` returns: live objects, and the ids of those that cannot be read."""

    def __init__(self, look):
        self.look = look

    def read(self, _scope):
        shown, unreadable = self.look()
        lives = {key: Live(remote_id=key, fields=value) for key, value in shown.items()}
        why = {key: f"{key} answered 500" for key in unreadable}
        return Reading(live=lives, unreadable=why, listed=frozenset({*lives, *why}))


DAY, SLOTS = {"start_date": "2027-03-01"}, {"slots": [{"date": "2027-03-08", "time": "10:00", "duration": 60}]}


def of_both():
    """Return what a create with a start date and one with slots could both have made."""
    return fields(**DAY, slots=[{**SLOTS["slots"][0], "id": "7", "spaces_booked": 0, "spaces_reserved": 0}])


def test_an_object_that_two_creates_in_flight_could_have_made_is_given_to_neither():
    found = creates(of_both())
    with found.turn(fields(**DAY)) as first, found.turn(fields(**SLOTS)) as second:
        for create in (first, second):
            with pytest.raises(OutcomeUnknown, match="could be that of another create"):
                found.find(create)


def test_a_create_that_was_left_in_doubt_keeps_its_object_from_a_later_search():
    found = creates(of_both())
    with found.turn(fields(**DAY)) as first:
        with pytest.raises(OutcomeUnknown), found.turn(fields(**SLOTS)) as second:
            found.find(second)
        with pytest.raises(OutcomeUnknown, match="could be that of another create"):
            found.find(first)


@pytest.mark.parametrize(
    "lost",
    [OutcomeUnknown("the answer was lost"), ReconcilerError("no state"), KeyboardInterrupt(), ZeroDivisionError()],
)
def test_so_does_one_whose_answer_never_came(lost):
    found = creates(of_both())
    with pytest.raises(type(lost)), found.turn(fields(**SLOTS)):
        raise lost
    with found.turn(fields(**DAY)) as create, pytest.raises(OutcomeUnknown, match="could be that of another create"):
        found.find(create)


@pytest.mark.parametrize("refused", [RemoteError("422", status=422), NotStarted("not sent"), Interrupted("stopped")])
def test_one_that_was_certainly_not_carried_out_does_not(refused):
    found = creates(of_both())
    with pytest.raises(type(refused)), found.turn(fields(**SLOTS)):
        raise refused
    with found.turn(fields(**DAY)) as create:
        assert found.find(create).remote_id == "0"


def test_an_object_that_another_create_claims_during_the_read_is_left_to_it():
    found = creates()
    found.returns_ids = True
    other = found.turn(fields(**SLOTS))
    other.__enter__()

    def look():
        found.claimed.add("0")  # the other one is answered with the id, and ends
        other.__exit__(None, None, None)
        return {"0": of_both()}, ()

    found.reader = lambda: Answers(look)
    with found.turn(fields(**DAY)) as create, pytest.raises(OutcomeUnknown, match="0 new live objects match it"):
        found.find(create)


def test_an_object_that_was_claimed_after_its_judgement_is_recorded_for_one_only(office, monkeypatch):
    find = Creates.find

    def find_late(self, create):
        live = find(self, create)
        self.claimed.add(live.remote_id)  # the answer to another create names it
        return live

    monkeypatch.setattr(Creates, "find", find_late)
    report = office.apply(session("yoga"))
    assert states(report) == {"Session/yoga": "unknown"}
    assert "which another create made" in report.outcomes[0].error
    assert office.store.records() == {}
    (intent,) = office.store.open_intents()
    assert intent.confirmed


def test_a_new_object_that_cannot_be_read_is_looked_at_again_while_another_create_could_have_made_it(monkeypatch):
    monkeypatch.setattr(creating, "LOOKS", (0.0, 0.0))
    yoga, swim = fields(**DAY), {"name": "Swim", "group": "Pool", **DAY}
    found = creates()
    found.stop.clear()
    found.returns_ids = True
    looks = []
    other = found.turn(swim)
    other.__enter__()

    def look():
        looks.append(1)
        if len(looks) == 2:
            found.claimed.add("1")  # the answer to the other create names it
            other.__exit__(None, None, None)
        return {"0": yoga}, ("1",)

    found.reader = lambda: Answers(look)
    with found.turn(yoga) as create:
        assert found.find(create).remote_id == "0"
    assert len(looks) == 2


def test_a_new_object_that_cannot_be_read_ends_a_search_where_no_other_create_is_in_flight(monkeypatch):
    monkeypatch.setattr(creating, "LOOKS", (0.0, 0.0))
    found = creates()
    found.stop.clear()
    looks = []
    found.reader = lambda: Answers(lambda: (looks.append(1), ({"0": fields(**DAY)}, ("1",)))[1])
    with found.turn(fields(**DAY)) as create, pytest.raises(OutcomeUnknown, match="1 answered 500"):
        found.find(create)
    assert len(looks) == 1


def test_an_object_of_another_create_in_flight_is_left_to_it():
    found = creates(fields(**DAY), fields(start_date="2027-03-02"))
    with found.turn(fields(**DAY)) as first, found.turn(fields(start_date="2027-03-02")) as second:
        assert (found.find(first).remote_id, found.find(second).remote_id) == ("0", "1")


def test_a_create_without_a_natural_key_shares_its_time_with_none():
    found = creates()
    first, second = {"name": "Yoga"}, fields(**DAY)
    entered = threading.Event()

    def enter():
        with found.turn(second):
            entered.set()

    thread = threading.Thread(target=enter)
    with found.turn(first):
        thread.start()
        assert not entered.wait(0.1)
    thread.join(60)
    assert entered.is_set()


def test_what_was_found_before_a_later_look_failed_stays_found():
    yoga, swim = fields(**DAY), {"name": "Swim", "group": "Pool", **DAY}
    found = creates(yoga)
    found.stop.clear()
    looks = []

    def reader():
        looks.append(1)
        if len(looks) > 1:
            raise RemoteError("no connection")
        return Reader(yoga)

    found.reader = reader
    with found.turn(yoga) as first, found.turn(swim) as second:
        found._look([first, second])
    assert (first.error, first.found.first(1)[0].remote_id) == (None, "0")
    assert "the search for the object failed: no connection" in str(second.error)
