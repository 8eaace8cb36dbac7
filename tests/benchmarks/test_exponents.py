"""Work grows with its input, not with its square: a few stages by calls, all of them by CPU time at four sizes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from exponents import QUICK, exponent, seconds, stages

STAGES = stages()
BY_CALLS = (
    *(
        "unknown references",
        "unknown connections",
        "undefined template names",
        "chain of moves",
        "repeated former names",
    ),
    *("empty documents before a broken one", "sessions with one natural key", "values files", "unknown kinds"),
)
"""The stages whose work is calls of functions: counted, they need no clock."""

SMALL = 150
GROWS = 2.6
"""How many times as many calls twice as much may take; the square takes four times as many."""


SIZES = (100, 200, 400, 800)
STEEP = 1.4
"""An exponent that is no longer near one. Memory and caches give linear work up to 1.1."""


def grows(stage):
    """Return the exponent; a steep one is measured again, since another program may slow one size more than another."""
    for repeats in (1, 2, 3):
        measured = seconds(stage, SIZES, repeats)
        slope = 0 if measured[SIZES[-1]] < QUICK else exponent(measured)
        if slope < STEEP:
            break
    return slope


def calls(run):
    number = 0

    def count(_frame, event, _argument):
        nonlocal number
        number += event in {"call", "c_call"}

    run()  # imports and caches
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return number


@pytest.mark.parametrize("name", BY_CALLS)
def test_twice_as_much_takes_about_twice_as_many_calls(name):
    small, large = (calls(STAGES[f"offline: {name}"](n)) for n in (SMALL, 2 * SMALL))
    assert large < GROWS * small


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_the_exponent_of_no_stage_is_near_two(name):
    assert grows(STAGES[name]) < STEEP


@pytest.mark.slow
def test_a_search_through_all_objects_for_each_of_them_is_found():
    assert grows(lambda n: lambda: [number in list(range(n)) for number in range(n)]) > 1.8


def test_exponents_are_computed_from_all_sizes():
    assert exponent({1: 1.0, 2: 4.0, 4: 16.0}) == pytest.approx(2)
    assert exponent({250: 1.0, 500: 2.0, 1_000: 4.0, 2_000: 8.0}) == pytest.approx(1)
