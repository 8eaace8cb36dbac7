"""What a held booking is: canonical items, and how lines become items."""

import pytest

from reconciler.kinds.booking_session.items import compare_items
from reconciler.kinds.booking_session.kind import KIND, canonical
from reconciler.model.objects import Address, Manifest, SourceRef

ROOM = {"key": "room", "item_id": "17", "start_date": "2031-07-07", "end_date": "2031-07-09", "params": {"guests": 2}}
BIKES = {"key": "bikes", "item_id": "21", "start_date": "2031-07-08", "end_date": "2031-07-08", "quantity": 3}


def line(item, number="1", **more):
    shown = {name: item[name] for name in ("item_id", "start_date", "end_date", "params", "quantity") if name in item}
    return {"line": number, "slip": f"slip-{number}", "options": {}, **shown, **more}


class Here:
    def locate(self, _path, **_how):
        return SourceRef("m.yaml", 1)


def checked(items):
    manifest = Manifest(address=Address("BookingSession", "one"), spec={"items": items}, positions=Here())
    return [problem.code for problem in KIND.check(manifest)]


def test_canonical_is_one_spelling():
    spec = {"items": [{**BIKES, "item_id": 21, "start_time": "9:30"}, {**ROOM, "key": "a", "item_id": "17"}]}
    assert [(item["key"], item["item_id"]) for item in canonical(spec)["items"]] == [("a", "17"), ("bikes", "21")]
    assert canonical(spec)["items"][1]["start_time"] == "09:30"


def test_keys_are_unique_and_spans_go_forward():
    assert checked([ROOM, ROOM]) == ["duplicate-item"]
    assert checked([{**ROOM, "end_date": "2031-07-01"}]) == ["end-before-start"]
    assert checked([ROOM, BIKES]) == []


def test_times_of_one_day_go_forward():
    day = {"key": "sail", "item_id": 25, "start_date": "2031-07-01", "end_date": "2031-07-01", "start_time": "17:00"}
    assert checked([{**day, "end_time": "9:00"}]) == ["end-before-start"]
    assert (
        checked([{**day, "end_time": "19:00"}, {**day, "key": "b", "end_date": "2031-07-02", "end_time": "9:00"}]) == []
    )


def test_a_quantity_is_stated_once():
    assert checked([{**ROOM, "quantity": 2, "params": {"qty": 3}}]) == ["quantity-twice"]
    assert checked([{**ROOM, "quantity": 2, "params": {"guests": 3}}, BIKES]) == []


def test_an_id_is_shown_by_its_beginning_only():
    assert KIND.public_id("ldpm9qlhgnrobja48vor9965p3") == "ldpm…"
    assert KIND.public_id(None) is None


def test_a_line_with_its_recorded_slip_is_as_it_was_applied():
    opaque = {"line": "1", "slip": "zz", "item_id": "17", "options": {}, "key": "room"}
    assert compare_items([ROOM], [opaque], [ROOM]).edits == ()
    (edit,) = compare_items([{**ROOM, "params": {"guests": 3}}], [opaque], [ROOM]).edits
    assert (edit.part_id, edit.effect, edit.changed) == ("room", "update", ("params",))


def test_a_line_whose_slip_says_nothing_is_not_trusted():
    opaque = {"line": "1", "slip": "zz", "item_id": "17", "options": {}}
    revision = compare_items([ROOM], [opaque], [ROOM])
    assert "slip" in revision.edits[0].changed
    assert {field.origin for field in revision.fields} == {"drift"}


def test_lines_are_found_by_facts_and_prices_are_information():
    revision = compare_items([ROOM, BIKES], [line(BIKES, "1", available="5"), line(ROOM, "2", total="$30.00")], None)
    assert revision.edits == ()
    assert revision.computed == {"room": {"slip": "slip-2"}, "bikes": {"slip": "slip-1"}}
    assert revision.information == "now 1: 5 available, 2: at $30.00"


def test_order_is_change_then_add_then_remove_from_the_highest_line():
    lines = [line({**BIKES, "item_id": "40"}, "1"), line(ROOM, "2", key="room"), line({**BIKES, "item_id": "41"}, "3")]
    edits = compare_items([BIKES, {**ROOM, "params": {"guests": 1}}], lines, [ROOM]).edits
    assert [(edit.effect, edit.part_id) for edit in edits] == [
        ("update", "room"),
        ("create", "bikes"),
        ("delete", "line 3"),
        ("delete", "line 1"),
    ]


def test_no_items_clear_the_session():
    (edit,) = compare_items([], [line(ROOM)], [ROOM]).edits
    assert (edit.part, edit.values) == (None, {"items": []})
    assert compare_items([], [], [ROOM]).edits == ()


@pytest.mark.parametrize("wish", ["report", "recreate", "forget"])
def test_on_expiry_is_not_compared(wish):
    assert KIND.ephemeral.on_expiry({"on_expiry": wish}) == wish
    assert KIND.ephemeral.on_expiry({}) == "report"
    assert "on_expiry" in KIND.local
