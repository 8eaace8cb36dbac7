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


def test_what_was_applied_in_part_can_hold_one_key_twice():
    other = {**ROOM, "params": {"guests": 3}}
    shown = [line(ROOM, key="room"), line(other, "2")]
    assert set(compare_items([ROOM, other], shown, [ROOM, other]).computed) >= {"room"}


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


KAYAKS = {"key": "kayaks", "item_id": "18", "start_date": "2031-07-08", "end_date": "2031-07-08"}
OPAQUE = {"line": "1", "slip": "zz", "item_id": "18", "options": {}, "rated_quantity": 8}


@pytest.mark.parametrize(
    ("params", "quantity", "stated"),
    [
        ({"qty": 2, "guests": 1}, 2, {}),
        ({"qty": 2, "guests": 1}, 2, {"guests": 1}),
        ({"number": 3}, 3, {}),
        ({"rooms": 2, "adults": 4}, 2, {"adults": 4}),
    ],
)
def test_a_quantity_beside_other_parameters_is_no_change(params, quantity, stated):
    item = {**KAYAKS, "quantity": quantity, **({"params": stated} if stated else {})}
    shown = line(KAYAKS, params=params)
    assert compare_items([item], [shown], None).edits == ()
    (edit,) = compare_items([{**item, "quantity": 9}], [shown], None).edits
    assert edit.changed == ("quantity",)


@pytest.mark.parametrize("shown", [{"quantity": 5}, {}, {"params": {"number": 3}}], ids=str)
def test_a_quantity_that_only_the_rate_shows_is_a_change(shown):
    held = {
        **OPAQUE,
        **shown,
        "key": "bikes",
        "item_id": "21",
        "recorded": {"slip": "zz", "qty": 3},
        "rated_quantity": 5,
    }
    revision = compare_items([BIKES], [{**held, "start_date": "2031-07-08", "end_date": "2031-07-08"}], [BIKES])
    assert [(field.path, field.before, field.after, field.origin) for field in revision.fields] == [
        ("items[bikes].quantity", 5, 3, "drift")
    ]
    assert revision.computed["bikes"]["qty"] == 3  # so that the change is found again if its call fails
    same = {**held, "rated_quantity": 3} | ({"quantity": 3} if "quantity" in shown else {})
    assert compare_items([BIKES], [same], [BIKES]).edits == ()


def test_a_quantity_that_the_manifest_follows_is_only_recorded():
    held = {**OPAQUE, "key": "bikes", "recorded": {"slip": "zz", "qty": 3}, "rated_quantity": 5}
    revision = compare_items([{**BIKES, "quantity": 5}], [held], [BIKES])
    assert (revision.edits, revision.computed["bikes"]["qty"]) == ((), 5)


def test_a_rate_that_counts_something_else_asks_for_a_new_slip():
    held = {**OPAQUE, "key": "kayaks", "recorded": {"slip": "zz", "qty": 8}, "rated_quantity": 9}
    item = {**KAYAKS, "params": {"adults": 5, "children": 3}}
    (edit,) = compare_items([item], [held], [item]).edits
    assert edit.changed == ("slip",)


def test_an_adopted_line_whose_slip_says_nothing_is_left_as_it_is():
    item = {**KAYAKS, "start_time": "09:00"}
    shown = {**OPAQUE, "start_date": "2031-07-08", "end_date": "2031-07-08"}
    revision = compare_items([item], [shown], None)
    assert revision.edits == ()
    assert revision.unverified == ("kayaks.start_time",)
    assert compare_items([{**item, "end_date": "2031-07-09"}], [shown], None).edits != ()


def test_a_new_slip_keeps_what_nobody_stated():
    shown = line(KAYAKS, params={"adults": 5, "children": 3}, start_time="09:00", end_time="11:00")
    item = {**KAYAKS, "params": {"adults": 4}}
    (edit,) = compare_items([item], [shown], None).edits
    assert edit.keeps == {"params": {"children": 3}, "start_time": "09:00", "end_time": "11:00"}
    stated = {**item, "params": {"adults": 4, "children": 1}, "start_time": "09:00"}
    (edit,) = compare_items([item], [shown | {"key": "kayaks"}], [stated]).edits
    assert edit.keeps == {}


def test_what_is_free_on_the_days_that_an_item_leaves_is_not_shown():
    shown = [line(ROOM, "1", key="room", available="2"), line(BIKES, "2", key="bikes", available="7")]
    moved = {**ROOM, "start_date": "2031-07-06"}
    assert compare_items([moved, BIKES], shown, [ROOM, BIKES]).information == "now bikes: 7 available"
    assert compare_items([BIKES], shown, [ROOM, BIKES]).information == "now bikes: 7 available"
