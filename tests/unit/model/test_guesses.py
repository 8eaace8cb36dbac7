"""Other notations of dates, times, lengths and amounts: what they may mean, and where that is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.guesses import guesses

DATE, TIME, MOMENT = ({"type": "string", "format": name} for name in ("date", "time-of-day", "iso-date-time"))
MINUTES = {"type": "integer", "unit": "minutes", "minimum": 1, "maximum": 999}
SECONDS = {"type": "number", "unit": "seconds", "maximum": 3600}
AMOUNT = {"type": ["number", "string"], "minimum": 0, "maximum": 999999.99}
NAME = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"}
COUNT = {"type": "integer", "minimum": 0, "maximum": 99}


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (DATE, {"31.12.2027": ["2027-12-31"], "03/04/27": ["2027-04-03", "2027-03-04"], 20270301: ["2027-03-01"]}),
        (DATE, {"1st March 2027": ["2027-03-01"], "March 1, 2027": ["2027-03-01"], "2027/3/1": ["2027-03-01"]}),
        (DATE, {"tomorrow": [], "31/02/2027": [], "1 Foo 2027": [], "2027-02-30": [], True: [], "": []}),
        (TIME, {"3.30 p.m.": ["15:30"], "12am": ["00:00"], "12 pm": ["12:00"], "noon": ["12:00"], "9h": ["09:00"]}),
        (TIME, {"1830": ["18:30"], 15: ["15:00"], "11:00:00": ["11:00"], "11:00-12:00": ["11:00"]}),
        (TIME, {"24:00": [], "13pm": [], "25": [], "9.5": [], "soon": []}),
        (MOMENT, {"2027-08-02 9:00": ["2027-08-02T09:00"], "31/12/2027 3pm": ["2027-12-31T15:00"], "2027-08-02": []}),
        (MOMENT, {"2027-08-02t09:00z": ["2027-08-02T09:00Z"], "2027-08-02 9:00 +0100": ["2027-08-02T09:00+01:00"]}),
        (MOMENT, {"2027-08-02T9:00-02": ["2027-08-02T09:00-02:00"], "2027-08-02 11:00-12:00": ["2027-08-02T11:00"]}),
        (MOMENT, {"2027-08-02+01:00": [], "2027-08-02t09:00+2000": []}),
        (MINUTES, {"1h": ["60"], "1.5 hours": ["90"], "PT1H30M": ["90"], "1:30": ["90"], "45 min": ["45"]}),
        ({"type": "integer", "unit": "minutes"}, {"20001h": ["1200060"]}),
        (MINUTES, {"an hour": [], "0h": [], "99h": [], "": [], 1.5: []}),
        (
            AMOUNT,
            {
                "€ 35": ["35"],
                "1,200": ["1200"],
                "1.200,50": ["1200.50"],
                "1 200.5": ["1200.5"],
                "\u201835\u2019": ["35"],
            },
        ),
        (
            AMOUNT,
            {".5": ["0.5"], "£.50": ["0.50"], "Fr.5": ["5"], "5.": ["5"], "+5": ["5"], "007.50": ["7.50"], ".": []},
        ),
        (COUNT, {"010": ["10"], "00": ["0"], "+4": ["4"]}),
        (MINUTES, {"060": ["60"]}),
        (AMOUNT, {"free": [], "-35": [], "1.2.3": [], "9999999": [], 35.999: [], "35 or 40": []}),
        (COUNT, {"12 places": ["12"], "12.5": [], "100": [], "twelve": []}),
        ({"type": "string"}, {"31/12/2027": []}),
        (NAME, {"Spring Yoga!": ["spring-yoga"], "spring_yoga": ["spring-yoga"], 5: [], "x/y": ["x-y"]}),
        (NAME, {"Caf\u00e9": [], "---": [], "": [], None: []}),
    ],
)
def test_a_value_in_another_notation_is_read_only_where_it_is_clear(rule, meant):
    assert {value: guesses(value, rule) for value in meant} == meant


@given(
    st.text(alphabet="0123456789:.,-/ hHmMpPtTaA£€", max_size=50),
    st.sampled_from([DATE, TIME, MOMENT, MINUTES, AMOUNT]),
)
def test_no_text_is_an_error(text, rule):
    assert all(guess.isascii() for guess in guesses(text, rule))
