"""The day by which a plan warns about new objects in the past."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import UsageError
from reconciler.operations import plan


def test_a_day_that_is_stated_counts_and_one_that_does_not_exist_is_wrong_usage(monkeypatch):
    monkeypatch.setenv(plan.TODAY, "2027-03-01")
    assert plan.today() == "2027-03-01"
    monkeypatch.setenv(plan.TODAY, "2027-02-29")
    with pytest.raises(UsageError, match=r"RECONCILER_TODAY: .*February 2027 has 28 days"):
        plan.today()


def test_without_one_a_day_is_past_once_it_is_past_in_every_time_zone(monkeypatch):
    monkeypatch.delenv(plan.TODAY)
    zones = {(datetime.now(UTC) - timedelta(hours=12)).date().isoformat() for _ in range(2)}
    assert min(zones) <= plan.today()
    assert plan.today() <= datetime.now(UTC).date().isoformat()
