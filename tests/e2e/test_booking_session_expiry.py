"""Held bookings that are over, or may be: expiry in each of its forms, lost answers, and what is done then."""

from __future__ import annotations

import functools

import pytest
from combinations import quick_where
from holding import BIKES, FAMILY, KAYAKS, ROOM, SAIL, expected

from reconciler.engine.world import World
from reconciler.providers.checkfront.client import Client
from reconciler.sandbox import Options
from reconciler.sandbox.faults import Fault

FORMS = ({"session_expired": "error"}, {"session_expired": "error", "session_error_status": 404})
FORMS = (*FORMS, {"session_expired": "new_id"}, {"session_expired": "empty"}, {"session_expired": "absent"})
WORDS = (
    "Your session has expired. Please start again",
    "Invalid session_id",
    "Your booking session has timed out.",
    "That session doesn't exist",
)


# Expiry


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.values())))
@pytest.mark.parametrize("wish", ["report", "recreate", "forget"])
def test_expiry_is_a_status_of_its_own_and_does_what_the_manifest_says(holding, form, wish):
    holding.box.set_options(**form)
    holding.hold([ROOM, BIKES], on_expiry=wish)
    holding.applied()
    before = holding.session_id
    holding.box.expire_session(before)
    drift = holding.drift()
    assert drift.summary["expired"] == 1
    assert "whether it became a booking" in drift.objects[0].reason
    change = holding.change()
    assert change.action == {"report": "noop", "recreate": "create", "forget": "noop"}[wish]
    assert "whether it became a booking" in change.reason
    holding.box.clear_log()
    holding.applied()
    writes = holding.writes()
    running = [hold for hold in holding.box.holds() if hold["lines"] and not hold["expired"]]
    if wish == "recreate":
        assert len(running) == 1
        assert running[0]["id"] != before
        return
    assert (running, writes) == ([], [])
    assert len(holding.records()) == (1 if wish == "report" else 0)
    if wish == "report":
        (warning,) = holding.plan().plan.problems
        assert (warning.code, warning.severity) == ("expired", "warning")
        holding.hold([ROOM], on_expiry="report")
        holding.applied()
        assert len(next(iter(holding.records().values())).fields["items"]) == 2
    else:
        holding.hold([ROOM], on_expiry="forget")
        assert holding.change().action == "create"
    holding.hold(None)
    holding.hold([KAYAKS], name="other")
    holding.applied()
    assert holding.writes() == []


def test_a_forgotten_booking_session_is_not_held_again_when_on_expiry_changes(shop):
    shop.declare("BookingSession", "group", {"items": [ROOM], "on_expiry": "forget"})
    shop.run("apply", "--yes", code=0)
    shop.box.expire_sessions()
    shop.run("apply", "--yes", code=0)
    assert shop.run("plan", code=0).out.splitlines()[-1] == "No changes. 1 object no longer managed."
    for wish in ("recreate", "report"):
        shop.declare("BookingSession", "group", {"items": [ROOM], "on_expiry": wish})
        shop.run("plan", "--detailed-exitcode", code=0)
    shop.declare("BookingSession", "group", {"items": [{**ROOM, "params": {"guests": 4}}]})
    assert shop.run("plan", "--format", "json", code=0).json["summary"]["create"] == 1


def test_forgetting_is_undone_by_state_rm(shop):
    shop.declare("BookingSession", "group", {"items": [ROOM], "on_expiry": "forget"})
    shop.run("apply", "--yes", code=0)
    shop.box.expire_sessions()
    forgotten = shop.run("apply", "--yes", code=0).out
    assert "Plan: 1 to forget." in forgotten
    assert "BookingSession/group · 1 item from Mon 7 Jul 2031 no longer managed" in forgotten
    assert "delete" not in forgotten
    plan = shop.run("plan", "--format", "json", "--detailed-exitcode", code=0).json
    assert "state rm BookingSession/group" in plan["changes"][0]["reason"]
    shop.run("state", "rm", "BookingSession/group", code=0)
    plan = shop.run("plan", "--format", "json", "--detailed-exitcode", code=2).json
    assert plan["summary"]["create"] == 1
    shop.run("state", "rm", "BookingSession/group", code=1)


def test_an_expired_session_is_shown_in_drift_and_plan(shop):
    shop.declare("BookingSession", "group", {"items": [ROOM]})
    shop.run("apply", "--yes", code=0)
    shop.box.expire_sessions()
    drift = shop.run("drift", "--format", "json", code=2).json
    assert drift["objects"][0]["status"] == "expired"
    plan = shop.run("plan", "--detailed-exitcode", code=0)
    assert "No changes. 1 object expired." in plan.out
    assert "whether it became a booking" in plan.out
    shop.run("destroy", "--yes", code=0)
    assert shop.calls().count("POST /api/3.0/booking/session/end") == 0


@pytest.mark.parametrize("again", ["ok", "error"])
def test_deleting_what_is_gone_counts_as_done(holding, again, monkeypatch):
    holding.box.set_options(end_again=again)
    holding.hold([ROOM])
    holding.hold([BIKES], name="other")
    holding.applied()
    holding.hold(None)
    read = Client.session

    def read_then_end(self, session_id):
        found = read(self, session_id)
        holding.box.expire_session(session_id)
        return found

    monkeypatch.setattr(Client, "session", read_then_end)
    report = holding.apply()
    assert {item.action: item.state for item in report.outcomes} == {"delete": "applied", "noop": "noop"}


