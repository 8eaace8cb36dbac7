"""The admin API on paper: calls against seed 002's own samples, and what answers are taken to mean."""

import json
from datetime import date

import pytest
from admin_samples import ADMIN, BLOCK, RESOURCE, WRITTEN, admin
from msgspec.structs import replace
from provider_script import change, edit

from reconciler.errors import RemoteError
from reconciler.model.objects import Address, Ref
from reconciler.providers.answer import json_object
from reconciler.providers.bookingbug_admin import answers, block_wire, handlers, resource_wire, wire
from reconciler.providers.bookingbug_admin.handlers import calls

ROOM = Ref(Address("Resource", "room"))
FIELDS = {**WRITTEN, "price": "35.00"}
TIMES = {"start": "2017-09-07T11:00:00Z", "end": "2017-09-07T12:00:00Z"}


def only(*args, **kwargs):
    (made,) = calls(change(*args, **kwargs), admin())
    return made


def test_a_resource_is_created_as_in_the_sample():
    made = only("create", kind="Resource", fields=dict(reversed(FIELDS.items())))
    assert (made.method, made.path, made.effect) == ("POST", f"{ADMIN}/resources", "create")
    assert json.loads(handlers.encode(made)) == WRITTEN
    assert list(made.body) == list(WRITTEN)
    assert b'"price":35,' in handlers.encode(made)


@pytest.mark.parametrize(("price", "sent"), [("35.50", b"35.5"), ("0.00", b"0"), ("12345678.99", b"12345678.99")])
def test_prices_on_the_wire(price, sent):
    assert handlers.encode(only("create", kind="Resource", fields={"price": price})) == b'{"price":' + sent + b"}"


def test_ids_are_integers_on_the_wire():
    ids = {kind: handler.wire.ids for kind, handler in handlers.HANDLERS.items()}
    assert ids == {"Resource": {"address_id"}, "Block": {"resource_id"}}
    assert wire.encode({"address_id": "6", "api_ref": "7"}, ids["Resource"]) == b'{"address_id":6,"api_ref":"7"}'
    assert wire.encode({"resource_id": "13"}, ids["Block"]) == b'{"resource_id":13}'


ROW = {
    **RESOURCE,
    "description": "Kept",
    "email": "",
    "never_booked": True,
    "count": 4,
    "max_book": 0,
    "price": 12.5,
    "api_ref": "r-1",
    "extra": {"key": "cupboard 3"},
    "service_ids": [4, 5],
}


def updated(row, at=None, **fields):
    live = resource_wire.decode_resource(row)
    live = live if at is None else replace(live, fields={**live.fields, "address": at})
    (made,) = calls(
        replace(
            change("update", kind="Resource", remote_id="13", fields=fields, edits=[edit(**fields)], live=live.fields),
            live=live,
        ),
        admin(),
    )
    assert (made.method, made.path, made.effect) == ("PUT", f"{ADMIN}/resources/13", "update")
    return made.body


def test_an_update_states_everything_and_repeats_what_the_manifest_leaves_alone():
    assert updated(ROW, name="New", price="35.00") == {
        "name": "New",
        "description": "Kept",
        "disabled": False,
        "price": 35,
        "never_booked": True,
        "count": 4,
        "max_book": 0,
        "api_ref": "r-1",
        "address_id": "6",
        "extra": {"key": "cupboard 3"},
        "service_ids": [4, 5],
    }
    assert updated(ROW, description="New")["price"] == 12.5


def test_what_is_returned_under_another_name_is_not_sent_again():
    """`order` and `reference` show what `position` and `api_ref` most likely are, which is too little to write them."""
    row = {**RESOURCE, "order": 323, "reference": "r-1"}
    assert updated(row, name="New").keys() == {"name", "description", "email", "disabled", "address_id"}
    assert updated({**row, "position": 7}, name="New")["position"] == 7


def test_an_address_and_the_id_of_another_one_are_not_sent_together():
    assert "address_id" not in updated(ROW, address={"postcode": "E1"})
    assert updated(ROW, address_id="7")["address_id"] == "7"


def test_an_address_that_stays_is_sent_as_its_id_only():
    at = {"postcode": "E1", "country": "UK"}
    kept, moved = updated(ROW, at, address={"postcode": "E1"}), updated(ROW, at, address={"postcode": "E2"})
    assert (kept.get("address_id"), kept.get("address")) == ("6", None)
    assert (moved.get("address_id"), moved.get("address")) == (None, {"postcode": "E2", "country": "UK"})
    gone = {key: value for key, value in ROW.items() if key != "address_id"}
    assert updated(gone, at, address={"postcode": "E1"})["address"] == at


