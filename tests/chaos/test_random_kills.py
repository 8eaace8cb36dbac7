"""A short, seeded part of the kill suite; `make chaos` runs the long one."""

from __future__ import annotations

import pytest
from chaos_kills import Campaign

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("git", [False, True])
def test_kills_at_any_instant_lose_double_and_leave_nothing(git):
    figures = Campaign(seed=1, kills=3, objects=(6, 3, 5, 2), git=git).run()
    assert figures.spotless, str(figures)
    assert figures.kills.total() == 3, str(figures)
