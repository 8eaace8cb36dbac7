"""Which field of a manifest a server refuses: every form of a refusal, to the place of the value."""

import json

import msgspec
import pytest

from reconciler.engine.refused import refused_fields
from reconciler.manifests.load import load_bytes
from reconciler.model.change import Change
from reconciler.model.complaint import Complaint
from reconciler.model.objects import Address, Desired, Ref
from reconciler.providers.answer import Answer
from reconciler.providers.complaints import complaints
from reconciler.registry import kinds

SPECS = {
    "Session": "{name: Yoga, group: Fitness, price: 9, max_num_bookings: 4, slots: [{date: 2027-03-01, time: 11:00}]}",
    "Block": "{resource: studio, start: 2027-03-01T09:00, end: 2027-03-01T10:00, timezone: UTC}",
    "BookingSession": "{items: [{key: room, item_id: 17, start_date: 2027-03-01, end_date: 2027-03-02, quantity: 2}]}",
}
FIELDS = {
    "Session": {"slots": [{"date": "2027-03-01", "time": "11:00"}]},
    "Block": {"resource_id": Ref(Address("Resource", "studio"))},
    "BookingSession": {"items": [{"key": "room"}]},
}
BODIES = {
    "Rails, XML": ("Session", "<errors><error>Price is invalid</error></errors>", {"9": "Price is invalid"}),
    "Rails, several": (
        "Session",
        "<errors><error>Price is invalid</error><error>Max num bookings must be more than 5</error></errors>",
        {"9": "Price is invalid", "4": "Max num bookings must be more than 5"},
    ),
    "XML by element": ("Session", "<errors><price>is too &lt;low&gt;</price></errors>", {"9": "is too <low>"}),
    "XML by attribute": ("Session", '<errors><error field="price">is bad</error></errors>', {"9": "is bad"}),
    "Rails, JSON": ("Session", '{"errors": {"price": ["is invalid"]}}', {"9": "is invalid"}),
    "Rails, bare": ("Session", '{"price": ["is invalid"]}', {"9": "is invalid"}),
    "Rails, sentences": ("Session", '{"errors": ["Price is invalid"]}', {"9": "Price is invalid"}),
    "Rails, nested": ("Session", '{"errors": {"session[price]": "is bad"}}', {"9": "is bad"}),
    "Rails, joined": (
        "Session",
        '{"error": "Validation failed: Name is taken, Price is not a number"}',
        {
            "Yoga": "Validation failed: Name is taken, Price is not a number",
            "9": "Validation failed: Name is taken, Price is not a number",
        },
    ),
    "Grape": ("Session", '{"error": "price is missing, group is invalid"}', {"9": None, "Fitness": None}),
    "JSON:API": (
        "Session",
        '{"errors": [{"source": {"pointer": "/data/attributes/price"}, "detail": "is bad"}]}',
        {"9": "is bad"},
    ),
    "a list with fields": (
        "Session",
        '{"errors": [{"field": "price", "message": "is bad", "code": "x"}]}',
        {"9": "is bad"},
    ),
    "problem details": (
        "Session",
        '{"title": "Invalid", "invalid-params": [{"name": "price", "reason": "is bad"}]}',
        {"9": "is bad"},
    ),
    "a name in quotes": ("Session", '{"message": "The value of \'price\' is wrong"}', {"9": None}),
    "a name with underscores": ("Session", "unknown value for max_num_bookings.", {"4": None}),
    "a member of a list": ("Session", '{"errors": {"slots.date": ["is past"]}}', {"2027-03-01": "is past"}),
    "the name on the wire": ("Block", '{"error": "start_time is invalid"}', {"2027-03-01T09:00": None}),
    "a reference": ("Block", '{"errors": {"resource_id": ["not found"]}}', {"studio": "not found"}),
    "Checkfront": (
        "BookingSession",
        (
            '{"request": {"status": "ERROR", "error": {"id": "validation_error", "title": "Bad", '
            '"data": {"qty": "Quantity too high"}}}}'
        ),
        {"2": "Quantity too high"},
    ),
    "no field": ("Session", '{"error": "The price list is closed", "status": 422}', {}),
    "a word inside": ("Session", "<error>The timetable of this group is full</error>", {}),
    "a page": ("Session", "<!doctype html><html><body><error>Price is bad</error></body></html>", {}),
    "nothing": ("Session", "", {}),
    "garbage": ("Session", '{"a": ' * 50, {}),
    "deep": ("Session", "[" * 100 + "]" * 100, {}),
    "an element of blanks that does not end": ("Session", f"<error>{' ' * 100_000}<b", {}),
    "a tag that does not end": ("Session", "<" + "a" * 200_000, {}),
}


@pytest.mark.parametrize(("kind", "body", "expected"), BODIES.values(), ids=BODIES)
def test_a_refusal_names_its_field_at_the_value_in_the_manifest(kind, body, expected):
    text = f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {SPECS[kind]}\n"
    (document,) = load_bytes(text.encode(), "x.yaml").documents
    address = Address(kind, "x")
    desired = Desired(
        address=address,
        connection="c",
        fields=FIELDS[kind],
        source=document.positions.locate(()),
        positions=document.positions,
    )
    change = Change(address=address, connection="c", action="create", reason="", desired=desired)
    found = refused_fields(kinds()[kind], change, complaints(Answer(status=422, body=body.encode())))
    marked = {
        problem.where.quote[problem.where.column - 1 : problem.where.end_column - 1]: problem.summary.partition(": ")[2]
        for problem in found
    }
    assert marked.keys() == expected.keys()
    assert all(words is None or marked[value] == words for value, words in expected.items())
    assert all(problem.code == "field-refused" and problem.address == address for problem in found)


def test_a_kind_of_another_package_may_describe_its_items_in_the_same_file(tmp_path):
    item = {"type": "object", "properties": {"day": {"type": "string"}}}
    schema = {"$defs": {"item": item}, "properties": {"days": {"type": "array", "items": {"$ref": "#/$defs/item"}}}}
    (tmp_path / "tool.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    kind = msgspec.structs.replace(kinds()["Resource"], schema=str(tmp_path / "tool"))
    (document,) = load_bytes(b"{kind: Tool, spec: {days: [{day: x}]}}", "x.yaml").documents
    address = Address("Tool", "x")
    desired = Desired(
        address=address,
        connection="c",
        fields={"days": [{"day": "x"}]},
        source=document.positions.locate(()),
        positions=document.positions,
    )
    change = Change(address=address, connection="c", action="create", reason="", desired=desired)
    (found,) = refused_fields(kind, change, [Complaint("is bad", "day")])
    assert (found.summary, found.where.column) == ("the server refuses day: is bad", 34)