def test_nothing_to_edit_is_no_call():
    assert calls(change("adopt", kind="Resource", remote_id="1", fields=FIELDS), admin()) == ()
    assert only("adopt", kind="Resource", remote_id="1", fields=FIELDS, edits=[edit(price="35.00")]).method == "PUT"


def test_a_delete_sends_no_body():
    made = only("delete", kind="Resource", remote_id="13")
    assert (made.method, made.path, made.body) == ("DELETE", f"{ADMIN}/resources/13", None)


def test_time_is_blocked_as_in_the_sample_but_with_an_offset():
    made = only("create", kind="Block", fields={**TIMES, "resource_id": "13"})
    assert (made.method, made.path, made.effect) == ("PUT", f"{ADMIN}/resources/13/block", "create")
    assert made.body == {"start_time": "2017-09-07T11:00:00Z", "end_time": "2017-09-07T12:00:00Z"}
    assert made.needs == ()


def test_a_block_of_a_resource_that_is_not_there_yet_waits_for_its_id():
    made = only("create", kind="Block", fields={**TIMES, "resource_id": ROOM})
    assert made.path == f"{ADMIN}/resources/{{Resource/room}}/block"
    assert made.needs == (ROOM.target,)
    moved = only(
        "update", kind="Block", remote_id="22", fields={**TIMES, "resource_id": ROOM}, edits=[edit(end=TIMES["end"])]
    )
    assert (moved.method, moved.path, moved.needs) == ("PUT", f"{ADMIN}/slots/22", (ROOM.target,))
    assert moved.body == {"start_time": TIMES["start"], "end_time": TIMES["end"], "resource_id": ROOM}


@pytest.mark.parametrize("bad", ["../admin", "", None, "1/block", "1?x"])
def test_a_hostile_id_comes_into_no_path(bad):
    for kind in ("Resource", "Block"):
        with pytest.raises(RemoteError, match="is not an id"):
            calls(change("delete", kind=kind, remote_id=bad), admin())
    with pytest.raises(RemoteError, match="is not an id"):
        calls(change("create", kind="Block", fields={**TIMES, "resource_id": bad}), admin())


def test_the_sample_resource_is_understood():
    live = resource_wire.decode_resource(RESOURCE)
    assert live.remote_id == "13"
    assert live.fields == {
        "name": "Consultation room 1",
        "description": "Consultation room",
        "email": "room1@email.com",
        "disabled": False,
        "address_id": "6",
    }


def test_the_sample_block_is_understood():
    live = block_wire.decode_block(BLOCK)
    assert live.remote_id == "22"
    assert live.fields == TIMES
    assert block_wire.hinted_owner(BLOCK) == "15288"


@pytest.mark.parametrize(
    ("answered", "fields"),
    [
        ({"order": 12}, {}),
        ({"order": 3}, {"position": 3}),
        ({"order": 3, "position": 12}, {"position": 12}),
        ({"order": None}, {}),
        ({"api_ref": "a", "reference": "b"}, {"api_ref": "a"}),
        ({"api_ref": None, "reference": "b"}, {"api_ref": "b"}),
        ({"reference": 77}, {"api_ref": "77"}),
        ({"api_ref": None}, {"api_ref": ""}),
        ({"name": None, "price": None, "disabled": None, "count": None, "address_id": None}, {"name": ""}),
        ({"price": 35}, {"price": "35.00"}),
        ({"price": "35.5"}, {"price": "35.50"}),
        ({"count": "3", "max_book": 2.0, "never_booked": "true"}, {"count": 3, "max_book": 2, "never_booked": True}),
        ({"something": "else"}, {}),
    ],
)
def test_what_a_resource_answers(answered, fields):
    assert resource_wire.decode_resource({"id": 12, **answered}).fields == fields


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        ({"name": ["x"]}, "field `name`"),
        ({"name": True}, "field `name`"),
        ({"price": "free"}, "field `price`: 'free' is not an amount"),
        ({"price": True}, "field `price`"),
        ({"disabled": "perhaps"}, "field `disabled`"),
        ({"count": True}, "field `count`"),
        ({"count": "1e999999999"}, "field `count`"),
        ({"count": {}}, "field `count`"),
        ({"order": "x"}, "field `order`"),
        ({"address_id": "../1"}, "field `address_id`"),
        ({"id": "../1"}, "the id '../1'"),
        ({"id": True}, "the id True"),
        ({"id": None}, "an object without an id"),
    ],
)
def test_what_cannot_be_understood_of_a_resource_is_named(answered, words):
    with pytest.raises(ValueError) as caught:
        resource_wire.decode_resource({"id": 12, **answered})
    assert words in str(caught.value)


