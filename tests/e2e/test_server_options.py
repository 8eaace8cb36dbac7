"""Rule 1 of the contract under every choice that the documents leave open: apply, and the next plan is empty."""

from __future__ import annotations

import pytest
from combinations import bookingbug_servers

from reconciler.sandbox import Options

CHOICES = [(name, value) for name, values in Options.choices().items() for value in values[1:]]
NUMBERS = [
    ("page_size", 1),
    ("page_size", 2),
    ("max_page_size", 1),
    ("company_zone", "America/New_York"),
    ("token_uses", 0),
]
ROWS = bookingbug_servers()
TOGETHER = [
    {
        "create_answer": "none",
        "show_fields": "all",
        "slot_order": "id",
        "list_order": "newest",
        "update_answer": "none",
    },
    {"create_answer": "none", "regenerate": "regenerate", "time_style": "unpadded", "number_style": "fixed"},
    {
        "create_answer": "location",
        "location_style": "path",
        "empty_style": "absent",
        "boolean_style": "digit",
        "show_fields": "all",
    },
    {"address_put": "new", "resource_fields": "all", "resource_delete": "hard", "delete_answer": 204, "page_size": 2},
    {"block_owner": "person", "slot_end": "no", "datetime_style": "millis", "company_zone": "Australia/Lord_Howe"},
    {"block_answer": "booking", "delete_again": 200, "list_shows_deleted": "no", "json_create_status": 200},
    {"strict": "lenient", "xml_declaration": "no", "next_links": "misleading", "page_size": 1, "max_page_size": 1},
]

CLASS = {"name": "Spin", "type": "recurring_event", "group": "Gym", "repeat": "weekly"}
CLASS_DATES = {"start_date": "2027-03-01", "end_date": "2027-04-12", "time": "18:30", "duration": 45, "spaces": 12}
ROOM = {
    "name": "Studio 1",
    "email": "studio@example.com",
    "position": 3,
    "price": 20,
    "count": 1,
    "api_ref": "studio-1",
}
ADDRESS = {"address1": "1 Sports Road", "address2": "", "postcode": "E12 8YH", "country": "United Kingdom"}
CLOSED = {"start": "2027-03-27T22:00", "end": "2027-03-28T06:00", "timezone": "Europe/London"}


def declare_first(desk):
    desk.session("course", description="Ünïcode & <b>more</b>")
    desk.session("class", slots=None, price="6.50", **{**CLASS, **CLASS_DATES})
    desk.session(
        "hidden", slots=None, **{**CLASS, **CLASS_DATES, "name": "Hidden", "disabled": True, "max_advance": 30}
    )
    desk.declare("Resource", "studio", {**ROOM, "address": ADDRESS})
    desk.declare("Resource", "store", {"name": "Store", "disabled": True, "never_booked": True})
    desk.declare("Block", "night", {"resource": "studio", **CLOSED})
    desk.declare("Block", "noon", {"resource": "store", "start": "2027-10-31T01:30+01:00", "end": "2027-10-31T01:30Z"})


def change_everything(desk):
    desk.session(
        "course", slots=[("2027-03-01", "11:00", 60), ("2027-03-09", "12:15", 45), ("2027-03-15", "9:30", 90)], price=40
    )
    desk.session(
        "class", slots=None, price=7, **{**CLASS, **CLASS_DATES, "time": "19:00", "spaces": 14, "name": "Spin!"}
    )
    desk.session(
        "hidden", slots=[("2027-05-01", "10:00", 60)], **{**CLASS, "name": "Hidden", "repeat": 6, "duration": 60}
    )
    desk.declare("Resource", "studio", {**ROOM, "position": 5, "address": {**ADDRESS, "postcode": "N1 1AA"}})
    desk.declare("Resource", "store", {"name": "Store room", "disabled": False, "email": ""})
    desk.declare("Block", "night", {"resource": "store", **CLOSED, "end": "2027-03-28T07:00"})
    desk.forget("Block", "noon")


def live_a_life(desk, *flags):
    declare_first(desk)
    desk.quick("apply", "--yes", code=0)
    desk.settled()
    desk.quick("drift", code=0)
    change_everything(desk)
    desk.quick("apply", "--yes", *flags, code=0)
    desk.settled()
    desk.session("course", slots=[("2027-03-01", "11:00", 60), ("2027-03-01", "15:00", 60)], price=40)
    desk.quick("apply", "--yes", *flags, code=0)
    desk.settled()
    desk.quick("destroy", "--yes", *flags, code=0)
    assert desk.box.sessions() == []
    assert [item for item in desk.box.slots() if item["status"] == 3] == []
    desk.quick("destroy", "--yes", code=0)


@pytest.mark.parametrize("options", ROWS, ids=lambda options: f"{options['create_answer']}-{ROWS.index(options)}")
def test_the_next_plan_is_empty_under_every_pair_of_choices(desk, options):
    desk.box.set_options(**options)
    # Where nobody says what is booked, every change of slots has to be allowed.
    live_a_life(desk, *(("--allow-booked", "*") if options["slot_counts"] == "no" else ()))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [*CHOICES, *NUMBERS], ids=str)
def test_the_next_plan_is_empty_under_each_choice(desk, name, value):
    desk.box.set_options(**{name: value})
    # Where nobody says what is booked, every change of slots has to be allowed.
    live_a_life(desk, *(("--allow-booked", "*") if name == "slot_counts" else ()))


@pytest.mark.slow
@pytest.mark.parametrize("options", TOGETHER, ids="-".join)
def test_the_next_plan_is_empty_under_choices_together(desk, options):
    desk.box.set_options(**options)
    live_a_life(desk)
