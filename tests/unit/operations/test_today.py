"""The day by which a plan warns about new objects in the past."""

from datetime import datetime

import pytest

from reconciler.errors import UsageError
from reconciler.operations import plan


def test_a_day_that_is_stated_counts_and_one_that_does_not_exist_is_wrong_usage(monkeypatch):
    monkeypatch.setenv(plan.TODAY, "2027-03-01")
    assert plan.today() == "2027-03-01"
    monkeypatch.setenv(plan.TODAY, "2027-02-29")
    with pytest.raises(UsageError, match=r"RECONCILER_TODAY: .*February 2027 has 28 days"):
        plan.today()


@pytest.mark.parametrize(("hour", "day"), [(11, "2027-03-01"), (12, "2027-03-02")])
def test_without_one_a_day_is_past_once_it_is_past_in_every_time_zone(monkeypatch, hour, day):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2027, 3, 2, hour, tzinfo=tz)

    monkeypatch.delenv(plan.TODAY)
    monkeypatch.setattr(plan, "datetime", Clock)
    assert plan.today() == day