def test_an_address_is_text_only():
    assert resource_wire.decode_address({"id": 6, "address1": "Pet Store", "address2": None, "lat": 1.5}) == {
        "address1": "Pet Store",
        "address2": "",
    }


@pytest.mark.parametrize(
    ("times", "end"),
    [
        ({"datetime": "2017-09-07T11:00:00", "duration": 90}, "2017-09-07T12:30:00Z"),
        ({"datetime": "2017-09-07T11:00:00.000Z", "end_datetime": "2017-09-07T14:00:00+02:00"}, "2017-09-07T12:00:00Z"),
        ({"datetime": "2017-09-07T12:00:00+01:00", "end_datetime": None, "duration": 60}, "2017-09-07T12:00:00Z"),
    ],
)
def test_when_a_block_ends(times, end):
    assert block_wire.decode_block({"id": 1, **times}).fields == {"start": "2017-09-07T11:00:00Z", "end": end}


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        ({"date": "2017-09-07", "duration": 1}, "is day-based"),
        ({}, "has no `datetime`"),
        ({"datetime": "2017-09-07T11:00:00Z"}, "neither `end_datetime` nor `duration`"),
        ({"datetime": "tomorrow", "duration": 1}, "field `datetime`"),
        ({"datetime": 5, "duration": 1}, "field `datetime`"),
        ({"datetime": "2017-09-07T11:00:00Z", "duration": "long"}, "field `duration`"),
        ({"datetime": "0001-01-01T00:00:00+14:00", "duration": 1}, "field `datetime`"),
        ({"datetime": "2017-09-07T11:00:00Z", "duration": 60, "resource_id": "x"}, "field `resource_id`"),
    ],
)
def test_what_cannot_be_understood_of_a_block_is_named(answered, words):
    with pytest.raises(ValueError) as caught:
        block_wire.decode_block({"id": 1, **answered})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("answered", "owner"),
    [
        ({"resource_id": 13, "person_id": 5}, "13"),
        ({"person_id": 5, "_links": {"person": {"href": "/x/people/5"}}}, None),
        ({"person_id": 5, "_links": {"person": {"href": "/x/resources/5"}}}, None),
        ({"person_id": 5, "_links": {"person": {"href": "/x/resources/6"}}}, None),
        ({"_links": {"resource": {"href": "/x/resources/6"}}}, "6"),
        ({"person_id": 5}, None),
        ({"_links": []}, None),
    ],
)
def test_whose_block_it_is(answered, owner):
    fields = block_wire.decode_block({"id": 1, "datetime": "2017-09-07T11:00:00Z", "duration": 1, **answered}).fields
    assert fields.get("resource_id") == owner


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"id": 1', b'{"id": NaN}', b"<html>", b"\xff", b"[" * 100_000, b'{"id": 1' + b"0" * 5000],
)
def test_only_a_json_object_is_an_answer(body):
    with pytest.raises(ValueError):
        json_object(body)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"total_entries": None, "_embedded": {"resources": []}},
        {"total_entries": True, "_embedded": {"resources": []}},
        {"total_entries": -1, "_embedded": {"resources": []}},
        {"total_entries": 1},
        {"total_entries": 1, "_embedded": {"people": []}},
        {"total_entries": 1, "_embedded": {"resources": {}}},
        {"total_entries": 1, "_embedded": {"resources": [5]}},
        {"total_entries": 1, "_embedded": {"resources": [{"id": "x"}]}},
    ],
)
def test_a_page_that_is_none(data):
    with pytest.raises(ValueError):
        answers.decode_page(json.dumps(data).encode(), "resources")


def test_the_window_is_a_day_wider_at_both_ends():
    assert block_wire.window({"start": "2027-03-01T09:00:00Z", "end": "2027-03-02T23:30:00Z"}) == (
        date(2027, 2, 28),
        date(2027, 3, 3),
    )
    assert block_wire.window({"name": "x"}) is None
    ever = {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T00:00:00Z"}
    assert block_wire.window(ever) == (date.min, date.max)
    assert block_wire.windows([{}, ever], {}) == {(date.min, date(1, 1, 2)): [ever]}


def test_blocks_within_a_year_are_listed_together_and_others_apart():
    spans = [("2027-03-01", "2027-03-02"), ("2028-02-20", "2028-02-21"), ("2031-01-01", "2031-01-02")]
    blocks = [{"start": f"{first}T09:00:00Z", "end": f"{last}T09:00:00Z"} for first, last in spans]
    assert block_wire.windows(reversed(blocks), {}) == {
        (date(2027, 2, 28), date(2028, 2, 22)): blocks[:2],
        (date(2030, 12, 31), date(2031, 1, 3)): blocks[2:],
    }
