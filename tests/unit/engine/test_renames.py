"""Deletions and creations that look like renames: who is paired, and who is not."""

from engine_fakes import WHERE, Office, block, codes, resource, session

from reconciler.engine import renames
from reconciler.kinds.booking_session import kind as booking_session
from reconciler.model.change import Change
from reconciler.model.objects import Address, Desired, Live, Record


def suggested(plan):
    return {(str(item.address), item.hint.split(": ")[-1]) for item in plan.problems if item.code == "looks-renamed"}


def pairs(plan):
    """The suggested renames as `old new`, once each."""
    return sorted({hint.removeprefix("`reconciler state mv ").removesuffix("`") for _, hint in suggested(plan)})


def office(*desired):
    made = Office()
    made.apply(*desired)
    return made


def test_the_same_natural_key_is_a_likely_rename():
    plan = office(session("old", name="Yoga")).plan(session("new", name="Yoga", price="40"))
    assert pairs(plan) == ["Session/old Session/new"]
    assert {name for name, _ in suggested(plan)} == {"Session/old", "Session/new"}
    assert plan.errors == ()


def test_most_fields_equal_is_a_likely_rename():
    more = {"price": "35", "duration": 60, "description": "Bring a mat"}
    assert pairs(office(session("old", **more)).plan(session("new", **more))) == ["Session/old Session/new"]


def test_slots_count_as_equal_though_the_live_side_knows_their_ids():
    more = {"repeat": "custom", "slots": [{"date": "2027-03-01", "time": "11:00", "duration": 60}]}
    plan = office(session("old", **more)).plan(session("new", **more))
    assert pairs(plan) == ["Session/old Session/new"]


def test_what_differs_is_no_rename():
    plan = office(session("old", group="Pool", time="09:00", start_date="2027-01-01")).plan(session("new"))
    assert pairs(plan) == []
    assert pairs(office(resource("old")).plan(resource("new"))) == []


def test_another_kind_is_no_rename():
    made = office(resource("hall"), block("old", "hall"))
    assert pairs(made.plan(resource("hall"), session("new"))) == []


def test_each_object_is_suggested_once_and_always_the_same():
    made = office(session("a", name="Yoga", price="1"), session("b", name="Yoga", price="2", start_date="2027-04-01"))
    wanted = [session("c", name="Yoga", price="1"), session("d", name="Yoga", price="2", start_date="2027-04-01")]
    expected = ["Session/a Session/c", "Session/b Session/d"]
    assert pairs(made.plan(*wanted)) == pairs(made.plan(*reversed(wanted))) == expected


def test_destroying_suggests_nothing():
    made = office(session("old", name="Yoga"))
    assert codes(made.plan(session("new", name="Yoga"), destroying=True).problems) == set()


def test_large_plans_compare_natural_keys_only(monkeypatch):
    monkeypatch.setattr(renames, "PAIRS", 3)
    same = {"price": "35", "duration": 60, "description": "Bring a mat"}
    old, new = ([session(f"{word}{number}", **same) for number in range(2)] for word in ("old", "new"))
    keyed = session("old-key", name="Spin"), session("new-key", name="Spin")
    plan = office(*old, keyed[0]).plan(*new, keyed[1])
    assert pairs(plan) == ["Session/old-key Session/new-key"]


def test_lines_of_a_hold_that_show_no_recorded_slip_are_likened_all_the_same():
    """A live line has a key only where it shows the slip that was recorded for it."""
    item = {"key": "room", "item_id": "17", "start_date": "2031-07-07", "end_date": "2031-07-09"}
    line = {"line": "1", "slip": "17.20310707X3-guests.2", "item_id": "17", "options": {}}
    place = {"connection": "shop", "target": "shop.example.com"}
    old, new = Address("BookingSession", "old"), Address("BookingSession", "new")
    going = Change(
        address=old,
        connection="shop",
        action="delete",
        reason="",
        record=Record(address=old, remote_id="1", fields={"items": [item]}, **place),
        live=Live(remote_id="1", fields={"items": [line]}),
    )
    wanted = Desired(address=new, connection="shop", fields={"items": [item], "on_expiry": "report"}, source=WHERE)
    coming = Change(address=new, connection="shop", action="create", reason="", desired=wanted)
    assert renames.renames([going, coming], {"BookingSession": booking_session.KIND}, destroying=False) == []
