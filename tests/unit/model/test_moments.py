"""Dates and times are read alike under every version of Python, and what cannot be is named."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.moments import day, fault, is_day, moment

FAULTS = [
    ("2027-02-31", "this day does not exist, because February 2027 has 28 days"),
    ("2028-02-30", "this day does not exist, because February 2028 has 29 days"),
    ("2027-11-00", "this day does not exist, because November 2027 has 30 days"),
    ("2027-14-01", "the month 14 does not exist; expected 01 to 12"),
    ("0000-01-01", "the year 0000 does not exist; expected 0001 to 9999"),
    ("24:00", "the hour 24 does not exist; write 00:00 of the next day"),
    ("24:30", "the hour 24 does not exist; write 00:00 of the next day"),
    ("31:00", "the hour 31 does not exist; expected 00 to 23"),
    ("8:60", "the minute 60 does not exist; expected 00 to 59"),
    ("2027-06-30T23:59:60Z", "the second 60 (a leap second) is not supported; expected 00 to 59"),
    ("2027-06-30T23:59:77", "the second 77 is not supported; expected 00 to 59"),
    ("2027-04-31T09:00", "this day does not exist, because April 2027 has 30 days"),
    ("2027-04-30 24:00", "the hour 24 does not exist; write 00:00 of the next day"),
    ("2027-04-30T09:00+01:75", "the offset +01:75 does not exist; offsets go from -12:00 to +14:00"),
    ("2027-04-30T09:00+14:15", "the offset +14:15 does not exist; offsets go from -12:00 to +14:00"),
    ("2027-04-30T09:00-13:00", "the offset -13:00 does not exist; offsets go from -12:00 to +14:00"),
    ("2027-04-30T09:00+99:00", "the offset +99:00 does not exist; offsets go from -12:00 to +14:00"),
]


@pytest.mark.parametrize(("text", "words"), FAULTS)
def test_what_cannot_be_is_named(text, words):
    assert fault(text) == words
    for read in (day, moment):
        with pytest.raises(ValueError, match="is not a date"):
            read(text)


@pytest.mark.parametrize(
    "text", ["2027-06-30T23:59:59-12:00", "2027-06-30 00:00+14:00", "2027-06-30T09:00Z", "2028-02-29T09:30+05:45"]
)
def test_a_moment(text):
    assert moment(text) == datetime.fromisoformat(text)
    assert fault(text) is None


@pytest.mark.parametrize("text", ["2027-W10-1", "20270301", "2027-060", "2027-3-1", "1.3.2027", "٢٠٢٧-03-01", "", "x"])
def test_other_ways_to_write_a_date_are_refused(text):
    assert not is_day(text)
    assert fault(text) is None
    with pytest.raises(ValueError, match="expected YYYY-MM-DD"):
        day(text)


@pytest.mark.parametrize("text", ["2027-03-01", "09:00", "2027-03-01T9:00", "2027-03-0109:00", "2027-03-01T09:00+01"])
def test_other_ways_to_write_a_moment_are_refused(text):
    with pytest.raises(ValueError, match="expected a date-time"):
        moment(text)


@given(st.dates(), st.times().map(lambda time: time.replace(microsecond=0)), st.integers(-720, 840))
def test_every_moment_that_exists_is_read(of, at, minutes):
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{of.isoformat()}T{at.isoformat()}"
    assert day(of.isoformat()) == of
    assert moment(text) == datetime.combine(of, at)
    assert moment(f"{text}{sign}{hours:02d}:{rest:02d}").utcoffset() == timedelta(minutes=minutes)
    assert isinstance(day(of.isoformat()), date)
