"""An intent stays open for as long as an attempt of its call may be in flight."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from engine_fakes import CONNECTIONS, Office, address, resource
from msgspec.structs import replace

from reconciler.engine import intents
from reconciler.engine.intents import in_flight, left_to_wait, wait_for_pending
from reconciler.errors import ReconcilerError
from reconciler.model.canonical import utc
from reconciler.model.change import Call
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
    notice = intents.extending(SimpleNamespace(extend=lambda number, _: kept.append(number)), 7, CONNECTIONS["admin"])
    notice(30.0)
    assert kept == []
    awake = time.time() + 7200
    with patch.object(time, "time", lambda: awake):
        notice(30.0)
    assert kept == [7]


class Slow:
    """A ledger whose writes take some time, by the clocks that `intents` reads; it keeps what was recorded."""

    def __init__(self, monkeypatch, takes):
        self.moment, self.takes, self.kept = time.time(), list(takes), []
        clock = SimpleNamespace(monotonic=lambda: self.moment, time=lambda: self.moment, sleep=None)
        monkeypatch.setattr(intents, "time", clock)
        monkeypatch.setattr(intents, "asleep", lambda: 0.0)
        present = SimpleNamespace(now=lambda _: datetime.fromtimestamp(self.moment, UTC))
        monkeypatch.setattr(intents, "datetime", present)

    def _write(self, until):
        self.kept.append(datetime.fromisoformat(until).timestamp())
        self.moment += self.takes.pop(0) if len(self.takes) > 1 else self.takes[0]

    def begin(self, intent, *, fenced):
        assert fenced
        self._write(intent.pending_until)
        return 7

    def extend(self, number, pending_until):
        assert number == 7
        self._write(pending_until)


@pytest.mark.parametrize(
    "takes", [[0.0], [0.5], [30, 0], [30], [30, 20, 0], [5], [20], [2, 4, 8, 16, 0], [0, 3, 1, 7], [30, 60]], ids=str
)
@pytest.mark.parametrize("pauses", [(0,), (0.9,), (0, 5), (400,), (5, 5, 5)], ids=str)
def test_what_is_recorded_holds_when_the_first_byte_leaves_however_slow_the_state_is(monkeypatch, takes, pauses):
    """From the first byte on, the call has its timeout and then the server its own time."""
    ledger = Slow(monkeypatch, takes)
    connection = replace(CONNECTIONS["admin"], timeout=30, settle_after=120)
    call = Call(address=INTENT.address, connection="admin", effect="create", method="POST", path="/")
    refused = ""
    try:
        notice = intents.extending(ledger, intents.begin(ledger, "r1", call, connection, {}), connection)
        for pause in pauses:  # reads, pacing, a connection that opens slowly, attempts before
            ledger.moment += pause
            notice(30.0)
    except ReconcilerError as error:
        refused = str(error)
    if refused:
        assert "not sent, because the state took" in refused
        assert takes == [30, 60]
    else:
        assert ledger.kept[-1] >= ledger.moment + 30 + 120


def test_a_state_that_is_too_slow_keeps_a_call_from_being_sent(monkeypatch):
    ledger = Slow(monkeypatch, [60])
    notice = intents.extending(ledger, 7, CONNECTIONS["admin"])
    notice(30.0)
    ledger.moment += 2
    with pytest.raises(ReconcilerError, match="not sent, because the state took 60 s to record the call"):
        notice(30.0)


def test_a_clock_that_is_set_back_shortens_nothing():
    office = Office()
    number = office.store.begin(replace(INTENT, pending_until="2027-01-01T00:10:00Z"))
    for until, kept in (
        ("2027-01-01T00:00:00Z", "2027-01-01T00:10:00Z"),
        ("2027-01-01T00:11:00Z", "2027-01-01T00:11:00Z"),
    ):
        office.store.extend(number, until)
        assert office.store.open_intents()[0].pending_until == kept


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
        (timedelta(hours=-2), -5000, -3000),
        (timedelta(0), 3200, 3300),
        (timedelta(days=400), 3300, 3300),
        (timedelta(days=-400), -99999999, -1),
    ],
    ids=["over", "in flight", "a clock ahead", "a clock behind"],
)
def test_nobody_waits_longer_than_a_call_was_recorded_for(ahead, least, most):
    now = datetime.now(UTC) + ahead
    given = replace(INTENT, started_at=utc(now), pending_until=utc(now + timedelta(seconds=3300)))
    assert least <= left_to_wait(given) <= most
    waited = []
    with patch.object(time, "sleep", waited.append):
        over = wait_for_pending({given.address: [given]}, [given.address], 6000.0, waited.append)
    assert bool(waited) is (most > 0)
    assert in_flight([given], over) is None
    assert all(seconds <= most for seconds in waited)


def test_a_call_that_ended_is_not_waited_for():
    assert left_to_wait(INTENT) < 0


def test_nobody_waits_unless_asked_and_then_no_longer():
    now = datetime.now(UTC)
    given = replace(INTENT, started_at=utc(now), pending_until=utc(now + timedelta(seconds=33)))
    for longest, slept in ((0.0, []), (5.0, [5.0, 5.0])):
        waited = []
        with patch.object(time, "sleep", waited.append):
            moment = wait_for_pending({given.address: [given]}, [given.address], longest, waited.append)
        assert waited == slept
        assert in_flight([given], moment) is given


def test_a_confirmed_call_is_not_in_flight_but_reads_may_be_behind():
    now = datetime.now(UTC)
    until = utc(now + timedelta(seconds=30))
    given = replace(INTENT, started_at=utc(now), pending_until=until, confirmed=True, effect="update")
    assert in_flight([given], utc(now)) is None
    assert 0 < left_to_wait(given) <= 30


@pytest.mark.parametrize(("timeout", "settle_after"), [(2, 120), (30, 120), (300, 120), (2, 0), (0.5, 7.5)])
def test_the_server_has_its_own_time_after_the_last_byte_that_may_leave(timeout, settle_after):
    connection = replace(CONNECTIONS["admin"], timeout=timeout, settle_after=settle_after)
    longest, before = timedelta(seconds=timeout + settle_after), datetime.now(UTC)
    until = datetime.fromisoformat(intents.pending_until(connection, timeout))
    assert until >= before + longest
    assert until <= datetime.now(UTC) + longest + timedelta(seconds=intents.PENDING_MARGIN)
    closed = intents.settling(connection)
    assert bool(closed) is bool(settle_after)
    assert not closed or datetime.fromisoformat(closed) >= before + timedelta(seconds=settle_after)
