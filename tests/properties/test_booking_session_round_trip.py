"""A booking session that somebody else held stays exactly that when it is exported, adopted and applied."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from holding import CREDENTIALS, Holding, expected
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.sandbox import Options, Sandbox

SWITCHES = {
    name: Options.choices()[name]
    for name in ("slip_style", "slip_times", "slip_echo", "line_dates", "line_fields", "rated_fields", "money_style")
}
ADDRESS = "BookingSession/booking-session-1"

days = st.sampled_from(["2031-07-07", "2031-07-08"])
codes = st.sampled_from(["SUMMER10", "HALF"])


def _items(item_id, needed=None, **optional):
    known = {"item_id": st.just(item_id), "start_date": days, **(needed or {})}
    made = st.fixed_dictionaries(known, optional={**optional, "discount_code": codes})
    return made.map(lambda item: {"end_date": item["start_date"] if item_id == 50 else "2031-07-09", **item})


adults = st.fixed_dictionaries({"adults": st.integers(1, 5), "children": st.integers(0, 3)})
items = st.one_of(
    _items(17, {"params": st.fixed_dictionaries({"guests": st.integers(1, 4)})}),
    _items(18, {"params": adults}),
    _items(21, {"quantity": st.integers(1, 3)}),
    _items(
        30,
        {"params": st.just({"families": 1})},
        options=st.fixed_dictionaries({"31": st.sampled_from(["in", "out"]), "32": st.sampled_from(["in", "out"])}),
    ),
    _items(
        50,
        {
            "params": st.fixed_dictionaries({"guests": st.integers(1, 3)}),
            "start_time": st.sampled_from(["17:00", "19:30"]),
        },
    ),
)
held = st.lists(items, min_size=1, max_size=2)


@pytest.fixture(scope="module")
def server():
    with Sandbox() as box:
        yield box


@settings(
    max_examples=share_of(60),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items=held, row=st.fixed_dictionaries({name: st.sampled_from(SWITCHES[name]) for name in SWITCHES}))
def test_an_exported_booking_session_is_as_it_was_held(server, monkeypatch, items, row):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server.clear_faults()
    server.set_options(**row)
    server.reset()
    with tempfile.TemporaryDirectory() as folder:
        holding = Holding(Path(folder), server)
        session_id = holding.held_elsewhere(items)
        before = holding.lines()
        assert before == expected(items)
        holding.export(session_id)
        holding.adopt(ADDRESS, session_id)
        change = holding.change()
        assert (change.action, change.edits, change.fields) == ("noop", (), ())
        holding.applied()
        assert holding.lines() == before
        assert holding.session_id == session_id
