"""Any sequence of edits to a held booking's items converges, whatever the server and whoever else edits it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from holding import CREDENTIALS, Holding, expected
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.sandbox import Options, Sandbox
from reconciler.sandbox.faults import Fault

SWITCHES = {
    name: Options.choices()[name]
    for name in ("session_expired", "line_renumber", "numeric_alter", "over_quantity", "slip_style", "slip_echo")
} | {name: Options.choices()[name] for name in ("empty_items", "line_dates", "line_fields", "alter_zero")}
SWITCHES |= {name: Options.choices()[name] for name in ("slip_times", "rated_params", "rated_fields", "error_shape")}
SWITCHES |= {name: Options.choices()[name] for name in ("refused_start", "clear_answer", "foreign_parameters")}

days = st.sampled_from(["2031-07-07", "2031-07-08"])
keys = st.sampled_from(["a", "b", "c"])


def _items(item_id, names=keys, **fields):
    made = st.fixed_dictionaries({"key": names, "item_id": st.just(item_id), "start_date": days, **fields})
    return made.map(lambda item: {**item, "end_date": "2031-07-09"})


kayaks = _items(18, params=st.fixed_dictionaries({"adults": st.integers(1, 2), "children": st.integers(0, 1)}))
bikes = _items(21, quantity=st.integers(1, 2))
# One at most: to change a line, the server must have as many left again as the line holds.
families = _items(
    30,
    st.just("d"),
    params=st.just({"families": 1}),
    options=st.fixed_dictionaries({"31": st.sampled_from(["in", "out"]), "32": st.sampled_from(["in", "out"])}),
)
discounted = _items(
    18,
    params=st.fixed_dictionaries({"adults": st.just(1), "children": st.just(0)}),
    discount_code=st.sampled_from(["SUMMER10", "HALF"]),
)
wanted = st.lists(st.one_of(kayaks, bikes, families, discounted), max_size=4, unique_by=lambda item: item["key"])
outside = st.sampled_from(["nothing", "nothing", "remove", "edit", "double"])
lost = st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(["drop_before", "drop_after"]), st.integers(0, 3)))
steps = st.lists(st.tuples(wanted, outside, lost), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def server():
    with Sandbox() as box:
        yield box


def _meddle(holding, how):
    """Do to the first running session what somebody else might do."""
    held = [hold for hold in holding.box.holds() if hold["lines"]]
    if not held:
        return
    line = held[0]["lines"][0]
    if how == "remove" and len(held[0]["lines"]) > 1:
        holding.box.remove_line(held[0]["id"], line["line_id"])
    elif how == "edit" and line["item_id"] == 18:
        holding.box.edit_line(held[0]["id"], line["line_id"], params={"adults": 2})
    elif how == "double" and len(held[0]["lines"]) > 1:
        twin = held[0]["lines"][1]
        holding.box.edit_line(held[0]["id"], twin["line_id"], slip=line["slip"])


@settings(
    max_examples=share_of(60),
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=wanted, edits=steps, row=st.fixed_dictionaries({name: st.sampled_from(SWITCHES[name]) for name in SWITCHES})
)
def test_converges(server, monkeypatch, first, edits, row):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server.clear_faults()
    server.set_options(**row)
    server.reset()
    with tempfile.TemporaryDirectory() as folder:
        holding = Holding(Path(folder), server)
        holding.hold(first)
        holding.applied()
        assert holding.lines() == expected(first)
        session_id = holding.session_id
        for items, how, fault in edits:
            _meddle(holding, how)
            holding.hold(items)
            if fault is not None:
                server.fault(Fault(kind=fault[0], match_method="POST", after=fault[1]))
                holding.apply()
                server.clear_faults()
            holding.applied()
            assert holding.lines() == expected(items)
            assert holding.session_id == session_id
