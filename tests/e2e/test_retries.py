"""What is sent again and what is not, seen from a user's desk: over real sockets, with the server's own count."""

from __future__ import annotations

import pytest

from reconciler.providers.http import Limiter
from reconciler.sandbox import Fault

AFTER = ["status_after", "drop_after"]


@pytest.mark.parametrize("kind", AFTER)
def test_an_update_whose_answer_is_lost_is_sent_again_and_done(desk, kind):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.calls()
    desk.session(price=36)
    desk.box.fault(Fault(kind=kind, match_method="PUT"))
    desk.run("apply", "--yes", code=0)
    first, second = desk.calls()
    assert first == second
    assert first.startswith("PUT /api/sessions/")
    desk.settled()


@pytest.mark.parametrize("kind", AFTER)
def test_a_delete_whose_answer_is_lost_finds_nothing_and_is_done(desk, kind):
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.calls()
    desk.forget("Session", "yoga")
    desk.box.fault(Fault(kind=kind, match_method="DELETE"))
    desk.run("apply", "--yes", "--max-change-percent", "100", code=0)
    assert len(desk.calls()) == 2
    desk.settled()


@pytest.mark.parametrize("kind", AFTER)
def test_a_creation_whose_answer_is_lost_is_sent_once(desk, kind):
    desk.session()
    desk.box.fault(Fault(kind=kind, match_method="POST"))
    desk.run("apply", "--yes", code=3)
    assert desk.calls() == ["POST /api/sessions.xml"]
    desk.run("apply", "--yes", code=0)
    assert desk.calls() == []
    desk.settled()


@pytest.mark.parametrize("kind", AFTER)
def test_slots_that_are_replaced_are_sent_once(desk, kind):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.calls()
    desk.session(slots=[("2027-04-01", "11:00", 60)])
    desk.box.fault(Fault(kind=kind, match_method="PUT"))
    desk.run("apply", "--yes", "--allow-booked", "all")
    puts = desk.calls()
    assert len(puts) == len(set(puts)) or all("/api/slots/" in put for put in puts)


def test_an_update_that_is_never_answered_stays_unknown_and_is_looked_at_later(desk):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.session(price=36)
    desk.box.fault(Fault(kind="status_after", match_method="PUT", times=None, status=500))
    desk.calls()
    done = desk.run("apply", "--yes", code=3)
    assert 'Session/yoga "Yoga" · Mondays unknown' in done.out
    assert len(desk.calls()) == 4
    desk.box.clear_faults()
    desk.run("apply", "--yes", code=0)
    desk.settled()


def test_a_401_names_the_variables_of_that_connection_and_no_value(desk):
    desk.session()
    desk.env["BB_PASSWORD"] = "not-the-password"
    done = desk.run("plan", code=1)
    said = " ".join((done.out + done.err).split())
    assert "check BB_PASSWORD, BB_USERNAME (reconciler.yaml:7:" in said
    assert "not-the-password" not in said


def test_what_reads_and_what_writes_share_one_limiter(desk, monkeypatch):
    made = []
    real = Limiter.__init__
    monkeypatch.setattr(
        Limiter, "__init__", lambda self, *given, **named: (made.append(given), real(self, *given, **named))[1]
    )
    desk.session()
    desk.declare("Resource", "court-1", {"name": "Court 1"})
    desk.run("apply", "--yes", "--parallelism", "3", code=0)
    assert made == [(3, None), (3, None)]  # one for each of the two connections
