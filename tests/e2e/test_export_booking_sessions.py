"""Held bookings in an export: managed ones and named ones, their items and never their ids or slips."""

from __future__ import annotations

import pytest
from desk import Desk
from holding import CREDENTIALS, KAYAKS, PROJECT, ROOM, SAIL, expected

from reconciler.model.objects import Address
from reconciler.sandbox import Options, Sandbox

ADDRESS = "BookingSession/booking-session-1"
CHOICES = [("slip_style", "opaque"), ("slip_echo", "normalised"), ("line_dates", "unix"), ("line_fields", "all")]


@pytest.fixture
def shop(tmp_path):
    with Sandbox(Options(), seed="hostile") as box:
        desk = Desk(tmp_path, box)
        desk.env |= CREDENTIALS
        desk.project(PROJECT.format(url=box.url))
        yield desk


def manifest(desk):
    (path,) = (desk.folder / "manifests" / "booking-sessions").iterdir()
    return path.read_text(encoding="utf-8")


def test_a_named_hold_is_written_adopted_and_as_declared(shop):
    hold = shop.box.holds()[1]
    done = shop.run("export", "--id", hold["id"], "--out", "manifests", code=0)
    text = manifest(shop)
    assert "name: booking-session-1\n" in text
    assert "      item_id: '18'\n" in text
    assert "- {key: item-21, item_id: '21', start_date: '2031-07-08', end_date: '2031-07-09', quantity: 3}\n" in text
    assert hold["id"] not in text + done.err + done.out
    assert not any(line["slip"] in text for line in hold["lines"])
    shop.run("validate", code=0)
    assert "booking-session-1 is skipped: its API cannot list such objects" in shop.run("adopt", "--all", code=0).err
    shop.run("adopt", "BookingSession/booking-session-1", hold["id"], code=0)
    shop.settled()
    shop.box.clear_log()
    shop.run("apply", "--yes", code=0)
    assert shop.calls() == []


@pytest.mark.parametrize(("name", "value"), CHOICES, ids=str)
def test_a_managed_hold_is_stated_as_it_was_declared(shop, name, value):
    shop.box.set_options(**{name: value})
    shop.declare("BookingSession", "trip", {"on_expiry": "recreate", "items": [ROOM, SAIL]})
    shop.run("apply", "--yes", code=0)
    text = shop.run("export", code=0).out
    assert "name: trip\n" in text
    assert "discount_code: SUMMER10" in text
    assert "on_expiry: recreate" in text
    shop.forget("BookingSession", "trip")
    (shop.folder / "manifests" / "trip.yaml").write_text(text, encoding="utf-8")
    shop.settled()


def test_nothing_is_exported_of_a_shop_without_a_name(shop):
    assert shop.run("export", code=0).out == ""


def test_an_expired_booking_session_is_reported(shop):
    hold = shop.box.holds()[0]["id"]
    shop.box.expire_session(hold)
    done = shop.run("export", "--id", hold, code=1)
    assert "cannot be exported" in done.err
    assert hold not in done.err + done.out


PARTY = {**KAYAKS, "params": {"adults": 5, "children": 3}}


@pytest.mark.parametrize(
    ("options", "item"),
    [
        ({"slip_style": "opaque"}, PARTY),
        ({}, {**SAIL, "start_time": "19:30"}),
        ({"slip_times": "plain"}, SAIL),
        ({"slip_style": "opaque", "line_fields": "all"}, {**PARTY, "discount_code": "HALF"}),
    ],
    ids=str,
)
def test_a_line_that_does_not_show_all_that_it_is_for_is_exported_with_its_slip(holding, options, item):
    holding.box.set_options(**options)
    session_id = holding.held_elsewhere([item, ROOM])
    (warning,) = holding.export(session_id)
    assert f"item-{item['item_id']}" in warning
    assert "stated by the slip" in warning
    text = (holding.folder / "manifests" / "exported.yaml").read_text(encoding="utf-8")
    assert f"# items item-{item['item_id']}" in text or f"# item item-{item['item_id']}" in text
    assert holding.box.holds()[0]["lines"][0]["slip"] in text
    holding.adopt(ADDRESS, session_id)
    assert holding.change().action == "noop"
    holding.applied()
    assert holding.lines() == expected([item, ROOM])


def test_a_line_with_times_in_its_slip_is_exported_with_its_times(holding):
    holding.box.set_options(slip_times="plain")
    sail = {name: value for name, value in SAIL.items() if name != "discount_code"}
    session_id = holding.held_elsewhere([sail])
    assert holding.export(session_id) == []
    text = (holding.folder / "manifests" / "exported.yaml").read_text(encoding="utf-8")
    assert "start_time: '17:00'" in text
    assert "end_time: '19:00'" in text
    assert "slip" not in text


def test_a_manifest_that_states_less_than_an_adopted_line_holds_does_not_reduce_it(holding):
    """Five adults and three children stay that: adopted as they are, moved to another day, or refused."""
    for style in ("opaque", "documented"):
        holding.box.reset()
        holding.box.set_options(slip_style=style)
        session_id = holding.held_elsewhere([PARTY])
        stated = {name: value for name, value in KAYAKS.items() if name != "params"}
        holding.hold([stated], name=style)
        holding.adopt(f"BookingSession/{style}", session_id)
        assert holding.change().action == "noop"
        holding.applied()
        assert holding.lines() == expected([PARTY])
        holding.hold(None, name=style)
        holding._run(lambda session, _, name=style: session.store.remove(Address("BookingSession", name)))
        holding.hold([{**stated, "start_date": "2031-07-09", "end_date": "2031-07-09"}], name=style)
        holding.adopt(f"BookingSession/{style}", session_id)
        (outcome,) = holding.apply().outcomes
        if style == "opaque":
            assert "state params.adults and params.children, or that slip" in outcome.error
            assert holding.lines() == expected([PARTY])
        else:
            moved = {**PARTY, "start_date": "2031-07-09", "end_date": "2031-07-09"}
            assert holding.lines() == expected([moved])
        holding.hold(None, name=style)
        holding._run(lambda session, _, name=style: session.store.remove(Address("BookingSession", name)))
