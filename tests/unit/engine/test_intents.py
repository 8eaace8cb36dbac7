"""An intent stays open for as long as an attempt of its call may be under way."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from engine_fakes import Office, address, resource

from reconciler.engine import intents
from reconciler.engine.intents import left_to_wait, wait_for_pending
from reconciler.errors import ReconcilerError
from reconciler.model.canonical import utc
from reconciler.model.objects import Intent
from reconciler.providers.notice import starting


@pytest.fixture
def late(monkeypatch):
    """Make every attempt of a call start late, and tell what its intent said then."""
    office, seen = Office(), []
    real = office.remote.send

    def send(call, *given):
        seen.append(office.store.open_intents()[0].pending_until)
        starting(100.0)
        seen.append(office.store.open_intents()[0].pending_until)
        return real(call, *given)

    monkeypatch.setattr(office.remote, "send", send)
    return office, seen


def test_an_attempt_that_starts_late_extends_its_intent_first(late, monkeypatch):
    monkeypatch.setattr(intents, "PROMPT", -1.0)
    office, seen = late
    assert office.apply(resource("court")).clean
    before, after = (datetime.fromisoformat(text) for text in seen)
    assert after - before >= timedelta(seconds=100)
    assert office.store.open_intents() == ()


def test_an_attempt_that_starts_at_once_writes_nothing_more(late):
    office, seen = late
    assert office.apply(resource("court")).clean
    assert seen[0] == seen[1]


def test_an_intent_that_another_run_has_settled_is_not_extended():
    office = Office()
    with pytest.raises(ReconcilerError, match="another run already completed this change, so the call is not sent"):
        office.store.extend(12345, "2027-01-01T00:00:00Z")


def test_a_machine_that_slept_extends_its_intent_before_it_sends():
    """The clock that measures pauses stands still while a machine sleeps; another run may have looked meanwhile."""
    kept = []
    notice = intents.extending(SimpleNamespace(extend=lambda number, _: kept.append(number)), 7)
    notice(30.0)
    assert kept == []
    awake = time.time() + 7200
    with patch.object(time, "time", lambda: awake):
        notice(30.0)
    assert kept == [7]


INTENT = Intent(
    run_id="r1",
    address=address("Resource/court"),
    connection="admin",
    target="acme",
    effect="create",
    fields={},
    started_at="2020-01-01T00:00:00Z",
)


@pytest.mark.parametrize(
    ("ahead", "least", "most"),
    [
        (timedelta(hours=-1), -5000, -3000),
        (timedelta(0), 30, 33),
        (timedelta(days=400), 33, 33),
        (timedelta(days=-400), -99999999, -1),
    ],
    ids=["over", "under way", "a clock ahead", "a clock behind"],
)
def test_nobody_waits_longer_than_a_call_was_recorded_for(ahead, least, most):
    now = datetime.now(UTC) + ahead
    given = replace(INTENT, started_at=utc(now), pending_until=utc(now + timedelta(seconds=33)))
    assert least <= left_to_wait(given) <= most
    waited = []
    with patch.object(time, "sleep", waited.append):
        wait_for_pending({given.address: [given]}, [given.address], waited.append)
    assert bool(waited) is (most > 0)
    assert all(seconds <= most for seconds in waited)


def test_a_call_that_ended_is_not_waited_for():
    assert left_to_wait(INTENT) < 0
