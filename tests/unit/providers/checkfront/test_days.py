"""The day of a unix time is that of the company's own calendar, wherever it is and whatever its people read."""

from datetime import date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from reconciler.providers.checkfront.days import span

ZONES = [
    "Pacific/Auckland",
    "America/Vancouver",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "America/St_Johns",
]
LONELY = {"Pacific/Pago_Pago"}
FORMATS = {
    "seed": "%a %b {0.day} %Y",
    "comma": "%B {0.day}, %Y",
    "d/m/Y": "%d/%m/%Y",
    "j/n/y": "{0.day}/{0.month}/%y",
    "m/d/Y": "%m/%d/%Y",
    "d.m.Y": "%d.%m.%Y",
    "iso": "%Y-%m-%d",
    "day first": "{0.day} %b %Y",
    "ordinal": "{0.day}th %B %Y",
}
SPANS = [
    (date(2027, 7, 2), date(2027, 7, 4)),
    (date(2027, 7, 2), date(2027, 7, 2)),
    (date(2027, 7, 2), date(2027, 7, 3)),
    (date(2027, 3, 26), date(2027, 3, 29)),  # a clock change in Europe
    (date(2027, 4, 3), date(2027, 4, 5)),  # and one in New Zealand
    (date(2027, 12, 31), date(2028, 1, 1)),
    (date(2027, 2, 3), date(2027, 3, 2)),
]


def unix(day, zone, at=0):
    return int(datetime(day.year, day.month, day.day, at, tzinfo=ZoneInfo(zone)).timestamp())


def shown(form, day):
    return day.strftime(FORMATS[form].format(day))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", FORMATS)
def test_both_days_are_those_of_the_text_in_every_zone(zone, form):
    for (first, last), text in product(SPANS, ("both", "first")):
        summary = shown(form, first)
        if text == "both" and last != first:
            summary += f" - {shown(form, last)}"
        found = span({"summary": summary, "start_date": unix(first, zone), "end_date": unix(last, zone)}, None)
        assert found == {"start_date": str(first), "end_date": str(last)}, (zone, form, summary)


# UTC+14 begins its days when UTC-10 does.
@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "Pacific/Kiritimati"])
def test_without_a_text_whole_days_begin_at_midnight(zone):
    for first, last in SPANS:
        found = span({"start_date": unix(first, zone), "end_date": str(unix(last, zone))}, None)
        assert found == {"start_date": str(first), "end_date": str(last)}, zone


@pytest.mark.parametrize("zone", [*ZONES, *LONELY])
def test_the_slip_says_the_first_day_where_the_text_does_not(zone):
    for (first, last), summary in product(SPANS, ("", "three nights", "from tomorrow")):
        dates = {"summary": summary, "start_date": unix(first, zone), "end_date": unix(last, zone)}
        assert span(dates, str(first)) == {"start_date": str(first), "end_date": str(last)}, zone


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_of_day_does_not_move_the_day(zone):
    day = date(2027, 7, 2)
    dates = {
        "summary": "02/07/2027 5:00 PM - 7:00 PM",
        "start_date": unix(day, zone, 17),
        "end_date": unix(day, zone, 19),
    }
    assert span(dates, None) == {"start_date": "2027-07-02", "end_date": "2027-07-02"}


def test_a_month_in_another_language_is_found_by_its_day():
    day = date(2027, 7, 2)
    dates = {"start_date": unix(day, "Pacific/Auckland"), "end_date": unix(day, "Pacific/Auckland")}
    for text in ("ven. 2 juillet 2027", "2 de julio de 2027", "Freitag, 2. Juli 2027"):
        assert span({**dates, "summary": text}, None) == {"start_date": "2027-07-02", "end_date": "2027-07-02"}


def test_a_slip_of_another_time_counts_for_nothing():
    day = unix(date(2027, 7, 2), "Europe/London")
    assert span({"start_date": day, "end_date": day}, "2027-07-09")["start_date"] == "2027-07-02"


@pytest.mark.parametrize("value", [None, "", 0, -1, True, "20271345", [], 10**30, "soon"])
def test_what_is_no_day_is_not_known(value):
    assert span({"start_date": value, "end_date": value}, "2027-07-02") == {}
