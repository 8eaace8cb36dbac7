"""What each provider states to take part in the contract suite: sample objects, edits, and the switches it meets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from combinations import BOOKING_SESSION_OPTIONS, all_pairs

from reconciler.sandbox import Options, Sandbox
from reconciler.testing import Declaration, Sample

Spec = Mapping[str, Any]
Form = Mapping[str, str | int]
"""The switches of the sandbox that differ from their defaults."""

EVERYWHERE = ("delete_answer", "delete_body", "delete_again", "strict")
"""Switches that concern every provider."""

CLOSED = Options.choices()


@dataclass(frozen=True, kw_only=True)
class Switched(Declaration[Sandbox]):
    """A declaration with the switches of the sandbox that concern its provider."""

    emulator: Callable[[], Sandbox] = Sandbox
    switches: tuple[str, ...] = ()
    """Those with a closed list of values."""
    numbers: tuple[tuple[str, str | int], ...] = ()
    """Values of others."""
    possible: Callable[[Form], bool] = lambda _: True
    """Whether a client can do all of this under a form, or the beginning of one."""
    answers_all: Form | None = None
    """The form under which every field is answered, so that every write is verified."""

    def forms(self) -> Iterator[Form]:
        """Yield every form with one switch changed."""
        for name in (*self.switches, *EVERYWHERE):
            yield from ({name: value} for value in CLOSED[name][1:])
        yield from ({name: value} for name, value in self.numbers)

    def pairs(self) -> list[Form]:
        """Return forms in which every two values of two switches occur together."""
        choices = {name: CLOSED[name] for name in (*self.switches, *EVERYWHERE)}
        for name, value in self.numbers:
            choices[name] = (*choices.get(name, (getattr(Options(), name),)), value)
        return all_pairs(choices, possible=self.possible)


def _auth(**options: str) -> dict[str, str]:
    """Return each credential as the sandbox has it, from the name of its option."""
    return {name: getattr(Options(), option) for name, option in options.items()}


_DAYS = {"start_date": "2027-03-01", "end_date": "2027-04-12", "time": "18:30", "duration": 45}
_WEEKLY = {"type": "recurring_event", "group": "Gym", "repeat": "weekly", **_DAYS}


def _slots(*slots: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [{"date": day, "time": time, "duration": duration} for day, time, duration in slots]


SESSIONS = Switched(
    provider="bookingbug-sessions",
    auth=_auth(username="username", password="password"),
    live=lambda box: box.sessions(),
    foreign=lambda box: box.add_session({**_DAYS, "name": "Theirs", "group": "Gym", "price": "1.00"}),
    answers_all={"show_fields": "all"},
    # A disabled session is created: with no answer and no place in a list, nobody could find it again.
    possible=lambda form: (form["create_answer"], form.get("list_shows_disabled")) != ("none", "no"),
    switches=(
        "create_answer",
        "location_style",
        "update_answer",
        "show_fields",
        "slot_counts",
        "list_shows_disabled",
        "list_order",
        "slot_order",
        "partial_slot",
        "regenerate",
        "booked_delete",
        "session_after_delete",
        "xml_declaration",
        "number_style",
        "boolean_style",
        "time_style",
        "empty_style",
        "xml_invalid_status",
    ),
    samples=(
        Sample(
            kind="Session",
            name="class",
            spec={**_WEEKLY, "name": "Spin", "price": "6.50", "spaces": 12, "description": "Ünïcode & <b>more</b>"},
            edits=(
                {"name": "Spin!", "price": 7, "spaces": 14, "time": "19:00", "description": "", "duration": 50},
                {
                    "group": "Studio",
                    "max_num_bookings": 2,
                    "min_cancel": 24,
                    "max_advance": 90,
                    "ask_address": True,
                    "ticket_type": "assigned_to_member",
                    "disabled": True,
                },
                {"start_date": "2027-03-08", "end_date": "2027-05-10", "repeat": "fortnightly"},
            ),
        ),
        Sample(
            kind="Session",
            name="course",
            spec={
                "name": "Yoga",
                "type": "course",
                "group": "Body & Mind",
                "repeat": "custom",
                "price": 35,
                "slots": _slots(("2027-03-01", "11:00", 60), ("2027-03-08", "11:00", 60), ("2027-03-15", "9:30", 90)),
            },
            edits=(
                # One slot moves and gets shorter.
                {"slots": _slots(("2027-03-01", "11:00", 60), ("2027-03-09", "12:15", 45), ("2027-03-15", "9:30", 90))},
                # One slot goes, another moves to a day with two slots.
                {"slots": _slots(("2027-03-01", "11:00", 60), ("2027-03-01", "15:00", 60)), "price": 40},
                # One slot comes.
                {"slots": _slots(("2027-03-01", "11:00", 60), ("2027-03-01", "15:00", 60), ("2027-03-20", "9:00", 60))},
            ),
        ),
        Sample(
            kind="Session",
            name="hidden",
            spec={**_WEEKLY, "name": "Hidden", "disabled": True, "max_advance": 30},
            edits=(
                {"repeat": "custom", "slots": _slots(("2027-03-20", "10:00", 60))},
                {"disabled": False},
            ),
        ),
    ),
)

_ADDRESS = {"address1": "1 Sports Road", "address2": "", "postcode": "E12 8YH", "country": "United Kingdom"}

FOREIGN_ADDRESS = 6
"""The id of the first address that the sandbox gives: that of somebody else's court."""


