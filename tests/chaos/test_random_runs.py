"""A short seeded run of the state machine, and the proof that it can fail; `make chaos` runs the long one."""

from __future__ import annotations

import pytest
from chaos_machine import FIGURES, storm
from chaos_plants import PLANTS
from hypothesis.errors import Flaky

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_edits_outside_changes_faults_and_kills_converge_to_the_manifests():
    storm(1, examples=6, steps=6, kills=1)
    assert FIGURES.faults.total() > 0


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_fault_planted_in_the_engine_is_found(plant):
    with plant(), pytest.raises((AssertionError, Flaky)):
        storm(1, examples=40, steps=8)
