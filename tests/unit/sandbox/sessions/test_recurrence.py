from datetime import date

import pytest

from reconciler.sandbox.sessions.recurrence import occurrences

START = date(2031, 1, 6)  # a Monday, the first of its month


@pytest.mark.parametrize(
    ("repeat", "end", "expected"),
    [
        (0, date(2031, 3, 1), ["01-06"]),
        (1, date(2031, 1, 27), ["01-06", "01-13", "01-20", "01-27"]),
        (2, date(2031, 2, 2), ["01-06", "01-20"]),
        (3, date(2031, 1, 14), ["01-06", "01-07", "01-08", "01-09", "01-10", "01-13", "01-14"]),
        (4, date(2031, 1, 18), ["01-11", "01-12", "01-18"]),
        (5, date(2031, 1, 8), ["01-06", "01-07", "01-08"]),
        (6, date(2031, 1, 8), []),
        (7, date(2031, 4, 1), ["01-06", "02-06", "03-06"]),
        (8, date(2031, 4, 7), ["01-06", "02-03", "03-03", "04-07"]),
        (1, date(2030, 1, 1), []),
    ],
)
def test_dates(repeat, end, expected):
    assert [day.isoformat()[5:] for day in occurrences(repeat, START, end)] == expected


def test_a_31st_skips_short_months():
    days = occurrences(7, date(2031, 1, 31), date(2031, 6, 30))
    assert [day.month for day in days] == [1, 3, 5]


def test_session_without_end_has_ten_dates():
    assert len(occurrences(1, START, None)) == 10


def test_a_distant_end_is_capped():
    assert len(occurrences(5, START, date(9999, 12, 31))) == 200


def test_distant_years_are_no_error():
    assert occurrences(5, date(9999, 12, 1), None) == []