def _resources(box: Sandbox) -> list[Any]:
    return [item for item in box.resources() if not item["deleted"]]


def _blocks(box: Sandbox) -> list[Any]:
    return [slot for slot in box.slots() if slot["status"] == 3]


def _somebody_elses_court(box: Sandbox) -> None:
    court = box.add_resource({"name": "Their court", "address": {"address1": "2 Sports Road"}})
    box.add_block(court, "2027-03-27T22:00:00Z", "2027-03-28T06:00:00Z")


ADMIN = Switched(
    provider="bookingbug-admin",
    auth=_auth(app_id="app_id", app_key="app_key", auth_token="auth_token"),
    settings={"company_id": 37004},
    login_path="/api/v1/login/admin/37004",
    live=lambda box: [*_resources(box), *_blocks(box)],
    answers_all={"resource_fields": "all"},
    foreign=_somebody_elses_court,
    window=("--from", "2027-01-01", "--until", "2027-12-31"),
    switches=(
        "next_links",
        "self_query",
        "slot_list",
        "list_order",
        "resource_fields",
        "resource_delete",
        "list_shows_deleted",
        "resource_put",
        "address_put",
        "address_wins",
        "api_ref_unique",
        "block_over_block",
        "block_over_booking",
        "block_answer",
        "block_owner",
        "naive_times",
        "datetime_style",
        "slot_end",
        "bookings_list",
        "blocks_as_bookings",
        "json_create_status",
        "malformed_json_status",
        "singular_paths",
        "require_app_key",
        "location_style",
        "expired_status",
        "login_status",
        "several_companies",
    ),
    numbers=(("page_size", 1), ("page_size", 2), ("max_page_size", 1), ("company_zone", "Australia/Lord_Howe")),
    samples=(
        Sample(
            kind="Resource",
            name="studio",
            spec={
                "name": "Studio 1",
                "email": "a@example.com",
                "position": 3,
                "price": 20,
                "count": 1,
                "address": _ADDRESS,
            },
            edits=(
                {"name": "Studio", "email": "b@example.com", "position": 5, "price": "20.50", "count": 2},
                {
                    "address": {**_ADDRESS, "postcode": "N1 1AA"},
                    "description": "Big",
                    "disabled": True,
                    "never_booked": True,
                    "max_book": 2,
                },
                {"api_ref": "studio-1", "disabled": False},
            ),
        ),
        Sample(
            kind="Resource",
            name="store",
            spec={"name": "Store", "disabled": True, "never_booked": True, "address_id": FOREIGN_ADDRESS},
            edits=({"name": "Store room", "disabled": False, "email": ""},),
        ),
        Sample(
            kind="Block",
            name="night",
            spec={
                "resource": "studio",
                "start": "2027-03-27T22:00",
                "end": "2027-03-28T06:00",
                "timezone": "Europe/London",
            },
            edits=({"end": "2027-03-28T07:00"}, {"resource": "store", "start": "2027-03-27T21:00"}),
        ),
        Sample(
            kind="Block",
            name="noon",
            spec={"resource": "store", "start": "2027-10-31T01:30+01:00", "end": "2027-10-31T01:30Z"},
        ),
    ),
)


