from datetime import date

import pytest

from reconciler.sandbox import Options, clock


def test_calls_of_the_sample_work():
    options = Options()
    stored = clock.stored(clock.parse("2017-09-07T11:00:00", options))
    assert stored == "2017-09-07T11:00:00Z"
    assert clock.shown(stored, options) == "2017-09-07T12:00:00+01:00"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2031-01-01T10:00:00+02:00", "2031-01-01T08:00:00Z"),
        ("2031-07-01T10:00Z", "2031-07-01T10:00:00Z"),
        ("2031-07-01 10:00:00.000", "2031-07-01T10:00:00Z"),
    ],
)
def test_formats_of_an_instant(text, stored):
    assert clock.stored(clock.parse(text, Options())) == stored


@pytest.mark.parametrize("text", ["", "2031-01-01", "10:00", "2031-13-01T10:00:00"])
def test_invalid_instants_are_refused(text):
    with pytest.raises(ValueError):
        clock.parse(text, Options())


def test_a_company_day_can_have_23_hours():
    day = date(2031, 3, 30)
    assert clock.day_bounds(day, day, Options()) == ("2031-03-30T00:00:00Z", "2031-03-30T23:00:00Z")


@pytest.mark.parametrize("text", ["2031-07-01T10:00:00", "2031-07-01T09:00:00Z"])
def test_a_fixed_now_is_in_the_company_zone(text):
    assert clock.now(Options(fixed_now=text)).isoformat() == "2031-07-01T10:00:00+01:00"


def test_now_follows_the_clock():
    assert clock.now(Options()).utcoffset() is not None
