"""Held bookings against every server there could be: each value of each option, and the risky pairs."""

from __future__ import annotations

import itertools

import pytest
from combinations import BOOKING_SESSION_OPTIONS as NAMES
from combinations import all_pairs
from holding import ALL, BIKES, CREDENTIALS, FAMILY, KAYAKS, ROOM, SAIL, Holding, expected

from reconciler.sandbox import Options, Sandbox

CHOICES = {name: Options.choices()[name] for name in NAMES}


ROWS = all_pairs(CHOICES)


@pytest.fixture(scope="module")
def server():
    with Sandbox() as box:
        yield box


@pytest.fixture
def holding(tmp_path, server, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server.set_options(**{name: getattr(Options(), name) for name in Options.choices()})
    server.reset()
    return Holding(tmp_path, server)


def test_the_rows_cover_every_option_of_this_api_and_every_pair():
    switches = {name for name, about in Options.choices().items() if name in NAMES}
    assert switches == set(NAMES)
    for one, two in itertools.combinations(NAMES, 2):
        for pair in itertools.product(CHOICES[one], CHOICES[two]):
            assert any((row[one], row[two]) == pair for row in ROWS), (one, two, pair)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(value) for value in row.values()))
def test_applies_changes_repairs_and_ends_with_an_empty_plan_after_each(holding, row):
    holding.box.set_options(**row)
    holding.hold(ALL)
    holding.applied()
    assert holding.lines() == expected(ALL)
    assert holding.drift().summary["in_sync"] == 1

    changed = [
        {**ROOM, "params": {"guests": 3}},
        {**BIKES, "quantity": 5},
        {**FAMILY, "options": {"31": "out", "32": "in"}},
        {**SAIL, "start_date": "2031-07-09", "end_date": "2031-07-09", "discount_code": "HALF"},
        {**BIKES, "key": "more-bikes", "start_date": "2031-07-10", "end_date": "2031-07-10"},
    ]
    holding.hold(changed)
    holding.applied()
    assert holding.lines() == expected(changed)

    session_id = holding.session_id
    holding.box.remove_line(session_id, holding.box.holds()[0]["lines"][0]["line_id"])
    holding.box.edit_line(
        session_id, holding.box.holds()[0]["lines"][0]["line_id"], start_date="2031-08-01", end_date="2031-08-01"
    )
    assert holding.drift().summary["changed"] == 1
    holding.applied()
    assert holding.lines() == expected(changed)
    assert holding.session_id == session_id

    holding.hold([])
    holding.applied()
    assert holding.lines() == []
    holding.hold([KAYAKS])
    holding.applied()
    assert holding.lines() == expected([KAYAKS])
    holding.hold(None)
    holding.hold([ROOM], name="other")
    holding.applied()
    assert holding.lines() == expected([ROOM])