def _item(key: str, item_id: int, first: str, last: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "item_id": item_id, "start_date": first, "end_date": last, **more}


_ROOM = _item("room", 17, "2031-07-07", "2031-07-09", params={"guests": 2})
_KAYAKS = _item("kayaks", 18, "2031-07-08", "2031-07-08", params={"adults": 4, "children": 1})
_BIKES = _item("bikes", 21, "2031-07-08", "2031-07-09", quantity=3)
_FAMILY = _item("family", 30, "2031-07-07", "2031-07-10", params={"families": 2}, options={"31": "in", "32": "out"})
_SAIL = _item(
    "sail", 50, "2031-07-08", "2031-07-08", start_time="17:00", params={"guests": 2}, discount_code="SUMMER10"
)


def _order(line: dict[str, Any]) -> str:
    return json.dumps(line, sort_keys=True)


def _line(item: dict[str, Any]) -> dict[str, Any]:
    """Return the line that an item becomes, in the sandbox's own words."""
    first_choices = {"31": "out", "32": "in"} if item["item_id"] == _FAMILY["item_id"] else {}
    return {
        "item_id": item["item_id"],
        "start_date": item["start_date"],
        "end_date": item["end_date"],
        "start_time": item.get("start_time", ""),
        "params": {"qty": item["quantity"]} if "quantity" in item else item["params"],
        "discount_code": item.get("discount_code", ""),
        "options": {**first_choices, **item.get("options", {})},
    }


def _holds_the_lines(box: Sandbox, specs: list[Spec]) -> None:
    """A line does not show its discount code, so reading it back proves less than the sandbox's own account."""
    ((held, spec),) = zip(box.holds(), specs, strict=True)
    wanted = [_line(item) for item in spec["items"]]
    lines = [{name: line[name] for name in _line(_ROOM)} for line in held["lines"]]
    assert sorted(lines, key=_order) == sorted(wanted, key=_order)


CHECKFRONT = Switched(
    provider="checkfront",
    auth=_auth(key="checkfront_key", secret="checkfront_secret"),
    methods=("POST",),
    live=lambda box: box.holds(),
    foreign=lambda _: None,  # a held booking is its maker's alone: nobody else can name it
    check=_holds_the_lines,
    can_replace=False,
    listed=False,
    switches=tuple(name for name in BOOKING_SESSION_OPTIONS if name != "strict"),
    samples=(
        Sample(
            kind="BookingSession",
            name="trip",
            spec={"items": [_ROOM, _KAYAKS, _BIKES, _FAMILY, _SAIL]},
            edits=(
                {
                    "items": [
                        {**_ROOM, "params": {"guests": 3}},
                        {**_BIKES, "quantity": 5},
                        {**_FAMILY, "options": {"31": "out", "32": "in"}},
                        {**_SAIL, "start_date": "2031-07-09", "end_date": "2031-07-09", "discount_code": "HALF"},
                        {**_BIKES, "key": "more-bikes", "start_date": "2031-07-10", "end_date": "2031-07-10"},
                    ]
                },
                {"items": []},
                {"items": [_KAYAKS, _ROOM]},
            ),
        ),
    ),
)

DECLARATIONS = {each.provider: each for each in (SESSIONS, ADMIN, CHECKFRONT)}
