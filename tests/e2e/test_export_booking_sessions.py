"""Held bookings in an export: managed ones and named ones, their items and never their ids or slips."""

from __future__ import annotations

import pytest
from desk import Desk
from holding import CREDENTIALS, PROJECT, ROOM, SAIL

from reconciler.sandbox import Options, Sandbox

CHOICES = [("slip_style", "opaque"), ("slip_echo", "normalised"), ("line_dates", "unix"), ("line_fields", "all")]


@pytest.fixture
def shop(tmp_path):
    with Sandbox(Options(), seed="company") as box:
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


@pytest.mark.parametrize(("name", "value"), CHOICES, ids=str)
def test_a_line_that_cannot_be_declared_is_a_comment(shop, name, value):
    shop.box.set_options(**{name: value})
    text = shop.run("export", "--id", shop.box.holds()[0]["id"], code=0).out
    if "item_id" not in text:
        assert all(line.startswith("#") for line in text.splitlines())
        assert "does not tell its item and dates" in text
