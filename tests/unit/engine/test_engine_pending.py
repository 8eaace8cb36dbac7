"""An intent stays open for as long as an attempt of its call may be under way."""

from datetime import datetime, timedelta

import pytest
from engine_fakes import Office, resource

from reconciler.engine import pending
from reconciler.errors import ReconcilerError
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


def test_an_attempt_that_starts_late_prolongs_its_intent_first(late, monkeypatch):
    monkeypatch.setattr(pending, "PROMPT", -1.0)
    office, seen = late
    assert office.apply(resource("court")).clean
    before, after = (datetime.fromisoformat(text) for text in seen)
    assert after - before >= timedelta(seconds=100)
    assert office.store.open_intents() == ()


def test_an_attempt_that_starts_at_once_writes_nothing_more(late):
    office, seen = late
    assert office.apply(resource("court")).clean
    assert seen[0] == seen[1]


def test_an_intent_that_another_run_has_settled_is_not_prolonged():
    office = Office()
    with pytest.raises(ReconcilerError, match="another run has settled what this call was for, so it is not sent"):
        office.store.prolong(12345, "2027-01-01T00:00:00Z")
