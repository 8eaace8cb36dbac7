import pytest

from reconciler.kinds.session.fields import TYPES
from reconciler.kinds.session.kind import KIND, canonical, identities, missing_to_create, risks
from reconciler.model.change import FieldChange
from reconciler.model.objects import Address, Live, Manifest, SourceRef
from reconciler.schema import load_schema


class Lines:
    """Positions that tell the path apart: the last index becomes the line."""

    def locate(self, path, **_):
        numbers = [part for part in path if isinstance(part, int)]
        return SourceRef("yoga.yaml", 10 + (numbers[-1] if numbers else 0))


def manifest(**spec):
    return Manifest(address=Address("Session", "yoga"), spec=spec, positions=Lines())


def slot(date, time="09:00", **more):
    return {"date": date, "time": time, **more}


def live(**fields):
    return Live(remote_id="1", fields=fields)


def field(path):
    return FieldChange(path=path, before=1, after=2, origin="manifest")


def test_every_field_has_one_spelling():
    spec = {
        "name": "Yoga",
        "type": 2,
        "group": "No",
        "start_date": "2027-03-01",
        "time": "9:30",
        "duration": "60",
        "price": 35,
        "repeat": "6",
        "disabled": "0",
        "ticket_type": 3,
    }
    assert canonical(spec) == {
        "name": "Yoga",
        "type": "recurring_event",
        "group": "No",
        "start_date": "2027-03-01",
        "time": "09:30",
        "duration": 60,
        "price": "35.00",
        "repeat": "custom",
        "disabled": False,
        "ticket_type": "assigned_reassignable",
    }


def test_canonical_fields_are_canonical_already():
    spec = {"slots": [slot("2027-03-02"), slot("2027-03-01", "9:30")], "duration": 45, "price": 5}
    once = canonical(spec)
    assert canonical(once) == once


def test_slots_are_sorted_by_day_and_time_and_take_the_sessions_duration_unless_they_have_their_own():
    spec = {"duration": 60, "slots": [slot("2027-03-02"), slot("2027-03-01", "10:00", duration=30)]}
    spec["slots"].append(slot("2027-03-01", "9:00"))
    assert canonical(spec)["slots"] == [
        {"date": "2027-03-01", "time": "09:00", "duration": 60},
        {"date": "2027-03-01", "time": "10:00", "duration": 30},
        {"date": "2027-03-02", "time": "09:00", "duration": 60},
    ]


def test_a_slot_without_any_duration_states_none():
    assert canonical({"slots": [slot("2027-03-01")]})["slots"] == [{"date": "2027-03-01", "time": "09:00"}]


def test_the_natural_key_is_name_group_and_first_day():
    fields = {"name": "Yoga", "group": "Classes", "start_date": "2027-03-01"}
    assert identities(fields) == (("Yoga", "Classes", "2027-03-01"),)
    slots = {"name": "Yoga", "group": "Classes", "slots": [slot("2027-03-02"), slot("2027-03-01")]}
    assert identities(slots) == identities(fields)


@pytest.mark.parametrize("missing", ["name", "group", "start_date"])
def test_without_a_part_of_the_key_there_is_none(missing):
    fields = {"name": "Yoga", "group": "Classes", "start_date": "2027-03-01"}
    del fields[missing]
    assert identities(fields) == ()


def test_a_creation_needs_type_and_without_slots_day_and_time():
    assert missing_to_create({"type": "event", "start_date": "2027-03-01", "time": "09:00"}) == ()
    assert missing_to_create({"type": "event", "slots": [slot("2027-03-01")]}) == ()
    found = missing_to_create({})
    assert [text.split("`")[1] for text in found] == ["type", "start_date", "time"]


def problems(**spec):
    return [(item.code, item.where.line) for item in KIND.check(manifest(**spec))]


def test_an_end_before_the_start_is_an_error_and_one_day_is_none():
    assert problems(start_date="2027-03-02", end_date="2027-03-01") == [("end-before-start", 10)]
    assert problems(start_date="2027-03-01", end_date="2027-03-01") == []


def test_a_slot_stated_twice_is_an_error_whatever_its_spelling():
    found = problems(slots=[slot("2027-03-01", "09:30"), slot("2027-03-02"), slot("2027-03-01", "9:30")])
    assert found == [("duplicate-slot", 12)]