@pytest.mark.parametrize("shape", Options.choices()["error_shape"])
@pytest.mark.parametrize("words", WORDS)
def test_expiry_is_recognised_in_other_words_wherever_the_error_is(holding, words, shape):
    holding.hold([ROOM], on_expiry="recreate")
    holding.applied()
    holding.box.set_options(session_error=words, error_shape=shape)
    holding.box.expire_sessions()
    assert words in holding.drift().objects[0].reason
    holding.applied()
    assert sum(not hold["expired"] for hold in holding.box.holds()) == 1


@pytest.mark.parametrize("status", [200, 404])
def test_an_expiry_in_unknown_words_ends_after_the_longest_life_of_a_session(holding, status, monkeypatch):
    holding.hold([ROOM], on_expiry="recreate")
    holding.applied()
    holding.box.set_options(session_error="Ihr Warenkorb ist leer", session_error_status=status)
    holding.box.expire_sessions()
    if status == 200:  # a 404 of booking/session itself is about the session, whatever its words
        assert holding.change().action == "unknown"
        assert holding.drift().summary["unknown"] == 1
        later = functools.partial(World, now="2999-01-01T00:00:00Z")
        monkeypatch.setattr("reconciler.operations.plan.World", later)
    change = holding.change()
    assert (change.action, "Warenkorb" in change.reason) == ("create", True)
    assert {risk.code for risk in change.risks} == {"expired-or-booked"}


@pytest.mark.parametrize("kind", ["page_before", "drop_before", "status_before"])
def test_a_failing_server_never_means_that_a_session_is_over(holding, kind, monkeypatch):
    holding.hold([ROOM], on_expiry="recreate")
    holding.applied()
    monkeypatch.setattr("reconciler.operations.plan.World", functools.partial(World, now="2999-01-01T00:00:00Z"))
    holding.box.fault(Fault(kind=kind, match_method="GET", times=None, status=500))
    assert holding.change().action == "unknown"


# Doubt


def test_a_read_that_fails_is_never_taken_for_expired(holding):
    holding.hold([ROOM], on_expiry="recreate")
    holding.applied()
    for fault in (Fault(kind="garbage"), Fault(kind="wrong_type"), Fault(kind="status_before", status=404)):
        holding.box.fault(fault)
        change = holding.change()
        assert change.action == "unknown", change.reason
    holding.settled()


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_creation_whose_answer_was_lost_is_not_repeated_before_it_is_surely_over(holding, kind):
    holding.hold([ROOM])
    holding.box.fault(Fault(kind=kind, match_method="POST"))
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "unknown"
    for _ in range(2):
        change = holding.change()
        assert change.action == "unknown"
        assert "reconciler state rm BookingSession/group" in change.reason
        holding.apply()
    made = len(holding.box.holds())
    assert made == (1 if kind == "drop_after" else 0)
    holding.hold(None)
    holding.hold([BIKES], name="other")
    assert {change.action for change in holding.plan().plan.changes} == {"create", "unknown"}


def test_an_unknown_creation_is_repeated_once_the_first_must_have_expired(holding, monkeypatch):
    holding.hold([ROOM])
    holding.box.fault(Fault(kind="drop_after", match_method="POST"))
    holding.apply()
    later = functools.partial(World, now="2999-01-01T00:00:00Z")
    monkeypatch.setattr("reconciler.operations.plan.World", later)
    assert holding.change().action == "create"
    holding.applied()
    assert len(holding.box.holds()) == 2


def test_state_rm_lets_an_unknown_creation_be_repeated(shop):
    shop.declare("BookingSession", "group", {"items": [ROOM]})
    shop.box.fault(Fault(kind="drop_before", match_method="POST"))
    shop.run("apply", "--yes", code=3)
    assert "state rm BookingSession/group" in shop.run("plan", code=1).out
    shop.run("state", "rm", "BookingSession/group", code=0)
    shop.run("apply", "--yes", code=0)
    shop.settled()
    assert len(shop.box.holds()) == 1


def _dropped_or_first(style, after, kind):
    """Each call loses its answer in one style; in the other, the first call meets every fault."""
    return kind == "drop_after" if style == "documented" else after == 0


FAULTS = ("drop_before", "drop_after", "truncate", "garbage", "status_after")


@pytest.mark.parametrize(
    ("style", "after", "kind"), quick_where(_dropped_or_first, ("documented", "opaque"), range(6), FAULTS)
)
def test_a_lost_answer_in_an_update_is_looked_at_and_nothing_is_doubled(holding, kind, after, style):
    holding.box.set_options(slip_style=style)
    holding.hold([ROOM, KAYAKS, BIKES])
    holding.applied()
    session_id = holding.session_id
    items = [{**ROOM, "params": {"guests": 1}}, {**BIKES, "quantity": 5}, SAIL, FAMILY]
    holding.hold(items)
    holding.box.fault(Fault(kind=kind, match_method="POST", after=after, status=502))
    report = holding.apply()
    holding.box.clear_faults()
    assert report.summary["failed"] == 0
    holding.applied()
    assert holding.lines() == expected(items)
    assert holding.session_id == session_id


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("change", ["clear", "end"])
def test_a_lost_answer_to_clear_or_end_is_no_expiry(holding, kind, change):
    holding.hold([ROOM])
    holding.hold([BIKES], name="other")
    holding.applied()
    holding.hold([] if change == "clear" else None)
    holding.box.fault(Fault(kind=kind, match_method="POST"))
    assert holding.apply().summary["unknown"] == 1
    holding.applied()
    assert sum(bool(hold["lines"]) for hold in holding.box.holds()) == 1
