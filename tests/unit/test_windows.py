"""When the change windows are open, over clock changes, ranges, and windows of both sorts together."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim

from reconciler import zones
from reconciler.windows import Window, gate

LONDON = "Europe/London"


def window(**stated):
    return Window.parse({"timezone": LONDON, **stated})


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def gate_at(text, *windows):
    found = gate(windows, at(text))
    return found.open, None if found.changes_at is None else found.changes_at.isoformat()


NIGHTS = {"allow": "nights", "cron": "0 22 * * *", "duration": "6h"}
MINUTES = {"allow": "always", "cron": "* * * * *", "duration": "2m"}
CHRISTMAS = {"deny": "Christmas", "from": "2027-12-24", "until": "2027-12-26"}


@pytest.mark.parametrize(
    ("moment", "windows", "expected"),
    [
        ("2027-02-01T21:59:59Z", [NIGHTS], (False, "2027-02-01T22:00:00+00:00")),
        ("2027-02-01T22:00:00Z", [NIGHTS], (True, "2027-02-02T04:00:00+00:00")),
        ("2027-02-02T03:59:59Z", [NIGHTS], (True, "2027-02-02T04:00:00+00:00")),
        ("2027-02-02T04:00:00Z", [NIGHTS], (False, "2027-02-02T22:00:00+00:00")),
        # In summer the same local hours are one hour earlier in UTC.
        ("2027-07-01T21:30:00Z", [NIGHTS], (True, "2027-07-02T03:00:00+00:00")),
        # Both days of a range belong to it; a deny window alone closes only its own span.
        ("2027-12-23T23:59:59Z", [CHRISTMAS], (True, "2027-12-24T00:00:00+00:00")),
        ("2027-12-24T00:00:00Z", [CHRISTMAS], (False, "2027-12-27T00:00:00+00:00")),
        ("2027-12-27T00:00:00Z", [CHRISTMAS], (True, None)),
        # deny wins over allow, in either order; the next opening is the next night after it.
        ("2027-12-25T23:00:00Z", [NIGHTS, CHRISTMAS], (False, "2027-12-27T00:00:00+00:00")),
        ("2027-12-25T23:00:00Z", [CHRISTMAS, NIGHTS], (False, "2027-12-27T00:00:00+00:00")),
        ("2027-12-26T12:00:00Z", [NIGHTS, CHRISTMAS], (False, "2027-12-27T00:00:00+00:00")),
        # A night that a deny window cuts short.
        ("2027-12-23T23:00:00Z", [NIGHTS, CHRISTMAS], (True, "2027-12-24T00:00:00+00:00")),
        # A range without an end, and one without a start.
        ("2027-06-01T00:00:00Z", [{"deny": "freeze", "from": "2027-05-01"}], (False, None)),
        ("2027-06-01T00:00:00Z", [{"deny": "freeze", "until": "2027-06-30"}], (False, "2027-06-30T23:00:00+00:00")),
        ("2027-06-01T00:00:00Z", [{"allow": "trial", "until": "2027-05-30"}], (False, None)),
        ("2027-06-01T08:59:00Z", [{"allow": "x", "from": "2027-06-01T10:00"}], (False, "2027-06-01T09:00:00+00:00")),
        ("2027-06-01T08:59:00Z", [{"allow": "x", "from": "2027-06-01T10:00+02:00"}], (True, None)),
        # Windows that follow each other without a gap are one.
        ("2027-06-01T08:00:00Z", [{"allow": "a", "cron": "0 * * * *", "duration": "1h"}], (True, None)),
        ("2027-06-01T08:00:00Z", [MINUTES, {**NIGHTS, "allow": "b"}], (True, None)),
        ("2027-06-01T08:00:00Z", [MINUTES, CHRISTMAS], (True, None)),
        ("2027-06-01T08:00:00Z", [], (True, None)),
    ],
)
def test_when_the_windows_are_open_and_until_when(moment, windows, expected):
    assert gate_at(moment, *(window(**stated) for stated in windows)) == expected


CLOCKS_BACK = {"allow": "x", "cron": "30 1 * * *", "duration": "45m"}


@pytest.mark.parametrize(
    ("moment", "stated", "expected"),
    [
        # 28 March 2027: 01:00 becomes 02:00. A start at 01:30 does not exist, and moves to 02:00 BST.
        ("2027-03-28T00:59:59Z", CLOCKS_BACK, (False, "2027-03-28T01:00:00+00:00")),
        ("2027-03-28T01:00:00Z", CLOCKS_BACK, (True, "2027-03-28T01:45:00+00:00")),
        # A window over the skipped hour lasts six hours of real time: 22:00 GMT to 05:00 BST.
        ("2027-03-28T03:59:59Z", NIGHTS, (True, "2027-03-28T04:00:00+00:00")),
        ("2027-03-28T04:00:00Z", NIGHTS, (False, "2027-03-28T21:00:00+00:00")),
        # 31 October 2027: 02:00 becomes 01:00. 01:30 comes twice; the window starts the first time only.
        ("2027-10-31T00:29:59Z", CLOCKS_BACK, (False, "2027-10-31T00:30:00+00:00")),
        ("2027-10-31T00:30:00Z", CLOCKS_BACK, (True, "2027-10-31T01:15:00+00:00")),
        ("2027-10-31T01:10:00Z", CLOCKS_BACK, (True, "2027-10-31T01:15:00+00:00")),
        ("2027-10-31T01:15:00Z", CLOCKS_BACK, (False, "2027-11-01T01:30:00+00:00")),
        ("2027-10-31T01:30:00Z", CLOCKS_BACK, (False, "2027-11-01T01:30:00+00:00")),
        # Six hours of real time over the repeated hour: 22:00 BST to 03:00 GMT.
        ("2027-10-31T02:59:59Z", NIGHTS, (True, "2027-10-31T03:00:00+00:00")),
    ],
)
def test_clock_changes_move_a_skipped_start_and_do_not_repeat_one(moment, stated, expected):
    assert gate_at(moment, window(**stated)) == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (LONDON, "2027-03-28"),
        (LONDON, "2027-10-31"),
        ("America/New_York", "2027-11-07"),
        ("Australia/Lord_Howe", "2027-04-04"),
        ("Australia/Lord_Howe", "2027-10-03"),
        ("Asia/Tokyo", "2027-06-01"),
    ],
)
@pytest.mark.parametrize("cron", ["30 1 * * *", "15 2 * * SUN", "*/20 * * * *", "45 1,2 * * *"])
def test_the_latest_and_the_next_start_are_those_of_one_list_of_starts(zone, day, cron):
    """Around each clock change, compared with all starts in their order."""
    made = window(allow="x", cron=cron, duration="1m", timezone=zone)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    starts = []
    for start in CronSim(cron, (noon - timedelta(days=9)).astimezone(zones.zone(zone))):
        starts.append(start.astimezone(UTC))
        if starts[-1] > noon + timedelta(days=8):
            break
    assert starts == sorted(starts)
    for quarter in range(-120, 80):
        moment = noon + timedelta(minutes=15 * quarter)
        assert made._latest_start(moment) == max(item for item in starts if item <= moment)
        assert made.next_start(moment) == min(item for item in starts if item > moment)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"allow": "x", "cron": "0 25 * * *", "duration": "1h"}, "cron '0 25 * * *' cannot be read (Bad hour)"),
        ({"allow": "x", "cron": "0 0 31 2 *", "duration": "1h"}, "cannot be read (Bad day-of-month)"),
        ({"allow": "x", "cron": "0 0 */20 * 1L", "duration": "1h"}, "names a day that never comes"),
        ({"allow": "x", "cron": "0 0 * * *", "duration": "0h"}, "duration 0h is not between 1m and 31d"),
        ({"allow": "x", "cron": "0 0 * * *", "duration": "32d"}, "duration 32d is not between 1m and 31d"),
        ({"deny": "x", "from": "2027-02-02", "until": "2027-02-01"}, "until 2027-02-01 is not after from 2027-02-02"),
        ({"deny": "x", "from": "2027-02-30"}, "February 2027 has 28 days"),
        ({"deny": "x", "from": "2027-03-28T01:30"}, "does not exist in Europe/London"),
        ({"deny": "x", "until": "2027-10-31T01:30"}, "occurs twice in Europe/London"),
    ],
)
def test_a_window_that_cannot_be_is_refused(stated, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        window(**stated)


def test_a_range_of_one_day_is_that_day():
    assert gate_at("2027-02-01T12:00:00Z", window(**{"deny": "x", "from": "2027-02-01", "until": "2027-02-01"})) == (
        False,
        "2027-02-02T00:00:00+00:00",
    )


def test_a_moment_is_shown_with_its_weekday_in_the_zone_of_the_window():
    assert window(**NIGHTS).shown(at("2027-07-01T21:00:00Z")) == "Thu 1 Jul 2027, 22:00 BST"