def test_a_slot_outside_the_sessions_dates_is_an_error_and_one_on_its_first_and_last_day_is_none():
    days = {"start_date": "2027-03-02", "end_date": "2027-03-03"}
    assert problems(**days, slots=[slot("2027-03-02"), slot("2027-03-03")]) == []
    found = problems(**days, slots=[slot("2027-03-01"), slot("2027-03-04")])
    assert found == [("slot-outside-session", 10), ("slot-outside-session", 11)]


COMPLETE = {"type": "course", "name": "Yoga", "spaces": 12}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (COMPLETE, []),
        ({**COMPLETE, "spaces": 1}, []),
        ({}, []),
        ({"type": "event"}, ["default-name", "default-spaces"]),
        ({**COMPLETE, "repeat": "weekly"}, ["default-end-date"]),
        ({**COMPLETE, "repeat": "weekly", "end_date": "2027-03-01"}, []),
        ({**COMPLETE, "repeat": "custom"}, []),
        ({**COMPLETE, "type": "recurring_event", "repeat": "weekly"}, []),
        ({**COMPLETE, "type": 0, "repeat": 1}, ["event-repeats"]),
        ({**COMPLETE, "type": "event", "repeat": "daily", "end_date": "2027-03-02"}, []),
    ],
)
def test_what_was_most_likely_forgotten_is_warned_of_where_the_manifest_can_create(spec, expected):
    found = list(KIND.check(manifest(**spec)))
    assert [item.code for item in found] == expected
    assert {item.severity for item in found} <= {"warning"}


DESCRIPTIONS = {name: entry["description"] for name, entry in load_schema("session")["properties"].items()}


@pytest.mark.parametrize("kind", TYPES)
def test_the_schema_describes_each_default_that_a_plan_shows(kind):
    shown = KIND.defaults({"type": kind})
    assert {"spaces", "start_date", "min_cancel"} <= {item.path for item in shown}
    for item in shown:
        value = str(item.value).lower() if isinstance(item.value, bool) else str(item.value)
        said = DESCRIPTIONS[item.path]
        assert "API" in said
        assert item.rule is not None or value in said, item
    assert KIND.defaults({}) == ()


def test_values_that_are_no_values_are_left_to_who_reports_them():
    assert problems(start_date="soon", end_date="2027-03-01") == []


BOOKED = {"id": "7", "date": "2027-03-01", "spaces_booked": 3, "spaces_reserved": 1}
FREE = {"id": "8", "date": "2027-03-02", "spaces_booked": 0, "spaces_reserved": 0}
UNKNOWN = {"id": "9", "date": "2027-03-03"}


def told(action, paths, **fields):
    return [(item.code, item.level) for item in risks(action, [field(path) for path in paths], live(**fields))]


@pytest.mark.parametrize("action", ["delete", "replace"])
def test_losing_booked_slots_is_blocked_and_counted(action):
    (risk,) = risks(action, [], live(slots=[BOOKED, FREE]))
    assert (risk.code, risk.level) == ("booked-session-deleted", "block")
    assert (risk.slots, risk.booked, risk.reserved) == (("7",), 3, 1)
    assert "Mon 1 Mar 2027: 3 booked, 1 reserved" in risk.message


def test_reserved_places_count_like_booked_ones():
    reserved = {**FREE, "spaces_reserved": 2}
    assert told("delete", [], slots=[reserved]) == [("booked-session-deleted", "block")]


def test_free_slots_are_no_risk():
    assert told("delete", [], slots=[FREE]) == []
    assert told("delete", [], slots=[]) == []


def test_bookings_that_are_not_answered_are_blocked_too():
    assert told("delete", [], slots=[UNKNOWN]) == [("bookings-unknown", "block")]
    assert told("delete", []) == [("bookings-unknown", "block")]


@pytest.mark.parametrize("path", ["time", "start_date", "end_date", "repeat"])
def test_what_may_replace_slots_is_blocked_where_places_are_booked(path):
    assert told("update", [path], slots=[BOOKED]) == [("booked-slot-moved", "block")]


def test_a_change_of_length_only_warns():
    assert told("update", ["duration"], slots=[BOOKED]) == [("booked-slot-changed", "warn")]
    assert told("update", ["duration"], slots=[UNKNOWN]) == [("bookings-unknown", "warn")]


@pytest.mark.parametrize("path", ["name", "price", "spaces"])
def test_other_fields_are_no_risk_to_bookings(path):
    assert told("update", [path], slots=[BOOKED]) == []


def test_nothing_live_is_nothing_at_risk():
    assert risks("delete", [], None) == ()
